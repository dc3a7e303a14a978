(ns hinny-load.service
  "The realistic small service: reads a query and an order in JSON, looks one customer up, answers JSON.

  * `handler` -- it, for a server with `:parse #{:query :json}`

      POST /service?customer=shop%2F7&limit=20  {\"items\": [{\"quantity\": 2, \"price\": 1.5}]}
      ;; => {\"customer\": {\"id\": \"shop/7\", …}, \"limit\": 20, \"total\": 3.0, \"lines\": 1}

  Threads: any number at once."
  (:require
   [hinny-load.shop :as shop]
   [hinny.json :as json]))

(set! *warn-on-reflection* true)

(defn handler
  "Answers one Ring request."
  [{:keys [query-params json-params]}]
  (shop/answer query-params json-params json/body))
