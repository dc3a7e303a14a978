(ns hinny.backpressure-wire-test
  "A slow reader stops its writer, in both directions, and what stopped goes on when it is read.

  What is asserted is a bound: a writer never gets further than the buffers of Hinny and the kernel, and one that does
  not stop exceeds that in no time. That its count stays the same for many looks only says when to look at it; were that
  too early, the assertion would hold all the same."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.log-capture :refer [with-log]]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (hinny.raw_client Client)
   (java.io InputStream)
   (java.net InetSocketAddress StandardSocketOptions)
   (java.nio.channels SocketChannel)
   (java.util.concurrent CountDownLatch)
   (java.util.concurrent.atomic AtomicLong)
   (java.util.concurrent.locks LockSupport)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private buffer-bytes
  "For :exchange-buffer-bytes."
  65536)

(def ^:private slack-bytes
  "More than the kernel holds for one connection over the loopback in one direction (its default limits are 4 MiB for
  sending and 6 MiB for receiving), and what Hinny holds besides `buffer-bytes`."
  12000000)

(def ^:private endless-bytes
  "What a writer would write that does not stop."
  100000000)

(defn- counting-stream
  "An InputStream of `length` bytes that counts what was read of it."
  ^InputStream [^AtomicLong given length]
  (proxy [InputStream] []
    (read
      ([] (throw (UnsupportedOperationException.)))
      ([bytes] (.read ^InputStream this bytes 0 (alength ^bytes bytes)))
      ([_ _ most]
       (let [size (min (long most) (- (long length) (.get given)))]
         (if (pos? size)
           (do (.addAndGet given size) size)
           -1))))
    (available [] 1)))

(defn- await-still
  "Waits until a count has not changed over many looks; returns it."
  [count-now]
  (loop [last-count (count-now)
         same 0]
    (LockSupport/parkNanos 1000000)
    (let [now (count-now)]
      (cond
        (not= now last-count) (recur now 0)
        (< same 200) (recur now (inc same))
        :else now))))

