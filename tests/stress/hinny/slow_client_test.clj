(ns hinny.slow-client-test
  "Many clients that are slow on purpose do not keep others from being served, and cost no more than they may: readers
  who do not read endless bodies, and senders who drip a request head byte by byte (\"slowloris\"). The server runs in a
  JVM of its own with 64 MiB of heap."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.impl.text :as text]
   [hinny.other-jvm :as other]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (java.io Closeable IOException InputStream)
   (java.net InetSocketAddress)
   (java.nio ByteBuffer)
   (java.nio.channels SocketChannel)
   (java.nio.file Files Path)
   (java.util Arrays)
   (java.util.concurrent.locks LockSupport)))

(set! *warn-on-reflection* true)

(def ^:private steady-heap
  ["-XX:+UseSerialGC" "-Xms64m" "-Xmx64m" "-XX:+AlwaysPreTouch"])

;;; In the server's JVM

(def ^:private running (atom nil))

(def ^:private piece (str/join (repeat 16384 "x")))

(defn start
  "Starts a server with endless bodies of each kind; its port."
  [options]
  (server/server-port
    (reset! running
            (server/run-server
              (fn [{:keys [uri]}]
                (probe/ok (case uri
                            "/endless/seq" (repeat piece)
                            "/endless/tiny" (repeat "x")
                            "/endless/stream" (proxy [InputStream] []
                                                (read
                                                  ([] 120)
                                                  ([bytes] (alength ^bytes bytes))
                                                  ([_ _ length] length)))
                            uri)))
              (merge {:host "127.0.0.1" :port 0} options)))))

(defn metrics
  "Its counters."
  []
  (server/server-metrics @running))

