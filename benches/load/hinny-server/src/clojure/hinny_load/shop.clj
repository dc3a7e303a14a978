(ns hinny-load.shop
  "What the realistic small service does between reading a request and writing its answer, the same on every server.

  * `answer` -- the value that it answers

  Threads: any; everything here is pure.")

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

(defn answer
  "Returns a Ring response to a query and an order, maps with strings as keys; `json` makes its body of a value.

  A request without what it needs is answered 400, an unknown customer 404."
  [query order json]
  (let [customer (get customers (get query "customer"))
        limit (integer (get query "limit"))
        items (get order "items")]
    (cond
      (nil? customer) {:status 404 :headers {} :body nil}
      (not (and limit items)) {:status 400 :headers {} :body nil}
      :else {:status 200
             :headers {"Content-Type" "application/json"}
             :body (json {:customer customer
                          :limit limit
                          :total (total items)
                          :lines (count items)})})))
