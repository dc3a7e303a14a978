(ns hinny.impl.multipart
  "Parameters from bodies of `multipart/form-data`, as `ring.middleware.multipart-params` makes them.

  * `params`           -- the parameters in a request's body
  * `temp-file-store`, `byte-array-store` -- where the files in it go
  * `request-or-error` -- the request with parameters, or who answers in its place

  A body is read on the calling thread, by `io.github.hinny.MultipartReader`. When that fails, what the store has made of
  earlier files of the request is undone: a store is a function, and the function `::undo` in its metadata, if it has
  one, is called with each value that it returned."
  (:require
   [hinny.impl.error :as error]
   [hinny.impl.refusal :as refusal])
  (:import
   (io.github.hinny ClientMaps ContentType MultipartException MultipartPart MultipartReader MultipartReader$Limits MultipartReader$Progress TempFiles)
   (java.io File InputStream)
   (java.nio.charset Charset IllegalCharsetNameException StandardCharsets UnsupportedCharsetException)))

(set! *warn-on-reflection* true)

;;; Stores

(defn byte-array-store
  "See `hinny.middleware/byte-array-store`."
  []
  (fn [item]
    (-> (select-keys item [:filename :content-type])
        (assoc :bytes (.readAllBytes ^InputStream (:stream item))))))

(defn temp-file-store
  "See `hinny.middleware/temp-file-store`."
  [{:keys [expires-in]}]
  (let [files (TempFiles. (if expires-in (long (* 1000 expires-in)) TempFiles/NEVER))]
    (with-meta
      (fn [item]
        (let [file (.write files (:stream item))]
          (-> (select-keys item [:filename :content-type])
              (assoc :tempfile file :size (.length file)))))
      {::undo (fn [stored] (.delete files ^File (:tempfile stored)))})))

(def ^:private default-store
  (delay (temp-file-store {:expires-in 3600})))

;;; Charsets

(defn- charset-of-client
  ^Charset [charset-name]
  (try
    (Charset/forName charset-name)
    (catch IllegalCharsetNameException _
      (throw (MultipartException/malformed "charset" "a charset has a name that is none")))
    (catch UnsupportedCharsetException _
      (throw (MultipartException/malformed "charset" "a charset is unknown")))))

(defn- form-charset
  "The charset of names, and of fields that nobody says anything about."
  ^Charset [content-type {:keys [encoding fallback-encoding]}]
  (if-let [named (or encoding fallback-encoding)]
    (Charset/forName named)
    (if-let [named (ContentType/charset content-type)]
      (charset-of-client named)
      StandardCharsets/UTF_8)))

(defn- named-charset
  "The charset that the first field called _charset_ names."
  [parts]
  (when-let [[_ ^bytes content] (first (filter (fn [[part-name _ field?]] (and field? (= "_charset_" part-name))) parts))]
    (when (pos? (alength content))
      (charset-of-client (String. content StandardCharsets/US_ASCII)))))

;;; Parts

(def ^:private default-limits
  {:max-file-count 1024
   :max-fields 1024
   :max-field-bytes (* 10 1024 1024)})

(defn- limits
  [options]
  (let [limit (fn [option]
                (or (get options option (get default-limits option)) Long/MAX_VALUE))]
    (MultipartReader$Limits. (limit :max-file-count) (limit :max-file-size) (limit :max-fields) (limit :max-field-bytes))))

(defn- content-length
  ^long [request]
  (or (some-> (get (:headers request) "content-length") parse-long) -1))

(defn- progress
  [request {:keys [progress-fn]}]
  (when progress-fn
    (let [length (content-length request)]
      (reify MultipartReader$Progress
        (update [_ bytes-read parts]
          (progress-fn request bytes-read length parts))))))

