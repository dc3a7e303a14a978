(ns hinny.worker-load-test
  "What the workers do is told: in the metrics at any time, in the log when they are exhausted."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.log-capture :as log :refer [with-log]]
   [hinny.modes :as modes]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.server :as server])
  (:import
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(defn- await-metrics [server wanted]
  (raw/await-until #(= wanted (select-keys (server/server-metrics server) (keys wanted)))))

(defn- blocking
  "A handler that blocks at `gate`, but for `/plain`."
  [gate]
  (fn [{:keys [uri]}]
    (when-not (= "/plain" uri)
      (raw/await-latch gate))
    {:status 200 :body uri}))

(defn- await-message [events pattern]
  (loop []
    (when-let [{:keys [level message]} (log/await-event events)]
      (if (re-find pattern message)
        level
        (recur)))))

(deftest exhausted-pool-test
  (testing "one runs, one waits, the third is refused"
    (let [gate (CountDownLatch. 1)]
      (with-log [events]
        (with-server [server (blocking gate) {:event-loops 1 :worker-threads 1 :worker-queue-depth 1}]
          (with-client [running server]
            (with-client [waiting server]
              (raw/send! running (raw/get-request "/running"))
              (is (await-metrics server {:workers-busy 1 :exchanges-queued 0}))
              (raw/send! waiting (raw/get-request "/waiting"))
              (is (await-metrics server {:workers-busy 1 :exchanges-queued 1 :exchanges-refused 0}))
              (dotimes [_ 3]
                (is (= 503 (:status (raw/answer server (raw/get-request "/refused"))))))
              (testing "the metrics tell"
                (is (await-metrics server {:workers-busy 1 :workers-stuck 1 :workers-streaming 0
                                           :exchanges-queued 1 :exchanges-refused 3})))
              (testing "the log tells of those that were refused, and when one has waited for a second"
                (is (= :warn (await-message events #"answered 503")))
                (is (= :warn (await-message events #"all 1 workers are busy: 1 exchanges wait"))))
              (.countDown gate)
              (is (= ["/running" "/waiting"] (mapv #(:body (raw/read-response %)) [running waiting])))
              (is (await-metrics server {:workers-busy 0 :workers-stuck 0 :exchanges-queued 0 :exchanges-refused 3})))))))))

(deftest virtual-workers-test
  (when modes/virtual-threads?
    (testing "virtual threads: handlers, streams and what was refused"
      (let [gate (CountDownLatch. 1)
            events-of (fn [] {:status 200 :body (cons "first" (lazy-seq (raw/await-latch gate) nil))})]
        (with-log [events]
          (with-server [server (fn [{:keys [uri] :as request}]
                                 (if (= "/events" uri) (events-of) ((blocking gate) request)))
                        {:event-loops 1 :worker-threads :virtual :worker-queue-depth 1}]
            (with-client [stream server]
              (with-client [running server]
                (raw/send! stream (raw/get-request "/events"))
                (is (await-metrics server {:workers-busy 1 :workers-streaming 1}))
                (raw/send! running (raw/get-request "/running"))
                (is (await-metrics server {:workers-busy 2 :workers-streaming 1}))
                (is (= 503 (:status (raw/answer server (raw/get-request "/refused")))))
                (is (await-metrics server {:workers-busy 2 :workers-stuck 1 :workers-streaming 1 :exchanges-refused 1}))
                (is (= :warn (await-message events #"answered 503")))
                (.countDown gate)
                (is (= "/running" (:body (raw/read-response running))))
                (is (await-metrics server {:workers-busy 0 :workers-stuck 0 :workers-streaming 0}))))))))))

(deftest handler-timeout-is-logged-test
  (testing "a handler that takes longer than it may"
    (let [gate (CountDownLatch. 1)]
      (with-log [events]
        (with-server [server (blocking gate) {:event-loops 1 :turned-clock? true}]
          (dotimes [_ 3]
            (is (= 503 (:status (raw/overdue-answer server (raw/get-request "/slow") 310000)))))
          (is (= :warn (await-message events #"handler took longer than :handler-timeout-ms for GET /slow")))
          (.countDown gate)
          (is (not-any? #(re-find #"handler took longer" (:message %)) (log/events events)) "once, not for each"))))))

(deftest streams-without-a-thread-are-logged-test
  (testing "more streams than :stream-threads"
    (let [gate (CountDownLatch. 1)
          handler (fn [_] {:status 200 :body (cons "first" (lazy-seq (raw/await-latch gate) nil))})]
      (with-log [events]
        (with-server [server handler {:event-loops 1 :worker-threads 1 :stream-threads 1}]
          (with-client [streaming server]
            (with-client [waiting server]
              (run! #(raw/send! % (raw/get-request "/")) [streaming waiting])
              (is (= :warn (await-message events #"1 workers are with streamed bodies.*:stream-threads.*1 exchanges wait")))
              (.countDown gate))))))))
