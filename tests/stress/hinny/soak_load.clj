(ns hinny.soak-load
  "What the clients of the soak do: well-behaved ones, and all sorts of others. Each scene is a function of a port that
  returns when it is done, and throws when an answer is wrong.

  * `with-load` -- plays them all, again and again, while a function runs"
  (:require
   [clojure.string :as str]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw])
  (:import
   (java.io ByteArrayInputStream Closeable InputStream)
   (java.net SocketException URI)
   (java.net.http HttpClient HttpRequest HttpRequest$BodyPublishers HttpResponse HttpResponse$BodyHandlers)
   (java.util.concurrent.atomic AtomicLong)
   (java.util.concurrent.locks LockSupport)
   (java.util.function Supplier)))

(set! *warn-on-reflection* true)

(defn- expect
  [expected actual]
  (when-not (= expected actual)
    (throw (ex-info "wrong answer" {:expected expected :actual (subs (pr-str actual) 0 (min 300 (count (pr-str actual))))}))))

(defn- digits
  [length]
  (str/join (map #(mod % 10) (range length))))

(def ^:private kilobytes (digits 5000))

(def ^:private megabyte (str/join (repeat 200 kilobytes)))

;;; Well-behaved

(defn- keep-alive
  [port]
  (with-open [client (raw/connect port)]
    (dotimes [_ 50]
      (expect [200 "plain"] (probe/exchange client (raw/get-request "/plain"))))))

(defn- pipelining
  [port]
  (with-open [client (raw/connect port)]
    (raw/send! client (str/join (repeat 50 (str (raw/get-request "/plain") (raw/post "/count" kilobytes)))))
    (dotimes [_ 50]
      (expect [200 "plain"] (probe/outcome client))
      (expect [200 "5000"] (probe/outcome client)))))

(defn- chunked-request
  [port]
  (with-open [client (raw/connect port)]
    (dotimes [_ 5]
      (expect [200 "10010"]
              (probe/exchange client
                              (str (raw/head "POST /count HTTP/1.1" "Host: x" "Transfer-Encoding: chunked")
                                   (raw/chunked kilobytes "0123456789" kilobytes)))))))

(def ^:private http-client
  (delay (HttpClient/newHttpClient)))

(defn- fetch
  "The body of the response to a request, with `text` as body if it is not nil."
  [port path text sized?]
  (let [supplier (reify Supplier (get [_] (ByteArrayInputStream. (raw/latin1 text))))
        publisher (cond
                    (nil? text) (HttpRequest$BodyPublishers/noBody)
                    sized? (HttpRequest$BodyPublishers/ofByteArray (raw/latin1 text))
                    :else (HttpRequest$BodyPublishers/ofInputStream supplier))
        request (-> (HttpRequest/newBuilder (URI/create (str "http://127.0.0.1:" port path)))
                    (.method (if text "POST" "GET") publisher)
                    .build)
        ^HttpResponse response (.send ^HttpClient @http-client request (HttpResponse$BodyHandlers/ofByteArray))]
    (expect 200 (.statusCode response))
    (raw/text (.body response))))

(defn- downloads
  [port]
  (expect (str/join (range 1000)) (fetch port "/seq?1000" nil false))
  (expect megabyte (fetch port "/stream?1000000" nil false))
  (expect megabyte (fetch port "/bytes?1000000" nil false))
  (expect megabyte (fetch port "/file" nil false)))

(defn- echoes
  [port]
  (let [text (str/join (repeat 4 megabyte))]
    (expect text (fetch port "/echo" text true))
    (expect text (fetch port "/echo" text false))))

(defn- failing
  [port]
  (with-open [client (raw/connect port)]
    (dotimes [_ 10]
      (expect [500 "Internal Server Error"] (probe/exchange client (raw/get-request "/throw")))
      (expect [500 "Internal Server Error"] (probe/exchange client (raw/get-request "/invalid"))))))

;;; Others

(defn- send-and-leave
  "Sends `text` and leaves, with a reset or without."
  [port text read-bytes]
  (let [client (raw/connect port)]
    (try
      (raw/send! client text)
      (.readNBytes ^InputStream (:in client) (int read-bytes))
      (finally
        (if (zero? (rand-int 2))
          (probe/reset-connection client)
          (.close ^Closeable client))))))

(defn- aborted-requests
  [port]
  (doseq [text ["GET /pl"
                (str (raw/head "POST /echo HTTP/1.1" "Host: x" "Content-Length: 100000") kilobytes)
                (str (raw/head "POST /count HTTP/1.1" "Host: x" "Transfer-Encoding: chunked") "5\r\nab")
                (raw/get-request "/slow")
                (str/join (repeat 20 (raw/get-request "/plain")))]]
    (dotimes [_ 5]
      (send-and-leave port text 0)
      ;; Handlers and queue keep what was begun for a while; nobody is to be refused for that.
      (LockSupport/parkNanos 2000000))))

(defn- aborted-responses
  [port]
  (doseq [path ["/stream?5000000" "/bytes?5000000" "/seq?500000" "/file"]]
    (dotimes [_ 2]
      (send-and-leave port (raw/get-request path) 20000))))

(defn- slow-reader
  [port]
  (with-open [client (raw/connect port)]
    (raw/send! client (raw/get-request "/bytes?8000000" "Connection: close"))
    (dotimes [_ 20]
      (.readNBytes ^InputStream (:in client) 65536)
      (LockSupport/parkNanos 20000000))
    (expect true (< 6600000 (alength (.readAllBytes ^InputStream (:in client))) 8000000))))

(defn- unread-bodies
  "Bodies that the handler does not read: a small one costs nothing, a large one the connection."
  [port]
  (with-open [client (raw/connect port)]
    (expect [200 "unread"] (probe/exchange client (raw/post "/unread" kilobytes)))
    (expect [200 "unread"] (probe/exchange client (raw/post "/unread" kilobytes)))
    (try
      (raw/send! client (raw/post "/unread" megabyte))
      (expect [200 "unread"] (probe/outcome client))
      (catch SocketException _ "it was closed while the body was sent"))))

(defn- burst
  "More at once than the workers and their queue take."
  [port]
  (let [clients (vec (repeatedly 60 #(raw/connect port)))]
    (try
      (run! #(raw/send! % (raw/get-request "/slow")) clients)
      (doseq [client clients
              :let [{:keys [status] :as response} (raw/read-response client)]]
        (case (long status)
          200 (expect "slow" (:body response))
          503 (expect true (some? (raw/header response "retry-after")))))
      (finally (run! #(.close ^Closeable %) clients)))))

(defn- idle
  "Connections that do nothing until the server has enough of them; one in two has had an answer first."
  [port]
  (let [clients (atom [])]
    (try
      ;; Each asks as soon as it is connected: on a loaded machine the last of many would come too late.
      (dotimes [n 30]
        (let [client (raw/connect port)]
          (swap! clients conj client)
          (when (even? n)
            (expect [200 "plain"] (probe/exchange client (raw/get-request "/plain"))))))
      (run! #(expect true (probe/ended? %)) @clients)
      (finally (run! #(.close ^Closeable %) @clients)))))

(def ^:private scenes
  "Name, scene, and the servers that it is played on."
  (for [[scene-name scene kinds] [[:keep-alive keep-alive [:workers :async]]
                                  [:pipelining pipelining [:workers :async]]
                                  [:chunked-request chunked-request [:workers :async]]
                                  [:downloads downloads [:workers :async]]
                                  [:echoes echoes [:workers]]
                                  [:failing failing [:workers :async]]
                                  [:aborted-requests aborted-requests [:workers :async]]
                                  [:aborted-responses aborted-responses [:workers :async]]
                                  [:slow-reader slow-reader [:workers :async]]
                                  [:unread-bodies unread-bodies [:workers :async]]
                                  [:burst burst [:short-queue :async]]
                                  [:idle idle [:workers :async]]]
        kind kinds]
    [[scene-name kind] scene kind]))

(defn- play
  "Plays a scene on `port` again and again until `stopped?`; a future."
  [[scene-name scene] port ^AtomicLong played wrong stopped?]
  (future
    (while (not (stopped?))
      (try
        (scene port)
        (.incrementAndGet played)
        (catch Throwable t
          (swap! wrong conj [scene-name (str t)]))))))

(defn with-load
  "Plays each scene on the servers at `ports`, a map of kind to port, while `f` runs, and then to its end. Returns how
  many were played and a vector of what was wrong."
  [ports f]
  (let [stopped (atom false)
        played (AtomicLong.)
        wrong (atom [])
        players (mapv (fn [[_ _ kind :as scene]] (play scene (ports kind) played wrong (fn [] @stopped))) scenes)]
    (try
      (f)
      (finally (reset! stopped true)))
    (doseq [player players
            :when (= :hangs (deref player probe/guard-ms :hangs))]
      (swap! wrong conj [:hangs]))
    {:played (.get played) :wrong @wrong}))
