(ns hinny.drain-test
  "The order of a stop: it is told, it may still accept for a while, it waits for every handler, then what handlers use may be
  closed, and only then has it stopped."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(def ^:private long-drain
  "A drain that ends by this deadline has not done its work: it is beyond every guard."
  {:drain-timeout-ms 3600000})

(defn- start
  [handler options]
  (server/run-server handler (merge {:host "127.0.0.1" :port 0} options)))

(defn- stop-behind
  [server]
  (future
    (server/stop-server server long-drain)
    (server/server-status server)))

(def ^:private pools
  (cond-> [{:worker-threads 4}]
    (<= 21 (.feature (Runtime/version))) (conj {:worker-threads :virtual})))

(defn- ended-exchange
  "Lets a handler's exchange be over while the handler runs: its client leaves, or has its 503."
  [server client how]
  (case how
    :left (probe/reset-connection client)
    :timed-out (is (= 503 (first (probe/outcome client)))))
  (is (= {:exchanges-open 0} (probe/await-metrics server {:exchanges-open 0}))))

(deftest stop-waits-for-handlers-test
  (doseq [pool pools
          [how options] {:left {} :timed-out {:handler-timeout-ms 20}}]
    (testing (str pool ", a handler whose client " how ": it is not interrupted, and stop waits for it")
      (let [begun (CountDownLatch. 1)
            finish (CountDownLatch. 1)
            outcome (promise)
            drained (promise)
            server (start (fn [_]
                            (.countDown begun)
                            (deliver outcome (try
                                               (raw/await-latch finish)
                                               (if (Thread/interrupted) :interrupted :finished)
                                               (catch InterruptedException _ :interrupted)))
                            (probe/ok "late"))
                          (merge pool options {:event-loops 1 :on-drained #(deliver drained (deref outcome 0 :too-early))}))]
        (with-open [client (probe/connect server)]
          (raw/send! client (raw/get-request "/"))
          (is (raw/await-latch begun))
          (ended-exchange server client how)
          (let [stop (stop-behind server)]
            (is (probe/await-that #(probe/refused? (server/server-port server))))
            (is (probe/await-that #(not-any? (partial re-find #"hinny-loop") (probe/server-threads))))
            (is (not (realized? outcome)))
            (is (not (realized? stop)))
            (.countDown finish)
            (is (= :finished (deref outcome probe/guard-ms :hung)))
            (is (= :stopped (deref stop probe/guard-ms :hung)))
            (is (= :finished (deref drained 0 :not-called)))))))))

(deftest stop-waits-for-on-close-test
  (testing "and for functions of on-close, which use what handlers do"
    (doseq [pool pools]
      (let [begun (CountDownLatch. 1)
            closing (CountDownLatch. 1)
            finish (CountDownLatch. 1)
            outcome (promise)
            drained (promise)
            server (start (fn [request respond _]
                            (server/on-close request (fn [_]
                                                       (.countDown closing)
                                                       (raw/await-latch finish)
                                                       (deliver outcome :finished)))
                            (.countDown begun)
                            respond)
                          (merge pool {:event-loops 1 :handler-mode :async
                                       :on-drained #(deliver drained (deref outcome 0 :too-early))}))]
        (with-open [client (probe/connect server)]
          (raw/send! client (raw/get-request "/"))
          (is (raw/await-latch begun))
          (probe/reset-connection client)
          (is (raw/await-latch closing))
          (let [stop (stop-behind server)]
            (is (probe/await-that #(not-any? (partial re-find #"hinny-loop") (probe/server-threads))))
            (is (not (realized? stop)))
            (.countDown finish)
            (is (= :stopped (deref stop probe/guard-ms :hung)))
            (is (= :finished (deref drained 0 :not-called)))))))))

(deftest on-drained-test
  (testing "it is called once, on a thread that may stop the server again, before stop returns"
    (let [calls (atom [])
          itself (promise)
          server (start #(probe/ok (:uri %))
                        {:event-loops 2 :on-drained (fn []
                                                      (server/stop-server @itself)
                                                      (swap! calls conj (server/server-status @itself)))})]
      (deliver itself server)
      (is (= [200 "/"] (probe/ask server "/")))
      (is (= :stopped (deref (stop-behind server) probe/guard-ms :hung)))
      (server/stop-server server)
      (is (= [:stopping] @calls))))
  (testing "what it throws is logged, and keeps nothing from its end"
    (probe/with-log-events [events "hinny.server"]
      (let [server (start #(probe/ok (:uri %)) {:on-drained #(throw (ex-info "pool" {}))})]
        (is (= :stopped (deref (stop-behind server) probe/guard-ms :hung)))
        (is (= ["pool"] (keep :thrown-message @events))))))
  (testing "after the drain timeout it is called too"
    (let [begun (CountDownLatch. 1)
          interrupted (promise)
          drained (promise)
          server (start (fn [_]
                          (.countDown begun)
                          (try
                            @(promise)
                            (catch InterruptedException _ (deliver interrupted true))))
                        {:event-loops 1 :drain-timeout-ms 30 :on-drained #(deliver drained (realized? interrupted))})]
      (with-open [client (probe/connect server)]
        (raw/send! client (raw/get-request "/"))
        (is (raw/await-latch begun))
        (server/stop-server server)
        (is (true? (deref drained 0 :not-called)))))))

;;; The delay

(defn serve-until-stopped
  "Starts a server whose drain is far away; with `stop?` the request for /stop stops it. Prints its port."
  [stop?]
  (let [itself (promise)]
    (deliver itself (server/run-server
                      (fn [{:keys [uri]}]
                        (when (and stop? (= "/stop" uri))
                          (future (server/stop-server @itself)))
                        (probe/ok uri))
                      {:host "127.0.0.1" :port 0 :event-loops 2 :health true :drain-delay-ms 3600000}))
    (println (str "\nport " (server/server-port @itself)))
    (flush)))

(defn- status-on
  [port path]
  (with-open [client (raw/connect port)]
    (first (probe/exchange client (raw/get-request path)))))

(deftest drain-delay-test
  (doseq [how [:sigterm :stop]]
    (testing (str how ": not ready, but still accepting and serving")
      (let [{:keys [^Process process] :as jvm} (forked/start 'hinny.drain-test/serve-until-stopped {:exit? false} (= :stop how))
            port (some-> (forked/await-line jvm #"^port (\d+)$") second parse-long)]
        (try
          (is (probe/await-that #(= 200 (status-on port "/ready"))))
          (with-open [kept (raw/connect port)]
            (is (= [200 "/a"] (probe/exchange kept (raw/get-request "/a"))))
            (if (= :stop how) (status-on port "/stop") (forked/terminate jvm))
            (is (probe/await-that #(= 503 (status-on port "/ready"))))
            (is (= [200 200 503] (mapv #(status-on port %) ["/live" "/a" "/ready"])))
            (is (= [200 "/b"] (probe/exchange kept (raw/get-request "/b"))))
            (is (= 503 (first (probe/exchange kept (raw/get-request "/ready"))))))
          (finally
            (.destroyForcibly process)
            (forked/finish jvm))))))
  (testing "then the drain begins"
    (let [server (start #(probe/ok (:uri %)) {:drain-delay-ms 20})]
      (is (= :stopped (deref (stop-behind server) probe/guard-ms :hung)))
      (is (probe/refused? (server/server-port server))))))

;;; What the log has of it

(deftest life-log-test
  (testing "one line at the start, one at the end that says how it went"
    (probe/with-level ["hinny.server" :info]
      (probe/with-log-events [events "hinny.server"]
        (let [server (start #(probe/ok (:uri %)) {:event-loops 2 :worker-threads 7})
              port (server/server-port server)]
          (probe/ask server "/")
          (server/stop-server server)
          (let [[started stopped & more] @events]
            (is (nil? more))
            (is (= [:info :info] (map :level [started stopped])))
            (is (str/starts-with? (:message started) "Hinny 0.1"))
            (doseq [part [(str " listens on 127.0.0.1 port " port) "2 event loop" "7 workers" "libhinny.so of the jar"]]
              (is (str/includes? (:message started) part)))
            (is (re-find (re-pattern (str "^Hinny on port " port " has stopped: drained in \\d+ ms, everything was finished$"))
                         (:message stopped)))))))
    (testing "or what was cut"
      (probe/with-level ["hinny.server" :info]
        (probe/with-log-events [events "hinny.server"]
          (let [begun (CountDownLatch. 2)
                server (start (fn [_]
                                (.countDown begun)
                                @(promise))
                              {:drain-timeout-ms 20})]
            (with-open [a (probe/connect server)
                        b (probe/connect server)]
              (run! #(raw/send! % (raw/get-request "/")) [a b])
              (is (raw/await-latch begun))
              (server/stop-server server)
              (is (str/ends-with? (:message (last @events))
                                  "2 exchange(s) cut and 2 worker(s) interrupted at the drain timeout")))))))))
