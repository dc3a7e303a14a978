(ns hinny.async-test
  "Handlers with three arguments: who answers, how often, from which thread, and what becomes of answers that come too
  late. What they share with other handlers is in the tests of `hinny.modes`."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.log-capture :as log :refer [with-log]]
   [hinny.modes :as modes]
   [hinny.protocols :as protocols]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (java.io IOException OutputStream)
   (java.util.concurrent CountDownLatch ExecutorService Executors LinkedBlockingQueue TimeUnit)
   (java.util.concurrent.atomic AtomicInteger)))

(set! *warn-on-reflection* true)

(def ^:private async {:handler-mode :async})

(defn- ok [body] {:status 200 :body body})

(def ^:private once-table
  "What a handler does with respond and raise, and the status and body that come of it."
  [["respond twice" (fn [respond _] (respond (ok "first")) (respond (ok "second"))) 200 "first"]
   ["raise after respond" (fn [respond raise] (respond (ok "first")) (raise (ex-info "secret" {}))) 200 "first"]
   ["respond after raise" (fn [respond raise] (raise (ex-info "secret" {})) (respond (ok "second"))) 500 "Internal Server Error"]
   ["raise twice" (fn [_ raise] (raise (ex-info "secret" {})) (raise (ex-info "secret" {}))) 500 "Internal Server Error"]
   ["raise with no exception" (fn [_ raise] (raise "secret")) 500 "Internal Server Error"]
   ["raise with nil" (fn [_ raise] (raise nil)) 500 "Internal Server Error"]
   ["raise with an error" (fn [_ raise] (raise (StackOverflowError. "secret"))) 500 "Internal Server Error"]
   ["throw before respond" (fn [_ _] (throw (ex-info "secret" {}))) 500 "Internal Server Error"]
   ["throw after respond" (fn [respond _] (respond (ok "first")) (throw (ex-info "secret" {}))) 200 "first"]
   ["throw after raise" (fn [_ raise] (raise (ex-info "secret" {})) (throw (ex-info "secret" {}))) 500 "Internal Server Error"]
   ["respond with nil" (fn [respond _] (respond nil)) 500 "Internal Server Error"]
   ["respond with what is no response" (fn [respond _] (respond {:status "x"}) (respond (ok "second"))) 500 "Internal Server Error"]
   ["return a response and never respond with it" (fn [respond _] (respond (ok "first")) (ok "returned")) 200 "first"]])

(deftest answered-once-test
  (doseq [[what answer status body] once-table
          [where run] [["on the loop" (fn [f] (f))]
                       ["on another thread" modes/on-thread]]
          :when (or (= "on the loop" where) (not (str/starts-with? what "throw")))]
    (testing (str "A M22 " what ", " where ": the first answer holds, nothing escapes")
      (with-log [events]
        (let [calls (AtomicInteger.)
              returned (LinkedBlockingQueue.)]
          (with-server [server (fn [{:keys [uri]} respond raise]
                                 (if (= "/next" uri)
                                   (respond (ok "next"))
                                   (do (.incrementAndGet calls)
                                       (run #(try
                                               (answer respond raise)
                                               (finally (.add returned :returned)))))))
                        async]
            (with-client [client server]
              (raw/send! client (str (raw/get-request "/") (raw/get-request "/next")))
              (is (= [status body] ((juxt :status :body) (raw/read-response client))))
              (is (= "next" (:body (raw/read-response client))) "and the next response is another's")
              (is (= :returned (.poll returned raw/guard-ms TimeUnit/MILLISECONDS))))
            (is (= 0 (:replies-stale (server/server-metrics server))) "a second answer does not reach the core"))
          (is (= 1 (.get calls)))
          (when (= 500 status)
            (is (= [:error] (distinct (map :level (log/events events)))))))))))

