(ns hinny.exchange-limits-wire-test
  "How many connections, exchanges and requests there may be at once, and how long a handler may take: what happens at
  the limit, and one beyond it."
  (:require
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (java.io Closeable)
   (java.util.concurrent CountDownLatch)
   (java.util.concurrent.atomic AtomicInteger)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(defn- ok [_] {:status 200 :body "ok"})

(defn- connections [server n]
  (vec (repeatedly n #(raw/connect (server/server-port server)))))

(deftest max-connections-test
  (each-mode [mode]
    (doseq [limit [1 3]]
      (testing (str ":max-connections " limit)
        (with-handler [server mode ok {:max-connections limit :event-loops 2}]
          (let [clients (connections server limit)]
            (try
              (testing "as many are served"
                (doseq [client clients]
                  (raw/send! client (raw/get-request "/"))
                  (is (= "ok" (:body (raw/read-response client))))))
              (testing "one beyond is told so and closed, whether or not it asks"
                (with-client [client server]
                  (let [response (raw/read-response client)]
                    (is (= [503 "Service Unavailable"] ((juxt :status :body) response)))
                    (is (= "close" (raw/header response "connection")))
                    (is (re-matches #"[1-9]\d*" (str (raw/header response "retry-after")))))
                  (raw/finish! client)
                  (is (raw/eof? client))))
              (testing "those that are open go on"
                (doseq [client clients]
                  (raw/send! client (raw/get-request "/"))
                  (is (= "ok" (:body (raw/read-response client))))))
              (testing "one that closes makes room"
                (.close ^Closeable (peek clients))
                (is (raw/await-until #(< (:connections-open (server/server-metrics server)) limit)))
                (is (= "ok" (:body (raw/answer server (raw/get-request "/"))))))
              (finally (run! #(.close ^Closeable %) clients)))))))))

(deftest max-exchanges-test
  (each-mode [mode modes/may-block?]
    (doseq [limit [1 2]]
      (testing (str ":max-exchanges " limit)
        (let [gate (CountDownLatch. 1)]
          (with-handler [server mode (fn [{:keys [uri]}]
                                       (when (= "/held" uri) (raw/await-latch gate))
                                       {:status 200 :body uri})
                         {:max-exchanges limit :event-loops 2}]
            (let [clients (connections server limit)]
              (try
                (run! #(raw/send! % (raw/get-request "/held")) clients)
                (is (raw/await-until #(= limit (:exchanges-open (server/server-metrics server)))))
                (with-client [client server]
                  (doseq [request [(raw/get-request "/") (raw/post "/" "abc")]]
                    (testing "one beyond is refused, and its connection kept"
                      (raw/send! client request)
                      (let [response (raw/read-response client)]
                        (is (= [503 "Service Unavailable"] ((juxt :status :body) response)))
                        (is (nil? (raw/header response "connection")))
                        (is (raw/header response "retry-after")))))
                  (.countDown gate)
                  (doseq [client clients]
                    (is (= "/held" (:body (raw/read-response client)))))
                  (is (raw/await-until #(zero? (:exchanges-open (server/server-metrics server)))))
                  (raw/send! client (raw/get-request "/later"))
                  (is (= "/later" (:body (raw/read-response client)))))
                (finally (run! #(.close ^Closeable %) clients))))))))))

(deftest max-requests-per-connection-test
  (each-mode [mode]
    (doseq [limit [1 2 5]
            body ["text" (list "a" "b")]]
      (testing (str ":max-requests-per-connection " limit)
        (with-handler [server mode (fn [_] {:status 200 :body body}) {:max-requests-per-connection limit}]
          (with-client [client server]
            (dotimes [n limit]
              (raw/send! client (raw/get-request "/"))
              (let [response (stream/read-any client)]
                (is (= 200 (:status response)))
                (is (= (when (= (inc n) limit) "close") (raw/header response "connection")) "only in the last")))
            (is (raw/eof? client)))
          (testing "pipelined requests beyond it are not answered"
            (with-client [client server]
              (raw/send! client (apply str (repeat (+ 3 limit) (raw/get-request "/"))))
              (dotimes [_ limit]
                (is (= 200 (:status (stream/read-any client)))))
              (is (contains? #{:eof :reset} (raw/end-of client))))))))))

(def ^:private overdue-ms
  "Longer than :handler-timeout-ms is when nobody sets it."
  310000)

(deftest handler-timeout-test
  (each-mode [mode modes/may-block?]
    (testing ":handler-timeout-ms: 503 with Retry-After, the late answer is dropped, and the connection goes on"
      (let [gate (CountDownLatch. 1)
            calls (AtomicInteger.)]
        (with-handler [server mode (fn [{:keys [uri]}]
                                     (.incrementAndGet calls)
                                     (when (= "/late" uri) (raw/await-latch gate))
                                     {:status 200 :body uri})
                       {:turned-clock? true :keep-alive-timeout-ms 3600000}]
          (with-client [client server]
            (raw/send! client (raw/get-request "/late"))
            (is (raw/await-until #(= 1 (.get calls))))
            (is (raw/pass-until-heard! server overdue-ms client))
            (let [response (raw/read-response client)]
              (is (= [503 "Service Unavailable"] ((juxt :status :body) response)))
              (is (raw/header response "retry-after"))
              (is (nil? (raw/header response "connection"))))
            (is (raw/await-until #(zero? (:exchanges-open (server/server-metrics server)))))
            (.countDown gate)
            (is (raw/await-until #(= 1 (:replies-stale (server/server-metrics server)))))
            (raw/send! client (raw/get-request "/next"))
            (is (= "/next" (:body (raw/read-response client))))
            (is (= 2 (.get calls)))))))))

(deftest waiting-in-the-queue-counts-test
  (testing ":handler-timeout-ms: a request that waits too long for a worker never reaches its handler"
    (let [gate (CountDownLatch. 1)
          started (CountDownLatch. 1)
          seen (atom [])]
      (with-server [server (fn [{:keys [uri]}]
                             (swap! seen conj uri)
                             (when (= "/held" uri)
                               (.countDown started)
                               (raw/await-latch gate))
                             {:status 200 :body uri})
                    {:worker-threads 1 :event-loops 1 :turned-clock? true}]
        (with-client [held server]
          (raw/send! held (raw/get-request "/held"))
          (is (raw/await-latch started))
          (is (= 503 (:status (raw/overdue-answer server (raw/get-request "/waits") overdue-ms))))
          (is (= 503 (:status (raw/read-response held))))
          ;; The loop has told the workers of the first two before it can find this one to be late.
          (is (= 503 (:status (raw/overdue-answer server (raw/get-request "/later") overdue-ms))))
          (.countDown gate)
          (is (raw/await-until #(= 200 (:status (raw/answer server (raw/get-request "/next"))))))
          (is (not-any? #{"/waits"} @seen)))))))

(defn- spin-ms
  "Keeps the thread in its handler; for no longer than it says, and nothing depends on how long that is."
  [ms]
  (let [end (+ (System/nanoTime) (* 1000000 (long ms)))]
    (while (neg? (- (System/nanoTime) end)))))

(deftest inline-handler-timeout-test
  (each-mode [mode (complement modes/may-block?)]
    (testing ":handler-timeout-ms: a loop cannot be interrupted; its answer goes out late, and the connection goes on"
      (with-handler [server mode (fn [{:keys [uri]}]
                                   (when (= "/late" uri) (spin-ms 150))
                                   {:status 200 :body uri})
                     {:handler-timeout-ms 20 :event-loops 1}]
        (with-client [client server]
          (dotimes [_ 5]
            (raw/send! client (raw/get-request "/late"))
            (is (contains? #{200 503} (:status (raw/read-response client))))
            (raw/send! client (raw/get-request "/next"))
            (is (contains? #{200 503} (:status (raw/read-response client))))))))))

(deftest streaming-is-not-timed-test
  (each-mode [mode]
    (testing ":handler-timeout-ms is until the response begins: a body may take longer"
      (let [gate (CountDownLatch. 1)]
        (with-handler [server mode (fn [{:keys [uri]}]
                                     {:status 200
                                      :body (if (= "/long" uri)
                                              (lazy-seq (cons "a" (lazy-seq (raw/await-latch gate) (cons "b" nil))))
                                              (lazy-seq (raw/await-latch gate) (cons "late" nil)))})
                       {:turned-clock? true}]
          (with-client [client server]
            (raw/send! client (raw/get-request "/long"))
            (is (= 200 (:status (stream/read-head client))))
            (is (= "a" (stream/read-chunk client)))
            (testing "one that does not begin is timed, and shows that the other one had time enough"
              (is (= 503 (:status (raw/overdue-answer server (raw/get-request "/late") overdue-ms)))))
            (.countDown gate)
            (is (= ["b"] (stream/read-chunks client)))))))))
