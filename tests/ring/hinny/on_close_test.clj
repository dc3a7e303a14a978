(ns hinny.on-close-test
  "What a handler learns of a client that has left: `hinny.server/on-close`, and handlers that never run for one."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.log-capture :as log :refer [with-log]]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (clojure.lang IPersistentMap)
   (java.util.concurrent CountDownLatch LinkedBlockingQueue TimeUnit)))

(set! *warn-on-reflection* true)

(defn- next-of [^LinkedBlockingQueue queue]
  (.poll queue raw/guard-ms TimeUnit/MILLISECONDS))

(defn- idle? [server]
  (raw/await-until #(zero? (:exchanges-open (server/server-metrics server)))))

(defn- settled?
  "Whether the server's loops and workers have done what they had to do for earlier requests: each loop has answered a new
  connection's request, through a worker."
  [server]
  (every? #(= 200 (:status %)) (doall (repeatedly 20 #(raw/answer server (raw/get-request "/other"))))))

(defn- off-the-loop?
  "Whether on-close may be called: an inline handler's exchange begins when it has returned a stage."
  [mode]
  (and (modes/may-block? mode) (not= :inline (get-in mode [:options :handler-mode]))))

(deftest client-leaves-test
  (each-mode [mode off-the-loop?]
    (testing "called once with :disconnected, on a worker, before the handler has answered"
      (let [reasons (LinkedBlockingQueue.)
            begun (CountDownLatch. 1)
            gate (CountDownLatch. 1)]
        (with-handler [server mode (fn [{:keys [uri] :as request}]
                                     (when (= "/wait" uri)
                                       (server/on-close request #(.add reasons [% (.getName (Thread/currentThread))]))
                                       (.countDown begun)
                                       (raw/await-latch gate))
                                     {:status 200 :body "late"})]
          (with-client [client server]
            (raw/send! client (raw/get-request "/wait"))
            (is (raw/await-latch begun)))
          (let [[reason thread] (next-of reasons)]
            (is (= :disconnected reason))
            (is (str/starts-with? (str thread) "hinny-worker-")))
          (.countDown gate)
          (is (settled? server)))
        (is (empty? reasons) "once")))))

(deftest timed-out-test
  (each-mode [mode off-the-loop?]
    (testing "called once with :timed-out when the handler took too long, also if the client leaves then"
      (let [reasons (LinkedBlockingQueue.)
            begun (CountDownLatch. 1)
            gate (CountDownLatch. 1)]
        (with-handler [server mode (fn [{:keys [uri] :as request}]
                                     (when (= "/wait" uri)
                                       (server/on-close request #(.add reasons %))
                                       (.countDown begun)
                                       (raw/await-latch gate))
                                     {:status 200 :body "late"})
                       {:turned-clock? true}]
          (with-client [client server]
            (raw/send! client (raw/get-request "/wait"))
            (is (raw/await-latch begun))
            (is (raw/pass-until-heard! server 310000 client))
            (is (= 503 (:status (raw/read-response client))))
            (is (= :timed-out (next-of reasons))))
          (.countDown gate)
          (is (idle? server)))
        (is (empty? reasons))))))

(deftest in-the-middle-of-a-response-test
  (each-mode [mode off-the-loop?]
    (testing "called when the client leaves in the middle of a streamed response"
      (let [reasons (LinkedBlockingQueue.)]
        (with-handler [server mode (fn [request]
                                     (server/on-close request #(.add reasons %))
                                     {:status 200 :body (repeat "more ")})]
          (with-client [client server]
            (raw/send! client (raw/get-request "/"))
            (is (= 200 (:status (stream/read-head client)))))
          (is (= :disconnected (next-of reasons)))
          (is (idle? server)))
        (is (empty? reasons))))))

(deftest complete-response-test
  (each-mode [mode off-the-loop?]
    (doseq [[what body] [["whole" "text"] ["streamed" (list "te" "xt")] ["nil" nil]]]
      (testing (str "never called when the response was complete, " what ", and the client leaves then")
        (let [reasons (LinkedBlockingQueue.)]
          (with-handler [server mode (fn [{:keys [uri] :as request}]
                                       (when-not (= "/other" uri)
                                         (server/on-close request #(.add reasons %)))
                                       {:status 200 :body body})]
            (with-client [client server]
              (dotimes [_ 3]
                (raw/send! client (raw/get-request "/"))
                (is (= 200 (:status (stream/read-any client))))))
            (is (raw/await-until #(zero? (:connections-open (server/server-metrics server)))))
            (is (idle? server)))
          (is (empty? reasons)))))))

(deftest registered-late-test
  (testing "registered when the client has left already: called soon, once"
    (let [requests (LinkedBlockingQueue.)
          reasons (LinkedBlockingQueue.)]
      (with-server [server (fn [request _ _] (.add requests request)) {:handler-mode :async}]
        (let [request (with-client [client server]
                        (raw/send! client (raw/get-request "/"))
                        (let [request (next-of requests)]
                          (raw/reset-connection! client)
                          request))]
          (is (idle? server))
          (server/on-close request #(.add reasons %))
          (is (= :disconnected (next-of reasons)))
          (server/on-close request #(.add reasons [:again %]))
          (is (= [:again :disconnected] (next-of reasons)))
          (is (empty? reasons)))))))

(deftest replaced-test
  (testing "a later function replaces the one before"
    (let [begun (CountDownLatch. 1)
          reasons (LinkedBlockingQueue.)]
      (with-server [server (fn [request _ _]
                             (server/on-close request (fn [_] (.add reasons :first)))
                             (server/on-close request (fn [_] (.add reasons :second)))
                             (.countDown begun))
                    {:handler-mode :async}]
        (with-client [client server]
          (raw/send! client (raw/get-request "/"))
          (is (raw/await-latch begun)))
        (is (= :second (next-of reasons))))
      (is (empty? reasons)))))

(deftest made-of-the-request-test
  (testing "middleware changes the map: what is made of the request will do, another map will not"
    (doseq [[what change] [["assoc" #(assoc % :user 1)]
                           ["assoc of a core key" #(assoc % :uri "/changed")]
                           ["dissoc" #(dissoc % :uri)]
                           ["merge into it" #(merge % {:a 1})]
                           ["with-meta" #(with-meta % {:m 1})]
                           ["update" #(update % :headers assoc "x" "y")]]]
      (testing what
        (let [begun (CountDownLatch. 1)
              reasons (LinkedBlockingQueue.)]
          (with-server [server (fn [request _ _]
                                 (server/on-close (change request) #(.add reasons %))
                                 (.countDown begun))
                        {:handler-mode :async}]
            (with-client [client server]
              (raw/send! client (raw/get-request "/"))
              (is (raw/await-latch begun)))
            (is (= :disconnected (next-of reasons)))))))
    (doseq [[what no-request] [["a plain map" #(into {} %)] ["nil" (constantly nil)] ["a map that it was merged into" #(merge {:a 1} %)]]]
      (testing what
        (with-server [server (fn [request]
                               {:status 200
                                :body (try
                                        (server/on-close (no-request request) identity)
                                        "taken"
                                        (catch IllegalArgumentException e (ex-message e)))})
                      nil]
          (is (str/includes? (:body (raw/answer server (raw/get-request "/"))) "on-close")))))))

(deftest inline-test
  (testing "an inline handler has answered before its client can leave: told so"
    (with-server [server (fn [request]
                           {:status 200
                            :body (try
                                    (server/on-close request identity)
                                    "taken"
                                    (catch IllegalStateException e (ex-message e)))})
                  {:handler-mode :inline}]
      (is (str/includes? (:body (raw/answer server (raw/get-request "/"))) "inline")))))

(deftest throwing-function-test
  (testing "what the function throws is logged, and harms nobody"
    (let [begun (CountDownLatch. 1)]
      (with-log [events]
        (with-server [server (fn [{:keys [uri] :as request} respond _]
                               (if (= "/other" uri)
                                 (respond {:status 200})
                                 (do (server/on-close request (fn [_] (throw (ex-info "secret" {}))))
                                     (.countDown begun))))
                      {:handler-mode :async}]
          (with-client [client server]
            (raw/send! client (raw/get-request "/gone?hunter2"))
            (is (raw/await-latch begun)))
          (let [{:keys [level message throwable]} (log/await-event events)]
            (is (= [:error "secret"] [level (ex-message throwable)]))
            (is (str/includes? message "GET /gone"))
            (is (not (str/includes? message "hunter2"))))
          (is (settled? server)))))))

(deftest never-run-test
  (testing "a request that waits for a worker when its client leaves never reaches its handler"
    (let [started (CountDownLatch. 1)
          gate (CountDownLatch. 1)
          seen (LinkedBlockingQueue.)]
      (with-server [server (fn [{:keys [uri] :as ^IPersistentMap request}]
                             (.add seen (:uri request))
                             (when (= "/held" uri)
                               (.countDown started)
                               (raw/await-latch gate))
                             {:status 200 :body uri})
                    {:worker-threads 1 :event-loops 1 :header-read-timeout-ms 400}]
        (with-client [held server]
          (raw/send! held (raw/get-request "/held"))
          (is (raw/await-latch started))
          (dotimes [_ 10]
            (with-client [client server]
              (raw/send! client (raw/get-request "/gone"))
              (is (raw/await-until #(= 2 (:exchanges-open (server/server-metrics server)))))
              (raw/reset-connection! client))
            (is (raw/await-until #(= 1 (:exchanges-open (server/server-metrics server))))))
          (with-client [waiting server]
            (raw/send! waiting (raw/get-request "/waiting"))
            ;; The core answers this in a later turn, when the loop has told the exchanges that their clients left.
            (is (= 400 (:status (raw/answer server (raw/head "GET / HTTP/1.1")))))
            (.countDown gate)
            (is (= "/held" (:body (raw/read-response held))))
            (is (= "/waiting" (:body (raw/read-response waiting))))
            (is (= ["/held" "/waiting"] (vec seen)))))))))

(deftest server-stops-test
  (testing "what the end of a drain cuts off is told so, each of many"
    (dotimes [_ 5]
      (let [reasons (LinkedBlockingQueue.)
            begun (CountDownLatch. 50)]
        (with-server [server (fn [request _ _]
                               (server/on-close request #(.add reasons %))
                               (.countDown begun))
                      {:handler-mode :async :drain-timeout-ms 20}]
          (let [clients (vec (repeatedly 50 #(raw/connect (server/server-port server))))]
            (run! #(raw/send! % (raw/get-request "/")) clients)
            (is (raw/await-latch begun))
            (server/stop-server server)
            (is (= (repeat 50 :disconnected) (vec reasons)))
            (run! #(.close ^java.io.Closeable %) clients)))))))