(deftest what-respond-returns-test
  (testing "A respond and raise return nil and throw nothing, in time or late"
    (let [results (LinkedBlockingQueue.)]
      (with-log [_]
        (with-server [server (fn [_ respond raise]
                               (doseq [f [#(respond {:status 200 :headers {"X" 1}}) #(respond nil) #(raise nil) #(raise (ex-info "secret" {}))]]
                                 (.add results [(try (f) (catch Throwable t t))])))
                      async]
          (is (= 500 (:status (raw/answer server (raw/get-request "/")))))
          (is (= (repeat 4 [nil]) (vec results))))))))

(deftest never-answered-test
  (testing "A never: 503 with Retry-After after :handler-timeout-ms, and what comes later is stale"
    (let [late (LinkedBlockingQueue.)]
      (with-server [server (fn [{:keys [uri]} respond _]
                             (if (= "/never" uri)
                               (.add late respond)
                               (respond (ok uri))))
                    (assoc async :turned-clock? true)]
        (with-client [client server]
          (raw/send! client (raw/get-request "/never"))
          (is (raw/await-until #(seq late)))
          (is (raw/pass-until-heard! server 310000 client))
          (let [response (raw/read-response client)]
            (is (= 503 (:status response)))
            (is (raw/header response "retry-after"))
            (is (nil? (raw/header response "connection"))))
          (is (nil? ((.poll late raw/guard-ms TimeUnit/MILLISECONDS) (ok "late"))))
          (is (raw/await-until #(= 1 (:replies-stale (server/server-metrics server)))))
          (raw/send! client (raw/get-request "/next"))
          (is (= "/next" (:body (raw/read-response client)))))))))

(deftest loop-is-free-test
  (testing "A one loop serves others while as many exchanges as there are wait for their answers"
    (let [waiting (LinkedBlockingQueue.)]
      (with-server [server (fn [{:keys [uri]} respond _]
                             (if (= "/wait" uri)
                               (.add waiting respond)
                               (respond (ok uri))))
                    (assoc async :event-loops 1 :worker-threads 1)]
        (let [clients (vec (repeatedly 100 #(raw/connect (server/server-port server))))]
          (run! #(raw/send! % (raw/get-request "/wait")) clients)
          (is (= "/" (:body (raw/answer server (raw/get-request "/")))))
          (dotimes [n 100]
            ((.poll waiting raw/guard-ms TimeUnit/MILLISECONDS) (ok (str n))))
          (is (= (set (map str (range 100))) (set (map #(:body (raw/read-response %)) clients))))
          (run! #(.close ^java.io.Closeable %) clients))))))

(deftest answered-when-the-client-has-left-test
  (doseq [[what response] [["whole" (ok "late")]
                           ["a seq" (ok (list "late"))]
                           ["invalid" {:status 0}]]]
    (testing (str "A an answer, " what ", when the connection is gone: dropped, and nothing escapes")
      (with-log [_]
        (let [waiting (LinkedBlockingQueue.)]
          (with-server [server (fn [{:keys [uri]} respond _]
                                 (if (= "/wait" uri) (.add waiting respond) (respond (ok uri))))
                        async]
            (with-client [client server]
              (raw/send! client (raw/get-request "/wait"))
              (is (raw/await-until #(= 1 (count waiting))))
              (raw/reset-connection! client))
            (is (raw/await-until #(zero? (:exchanges-open (server/server-metrics server)))))
            (is (nil? ((.remove waiting) response)))
            (is (= "/" (:body (raw/answer server (raw/get-request "/")))))
            (is (raw/await-until #(zero? (:exchanges-open (server/server-metrics server)))))))))))

(deftest answered-when-the-server-has-stopped-test
  (testing "A an answer to a server that is no more: dropped, and nothing escapes"
    (let [waiting (LinkedBlockingQueue.)]
      (with-server [server (fn [_ respond raise] (.add waiting [respond raise])) (assoc async :drain-timeout-ms 0)]
        (with-client [client server]
          (raw/send! client (raw/get-request "/"))
          (is (raw/await-until #(= 1 (count waiting))))))
      (with-log [_]
        (let [[respond raise] (.remove waiting)]
          (is (nil? (respond (ok (list "late")))))
          (is (nil? (raise (ex-info "secret" {})))))))))

(deftype Writing [f]
  protocols/StreamableResponseBody
  (write-body-to-stream [_ _ out] (f out)))

(deftest body-that-fails-after-respond-test
  (testing "M18 a body that fails on another thread when its writer has returned: the stream stays the body's own"
    (let [outcome (promise)]
      (with-server [server (fn [_ respond _]
                             (respond (ok (->Writing (fn [^OutputStream out]
                                                       (modes/on-thread #(deliver outcome (try
                                                                                            (.write out (raw/latin1 "a"))
                                                                                            (.flush out)
                                                                                            (throw (IOException. "secret"))
                                                                                            (catch IOException failed
                                                                                              (.close out)
                                                                                              failed)))))))))
                    async]
        (is (= [200 "a" false] ((juxt :status :body :cut?) (stream/ask server (raw/get-request "/")))))
        (is (instance? IOException (deref outcome raw/guard-ms nil)))))))

(deftest ten-thousand-exchanges-test
  (testing "A 10,000 exchanges answered by many threads: each client gets its own answers in order, each handler runs once"
    (let [^ExecutorService pool (Executors/newFixedThreadPool 16)
          calls (AtomicInteger.)
          clients 20
          each-client 500]
      (try
        (with-server [server (fn [{:keys [uri]} respond raise]
                               (.incrementAndGet calls)
                               (.execute pool #(if (str/ends-with? uri "7")
                                                 (raise (ex-info "expected" {}))
                                                 (do (respond (ok (if (str/ends-with? uri "3") (list uri) uri)))
                                                     (respond (ok "second"))))))
                      async]
          (with-log [_]
            (let [wrong (doall
                          (for [c (range clients)]
                            (future
                              (with-client [client server]
                                (vec
                                  (remove nil?
                                    (for [batch (partition-all 25 (range each-client))
                                          :let [uris (map #(str "/" c "/" %) batch)
                                                _ (raw/send! client (str/join (map raw/get-request uris)))]
                                          uri uris
                                          :let [{:keys [status body]} (stream/read-any client)
                                                expected (if (str/ends-with? uri "7") [500 "Internal Server Error"] [200 uri])]]
                                      (when (not= expected [status body])
                                        [uri status body]))))))))]
              (is (= [] (vec (mapcat #(deref % (* 6 (long raw/guard-ms)) [:hung]) wrong))))
              (is (= (* clients each-client) (.get calls)))
              (is (raw/await-until #(zero? (:exchanges-open (server/server-metrics server)))))
              (is (= 0 (:replies-stale (server/server-metrics server)))))))
        (finally (.shutdown pool))))))

(deftest two-arities-test
  (testing "A a handler that has both arities is called with three arguments in :async mode and with one else"
    (let [handler (fn
                    ([_] (ok "one"))
                    ([_ respond _] (respond (ok "three"))))]
      (doseq [[mode expected] {:worker "one" :inline "one" :async "three"}]
        (with-server [server handler {:handler-mode mode}]
          (is (= expected (:body (raw/answer server (raw/get-request "/"))))))))))

(deftest stuck-loop-is-told-test
  (testing "A an async handler that blocks its loop is reported, with the loop's stack"
    (let [gate (CountDownLatch. 1)]
      (with-log [events]
        (with-server [server (fn [_ respond _] (raw/await-latch gate) (respond (ok "late"))) (assoc async :event-loops 1)]
          (with-client [client server]
            (raw/send! client (raw/get-request "/"))
            (let [{:keys [level message throwable]} (log/await-event events)]
              (is (= :warn level))
              (is (str/includes? message "hinny-loop-0"))
              (is (some? throwable)))
            (.countDown gate)
            (is (= "late" (:body (raw/read-response client))))))))))
