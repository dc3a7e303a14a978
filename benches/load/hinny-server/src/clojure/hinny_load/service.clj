(ns hinny-load.service
  "The realistic small service: reads a query and an order in JSON, looks one customer up, answers JSON.

  * `handler` -- it, for a server with `:parse #{:query :json}`

      POST /service?customer=shop%2F7&limit=20  {\"items\": [{\"quantity\": 2, \"price\": 1.5}]}
      ;; => {\"customer\": {\"id\": \"shop/7\", …}, \"limit\": 20, \"total\": 3.0, \"lines\": 1}

  A request without what it needs is answered 400, an unknown customer 404. Threads: any number at once."
  (:require
   [hinny.json :as json]))

(set! *warn-on-reflection* true)

(def ^:private customers
  (into {}
        (for [n (range 1000)
              :let [id (str "shop/" n)]]
          [id {:id id
               :name (str "Customer " n)
               :email (str "customer." n "@example.org")}])))

(defn- integer
  [text]
  (when (and (string? text) (re-matches #"\d{1,9}" text))
    (parse-long text)))

(defn- total
  "What the lines of an order cost together."
  [items]
  (reduce (fn [sum item] (+ sum (* (get item "quantity") (get item "price")))) 0.0 items))

(defn handler
  "Answers one Ring request."
  [{:keys [query-params json-params]}]
  (let [customer (get customers (get query-params "customer"))
        limit (integer (get query-params "limit"))
        items (get json-params "items")]
    (cond
      (nil? customer) {:status 404 :headers {} :body nil}
      (not (and limit items)) {:status 400 :headers {} :body nil}
      :else {:status 200
             :headers {"Content-Type" "application/json"}
             :body (json/body {:customer customer
                               :limit limit
                               :total (total items)
                               :lines (count items)})})))
