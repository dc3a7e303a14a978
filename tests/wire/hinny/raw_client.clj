(ns hinny.raw-client
  "HTTP/1.1 as bytes on a socket: what a friendly client would hide, a test can see.

  * `with-server`   -- a running server for a body of code
  * `turned-clock`  -- a fixture whose servers have a clock that the test turns
  * `with-client`   -- a connection to it
  * `head`          -- the text of a request head
  * `send!`, `read-response`, `end-of` -- write bytes, read exactly one response, see how the connection ended
  * `answer`, `overdue-answer`, `conversation` -- the response to one request, and all there is to read until the server closes
  * `await-taken`, `come-round!`, `await-until`, `await-latch` -- wait for a fact, never for a time
  * `server-state`, `server-ended?`, `server-left?` -- what the kernel knows of the server's end: whether the server has sent its last byte, read or not, and closed its socket
  * `heard?` -- whether the server has sent any byte, or its last, that the client has not read
  * `pass!`, `pass-until!`, `pass-until-heard!` -- let time pass for a server with `:turned-clock? true`

      (with-server [server handler {:handler-mode :inline}]
        (with-client [client server]
          (send! client (head \"GET / HTTP/1.1\" \"Host: x\"))
          (read-response client)))
      ;; => {:version \"HTTP/1.1\" :status 200 :reason \"OK\" :headers [[\"server\" \"hinny\"] ...] :body \"hello\"}

  Text is Latin-1 both ways, so a character is a byte. Every wait has a guard of `guard-ms`, which is well below the
  server's default timeouts: what comes within the guard comes because it was ready."
  (:require
   [clojure.string :as str]
   [hinny.kernel-sockets :as kernel]
   [hinny.server :as server]
   [hinny.server-clock :as clock])
  (:import
   (java.io BufferedInputStream ByteArrayOutputStream Closeable InputStream)
   (java.net Socket SocketException)
   (java.nio.charset StandardCharsets)
   (java.util.concurrent CountDownLatch TimeUnit)
   (java.util.concurrent.locks LockSupport)))

(set! *warn-on-reflection* true)

(def guard-ms
  "How long a test waits for what must come before it fails."
  20000)

;; Servers and connections

(def ^:dynamic *options*
  "The options of a server whose test does not say otherwise."
  {:port 0 :host "127.0.0.1" :drain-timeout-ms 2000})

(defmacro with-server
  "Runs `body` with a server for `handler` on a free port of 127.0.0.1 bound to `server`. It need not drain."
  [[server handler options] & body]
  `(let [~server (clock/run-server ~handler (merge *options* ~options))]
     (try
       ~@body
       (finally (clock/close! ~server guard-ms)))))

(defn turned-clock
  "Calls `test` with `:turned-clock? true` for the servers that it starts."
  [test]
  (binding [*options* (assoc *options* :turned-clock? true)]
    (test)))

(defrecord Client [^Socket socket ^InputStream in]
  Closeable
  (close [_] (.close socket)))

(defn connect
  "Returns a connection to `port` of `host`."
  (^Client [port] (connect "127.0.0.1" port))
  (^Client [^String host port]
   (let [socket (doto (Socket. host (int port))
                  (.setTcpNoDelay true)
                  (.setSoTimeout guard-ms))]
     (->Client socket (BufferedInputStream. (.getInputStream socket))))))

(defmacro with-client
  "Runs `body` with a connection to `server` bound to `client`."
  [[client server] & body]
  `(with-open [~client (connect (server/server-port ~server))]
     ~@body))

(defn local-port
  "The client's own port."
  [^Client client]
  (.getLocalPort ^Socket (.-socket client)))

;; Writing

(defn latin1
  "The bytes of a text, one for each character."
  ^bytes [^String text]
  (.getBytes text StandardCharsets/ISO_8859_1))

(defn text
  "The text of bytes, one character for each."
  [^bytes bytes]
  (String. bytes StandardCharsets/ISO_8859_1))

(defn head
  "The text of a request head with these lines, and the empty line that ends it."
  [& lines]
  (str (str/join "\r\n" lines) "\r\n\r\n"))

(defn post
  "A request with a sized body."
  [target body & lines]
  (str (apply head (str "POST " target " HTTP/1.1") "Host: x" (str "Content-Length: " (count body)) lines) body))

(defn chunked
  "A chunked body of these pieces."
  [& pieces]
  (str (str/join (for [piece pieces] (str (Long/toHexString (count piece)) "\r\n" piece "\r\n"))) "0\r\n\r\n"))

(defn send!
  "Writes text or bytes to the connection in one piece."
  [^Client client data]
  (doto (.getOutputStream ^Socket (.-socket client))
    (.write (if (string? data) (latin1 data) ^bytes data))
    (.flush)))

(defn finish!
  "Ends the client's side; the server's stays open."
  [^Client client]
  (.shutdownOutput ^Socket (.-socket client)))

;; Reading

(defn- read-line-of
  "The next line without its CRLF; nil at the end of the stream. A line that ends in the middle is an error."
  [^InputStream in]
  (loop [line (StringBuilder.)]
    (let [b (.read in)]
      (cond
        (neg? b) (when (pos? (.length line))
                   (throw (ex-info "stream ended within a line" {:line (str line)})))
        (= 10 b) (if (str/ends-with? line "\r")
                   (subs (str line) 0 (dec (.length line)))
                   (throw (ex-info "line ends in LF without CR" {:line (str line)})))
        :else (recur (.append line (char b)))))))

(defn header-values
  "The values of all fields called `field` (in any case) in the order of the response."
  [{:keys [headers]} field]
  (vec (for [[k v] headers
             :when (.equalsIgnoreCase ^String k field)]
         v)))

(defn header
  "The value of the first field called `field`, nil if there is none."
  [response field]
  (first (header-values response field)))

(defn- read-exactly
  [^InputStream in length]
  (let [bytes (.readNBytes in (int length))]
    (when-not (= length (alength bytes))
      (throw (ex-info "stream ended within a body" {:expected length :got (text bytes)})))
    (text bytes)))

(defn- read-body
  [^Client client {:keys [status] :as response} head?]
  (let [length (header response "content-length")
        in ^InputStream (.-in client)]
    (cond
      (or head? (< status 200) (= 204 status) (= 304 status)) ""
      (header response "transfer-encoding") (throw (ex-info "a response with Transfer-Encoding" response))
      length (read-exactly in (parse-long length))
      :else (text (.readAllBytes in)))))

(defn read-response
  "Reads one response, as long as its head says and not a byte more; nil if the stream ends before it.

  `:head? true` for the response to a HEAD request."
  ([client] (read-response client nil))
  ([^Client client {:keys [head?]}]
   (let [in (.-in client)]
     (when-let [line (read-line-of in)]
       (let [[_ version status reason] (or (re-matches #"(HTTP/\d\.\d) (\d{3}) (.*)" line)
                                           (throw (ex-info "not a status line" {:line line})))
             headers (loop [headers []]
                       (let [line (read-line-of in)]
                         (if (= "" line)
                           headers
                           (recur (conj headers (vec (rest (re-matches #"([^:]+): ?(.*)" (str line)))))))))
             response {:version version :status (parse-long status) :reason reason :headers headers}]
         (assoc response :body (read-body client response head?)))))))

(defn end-of
  "How the stream goes on: `:eof` or `:reset` if it has ended, `:more` if there are bytes."
  [^Client client]
  (try
    (if (neg? (.read ^InputStream (.-in client))) :eof :more)
    (catch SocketException _ :reset)))

(defn eof?
  "Whether the server has closed the connection in order; waits for it to do something."
  [client]
  (= :eof (end-of client)))

;; Whole exchanges

(declare pass-until-heard!)

(defn answer
  "Sends `request` on a connection of its own and returns the response to it."
  ([server request] (answer server request nil))
  ([server request options]
   (with-client [client server]
     (send! client request)
     (read-response client options))))

(defn overdue-answer
  "As `answer`, of a server with `:turned-clock? true`, for which so many milliseconds pass until something comes."
  [server request ms]
  (with-client [client server]
    (send! client request)
    (pass-until-heard! server ms client)
    (read-response client)))

(defn conversation
  "Sends `request` on a connection of its own and returns every byte that comes until the server closes."
  [server request]
  (with-client [client server]
    (send! client request)
    (text (.readAllBytes ^InputStream (.-in ^Client client)))))

(defn get-request
  "The usual request for `target`, with these lines in its head."
  [target & lines]
  (apply head (str "GET " target " HTTP/1.1") "Host: x" lines))

;; Waiting

(defn await-until
  "Calls `condition` again and again until it returns true; false if that takes longer than the guard."
  [condition]
  (let [deadline (+ (System/nanoTime) (* 1000000 (long guard-ms)))]
    (loop []
      (cond
        (condition) true
        (neg? (- deadline (System/nanoTime))) false
        :else (do (LockSupport/parkNanos 20000) (recur))))))

(defn await-latch
  "Waits for `latch` to open; whether it did."
  [^CountDownLatch latch]
  (.await latch guard-ms TimeUnit/MILLISECONDS))

(defn- server-socket
  [^Client client]
  (kernel/socket (.getPort ^Socket (.-socket client)) (local-port client)))

(defn await-taken
  "Waits until the server has read all that was sent, so that what is sent next comes as another piece; whether it did.
  Where the kernel shows no table of its sockets it does not wait."
  [client]
  (await-until #(zero? (:unread (server-socket client) 0))))

(defn server-state
  "The state of the server's end of the connection, as `hinny.kernel-sockets` has it; nil if there is none any more."
  [client]
  (:state (server-socket client)))

(defn server-ended?
  "Whether the server has ended its side of the connection, and the client has not ended its own. True where the kernel
  shows no table of its sockets."
  [client]
  (or (not (kernel/sockets?))
      (contains? #{:fin-wait-1 :fin-wait-2} (server-state client))))

(defn reset-connection!
  "Leaves in a way that the server's kernel is told of at once: with a reset (RFC 9293 3.10.7)."
  [^Client client]
  (doto ^Socket (.-socket client)
    (.setSoLinger true 0)
    (.close)))

(defn server-left?
  "Whether the server has no descriptor of the connection any more. True where the kernel shows no table of its sockets."
  [client]
  (not (:owned? (server-socket client))))

(defn heard?
  "Whether something has come for the client, a byte or the end, that it has not read."
  [^Client client]
  (or (pos? (.available ^InputStream (.-in client)))
      (and (kernel/sockets?)
           (not (contains? #{:established :close-wait} (:state (server-socket client)))))))

(defn pass!
  "Lets so many milliseconds pass for `server`, which has `:turned-clock? true`."
  [server ms]
  (clock/pass! server ms))

(defn pass-until!
  "Lets so many milliseconds pass for `server`, as often as it takes until `condition` returns true; false if that takes
  longer than the guard. For what may begin to wait a little later than the test can see."
  [server ms condition]
  (clock/pass-until! server ms guard-ms condition))

(defn pass-until-heard!
  "`pass-until!` the server does something about `client`."
  [server ms client]
  (pass-until! server ms #(heard? client)))

(defn come-round!
  "Waits until the one loop of a server has seen all that was sent to it before: it has answered `neighbour`, another
  connection, twice since. Much cheaper than `await-taken`."
  [neighbour]
  (dotimes [_ 2]
    (send! neighbour (get-request "/neighbour"))
    (read-response neighbour)))

;; Handlers

(defn echo-body
  "A handler that answers with what it was sent."
  [{:keys [body]}]
  {:status 200
   :headers {"Content-Type" "application/octet-stream"}
   :body (when body
           (let [out (ByteArrayOutputStream.)]
             (.transferTo ^InputStream body out)
             (.toByteArray out)))})

(defn echo-target
  "A handler that answers with its method, path and query, and the body as text, separated by spaces."
  [{:keys [request-method uri query-string body]}]
  {:status 200
   :headers {"Content-Type" "text/plain; charset=ISO-8859-1"}
   :body (str/join " " (remove nil? [(name request-method) uri query-string (some-> body (slurp :encoding "ISO-8859-1"))]))})
