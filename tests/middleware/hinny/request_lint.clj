(ns hinny.request-lint
  "What the Ring SPEC 1.5.1 says of requests and responses, as a check of both (Debian has no ring-devel, whose
  `ring.middleware.lint` does this; this one is stricter and collects what it finds instead of throwing).

  * `request-violations`, `response-violations` -- what is wrong with one
  * `wrap-lint` -- a handler of both arities that notes what is wrong with all it sees

      (request-violations (assoc request :server-port \"80\"))
      ;; => [[:server-port \"80\"]]"
  (:require
   [clojure.string :as str]
   [hinny.impl.text :as text]
   [ring.core.protocols :as protocols])
  (:import
   (clojure.lang IPersistentMap)
   (java.io InputStream)))

(set! *warn-on-reflection* true)

(def ^:private known-keys
  #{:server-port :server-name :remote-addr :uri :query-string :scheme :request-method :protocol :headers :body
    :content-type :content-length :character-encoding})

(defn- header-name? [k]
  (and (string? k) (some? (re-matches #"[!#$%&'*+.^_`|~0-9a-z-]+" k))))

(defn- headers? [headers]
  (and (instance? IPersistentMap headers)
       (every? header-name? (keys headers))
       (every? string? (vals headers))
       (= (count headers) (count (seq headers)))
       (every? (fn [[k v]] (= v (get headers k) (headers k))) headers)))

(defn- optional [predicate]
  (fn [value] (or (nil? value) (predicate value))))

(def ^:private request-rules
  "A predicate for the value of each key that the SPEC has, nil where the key is missing."
  {:server-port #(and (integer? %) (< 0 % 65536))
   :server-name #(and (string? %) (not (str/blank? %)) (not (re-find #"[^\]]:\d+$|\s" %)))
   :remote-addr #(and (string? %) (some? (re-matches #"[0-9]+(\.[0-9]+){3}|[0-9a-f:]*:[0-9a-f:.]*" %)))
   :uri #(and (string? %) (some? (re-matches #"/[!-~&&[^?#]]*|\*" %)))
   :query-string (optional #(and (string? %) (not (str/starts-with? % "?")) (not (re-find #"[#\s]" %))))
   :scheme #{:http :https}
   :request-method #(and (keyword? %) (= (name %) (text/lower-case (name %))) (nil? (namespace %)))
   :protocol #{"HTTP/1.0" "HTTP/1.1"}
   :headers headers?
   :body (optional #(instance? InputStream %))
   :ssl-client-cert nil?})

(defn- deprecated-violations
  "The deprecated keys may be missing; what they say must be what the headers say."
  [{:keys [headers content-type content-length character-encoding]}]
  (cond-> []
    (and content-type (not= content-type (get headers "content-type")))
    (conj [:content-type content-type])
    (and content-length (not= (str content-length) (get headers "content-length")))
    (conj [:content-length content-length])
    (and character-encoding (not (str/includes? (text/lower-case (str (get headers "content-type")))
                                                (text/lower-case character-encoding))))
    (conj [:character-encoding character-encoding])))

(defn request-violations
  "What is wrong with `request`, a vector of `[key value]`; `[:request class]` if it is no map."
  [request]
  (if (instance? IPersistentMap request)
    (-> (vec (for [[k valid?] request-rules
                   :let [value (get request k)]
                   :when (not (valid? value))]
               [k value]))
        (into (remove (fn [[k _]] (or (contains? known-keys k) (qualified-keyword? k)))) request)
        (into (deprecated-violations request)))
    [[:request (class request)]]))

(defn- response-header? [[k v]]
  (and (string? k)
       (or (string? v)
           (and (sequential? v) (every? string? v)))))

(defn response-violations
  "What is wrong with `response`, as `request-violations`."
  [{:keys [status headers body] :as response}]
  (if (map? response)
    (cond-> []
      (not (and (integer? status) (<= 200 status 599))) (conj [:status status])
      (not (and (map? headers) (every? response-header? headers))) (conj [:headers headers])
      (not (satisfies? protocols/StreamableResponseBody body)) (conj [:body (class body)]))
    [[:response (class response)]]))

(defn wrap-lint
  "Wraps `handler`; what is wrong with its requests and responses is added to the vector in the atom `violations`."
  [handler violations]
  (let [note-request! #(swap! violations into (request-violations %))
        note-response! #(swap! violations into (response-violations %))]
    (fn
      ([request]
       (note-request! request)
       (doto (handler request) note-response!))
      ([request respond raise]
       (note-request! request)
       (handler request #(do (note-response! %) (respond %)) raise)))))
