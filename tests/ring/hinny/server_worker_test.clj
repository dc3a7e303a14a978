(ns hinny.server-worker-test
  "Handlers in parallel: the worker pool, its queue, virtual threads, and the watchdog of inline handlers.

  Latches and barriers say what runs beside what; no test measures time."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.log-capture :as log :refer [with-log]]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.server :refer [run-server server-metrics]])
  (:import
   (clojure.lang ExceptionInfo)
   (java.io Closeable)
   (java.util.concurrent CountDownLatch CyclicBarrier TimeUnit)
   (java.util.concurrent.atomic AtomicInteger)))

(set! *warn-on-reflection* true)

(def ^:private virtual-threads? (<= 21 (.feature (Runtime/version))))

(defmacro with-clients
  "Runs `body` with `n` connections to `server` bound to `clients`."
  [[clients server n] & body]
  `(let [~clients (vec (repeatedly ~n #(raw/connect (hinny.server/server-port ~server))))]
     (try
       ~@body
       (finally (run! #(.close ^Closeable %) ~clients)))))

(defn- send-all! [clients request]
  (run! #(raw/send! % request) clients))

(defn- bodies [clients]
  (mapv #(:body (raw/read-response %)) clients))

(defn- await-barrier [^CyclicBarrier barrier]
  (.await barrier raw/guard-ms TimeUnit/MILLISECONDS))

(def ^:private pools
  (cond-> [{:worker-threads 200}]
    virtual-threads? (conj {:worker-threads :virtual})))

(defn- spin
  "Keeps the processor busy for some microseconds: a short handler, but long enough for the next request to come."
  []
  (let [end (+ (System/nanoTime) 12000)]
    (while (neg? (- (System/nanoTime) end)))))

(deftest replies-before-a-blocked-handler-test
  (testing "the reply of a short handler goes out although the same worker blocks in the next one"
    (let [gate (atom nil)]
      (with-server [server (fn [{:keys [uri]}]
                             (if (= "/blocked" uri) (raw/await-latch @gate) (spin))
                             {:status 200 :body uri})
                    {:worker-threads 1 :event-loops 1}]
        (with-clients [[short blocked] server 2]
          (dotimes [_ 100]
            ;; Handlers count as short again, and the worker holds replies back while more work waits.
            (dotimes [_ 60]
              (raw/send! short (raw/get-request "/short"))
              (raw/read-response short))
            (reset! gate (CountDownLatch. 1))
            (raw/send! short (raw/get-request "/short"))
            (raw/send! blocked (raw/get-request "/blocked"))
            (is (= "/short" (:body (raw/read-response short))))
            (.countDown ^CountDownLatch @gate)
            (is (= "/blocked" (:body (raw/read-response blocked))))))))))

(deftest two-hundred-blocked-handlers-run-at-once-test
  (doseq [pool pools]
    (testing (str pool ": nobody passes the barrier before 200 are there, and an inline server answers meanwhile")
      (let [there (CountDownLatch. 200)
            gate (CountDownLatch. 1)
            barrier (CyclicBarrier. 200)]
        (with-server [blocking (fn [_]
                                 (.countDown there)
                                 (raw/await-latch gate)
                                 (await-barrier barrier)
                                 {:status 200 :body "done"})
                      pool]
          (with-server [inline (fn [_] {:status 200 :body "plain"}) {:handler-mode :inline}]
            (with-clients [clients blocking 200]
              (send-all! clients (raw/get-request "/"))
              (is (raw/await-latch there))
              (dotimes [_ 50]
                (is (= "plain" (:body (raw/answer inline (raw/get-request "/plaintext"))))))
              (is (= 200 (:exchanges-open (server-metrics blocking))))
              (.countDown gate)
              (is (= (repeat 200 "done") (bodies clients)))
              (testing "again, on the same connections and threads"
                (send-all! clients (raw/get-request "/"))
                (is (= (repeat 200 "done") (bodies clients)))))))))))

(deftest worker-threads-is-a-limit-test
  (doseq [limit [1 2 3]]
    (testing (str ":worker-threads " limit ": as many handlers run at once, and never more")
      (let [running (AtomicInteger.)
            most (AtomicInteger.)
            barrier (CyclicBarrier. limit)]
        (with-server [server (fn [_]
                               (let [now (.incrementAndGet running)]
                                 (.accumulateAndGet most now (reify java.util.function.IntBinaryOperator
                                                               (applyAsInt [_ a b] (max a b))))
                                 (await-barrier barrier)
                                 (.decrementAndGet running)
                                 {:status 200 :body "done"}))
                      {:worker-threads limit}]
          (with-clients [clients server (* 12 limit)]
            (dotimes [_ 5]
              (send-all! clients (raw/get-request "/"))
              (is (= (repeat (* 12 limit) "done") (bodies clients))))))
        (is (= limit (.get most)))))))

(deftest default-pool-is-wider-than-the-machine-test
  (testing "64 handlers run at once by default"
    (let [barrier (CyclicBarrier. 64)]
      (with-server [server (fn [_] (await-barrier barrier) {:status 200 :body "done"}) nil]
        (with-clients [clients server 64]
          (send-all! clients (raw/get-request "/"))
          (is (= (repeat 64 "done") (bodies clients))))))))

(deftest one-slow-handler-blocks-nobody-test
  (doseq [pool [{:worker-threads 2 :event-loops 1} {:worker-threads 2 :event-loops 2}]]
    (testing (str pool ": quick requests pass a slow one")
      (let [started (CountDownLatch. 1)
            gate (CountDownLatch. 1)]
        (with-server [server (fn [{:keys [uri]}]
                               (when (= "/slow" uri)
                                 (.countDown started)
                                 (raw/await-latch gate))
                               {:status 200 :body uri})
                      pool]
          (with-client [slow server]
            (raw/send! slow (raw/get-request "/slow"))
            (is (raw/await-latch started))
            (dotimes [_ 100]
              (is (= "/quick" (:body (raw/answer server (raw/get-request "/quick"))))))
            (.countDown gate)
            (is (= "/slow" (:body (raw/read-response slow))))))))))

(deftest full-queue-test
  (testing "one runs, one waits, the third is refused at once"
    ;; The first must have left the queue before the second comes, or the second would be refused.
    (let [started (CountDownLatch. 1)
          gate (CountDownLatch. 1)]
      (with-server [server (fn [{:keys [uri]}]
                             (.countDown started)
                             (raw/await-latch gate)
                             {:status 200 :body uri})
                    {:event-loops 1 :worker-threads 1 :worker-queue-depth 1}]
        (with-clients [[running waiting refused] server 3]
          (raw/send! running (raw/get-request "/running"))
          (is (raw/await-latch started))
          (raw/send! waiting (raw/get-request "/waiting"))
          (is (raw/await-until #(= 2 (:requests (server-metrics server)))))
          (dotimes [_ 3]
            (raw/send! refused (raw/post "/refused" "with a body"))
            (let [response (raw/read-response refused)]
              (is (= [503 "Service Unavailable"] ((juxt :status :body) response)))
              (is (re-matches #"[1-9]\d*" (str (raw/header response "retry-after"))))
              (is (nil? (raw/header response "connection")) "the connection is kept")))
          (.countDown gate)
          (is (= "/running" (:body (raw/read-response running))))
          (is (= "/waiting" (:body (raw/read-response waiting))))
          (raw/send! refused (raw/get-request "/later"))
          (is (= "/later" (:body (raw/read-response refused))) "on the same connection"))))))

(defn- warm-up!
  "Has six requests for `/warm` answered one by one: a connection that has answered nothing hands over its first
  pipelined request alone, and twice as many after each response."
  [client]
  (dotimes [_ 6]
    (raw/send! client (raw/get-request "/warm"))
    (is (= 200 (:status (raw/read-response client))))))

(deftest virtual-threads-test
  (if virtual-threads?
    (do
      (testing "each handler has a virtual thread of its own"
        (with-server [server (fn [_] {:status 200 :body (str (Thread/currentThread))}) {:worker-threads :virtual}]
          (is (str/starts-with? (:body (raw/answer server (raw/get-request "/"))) "VirtualThread["))))
      (testing ":worker-queue-depth is the number of handlers that may be running"
        (let [there (CountDownLatch. 2)
              gate (CountDownLatch. 1)]
          (with-server [server (fn [_] (.countDown there) (raw/await-latch gate) {:status 200 :body "done"})
                        {:event-loops 1 :worker-threads :virtual :worker-queue-depth 2}]
            (with-clients [clients server 2]
              (send-all! clients (raw/get-request "/"))
              (is (raw/await-latch there))
              (with-client [client server]
                (raw/send! client (raw/get-request "/"))
                (let [response (raw/read-response client)]
                  (is (= 503 (:status response)))
                  (is (raw/header response "retry-after")))
                (.countDown gate)
                (is (= ["done" "done"] (bodies clients)))
                ;; A place is free when its handler's thread has ended, which may be after its response.
                (is (raw/await-until #(do
                                        (raw/send! client (raw/get-request "/"))
                                        (= 200 (:status (raw/read-response client)))))))))))
      (testing "those of one read run beside each other, whichever blocks"
        (let [there (CountDownLatch. 8)
              gate (CountDownLatch. 1)]
          (with-server [server (fn [{:keys [uri]}]
                                 (when (not= "/warm" uri)
                                   (.countDown there)
                                   (raw/await-latch gate))
                                 {:status 200 :body uri})
                        {:event-loops 1 :worker-threads :virtual}]
            (with-client [client server]
              (warm-up! client)
              (raw/send! client (str/join (map #(raw/get-request (str "/" %)) (range 8))))
              (is (raw/await-latch there))
              (.countDown gate)
              (is (= (map #(str "/" %) (range 8)) (doall (repeatedly 8 #(:body (raw/read-response client))))))))))
      (testing "of one read no more run than may, and the others are refused"
        (let [there (CountDownLatch. 2)
              gate (CountDownLatch. 1)]
          (with-server [server (fn [{:keys [uri]}]
                                 (when (not= "/warm" uri)
                                   (.countDown there)
                                   (raw/await-latch gate))
                                 {:status 200})
                        {:event-loops 1 :worker-threads :virtual :worker-queue-depth 2}]
            (with-clients [[pipelining other] server 2]
              (warm-up! pipelining)
              (raw/send! pipelining (str/join (repeat 5 (raw/get-request "/"))))
              (is (raw/await-latch there))
              (raw/send! other (raw/get-request "/"))
              (is (= 503 (:status (raw/read-response other))))
              (.countDown gate)
              (is (= [200 200 503 503 503] (doall (repeatedly 5 #(:status (raw/read-response pipelining))))))))))
      (testing "a handler that throws is a 500 as ever"
        (with-log [events]
          (with-server [server (fn [_] (throw (ex-info "secret" {}))) {:worker-threads :virtual}]
            (is (= 500 (:status (raw/answer server (raw/get-request "/")))))
            (is (= 1 (count (log/await-events events 1))))))))
    (testing "refused before a socket is bound, with the JDK that is needed"
      (with-server [other (fn [_] {:status 200}) nil]
        (let [e (is (thrown? ExceptionInfo (run-server identity {:port (hinny.server/server-port other)
                                                                 :host "127.0.0.1"
                                                                 :worker-threads :virtual})))]
          (is (= {:type :hinny.error/option-invalid :option :worker-threads :value :virtual} (ex-data e)))
          (is (str/includes? (ex-message e) "JDK 21")))))))

(deftest stuck-loop-is-reported-once-test
  (let [gate (CountDownLatch. 1)
        second-gate (CountDownLatch. 1)]
    (with-log [events]
      (with-server [server (fn block-in-handler [{:keys [uri]}]
                             (case uri
                               "/stuck" (raw/await-latch gate)
                               "/again" (raw/await-latch second-gate)
                               nil)
                             {:status 200 :body uri})
                    {:handler-mode :inline :event-loops 1}]
        (with-client [client server]
          (testing "a loop that is in one handler for more than a second, with the stack of its thread"
            (raw/send! client (raw/get-request "/stuck"))
            (let [{:keys [level message ^Throwable throwable]} (log/await-event events)]
              (is (= :warn level))
              (is (str/includes? message "hinny-loop-0"))
              (is (str/includes? message ":handler-mode :worker"))
              (is (some #(str/includes? (str %) "block_in_handler") (some-> throwable .getStackTrace)))))
          (testing "the next one that is stuck is reported too; that comes later, so the first was not reported twice"
            (.countDown gate)
            (is (= "/stuck" (:body (raw/read-response client))))
            (raw/send! client (raw/get-request "/again"))
            (is (= :warn (:level (log/await-event events))))
            (.countDown second-gate)
            (is (= "/again" (:body (raw/read-response client)))))
          (is (empty? (log/events events))))))))

(deftest idle-loop-is-not-reported-test
  (testing "while one server is stuck long enough to be reported, an idle and a blocked worker server are not"
    (let [started (CountDownLatch. 1)
          gate (CountDownLatch. 1)
          wait! (fn [_] (.countDown started) (raw/await-latch gate) {:status 200 :body "done"})]
      (with-log [events]
        (with-server [idle (fn [_] {:status 200 :body "idle"}) {:handler-mode :inline}]
          (with-server [worker wait! nil]
            (with-server [inline wait! {:handler-mode :inline :event-loops 1}]
              (with-client [in-worker worker]
                (with-client [in-loop inline]
                  (is (= "idle" (:body (raw/answer idle (raw/get-request "/")))))
                  (raw/send! in-worker (raw/get-request "/"))
                  (is (raw/await-latch started))
                  (raw/send! in-loop (raw/get-request "/"))
                  (is (= :warn (:level (log/await-event events))))
                  (.countDown gate)
                  (is (= "done" (:body (raw/read-response in-worker))))
                  (is (= "done" (:body (raw/read-response in-loop))))
                  (is (empty? (log/events events))))))))))))
