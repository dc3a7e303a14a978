(ns jetty-peer.database
  "The database tests of the TechEmpower application, the same handler and the same pool, on Jetty.

  * `-main` -- start them on the database that the environment's DATABASE_URL names, and say where they listen

  Ring's wrap-params gives them the query. Of Hinny, only its JSON is used, not its server."
  (:require
   [hinny-bench.database.handlers :as handlers]
   [hinny-bench.database.pool :as pool]
   [jetty-peer.start :as start]
   [ring.middleware.params :refer [wrap-params]]))

(set! *warn-on-reflection* true)

(defn -main
  "Serves on 127.0.0.1 until the process ends; `port` is 0 for a free one."
  [port]
  (let [jdbc-url (or (System/getenv "DATABASE_URL")
                     (throw (ex-info "DATABASE_URL is not set: a JDBC URL with user and password" {})))]
    (start/serve (wrap-params (handlers/handler (pool/data-source jdbc-url)))
                 (Long/parseLong port))))
