(ns hinny.route-differential-test
  "Routes in both HTTP/1.1 engines: the same answers, of the core and of handlers, for the same pipelines in the same
  pieces."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [clojure.test.check.clojure-test :refer [defspec]]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [hinny.answers :as answers]
   [hinny.engine-pair :as pair :refer [difference with-pair]]
   [hinny.modes :as modes]
   [hinny.raw-client :as raw])
  (:import
   (java.io Closeable)))

(set! *warn-on-reflection* true)

(defn- site
  "Route data with an endpoint of every kind."
  [handler]
  [["/users" ["/:id" {:get handler :put handler}]]
   ["/files/*path" {:get {:handler handler :produces ["text/plain"]}}]
   ["/in" {:post {:handler handler :consumes ["application/json"] :parse #{:query :json}}}]
   ["/in" {:post {:handler handler :consumes ["text/plain"] :max-body-bytes 5}}]
   [#"/item/(\d+)(x)?" {:handler handler}]
   ["/constant" {:get {:response {:status 200 :headers {"Content-Type" "text/plain"} :body "constant"}}
                 :post {:response {:status 201 :headers {"Location" "/constant"}}}}]
   ["/nothing" {:get {:response {:status 204}} :delete {:response {:status 304 :headers {"Content-Length" "5"}}}}]
   ["/closing" {:get {:response {:status 200 :headers {"Connection" "close"} :body "closing"}}}]
   ["/slash/" {:handler handler}]])

(def ^:private options
  {:make-routes site :trailing-slash :redirect :max-body-bytes 2000 :inline-body-bytes 2000})

(def ^:private gen-target
  (gen/elements ["/users/7" "/users/%41%2fb" "/users/" "/files/" "/files/a/b?q=1" "/in?a=1" "/item/7" "/item/7x" "/item/x"
                 "/constant" "/constant/" "/nothing" "/slash/" "/slash?q" "/nowhere" "/" "//" "/users/7/8"]))

(def ^:private gen-fields
  (gen/fmap (partial remove nil?)
            (gen/tuple (gen/elements [nil nil "Accept: */*" "Accept: text/html" "Accept: text/*;q=0.5, image/png"])
                       (gen/elements [nil nil nil "X-Other: 1"])
                       (gen/frequency [[12 (gen/return nil)] [1 (gen/return "Connection: close")]]))))

(def ^:private gen-request
  (gen/let [method (gen/frequency [[8 (gen/elements ["GET" "HEAD" "POST"])]
                                   [2 (gen/elements ["PUT" "DELETE" "OPTIONS" "BREW"])]])
            target gen-target
            fields gen-fields
            type (gen/elements ["Content-Type: application/json" "Content-Type: text/plain" "Content-Type: image/png" nil])
            body (gen/elements ["" "{}" "{\"a\": [1]}" "{" "text" "long text"])]
    (if (#{"POST" "PUT"} method)
      (str (apply raw/head (str method " " target " HTTP/1.1") "Host: x" (str "Content-Length: " (count body))
                  (cond->> fields type (cons type)))
           body)
      (apply raw/head (str method " " target " HTTP/1.1") "Host: x" fields))))

(defn- in-pieces
  "`text` cut at these places."
  [text places]
  (let [cuts (sort (distinct (concat [0 (count text)] (map #(mod % (count text)) places))))]
    (mapv (fn [[from to]] (subs text from to)) (partition 2 1 cuts))))

(def ^:private gen-pieces
  (gen/let [requests (gen/vector gen-request 1 12)
            places (gen/vector gen/nat 0 3)]
    (conj (in-pieces (str/join requests) (map #(* 37 (long %)) places)) pair/probe)))

(def ^:private compared-modes
  (filter (comp #{"worker" "inline" "async, answering on another thread"} :name) modes/modes))

(deftest every-request-test
  (doseq [mode compared-modes]
    (with-pair [pair mode answers/handler options]
      (doseq [method ["GET" "HEAD" "POST" "PUT" "DELETE" "OPTIONS" "BREW"]
              target ["/users/7" "/files/a" "/in" "/item/7x" "/constant" "/constant/" "/nothing" "/closing" "/slash" "/nowhere"
                      "*"]
              fields [nil ["Accept: text/html"] ["Accept: text/plain" "Accept: a/b"] ["Connection: close"]]
              :let [request (apply raw/head (str method " " target " HTTP/1.1") "Host: x" fields)]]
        (testing (str (:name mode) " " (pr-str request))
          (is (nil? (difference pair [(str request request pair/probe)]))))))))

(def ^:dynamic ^:private *pairs* nil)

(defn- with-pairs
  [f]
  (let [pairs (mapv #(pair/open-pair % answers/handler options) compared-modes)]
    (try
      (binding [*pairs* pairs]
        (f))
      (finally
        (run! #(.close ^Closeable %) pairs)))))

(use-fixtures :once with-pairs)

(defspec generated-pipelines-test 150
  (prop/for-all [pieces gen-pieces]
    (every? nil? (map #(difference % pieces) *pairs*))))
