(ns hinny.multipart-body
  "Requests with a multipart form, for tests that need no server.

  * `part`, `form` -- a part as a client writes it; the text of a form with parts
  * `request`      -- a request with a body, in pieces as asked for
  * `read-form`    -- its parameters as values that can be compared: files are read and deleted

      (read-form (request (form (part {:name \"a\"} \"1\"))))
      ;; => {\"a\" \"1\"}"
  (:require
   [clojure.string :as str]
   [hinny.middleware :as middleware])
  (:import
   (java.io ByteArrayInputStream File InputStream)
   (java.nio.file Files)))

(set! *warn-on-reflection* true)

(defn latin1
  "The bytes of a text, one for each char."
  ^bytes [^String text]
  (.getBytes text "ISO-8859-1"))

(defn utf8-as-latin1
  "The text whose `latin1` are the bytes of `text` in UTF-8."
  [^String text]
  (String. (.getBytes text "UTF-8") "ISO-8859-1"))

(defn part
  "A part of the boundary `b`, but for the line end behind its content. `fields` are lines, or a map of what
  Content-Disposition says and `:type`."
  [fields content]
  (str "--b\r\n"
       (if (map? fields)
         (str "Content-Disposition: form-data"
              (str/join (for [parameter [:name :filename] :when (get fields parameter)]
                          (str "; " (name parameter) "=\"" (get fields parameter) "\"")))
              "\r\n"
              (when-let [type (:type fields)] (str "Content-Type: " type "\r\n")))
         fields)
       "\r\n"
       content))

(defn form
  "The text of a form with parts of the boundary `b`."
  [& parts]
  (str (str/join (map #(str % "\r\n") parts)) "--b--\r\n"))

(defn in-pieces
  "A stream of `bytes` that gives at most `size` of them at once."
  ^InputStream [^bytes bytes size]
  (let [in (ByteArrayInputStream. bytes)]
    (proxy [InputStream] []
      (read
        ([] (.read in))
        ([target from length] (.read in target from (min (long size) (long length))))))))

(defn request
  "A request with a body, the `latin1` of `text`.

  Options: `:type` (Content-Type), `:length` (Content-Length, true for the right one, nil for none), `:size` of the pieces
  that the body comes in."
  [text & {:keys [type length size] :or {type "multipart/form-data; boundary=b" length true}}]
  (let [bytes (latin1 text)
        length (if (true? length) (alength bytes) length)]
    {:request-method :post
     :uri "/"
     :headers (cond-> {}
                type (assoc "content-type" type)
                length (assoc "content-length" (str length)))
     :body (if size
             (in-pieces bytes size)
             (ByteArrayInputStream. bytes))}))

(defn- comparable
  [value]
  (if (map? value)
    (let [{:keys [bytes ^File tempfile]} value
          ^bytes content (or bytes (Files/readAllBytes (.toPath tempfile)))]
      (some-> tempfile .delete)
      (-> (dissoc value :bytes :tempfile)
          (assoc :content (String. content "ISO-8859-1"))))
    value))

(defn comparable-params
  "Parameters as values that can be compared."
  [params]
  (update-vals params #(if (vector? %) (mapv comparable %) (comparable %))))

(defn read-form
  "The parameters of a request's form as values that can be compared."
  ([request] (read-form request {:store (middleware/byte-array-store)}))
  ([request options]
   (comparable-params (:multipart-params (middleware/multipart-params-request request options)))))