(deftest slow-reader-test
  (each-mode [mode]
    (testing "a client that does not read stops the writer; other clients are served; reading makes it go on"
      (let [given (AtomicLong.)]
        (with-handler [server mode (fn [{:keys [uri]}]
                                     {:status 200 :body (if (= "/slow" uri) (counting-stream given endless-bytes) "ok")})
                       {:exchange-buffer-bytes buffer-bytes}]
          (with-open [client (stream/small-buffers (server/server-port server))]
            (raw/send! client (raw/get-request "/slow"))
            (is (= 200 (:status (stream/read-head client))))
            (let [stopped-at (await-still #(.get given))]
              (is (< stopped-at (+ buffer-bytes slack-bytes)))
              (is (= "ok" (:body (raw/answer server (raw/get-request "/")))))
              (dotimes [_ 400] (stream/read-chunk client))
              (is (raw/await-until #(< stopped-at (.get given)))))
            (loop [chunk (stream/read-chunk client)]
              (when (seq chunk) (recur (stream/read-chunk client))))
            (is (= endless-bytes (.get given)) "to the end")))))))

(deftest smallest-buffer-test
  (each-mode [mode]
    (testing "with the smallest :exchange-buffer-bytes pieces of every size go through, both ways, and nobody waits for ever"
      (with-handler [server mode (fn [{:keys [uri] :as request}]
                                   {:status 200
                                    :body (case uri
                                            "/seq" (map #(subs (stream/text-of 5000) 0 %) (range 1 5000 7))
                                            "/echo" (:body request))})
                     {:exchange-buffer-bytes 4096 :inline-body-bytes 0}]
        (let [expected (str/join (map #(subs (stream/text-of 5000) 0 %) (range 1 5000 7)))]
          (is (= (stream/sha256 expected) (stream/sha256 (:body (stream/ask server (raw/get-request "/seq")))))))
        (doseq [size [1 4095 4096 4097 300000]]
          (with-client [client server]
            (let [text (stream/text-of size)
                  sending (future (raw/send! client (raw/post "/echo" text)))]
              (is (= text (:body (stream/read-any client))))
              (is (not= :hung (deref sending raw/guard-ms :hung))))))))))

(defn- non-blocking
  ^SocketChannel [server]
  (doto (SocketChannel/open)
    (.setOption StandardSocketOptions/SO_SNDBUF (int 65536))
    (.connect (InetSocketAddress. "127.0.0.1" (int (server/server-port server))))
    (.configureBlocking false)))

(deftest slow-handler-test
  (each-mode [mode modes/may-block?]
    (testing "a handler that does not read stops the client; other clients are served; reading makes it go on"
      (let [called (CountDownLatch. 1)
            gate (CountDownLatch. 1)
            taken (AtomicLong.)]
        (with-handler [server mode (fn [{:keys [uri ^InputStream body]}]
                                     (when (= "/slow" uri)
                                       (.countDown called)
                                       (.read body)
                                       (raw/await-latch gate)
                                       (let [piece (byte-array 65536)]
                                         (loop []
                                           (let [size (.read body piece)]
                                             (when (pos? size)
                                               (.addAndGet taken size)
                                               (recur))))))
                                     {:status 200 :body "ok"})
                       {:exchange-buffer-bytes buffer-bytes :max-body-bytes (* 2 endless-bytes) :body-read-timeout-ms 60000}]
          (with-open [channel (non-blocking server)]
            (.write channel (java.nio.ByteBuffer/wrap (raw/latin1 (stream/sized-head "/slow" endless-bytes))))
            (let [looks (AtomicLong.)
                  sent (stream/send-until-blocked! channel (fn [sent]
                                                             ;; Many looks in a row at a kernel that takes nothing.
                                                             (LockSupport/parkNanos 1000000)
                                                             (or (< (+ buffer-bytes slack-bytes) sent)
                                                                 (< 500 (.incrementAndGet looks)))))]
              (is (raw/await-latch called))
              (is (< sent (+ buffer-bytes slack-bytes)))
              (is (= "ok" (:body (raw/answer server (raw/get-request "/")))))
              (.countDown gate)
              (is (raw/await-until #(< (quot sent 2) (.get taken)))))))))))

(deftest response-write-timeout-test
  (each-mode [mode]
    (doseq [[what make] [["a streamed body" #(counting-stream (AtomicLong.) endless-bytes)]
                         ["a body that is there" #(byte-array 20000000)]]]
      (testing (str ":response-write-timeout-ms: a client that reads nothing is cut, " what)
        (with-log [_]
          (with-handler [server mode (fn [_] {:status 200 :body (make)}) {:turned-clock? true}]
            (with-open [client (stream/small-buffers (server/server-port server))]
              (raw/send! client (raw/get-request "/"))
              (is (raw/await-until #(= 1 (:connections-open (server/server-metrics server)))))
              (is (raw/pass-until! server 61000 #(= [0 0] ((juxt :connections-open :exchanges-open) (server/server-metrics server)))))
              (let [[text _] (stream/read-rest client)]
                (is (< (count text) 20000000))))))))))

(deftest slow-reader-that-reads-test
  (each-mode [mode]
    (testing ":response-write-timeout-ms: a client that reads now and then is not cut"
      (with-handler [server mode (fn [_] {:status 200 :body (byte-array 12000000)})
                     {:response-write-timeout-ms 100000 :keep-alive-timeout-ms 3600000 :turned-clock? true}]
        (with-open [client (stream/small-buffers (server/server-port server))]
          (raw/send! client (raw/get-request "/"))
          (is (= 200 (:status (stream/read-head client))))
          (let [in ^InputStream (.-in ^Client client)
                piece (byte-array 40000)]
            (dotimes [_ 300]
              (raw/pass! server 1000)
              (.readNBytes in piece 0 40000))
            (raw/send! client (raw/get-request "/"))
            (is (= 200 (:status (stream/read-head client))))))))))
