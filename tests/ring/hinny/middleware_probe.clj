(ns hinny.middleware-probe
  "Requests for the tests of `hinny.middleware`, and what its middleware does with them.

  * `requests`  -- a request as a plain map and as Hinny's own
  * `form`      -- the same for a form
  * `outcome`   -- what a handler behind a middleware gets, sync and async

      (outcome wrap-params (own-request {:query-string \"a=1\"}) :params)
      ;; => {\"a\" \"1\"}"
  (:require
   [clojure.test :refer [is]]
   [hinny.record-writer :as record])
  (:import
   (io.github.hinny RingRequest)
   (java.io ByteArrayInputStream)))

(set! *warn-on-reflection* true)

(defn latin1
  "The bytes of text, one for each character."
  ^bytes [^String text]
  (.getBytes text "ISO-8859-1"))

(defn own-request
  "A request of Hinny's: `:query-string`, `:headers` (a map) and `:body` (text, a character for a byte)."
  ^RingRequest [{:keys [query-string headers body]}]
  (RingRequest/of (record/request-record {:query-string query-string
                                          :headers (vec headers)
                                          :body (some-> body latin1)})))

(defn plain-request
  "The same as a plain map."
  [{:keys [query-string headers body]}]
  (cond-> {:uri "/" :request-method :get :headers (or headers {})}
    query-string (assoc :query-string query-string)
    body (assoc :body (ByteArrayInputStream. (latin1 body)))))

(defn requests
  "Functions that make `request` by its sort: Hinny's own, Hinny's own with everything replaced, and a plain map."
  [request]
  {:own #(own-request request)
   :replaced #(let [plain (plain-request request)]
                (reduce dissoc
                        (into (own-request {:query-string "x=y" :headers {"cookie" "x=y"} :body "x=y"}) plain)
                        (remove plain [:query-string :body])))
   :plain #(plain-request request)})

(defn form
  "A form; `parameters` are those of its Content-Type."
  ([body] (form body ""))
  ([body parameters]
   {:headers {"content-type" (str "application/x-www-form-urlencoded" parameters)} :body body}))

(defn outcome
  "What `f` finds in the request that a handler behind `wrap` gets; the response if the handler gets none. Sync and async
  must be the same: `make` makes the request anew for each."
  [wrap make f]
  (let [seen (volatile! nil)
        handler (fn
                  ([request]
                   (vreset! seen (f request))
                   {::handled true})
                  ([request respond _raise]
                   (vreset! seen (f request))
                   (respond {::handled true})))
        found (fn [response]
                (if (::handled response) @seen response))
        sync (found ((wrap handler) (make)))
        _ (vreset! seen nil)
        async (let [response (promise)]
                ((wrap handler) (make) #(deliver response %) #(deliver response %))
                (found (deref response 0 ::none)))]
    (is (= sync async))
    sync))

(def bad-request
  "The response to a request that is refused."
  {:status 400 :headers {"Content-Type" "text/plain"} :body "Bad Request"})