(defn- read-part
  "`[name bytes true charset-name]` of a field, `[name stored]` of a file."
  [^MultipartReader reader ^MultipartPart part store]
  (if (.isFile part)
    [(.name part)
     (store {:filename (.filename part)
             :content-type (.contentType part)
             :stream (.stream reader)})]
    [(.name part) (.field reader) true (some-> (.contentType part) ContentType/charset)]))

(defn- undo!
  [store parts]
  (when-let [undo (::undo (meta store))]
    (doseq [[_ stored field?] parts
            :when (not field?)]
      (undo stored))))

(defn- read-parts
  "All parts, as of `read-part`."
  [^MultipartReader reader store]
  (let [parts (volatile! [])]
    (try
      (loop []
        (when-let [part (.next reader)]
          (vswap! parts conj (read-part reader part store))
          (recur)))
      ;; A store may have kept a failure to itself.
      (some-> (.failure reader) throw)
      @parts
      (catch Throwable failure
        (undo! store @parts)
        (throw (or (.failure reader) failure))))))

(defn- add
  "As `ring.util.codec/assoc-conj`."
  [params param-name value]
  (assoc params
         param-name
         (if-let [present (get params param-name)]
           (if (vector? present)
             (conj present value)
             [present value])
           value)))

(defn- decoded
  "The parameters in `parts`, with fields as text."
  [parts ^Charset charset {:keys [encoding]}]
  (when (ClientMaps/isFlood (into-array Object (map first parts)) 1)
    (throw (MultipartException/malformed "hashes" "many names of one hash")))
  (let [^Charset all (if encoding charset (named-charset parts))]
    (reduce (fn [params [part-name value field? charset-name]]
              (add params
                   part-name
                   (if field?
                     (String. ^bytes value ^Charset (or all (some-> charset-name charset-of-client) charset))
                     value)))
            {}
            parts)))

(defn- form-params
  [request content-type options]
  (let [charset (form-charset content-type options)
        store (or (:store options) @default-store)
        in (or (:body request) (InputStream/nullInputStream))]
    (with-open [reader (MultipartReader. in content-type (content-length request) charset (limits options) (progress request options))]
      (let [parts (read-parts reader store)]
        (try
          (decoded parts charset options)
          (catch Throwable failure
            (undo! store parts)
            (throw failure)))))))

(defn params
  "The parameters in the body of a request, nil if it is no form of this kind. Throws a `MultipartException` if the body is
  malformed or too large."
  [request options]
  (let [content-type (get (:headers request) "content-type")]
    (when (MultipartReader/isForm content-type)
      (form-params request content-type options))))

;;; Requests

(defn- with-params
  [request params]
  (assoc request
         :multipart-params (merge (:multipart-params request) params)
         :params (merge (:params request) params)))

(defn- failure
  [^MultipartException cause]
  (if (.isMalformed cause)
    (error/failure "request-malformed" (ex-message cause) {:reason (keyword (.reason cause))} cause)
    (error/failure "multipart-too-large" (ex-message cause) {:limit (keyword (.reason cause)) :max (.max cause)} cause)))

(defn multipart-params-request
  "See `hinny.middleware/multipart-params-request`."
  [request options]
  (with-params request
    (try
      (or (params request options) {})
      (catch MultipartException cause
        (throw (failure cause))))))

(defn content-too-large-handler
  "Answers 413."
  ([_]
   {:status 413
    :headers {"Content-Type" "text/plain; charset=UTF-8"}
    :body "Uploaded content exceeded limits."})
  ([request respond _]
   (respond (content-too-large-handler request))))

(defn malformed-handler
  "Answers 400."
  ([_] refusal/bad-request)
  ([_ respond _] (respond refusal/bad-request)))

(defn request-or-error
  "`[request handler]`: the request with its parameters, or as it was if its body is malformed or too large, and the
  handler that answers it."
  [request handler options]
  (try
    [(with-params request (or (params request options) {})) handler]
    (catch MultipartException cause
      [request
       (if (.isMalformed cause)
         (:malformed-handler options malformed-handler)
         (:error-handler options content-too-large-handler))])))
