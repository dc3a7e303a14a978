(ns hinny.impl.json-middleware
  "JSON bodies of requests and responses, as `ring.middleware.json` has them.

  * `body-request`, `params-request` -- the request with what its body says; nil if that is malformed
  * `json-response`                  -- the response with its collection as text"
  (:require
   [clojure.string :as str]
   [hinny.impl.json-writer :as json-writer]
   [hinny.impl.options :as options]
   [hinny.json :as json])
  (:import
   (clojure.lang ExceptionInfo)
   (io.github.hinny JsonMalformedException JsonReadSettings JsonSettings RingRequest)))

(set! *warn-on-reflection* true)

(def malformed-response
  "What is answered to malformed JSON."
  {:status 400
   :headers {"Content-Type" "text/plain"}
   :body "Malformed JSON in request body."})

;;; Requests

(defn- json-type?
  "As ring-json sees it: what begins with application/json, or with application/, something and +json."
  [^String content-type]
  (or (str/starts-with? content-type "application/json")
      (some? (re-find #"^application/(.+\+)?json" content-type))))

(defn- json-request?
  [request]
  (if-let [content-type (get (:headers request) "content-type")]
    (json-type? content-type)
    false))

(defn read-settings
  "How the bodies are to be read of which `options` tell; an empty body is nil."
  ^JsonReadSettings [{:keys [keywords? key-fn bigdecimals?]}]
  (json/read-settings (cond-> {:bigdecimals? (boolean bigdecimals?) :eof-value nil}
                        key-fn (assoc :key-fn key-fn)
                        (and keywords? (not key-fn)) (assoc :keywords? true))))

(defn- body-value
  "Returns the value of the body, `::malformed` if it has none. The body of a request of Hinny's own that came whole is read
  where it is."
  [request body settings]
  (try
    (if (and (instance? RingRequest request) (.isBodyWhole ^RingRequest request))
      (.readJson ^RingRequest request settings)
      (json/read-value body settings))
    (catch JsonMalformedException _ ::malformed)
    (catch ExceptionInfo failure
      (if (= :hinny.error/json-malformed (:type (ex-data failure)))
        ::malformed
        (throw failure)))))

(defn- with-json
  "Returns what `f` makes of the request and its body's value; the request itself if its body is no JSON, nil if that is
  malformed."
  [request settings f]
  (let [body (when (json-request? request) (:body request))]
    (if (nil? body)
      request
      (let [value (body-value request body settings)]
        (when-not (identical? ::malformed value)
          (f request value))))))

(defn body-request
  "Returns the request with its body's value as `:body`."
  [request settings]
  (with-json request settings (fn [request value] (assoc request :body value))))

(defn- with-params
  [request value]
  (if (map? value)
    (assoc request :json-params value :params (merge (:params request) value))
    request))

(defn params-request
  "Returns the request with its body's value, if that is a map, as `:json-params`, and merged into `:params`."
  [request settings]
  (with-json request settings with-params))

;;; Responses

(def ^:private of-cheshire
  "Ring's options, which are Cheshire's, by what they are called here."
  {:pretty :pretty? :escape-non-ascii :escape-unicode? :key-fn :key-fn})

(defn write-settings
  "How bodies are to be written of which `options` tell. Throws for an option that there is not."
  ^JsonSettings [options]
  (options/refuse-unknown options (set (keys of-cheshire)) "docs/middleware.md")
  (json-writer/settings
    (reduce-kv (fn [settings option value]
                 (assoc settings (of-cheshire option) (if (= :key-fn option) value (boolean value))))
               {}
               options)))

(defn json-response
  "Returns the response with its body as JSON text, if that is a collection; its type is application/json then, if it
  names none."
  [response settings]
  (if (coll? (:body response))
    (let [headers (:headers response)]
      (cond-> (assoc response :body (json-writer/write-value-as-string (:body response) settings))
        (not (contains? headers "Content-Type"))
        (assoc :headers (assoc headers "Content-Type" "application/json; charset=utf-8"))))
    response))
