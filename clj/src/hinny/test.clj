(ns hinny.test
  "For the tests of programs that use Hinny: a handler without a server, and a server for the time of a test.

  * `request`     -- call a handler as a server would, without a socket; its response as a client would see it
  * `with-server` -- a running server for a body of code
  * `url`         -- the address of a path on a server

      (request (fn [{:keys [uri body]}] {:status 200 :headers {\"X-Path\" uri} :body (list \"got \" (slurp body))})
               {:request-method :post :uri \"/a\" :body \"text\"})
      ;; => {:status 200, :headers {\"x-path\" \"/a\"}, :body \"got text\"}

      (with-server [server handler {:handler-mode :inline}]
        (slurp (url server \"/a\")))

  `request` neither starts an event loop nor loads the native library."
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [hinny.impl.body :as body]
   [hinny.impl.error :as error]
   [hinny.impl.options :as options]
   [hinny.impl.text :as text]
   [hinny.server :as server])
  (:import
   (io.github.hinny ContentType HandlerCall InvalidResponseException RequestWriter RequestWriter$Field RequestWriter$Head RingRequest)
   (java.io ByteArrayInputStream ByteArrayOutputStream InputStream)
   (java.nio.charset Charset StandardCharsets)))

(set! *warn-on-reflection* true)

(def ^:private default-options
  {:async? false :timeout-ms 10000 :as :string})

;;; The request

(defn- refuse
  [message data]
  (throw (error/failure "request-invalid" message data)))

(defn- body-bytes
  "The whole body as bytes, nil if there is none."
  ^bytes [body]
  (cond
    (nil? body) nil
    (bytes? body) body
    (string? body) (.getBytes ^String body StandardCharsets/UTF_8)
    (instance? InputStream body) (with-open [in ^InputStream body] (.readAllBytes in))
    (instance? java.io.File body) (with-open [in (io/input-stream body)] (.readAllBytes in))
    :else (refuse (str "request :body must be nil, a String, a byte array, an InputStream or a File, is "
                       (.getName (class body)))
                  {:body body})))

(defn- header-map
  "The header fields as a server hands them over: names in lower case, a Host, and the length of the body."
  [{:keys [headers server-name server-port]} ^bytes body]
  (doseq [[field value] headers
          :when (not (and (string? field) (string? value)))]
    (refuse (str "request :headers must be a map of Strings, has " (pr-str field) " " (pr-str value)) {:headers headers}))
  (let [named (into {"host" (str (or server-name "localhost") (when server-port (str ":" server-port)))}
                    (map (fn [[field value]] [(text/lower-case field) value]))
                    headers)]
    (cond
      (nil? body) named
      (contains? named "transfer-encoding") (dissoc named "content-length")
      :else (assoc named "content-length" (str (alength body))))))

(defn- host-and-port
  "Host and port of a Host field: nil where it names none."
  [host]
  (let [[_ server-name port] (re-matches #"(\[[^\]]*\]|[^:]*)(?::(\d+))?" host)]
    [(not-empty server-name) (some-> port parse-long)]))

(defn- head
  [{:keys [request-method uri query-string scheme protocol remote-addr]} headers]
  (let [[path query] (str/split (or uri "/") #"\?" 2)
        [server-name server-port] (host-and-port (headers "host"))]
    (when-not (str/starts-with? path "/")
      (refuse (str "request :uri must begin with \"/\", is " (pr-str uri)) {:uri uri}))
    (RequestWriter$Head. 1
                         (text/upper-case (name (or request-method :get)))
                         path
                         (or query-string query)
                         (or server-name "localhost")
                         (int (or server-port (if (= :https scheme) 443 80)))
                         (or remote-addr "127.0.0.1")
                         (= "HTTP/1.0" protocol)
                         (= :https scheme))))

(def ^:private core-keys
  "What the record says; everything else is added to the request as middleware would."
  [:request-method :uri :query-string :headers :body :scheme :protocol :server-name :server-port :remote-addr
   :content-type :content-length :character-encoding])

(defn- ring-request
  ^RingRequest [request]
  (let [body (body-bytes (:body request))
        headers (header-map request body)
        fields (mapv (fn [[field value]] (RequestWriter$Field. field value false)) headers)]
    (into (RingRequest/of (RequestWriter/write (head request headers) fields body))
          (apply dissoc request core-keys))))

;;; The response

(defn- response-headers
  "A map of lower-case name to value, to a vector of values where there are several; without the fields that tell how a
  body is framed, unless they are all that tells of it."
  [^HandlerCall call head?]
  (let [told? (or head? (= 304 (.status call)))
        framing (if told? #{"transfer-encoding"} #{"transfer-encoding" "content-length"})]
    (reduce (fn [headers [field value]]
              (let [field (text/lower-case field)]
                (cond
                  (framing field) headers
                  (contains? headers field) (update headers field #(conj (if (vector? %) % [%]) value))
                  :else (assoc headers field value))))
            {}
            (partition 2 (.headers call)))))

(defn- body-as
  [^bytes bytes kind headers]
  (when bytes
    (case kind
      :byte-array bytes
      :stream (ByteArrayInputStream. bytes)
      :string (let [content-type (get headers "content-type")
                    charset (some-> ^String (if (vector? content-type) (first content-type) content-type)
                                    ContentType/charset)]
                (String. bytes (if charset (Charset/forName charset) StandardCharsets/UTF_8))))))

(defn- throw-failure
  [^Throwable failure request]
  (throw (if (instance? InvalidResponseException failure)
           (error/failure "response-invalid" (ex-message failure) {:request request} failure)
           failure)))

(defn- throw-timeout
  "Throws, with where the handler's thread is as the cause."
  [^HandlerCall call request timeout-ms]
  (let [thread (.thread call)
        where (when (.isAlive thread)
                (doto (Exception. "the handler's thread is here")
                  (.setStackTrace (.getStackTrace thread))))]
    (.giveUp call)
    (throw (error/failure "timeout"
                          (str "no complete response after " timeout-ms " ms: the handler "
                               (if where "still runs" "has returned, and nobody has called respond or ended the body"))
                          {:request request :timeout-ms timeout-ms}
                          where))))

(defn request
  "Calls `handler` with a Ring request, as a server would, and returns the response as a client would see it.

  `request` is a map with any of the keys of a Ring request, and may come from `ring.mock.request`:

      key               meaning                                                                     default
      :request-method   a keyword                                                                   :get
      :uri              the path; what follows a ? is the query string                              \"/\"
      :query-string     without ?                                                                   none
      :headers          map of Strings; Host, and Content-Length for a body, are added              {}
      :body             a String (sent as UTF-8), byte array, InputStream or File, read at once     none
      :scheme :protocol :remote-addr                                    :http \"HTTP/1.1\" \"127.0.0.1\"
      :server-name :server-port   as in the Host field                                      \"localhost\" 80

  Other keys are added to the request, as middleware would. The handler gets a map of the same type, and its response
  takes the same way, as under `hinny.server/run-server`; it runs on a thread of its own, with the caller's bindings.

  Returns `:status`, `:headers` and `:body`. Header names are in lower case, as clients show them; of a field that comes
  several times the value is a vector. What the server itself adds (Date, Server, Content-Length, Transfer-Encoding) is
  not there, except that a response to HEAD or a 304 keeps the handler's Content-Length. The body is a String, decoded in
  the charset of Content-Type (UTF-8 without one), whatever the handler returned; nil where there is none, as in a
  response to HEAD.

  `opts`:

      key           meaning                                                                         default
      :async?       whether the handler takes request, respond and raise                            false
      :timeout-ms   from the call until the response is complete                                    10000
      :as           what :body is: :string, :byte-array or :stream (an InputStream)                 :string

  Throws what the handler throws, raises, or throws while its body is produced. Throws `ex-info` of `:type`
  `:hinny.error/response-invalid` with the reason where a server would log it and answer 500, `:hinny.error/timeout`,
  `:hinny.error/request-invalid` and `:hinny.error/option-unknown`."
  {:added "0.1"}
  ([handler request] (hinny.test/request handler request nil))
  ([handler request opts]
   (options/refuse-unknown opts (set (keys default-options)) "(doc hinny.test/request)")
   (body/install)
   (let [{:keys [async? timeout-ms as]} (merge default-options opts)
         given (ring-request request)
         head? (= :head (:request-method request))
         call (HandlerCall. (bound-fn* handler) (boolean async?) given)]
     (.start call)
     (when-not (.await call (long timeout-ms))
       (throw-timeout call request timeout-ms))
     (some-> (.failure call) (throw-failure request))
     (let [headers (response-headers call head?)]
       {:status (.status call)
        :headers headers
        :body (body-as (.body call) as headers)}))))

;;; A server

(defmacro with-server
  "Runs `body` with a server for `handler` bound to `server`: on a free port of 127.0.0.1, stopped at the end.

  `options` are those of `hinny.server/run-server`, and may be left out; `:drain-timeout-ms` is 1000 here.

      (with-server [server handler]
        (slurp (url server \"/\")))"
  {:added "0.1" :arglists '([[server handler] & body] [[server handler options] & body])}
  [[server handler options] & body]
  `(with-open [~server (server/run-server ~handler
                                          (merge {:host "127.0.0.1" :port 0 :drain-timeout-ms 1000} ~options))]
     ~@body))

(defn url
  "Returns the address of `path` on a `server` of `with-server`: \"http://127.0.0.1:49213/a\" for \"/a\"."
  {:added "0.1"}
  ^String [server path]
  (str "http://127.0.0.1:" (server/server-port server) path))
