(ns hinny-bench.database.handlers
  "The database tests as a plain Ring handler: JDBC, which blocks, and nothing of the server that runs it.

  * `handler` -- `/db`, `/queries?queries=`, `/fortunes`, `/updates?queries=`, `/cached-queries?count=`, 404 otherwise

  Any Ring server runs it whose requests have `:query-params`: Hinny with `:parse #{:query}`, others with Ring's
  wrap-params. Each response is made from what was read for its request. Threads: any number at once, as many as the
  pool has connections at work."
  (:require
   [hinny-bench.database.fortunes :as fortunes]
   [hinny-bench.database.worlds :as worlds]
   [hinny.json :as json]))

(set! *warn-on-reflection* true)

(def ^:private most-rows 500)

(defn- row-count
  "The number of rows that the query's `parameter` asks for: from 1 to 500, and 1 if it is no integer."
  [request parameter]
  (let [value (get (:query-params request) parameter)]
    (if-not (string? value)
      1
      (let [asked (or (parse-long value)
                      ;; Digits, and more of them than a long has.
                      (if (re-matches #"[0-9]+" value) most-rows 1))]
        (max 1 (min most-rows asked))))))

(defn- json-response
  [value]
  {:status 200
   :headers {"Content-Type" "application/json"}
   :body (json/write-value-as-bytes value)})

(defn- html-response
  [^String html]
  {:status 200
   :headers {"Content-Type" "text/html; charset=utf-8"}
   :body (.getBytes html "UTF-8")})

(defn handler
  "Returns a Ring handler for the tests on the database of `data-source`, a pool of connections."
  [data-source]
  (let [cache (worlds/cache)]
    (fn [request]
      (case (:uri request)
        "/db" (json-response (worlds/world data-source))
        "/queries" (json-response (worlds/worlds data-source (row-count request "queries")))
        "/fortunes" (html-response (fortunes/page (fortunes/fortunes data-source)))
        "/updates" (json-response (worlds/update-worlds! data-source (row-count request "queries")))
        "/cached-queries" (json-response (worlds/cached-worlds cache data-source (row-count request "count")))
        {:status 404 :headers {} :body nil}))))
