(ns jetty-peer.service
  "The realistic small service, `hinny-load.shop`, with Ring's and ring-json's middleware.

  * `handler` -- it

  Threads: any number at once."
  (:require
   [hinny-load.shop :as shop]
   [ring.middleware.json :refer [wrap-json-body wrap-json-response]]
   [ring.middleware.params :refer [wrap-params]]))

(set! *warn-on-reflection* true)

(defn- answer
  [{:keys [query-params body]}]
  ;; wrap-json-response writes what is a map.
  (shop/answer query-params body identity))

(def handler
  "Answers one Ring request."
  (-> answer wrap-json-body wrap-params wrap-json-response))
