(ns hinny.impl.params
  "Query strings and forms to `:query-params`, `:form-params` and `:params`.

  * `charset-named`  -- the charset of an `:encoding`
  * `with-query-params`, `with-form-params` -- the request with its parameters
  * `params-request` -- both, unless somebody has added them already
  * `keyword-params` -- parameters with keywords for names

  A request of Hinny's own is decoded from its bytes, any other by its String and its InputStream."
  (:require
   [clojure.string :as str]
   [hinny.impl.refusal :refer [refuse]])
  (:import
   (io.github.hinny ContentMalformedException ContentType ParamKeywords Params Results RingRequest)
   (java.io InputStream)
   (java.nio.charset Charset IllegalCharsetNameException StandardCharsets UnsupportedCharsetException)))

(set! *warn-on-reflection* true)

(defn charset-named
  "Returns the charset with this name; nil if there is none."
  ^Charset [^String charset-name]
  (try
    (Charset/forName charset-name)
    (catch IllegalCharsetNameException _ nil)
    (catch UnsupportedCharsetException _ nil)))

(defn- content-type
  ^String [request]
  (get (:headers request) "content-type"))

(defn request-charset
  "Returns the charset that the Content-Type of `request` names, UTF-8 if it names none; nil if there is no such charset."
  ^Charset [request]
  (if-let [charset-name (some-> (content-type request) ContentType/charset)]
    (charset-named charset-name)
    StandardCharsets/UTF_8))

(defn most-params
  "Returns the most parameters that `options` allow."
  ^long [options]
  (let [most (:max-params options Results/PARAMS_MOST)]
    (when-not (and (pos-int? most) (<= most Integer/MAX_VALUE))
      (throw (IllegalArgumentException. (str ":max-params must be a positive integer, is " (pr-str most)))))
    (long most)))

(defn- merged
  [params more]
  (cond
    (empty? params) more
    (empty? more) params
    :else (reduce-kv assoc params more)))

(defn- with-params
  "Adds what the codec made to `kind` and to `:params`; nil means that there was too much."
  [request kind params most]
  (when (nil? params)
    (refuse :too-many-params (str "more than " most " parameters, or many names of one hash") {:max-params most}))
  (assoc request
    kind (merged (get request kind) params)
    :params (merged (:params request) params)))

(defn with-query-params
  "Adds the parameters of the query string, decoded in `charset`: none if that is nil."
  [request ^Charset charset ^long most]
  (with-params request :query-params
    (cond
      (nil? charset) {}
      (instance? RingRequest request) (.queryParams ^RingRequest request charset most)
      :else (if-some [query-string (:query-string request)]
              (Params/ofForm ^String query-string charset most)
              {}))
    most))

(defn- read-form
  [request body ^Charset charset ^long most]
  (cond
    (nil? charset) (refuse :charset "the charset of the form is not known" {:content-type (content-type request)})
    (and (instance? RingRequest request) (.isBodyWhole ^RingRequest request)) (.readForm ^RingRequest request charset most)
    (string? body) (Params/ofForm ^String body charset most)
    (instance? InputStream body) (let [^bytes form (with-open [stream ^InputStream body] (.readAllBytes stream))]
                                   (Params/ofForm form 0 (alength form) charset most))
    :else (Params/ofForm ^String (slurp body :encoding (.name charset)) charset most)))

(defn with-form-params
  "Adds the parameters of the body, decoded in `charset`, if it is a form; reads it to its end then."
  [request charset ^long most]
  (let [body (when (some-> (content-type request) (str/starts-with? "application/x-www-form-urlencoded"))
               (:body request))]
    (with-params request :form-params (if (some? body) (read-form request body charset most) {}) most)))

(defn params-request
  "Adds the parameters of query string and body, each unless it is there. A nil `charset` is the request's own."
  [request charset ^long most]
  (if (and (:form-params request) (:query-params request))
    request
    (let [charset (or charset (request-charset request))
          request (if (:form-params request) request (with-form-params request charset most))]
      (if (:query-params request)
        request
        (with-query-params request charset most)))))

(defn keyword-params
  "Returns `params` with keywords for the names that look like some, see `ParamKeywords`."
  [params namespaces?]
  (try
    (ParamKeywords/convert params namespaces?)
    (catch ContentMalformedException malformed
      (refuse :too-many-params (ex-message malformed) {}))))