(defn- await-counter
  "Waits until a counter of the server in `jvm` is as `condition` wants it."
  [jvm counter condition]
  (probe/await-that #(condition (counter (other/call jvm `metrics)))))

(defn- served
  "How many of `n` requests on one connection get their answer."
  [port n]
  (with-open [client (raw/connect port)]
    (count (filter #(= [200 "/other"] %) (repeatedly n #(probe/exchange client (raw/get-request "/other")))))))

;;; Readers

(def ^:private readers 200)

(def ^:private buffer-kib
  "`:exchange-buffer-bytes`: what may wait for each reader."
  256)

(defn- bounded?
  "Whether a server that weighed `before` holds, with `n` slow clients, no more for each than that, its worker's stack and
  what a connection needs. What is bounded by nothing is a hundred times as much."
  [n before during]
  (< (- (:peak-kib during) (:peak-kib before))
     (+ (* n 2 buffer-kib) other/growth-max-kib)))

(deftest slow-readers-test
  (with-open [jvm (other/open {:flags steady-heap})]
    ;; What all responses may take together is set so that each reader's share of it suffices: this is a test of the share.
    (let [port (other/call jvm `start {:worker-threads (* 2 readers)
                                       :exchange-buffer-bytes (* buffer-kib 1024)
                                       :max-pending-response-bytes (* readers 4 buffer-kib 1024)})
          _ (is (= 2000 (served port 2000)))
          before (other/weigh jvm)
          clients (mapv (fn [n]
                          (doto (raw/connect port)
                            (raw/send! (raw/get-request (if (even? n) "/endless/seq" "/endless/stream")))))
                        (range readers))]
      (try
        (testing "each has its response begun"
          (is (every? #(= (int \H) (.read ^InputStream (:in %))) clients))
          (is (= readers (:exchanges-open (other/call jvm `metrics)))))
        (testing (str readers " clients that do not read: another one is served")
          (is (= 2000 (served port 2000))))
        (let [during (other/weigh jvm)]
          (testing "what waits for them is bounded"
            (is (bounded? readers before during) [before during]))
          (println (text/formatted "      %d readers who do not read: resident %s -> %s"
                     readers (other/mib (:rss-kib before)) (other/mib (:rss-kib during)))))
        (finally (run! #(.close ^Closeable %) clients)))
      (testing "when they leave their exchanges end"
        (is (await-counter jvm :exchanges-open zero?)))
      (is (= 100 (served port 100)))
      (is (= 0 (:panics (other/call jvm `metrics))))
      (is (forked/sound? (other/end jvm))))))

(deftest tiny-pieces-test
  (with-open [jvm (other/open {:flags steady-heap})]
    (let [clients-max 50
          port (other/call jvm `start {:worker-threads (* 2 clients-max) :exchange-buffer-bytes (* buffer-kib 1024)})
          _ (is (= 2000 (served port 2000)))
          weigh-with (fn [request begun]
                       (let [before (other/weigh jvm)
                             clients (vec (repeatedly clients-max #(doto (raw/connect port) (raw/send! request))))]
                         (try
                           (run! begun clients)
                           ;; What the server does for the others it does after what it has begun for these.
                           (is (= 2000 (served port 2000)))
                           [before (other/weigh jvm)]
                           (finally (run! #(.close ^Closeable %) clients)))))]
      (testing "a body in pieces of a byte costs a reader who does not read no more than one in large pieces"
        (let [[before during] (weigh-with (raw/get-request "/endless/tiny")
                                          #(is (= (int \H) (.read ^InputStream (:in %)))))]
          (is (bounded? clients-max before during) [before during])))
      (is (await-counter jvm :exchanges-open zero?))
      (testing "and neither does a request body in chunks of a byte, which has not ended"
        (let [[before during] (weigh-with (str (raw/head "POST /other HTTP/1.1" "Host: x" "Transfer-Encoding: chunked")
                                               (str/join (repeat 60000 "1\r\nx\r\n")))
                                          raw/await-taken)]
          (is (bounded? clients-max before during) [before during])))
      (is (forked/sound? (other/end jvm))))))

;;; Senders

(defn- open-files-max
  "How many descriptors this process may have; the other JVM has the same limit."
  []
  (let [limits (Files/readAllLines (Path/of "/proc/self/limits" (make-array String 0)))
        [_ limit] (some #(re-find #"Max open files\s+(\d+|unlimited)" %) limits)]
    (or (parse-long limit) Integer/MAX_VALUE)))

(defn- sender-count
  []
  (let [wanted 5000
        possible (- (open-files-max) 500)]
    (when (< possible wanted)
      (println "NOTE: only" possible "slow senders instead of" wanted ": raise the limit of open files (ulimit -n)"))
    (min wanted possible)))

(defn- open-sender
  ^SocketChannel [port]
  (doto (SocketChannel/open (InetSocketAddress. "127.0.0.1" (int port)))
    (.configureBlocking false)
    (.write (ByteBuffer/wrap (raw/latin1 "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")))))

(defn- drip
  "Sends one byte; whether that can still be done."
  [^SocketChannel sender]
  (try
    (.write sender (ByteBuffer/wrap (byte-array [120])))
    true
    (catch IOException _ false)))

(defn- first-line
  "What the server said to a sender, nil if nothing that can still be read."
  [^SocketChannel sender]
  (let [buffer (ByteBuffer/allocate 1024)]
    (try
      (when (pos? (.read sender buffer))
        (first (str/split-lines (raw/text (Arrays/copyOf (.array buffer) (.position buffer))))))
      (catch IOException _ nil))))

(deftest slow-senders-test
  (with-open [jvm (other/open {:flags steady-heap})]
    (let [senders (sender-count)
          port (other/call jvm `start {:header-read-timeout-ms 5000 :worker-threads 4})
          _ (is (= 2000 (served port 2000)))
          before (other/weigh jvm)
          channels (mapv (fn [_] (open-sender port)) (range senders))
          stopped (atom false)
          dripping (future (while (not @stopped)
                             (run! drip channels)
                             (LockSupport/parkNanos 500000000)))]
      (try
        (testing (str senders " clients that send a byte now and then: another one is served")
          (is (= 500 (served port 500)))
          (is (< (quot senders 2) (:connections-open (other/call jvm `metrics)))
              "most are still there: the timeout is for the slow ones"))
        (let [during (other/weigh jvm)]
          (testing ":header-read-timeout-ms ends them"
            (is (await-counter jvm :connections-open zero?)))
          (println (text/formatted "      %d slow senders: %.1f KiB each, all ended"
                     senders (/ (- (:rss-kib during) (:rss-kib before)) (double senders)))))
        (reset! stopped true)
        @dripping
        (testing "with 408, as far as they can still read it"
          (let [lines (frequencies (map first-line channels))]
            (is (= #{"HTTP/1.1 408 Request Timeout"} (disj (set (keys lines)) nil)) lines)
            (is (= senders (:errors-answered (other/call jvm `metrics))))))
        (finally
          (reset! stopped true)
          (run! #(.close ^Closeable %) channels)))
      (testing "and leave nothing"
        (is (= 500 (served port 500)))
        (is (= 0 (:panics (other/call jvm `metrics)))))
      (is (forked/sound? (other/end jvm))))))
