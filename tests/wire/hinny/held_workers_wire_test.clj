(ns hinny.held-workers-wire-test
  "Clients and producers that are slow or idle keep no worker from other requests.

  Nothing is timed: the plain request is sent when everybody else holds what they can hold, and its answer comes within
  the guard of the raw client, which is below every timeout that would end the others."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.modes :as modes]
   [hinny.protocols :as protocols]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (java.io Closeable InputStream OutputStream)
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private pools
  (cond-> [nil {:worker-threads 4 :stream-threads 4}]
    modes/virtual-threads? (conj {:worker-threads :virtual :worker-queue-depth 100})))

(defn- with-clients* [server n f]
  (let [clients (vec (repeatedly n #(raw/connect (server/server-port server))))]
    (try
      (f clients)
      (finally (run! #(.close ^Closeable %) clients)))))

(defmacro ^:private with-clients
  "Runs `body` with `n` connections to `server` bound to `clients`."
  [[clients server n] & body]
  `(with-clients* ~server ~n (fn [~clients] ~@body)))

(defn- await-metric [server metric value]
  (raw/await-until #(= value (metric (server/server-metrics server)))))

;; Request bodies

(def ^:private large-length 3000000)

(defn- body-length
  "Answers with the length of the body."
  [{:keys [^InputStream body uri]}]
  {:status 200 :body (if body (str (alength (.readAllBytes body))) uri)})

(defn- large-head [& lines]
  (apply raw/head "POST /upload HTTP/1.1" "Host: x" (str "Content-Length: " large-length) lines))

(deftest trickling-bodies-test
  (doseq [pool pools
          n [64 200]]
    (testing (str n " clients that have announced a large body and send a byte of it now and then, " pool)
      (with-server [server body-length pool]
        (with-clients [clients server n]
          (run! #(raw/send! % (str (large-head) "b")) clients)
          (is (raw/await-until #(<= n (let [{:keys [exchanges-open errors-answered]} (server/server-metrics server)]
                                        (+ exchanges-open errors-answered)))))
          (run! #(raw/send! % "b") (take 64 clients))
          (testing "keep no plain request waiting"
            (dotimes [_ 10]
              (is (= "/plain" (:body (raw/answer server (raw/get-request "/plain")))))
              (is (= "10" (:body (raw/answer server (raw/post "/small" "0123456789")))))))
          (run! #(.close ^Closeable %) clients)
          (testing "and when they have left, a large body is read"
            (is (raw/await-until #(= [200 (str large-length)]
                                     ((juxt :status :body)
                                      (raw/answer server (str (large-head) (str/join (repeat large-length "b"))))))))))))))

;; Response bodies

(defn- blocked-seq [^CountDownLatch gate]
  (cons "first" (lazy-seq (raw/await-latch gate) nil)))

(defn- blocked-input [^CountDownLatch gate]
  (let [given (atom false)]
    (proxy [InputStream] []
      (read
        ([] (throw (UnsupportedOperationException.)))
        ([bytes] (.read ^InputStream this bytes 0 (alength ^bytes bytes)))
        ([bytes from _]
         (if (compare-and-set! given false true)
           (do (System/arraycopy (raw/latin1 "first") 0 bytes from 5) 5)
           (do (raw/await-latch gate) -1))))
      (available [] 0))))

(defn- blocked-writer [^CountDownLatch gate]
  (reify protocols/StreamableResponseBody
    (write-body-to-stream [_ _ output]
      (doto ^OutputStream output (.write (raw/latin1 "first")) (.flush))
      (raw/await-latch gate))))

(deftest idle-streams-test
  (doseq [[what body-of] {"seqs" blocked-seq "InputStreams" blocked-input "StreamableResponseBodies" blocked-writer}
          pool [nil {:worker-threads 1 :stream-threads 64} {:worker-threads 64 :stream-threads 64}]]
    (testing (str "64 event streams whose " what " have no event, " pool)
      (let [gate (CountDownLatch. 1)]
        (with-server [server (fn [{:keys [uri]}] {:status 200 :body (if (= "/events" uri) (body-of gate) uri)}) pool]
          (with-clients [clients server 64]
            (run! #(raw/send! % (raw/get-request "/events")) clients)
            (testing "have all begun"
              (is (= (repeat 64 [200 "first"])
                     (doall (for [client clients] [(:status (stream/read-head client)) (stream/read-chunk client)])))))
            (testing "keep no plain request waiting"
              (dotimes [_ 10]
                (is (= "/plain" (:body (raw/answer server (raw/get-request "/plain")))))))
            (testing "and are counted"
              (is (await-metric server :workers-streaming 64)))
            (.countDown gate)
            (testing "until they end"
              (is (= (repeat 64 "") (doall (map stream/read-chunk clients))))
              (is (await-metric server :workers-streaming 0)))))))))

(deftest more-streams-than-threads-test
  (testing "a stream that finds no thread waits for another to end, and plain requests do not"
    (let [gates (vec (repeatedly 5 #(CountDownLatch. 1)))
          handler (fn [{:keys [uri]}]
                    {:status 200 :body (if (= "/plain" uri) uri (blocked-seq (gates (parse-long (subs uri 1)))))})]
      (with-server [server handler {:worker-threads 2 :stream-threads 4}]
        (with-clients [clients server 5]
          (doseq [n (range 4)]
            (raw/send! (clients n) (raw/get-request (str "/" n)))
            (is (= 200 (:status (stream/read-head (clients n))))))
          (raw/send! (clients 4) (raw/get-request "/4"))
          (is (await-metric server :exchanges-queued 1))
          (is (= "/plain" (:body (raw/answer server (raw/get-request "/plain")))))
          (.countDown ^CountDownLatch (gates 2))
          (is (= 200 (:status (stream/read-head (clients 4)))))
          (is (= {:workers-streaming 4 :exchanges-queued 0}
                 (select-keys (server/server-metrics server) [:workers-streaming :exchanges-queued])))
          (with-client [late server]
            (raw/send! late (raw/get-request "/2"))
            (is (await-metric server :exchanges-queued 1))
            (testing "one whose client leaves meanwhile is forgotten"
              (.close ^Closeable late)
              (run! #(.countDown ^CountDownLatch %) gates)
              (is (await-metric server :exchanges-queued 0)))))))))
