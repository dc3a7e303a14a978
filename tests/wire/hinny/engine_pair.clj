(ns hinny.engine-pair
  "A server for each HTTP/1.1 engine, and what a client and the handler see when both get the same bytes.

  * `with-pair`  -- two servers that differ in nothing but `:http1-engine`
  * `difference` -- sends the same pieces to both; what was not the same, nil if all was

      (with-pair [pair (modes/named \"inline\") (fn [request] {:status 200 :body (:uri request)})]
        (difference pair [\"GET / HT\" \"TP/1.1\\r\\nHost: x\\r\\n\\r\\n\"]))
      ;; => nil

  A conversation ends `:kept` if the connection serves another request, `:closed` if the server ended it, `:waiting` if
  it waits for the rest of a request; then the client ends its side, and what comes still belongs to it. One that has no
  end, `:hung`, is a difference even if both have none. It comes from an
  address of its own, so that a handler on another thread which is late is not taken for one of the next. Each server has
  one loop, and a second connection, its neighbour, whose requests show that the loop has come round."
  (:require
   [clojure.string :as str]
   [hinny.impl.text :as text]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (hinny.raw_client Client)
   (java.io ByteArrayInputStream ByteArrayOutputStream Closeable IOException InputStream)
   (java.net InetSocketAddress StandardSocketOptions)
   (java.nio ByteBuffer)
   (java.nio.channels SocketChannel)
   (java.util.concurrent LinkedBlockingQueue)))

(set! *warn-on-reflection* true)

;; The servers

(def probe
  "The request that a connection still serves if it was kept."
  (raw/head "GET /probe HTTP/1.1" "Host: x"))

(def ^:private probe-answer "{the probe is answered}")

(defn- facts
  "All that a Ring map says, as data. Of its route, whose handler is each server's own, the rest."
  [request body]
  (cond-> (assoc (dissoc (into {} request) :hinny.router/match)
            :route (dissoc (:route request) :handler)
            :headers (into {} (:headers request))
            ::field-order (vec (keys (:headers request)))
            ::port-class (class (:server-port request)))
    body (assoc :body (raw/text body))))

(defn- ends-connection? [{:keys [headers]}]
  (boolean (some (fn [[field value]]
                   (and (.equalsIgnoreCase "connection" field) (re-find #"(?i)close" (str value))))
                 headers)))

(defn- recording
  "`handler` with a queue of the facts of its requests, and `::ended` behind one to which it answers with
  `Connection: close`, each behind the client's address. It answers the probe and the neighbour by itself. A request whose
  body breaks off is not in the queue: whether a worker sees it is a matter of time."
  [^LinkedBlockingQueue seen handler]
  (fn [{:keys [uri remote-addr] :as request}]
    (case uri
      "/probe" {:status 200 :body probe-answer}
      "/neighbour" {:status 200}
      (let [body (when-let [in (:body request)] (.readAllBytes ^InputStream in))
            _ (.add seen [remote-addr (facts request body)])
            response (handler (cond-> request body (assoc :body (ByteArrayInputStream. body))))]
        (when (ends-connection? response)
          (.add seen [remote-addr ::ended]))
        response))))

(defrecord Side [server ^LinkedBlockingQueue seen ^Client neighbour]
  Closeable
  (close [_]
    (.close ^Closeable neighbour)
    (.close ^Closeable server)))

(def ^:private quiet
  "Options with which nothing happens because of a time, nor on another loop."
  {:event-loops 1 :keep-alive-timeout-ms 3600000 :header-read-timeout-ms 3600000 :body-read-timeout-ms 3600000})

(defn- open-side [engine {:keys [adapt] :as mode} handler {:keys [make-routes] :as options}]
  (let [seen (LinkedBlockingQueue.)
        recorded (adapt (recording seen handler))
        server (server/run-server recorded
                                  (cond-> (merge raw/*options* quiet {:http1-engine engine}
                                                 (dissoc options :make-routes)
                                                 (:options mode))
                                    make-routes (assoc :routes (make-routes recorded))))]
    (->Side server seen (raw/connect (server/server-port server)))))

(defrecord Pair [mode auto hyper]
  Closeable
  (close [_]
    (.close ^Closeable auto)
    (.close ^Closeable hyper)))

(defn open-pair
  "Starts both servers for a sync `handler` in a mode of `hinny.modes`. With `:make-routes` among the options they have
  the routes that this function makes of the handler."
  ([mode handler] (open-pair mode handler nil))
  ([mode handler options]
   (->Pair mode (open-side :auto mode handler options) (open-side :hyper mode handler options))))

(defmacro with-pair
  "Runs `body` with both servers bound to `pair`."
  [[pair mode handler options] & body]
  `(with-open [^Closeable pair# (open-pair ~mode ~handler ~options)]
     (let [~pair pair#]
       ~@body)))

(defn- idle? [{:keys [server]}]
  (zero? (:exchanges-open (server/server-metrics server))))

;; A conversation

(def ^:private still-rounds
  "How often the loop comes round and finds nothing to do before what has not come will not."
  3)

(def ^:private asked-rounds
  "The same when the client was asked for the rest of a body, and sends none. A handler may have all of it, and be slow."
  100)

(def ^:private conversations (atom 0))

(defn- own-address
  "A loopback address that no conversation had in the last eight million."
  []
  (let [n (swap! conversations inc)]
    (text/formatted "127.%d.%d.%d" (inc (mod (quot n 65536) 128)) (mod (quot n 256) 256) (mod n 256))))

(defn- open-channel ^SocketChannel [{:keys [server]}]
  (doto (SocketChannel/open)
    (.bind (InetSocketAddress. ^String (own-address) 0))
    (.setOption StandardSocketOptions/TCP_NODELAY true)
    ;; Closing leaves no row in the kernel's table of sockets, which would be full of them.
    (.setOption StandardSocketOptions/SO_LINGER (Integer/valueOf 0))
    (.connect (InetSocketAddress. "127.0.0.1" (int (server/server-port server))))
    (.configureBlocking false)))

(defn- receive!
  "Takes what has come: `:some`, `:none`, or `:closed` at the end. That the kernel resets a connection whose last bytes
  the server has not read is a matter of time, so it is no other end."
  [^SocketChannel channel ^ByteArrayOutputStream out]
  (let [buffer (ByteBuffer/allocate 65536)
        length (try (.read channel buffer) (catch IOException _ -1))]
    (case (int length)
      -1 :closed
      0 :none
      (do (.write out (.array buffer) 0 length) :some))))

(defn- guard
  "A function that tells whether the time is over in which what must come has to."
  []
  (let [deadline (+ (System/nanoTime) (* 1000000 (long raw/guard-ms)))]
    #(neg? (- deadline (System/nanoTime)))))

(defn- send!
  "Writes a piece and takes what comes meanwhile: `:sent`, `:closed` if the server took less of it, or `:hung`."
  [^SocketChannel channel out piece]
  (let [bytes (ByteBuffer/wrap (raw/latin1 piece))
        over? (guard)]
    (try
      (loop []
        (cond
          (not (.hasRemaining bytes)) :sent
          (pos? (.write channel bytes)) (recur)
          (over?) :hung
          :else (do (receive! channel out) (recur))))
      (catch IOException _ :closed))))

(defn- receive-to-end!
  "Takes what comes until the server ends the connection: `:closed`, or `:hung` if it does not."
  [channel out]
  (let [over? (guard)]
    (loop []
      (cond
        (= :closed (receive! channel out)) :closed
        (over?) :hung
        :else (do (Thread/onSpinWait) (recur))))))

(defn- answered? [^ByteArrayOutputStream out]
  (str/ends-with? (raw/text (.toByteArray out)) probe-answer))

(defn- asked?
  "Whether the last that came asks the client for the rest of its body, which a handler waits for."
  [^ByteArrayOutputStream out]
  (str/ends-with? (raw/text (.toByteArray out)) "HTTP/1.1 100 Continue\r\n\r\n"))

(defn- receive-until-still!
  "Takes what comes until the connection ends, the probe is answered, or no more can come without another byte; `:hung` if
  nothing of that happens."
  [side channel out patient?]
  (let [over? (guard)]
    (loop [still 0
           rounds 0]
      (let [got (receive! channel out)]
        (cond
          (= :some got) (recur 0 0)
          (not= :none got) got
          (answered? out) :kept
          (= still-rounds still) :waiting
          (and (<= asked-rounds rounds) (asked? out)) :waiting
          (over?) :hung
          :else (do (raw/come-round! (:neighbour side))
                    (recur (if (and (idle? side) (not patient?)) (inc still) 0) (inc rounds))))))))

(defn- timeless
  "`text` with every Date that a server sets made the same, and every boundary of parts that it makes up."
  [text]
  (-> text
      (str/replace #"\r\ndate: \w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT\r\n" "\r\ndate: now\r\n")
      (str/replace #"(\r\ncontent-type: multipart/byteranges; boundary=|--)\p{XDigit}{32}" "$1boundary")))

(defn- drain-seen [{:keys [^LinkedBlockingQueue seen server]} ^SocketChannel channel]
  (let [port (server/server-port server)
        address (.getHostAddress (.getAddress ^InetSocketAddress (.getLocalAddress channel)))
        all (java.util.ArrayList.)
        _ (.drainTo seen all)
        own (for [[client what] all :when (= address client)] what)]
    {:requests (for [request own :when (map? request)]
                 (-> request
                   (update :server-port #(if (= port %) :listener %))
                   (update :remote-addr #(if (= address %) :client %))))
     :ended? (boolean (some #{::ended} own))}))

(defn- converse
  "Sends the pieces, each when the one before has been read: the `:bytes` that came, how it ended, the `:requests` that
  the handler saw."
  [side pieces patient?]
  (with-open [channel (open-channel side)]
    (let [out (ByteArrayOutputStream.)
          sent (loop [[piece & more] pieces]
                 (let [sent (send! channel out piece)]
                   (if (and (= :sent sent) more)
                     (do (raw/come-round! (:neighbour side))
                         (recur more))
                     sent)))
          end (if (= :hung sent) sent (receive-until-still! side channel out patient?))
          end (if (= :waiting end)
                (do (.shutdownOutput channel)
                    (if (= :hung (receive-to-end! channel out)) :hung end))
                end)
          hung? (or (= :hung end) (not (raw/await-until #(idle? side))))]
      (assoc (drain-seen side channel)
        :bytes (timeless (raw/text (.toByteArray out)))
        :end (cond hung? :hung (answered? out) :kept :else end)))))

;; Comparison

(defn- without
  "`requests` without those in `others`, each taken once."
  [requests others]
  (first (reduce (fn [[left others] request]
                   (if (pos? (others request 0))
                     [left (update others request dec)]
                     [(conj left request) others]))
                 [[] (frequencies others)]
                 requests)))

(defn- same-requests?
  "Whether the handlers saw the same: on a loop in the same order. Requests with safe methods behind one whose handler ends
  the connection may have been with their handlers by then, in the lane; nobody gets their answers."
  [{:keys [on]} auto hyper]
  (let [more (without (:requests auto) (:requests hyper))]
    (and (empty? (without (:requests hyper) (:requests auto)))
         (or (empty? more)
             (and (:ended? hyper) (every? (comp #{:get :head :options :trace} :request-method) more)))
         (or (not= :loop on)
             (= (:requests hyper) (take (count (:requests hyper)) (:requests auto)))))))

(defn- around-difference
  "The pieces of two texts in which they first differ."
  [a b]
  (let [at (count (take-while true? (map = a b)))]
    (mapv #(subs % (max 0 (min (count %) (- at 200))) (min (count %) (+ at 200))) [a b])))

(defn difference
  "Sends `pieces` to both servers; nil if client and handler saw the same, else what differs, as `[auto hyper]`.

  `:patient? true` waits until the probe is answered or the connection ends, however long nothing happens: a file is
  opened on a thread that nobody here can see."
  ([pair pieces] (difference pair pieces nil))
  ([{:keys [mode auto hyper]} pieces {:keys [patient?]}]
   (let [[auto hyper] (map #(converse % pieces patient?) [auto hyper])]
     (not-empty
       (cond-> nil
         (not= (:bytes auto) (:bytes hyper)) (assoc :bytes (around-difference (:bytes auto) (:bytes hyper)))
         (or (not= (:end auto) (:end hyper)) (= :hung (:end auto))) (assoc :ends [(:end auto) (:end hyper)])
         (not (same-requests? mode auto hyper)) (assoc :requests [(without (:requests auto) (:requests hyper))
                                                                  (without (:requests hyper) (:requests auto))]))))))
