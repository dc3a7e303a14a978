(ns hinny.lifecycle-test
  "Stopping: what has begun ends well, what hangs is cut, what is idle is closed, and nothing is left; whoever stops,
  how often, and how many at once."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.impl.text :as text]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (clojure.lang ExceptionInfo)
   (java.io Closeable)
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(def ^:private long-drain
  "A drain that ends by this deadline has not done its work: it is beyond every guard."
  {:drain-timeout-ms 3600000})

(defn- start
  "A server whose end is the test's business."
  [handler options]
  (server/run-server handler (merge {:host "127.0.0.1" :port 0} options)))

(defn- stop-behind
  "Stops `server` in another thread; a future of its status after that."
  [server options]
  (future
    (server/stop-server server options)
    (server/server-status server)))

(defn- ends-as
  "What a future returns, `:hung` if it does not in time."
  [stop]
  (deref stop probe/guard-ms :hung))

(defn- no-threads?
  "Whether the threads of servers end; the last to end is the one that lets `stop` return."
  []
  (probe/await-that #(empty? (probe/server-threads))))

(def ^:private ok-body #(probe/ok (:uri %)))

(deftest drain-under-load-test
  (let [clients 16
        begun (CountDownLatch. clients)
        finish (CountDownLatch. 1)
        handler (fn [{:keys [uri]}]
                  (.countDown begun)
                  (raw/await-latch finish)
                  (probe/ok uri))
        server (start handler {:event-loops 2 :worker-threads clients})
        port (server/server-port server)
        conversations (mapv (fn [n]
                              (future
                                (raw/with-client [client server]
                                  (raw/send! client (raw/get-request (str "/" n)))
                                  [(raw/read-response client) (raw/end-of client)])))
                            (range clients))]
    (is (raw/await-latch begun))
    (let [stop (stop-behind server long-drain)]
      (testing "a server that is stopped says so, and accepts nothing new"
        (is (probe/await-that #(= :stopping (server/server-status server))))
        (is (probe/await-that #(probe/refused? port))))
      (testing "it waits for the handlers that run"
        (is (= clients (:exchanges-open (server/server-metrics server))))
        (is (not (realized? stop))))
      (.countDown finish)
      (testing "each exchange that had begun gets its whole response, which says that the connection closes"
        (doseq [[n conversation] (map-indexed vector conversations)
                :let [[response end] (deref conversation probe/guard-ms nil)]]
          (is (= 200 (:status response)))
          (is (= (str "/" n) (:body response)))
          (is (= "close" (raw/header response "connection")))
          (is (= :eof end))))
      (testing "then it has stopped"
        (is (= :stopped (ends-as stop)))
        (is (= {} (server/server-metrics server)))
        (is (= port (server/server-port server)))
        (is (probe/refused? port))
        (is (no-threads?))))))

(deftest drain-idle-test
  (testing "a drain closes connections that wait for a request, and does not wait for its deadline"
    (let [server (start ok-body {:event-loops 2})]
      (with-open [used (probe/connect server)
                  also-used (probe/connect server)
                  fresh (probe/connect server)]
        (is (= [200 "/1"] (probe/exchange used (raw/get-request "/1"))))
        (is (= [200 "/2"] (probe/exchange also-used (raw/get-request "/2"))))
        (is (= {:connections-open 3} (probe/await-metrics server {:connections-open 3})))
        (is (= :stopped (ends-as (stop-behind server long-drain))))
        (is (probe/ended? used))
        (is (probe/ended? also-used))
        (is (probe/ended? fresh))))))

(deftest drain-pipeline-test
  (doseq [[engine handed-over] [[:auto 5] [:hyper 1]]]
    (testing (str engine ": of requests that arrived together, those that a handler has begun are answered whole; then comes the end")
      (let [begun (CountDownLatch. handed-over)
            finish (CountDownLatch. 1)
            server (start (fn [{:keys [uri]}]
                            (when (not= "/warm" uri)
                              (.countDown begun)
                              (raw/await-latch finish))
                            (probe/ok uri))
                          {:event-loops 1 :http1-engine engine})]
        (with-open [client (probe/connect server)]
          ;; A connection that has answered nothing hands over its first request alone.
          (dotimes [_ 6]
            (is (= [200 "/warm"] (probe/exchange client (raw/get-request "/warm")))))
          (raw/send! client (apply str (map #(raw/get-request (str "/" %)) (range 5))))
          (is (raw/await-latch begun))
          (let [stop (stop-behind server long-drain)]
            (is (probe/await-that #(probe/refused? (server/server-port server))))
            (.countDown finish)
            (doseq [n (range handed-over)]
              (is (= [200 (str "/" n)] (probe/outcome client))))
            (is (probe/ended? client))
            (is (= :stopped (ends-as stop)))))))))

(deftest drain-half-request-test
  (testing "a client that sends half a request is cut at the deadline"
    (let [server (start ok-body {:event-loops 1})]
      (with-open [half-head (probe/connect server)
                  half-body (probe/connect server)]
        (raw/send! half-head "GET / HTTP/1.1\r\nhos")
        (raw/send! half-body (str (raw/head "POST / HTTP/1.1" "host: x" "content-length: 10") "abc"))
        (is (raw/await-taken half-head))
        (is (raw/await-taken half-body))
        (is (= :stopped (ends-as (stop-behind server {:drain-timeout-ms 100}))))
        (is (probe/ended? half-head))
        (is (probe/ended? half-body)))))
  (testing "one that sends the rest in time is served"
    (let [server (start #(probe/ok (slurp (:body %))) {:event-loops 1})]
      (with-open [client (probe/connect server)]
        (raw/send! client (str (raw/head "POST / HTTP/1.1" "host: x" "content-length: 6") "abc"))
        (is (raw/await-taken client))
        (let [stop (stop-behind server long-drain)]
          (is (probe/await-that #(probe/refused? (server/server-port server))))
          (is (= [200 "abcdef"] (probe/exchange client "def")))
          (is (probe/ended? client))
          (is (= :stopped (ends-as stop))))))))

(deftest drain-deadline-test
  (testing "a handler that never returns is cut at the deadline, and interrupted"
    (let [begun (CountDownLatch. 1)
          interrupted (promise)
          server (start (fn [_]
                          (.countDown begun)
                          (try
                            (.await (CountDownLatch. 1))
                            (catch InterruptedException e
                              (deliver interrupted true)
                              (throw e))))
                        {:event-loops 2})]
      (with-open [client (probe/connect server)]
        (raw/send! client (raw/get-request "/"))
        (is (raw/await-latch begun))
        (is (= :stopped (ends-as (stop-behind server {:drain-timeout-ms 100}))))
        (is (probe/ended? client))
        (is (true? (deref interrupted probe/guard-ms :not)))
        (is (no-threads?)))))
  (testing "the option is the deadline of a plain stop"
    (let [begun (CountDownLatch. 1)
          server (start (fn [_]
                          (.countDown begun)
                          (.await (CountDownLatch. 1)))
                        {:event-loops 1 :drain-timeout-ms 0})]
      (with-open [client (probe/connect server)]
        (raw/send! client (raw/get-request "/"))
        (is (raw/await-latch begun))
        (is (= :stopped (ends-as (future (.close ^Closeable server) (server/server-status server)))))
        (is (probe/ended? client))
        (is (no-threads?))))))

(deftest deaf-handler-test
  (doseq [mode [:worker :inline]]
    (testing (str "a handler that heeds no interrupt (" mode ") does not keep stop, and its thread ends when it does")
      (let [begun (CountDownLatch. 1)
            finish (atom false)
            server (start (fn [_]
                            (.countDown begun)
                            (while (not @finish)
                              (Thread/yield))
                            (probe/ok "late"))
                          {:event-loops 1 :handler-mode mode})]
        (with-open [client (probe/connect server)]
          (raw/send! client (raw/get-request "/"))
          (is (raw/await-latch begun))
          (try
            (is (= :stopped (ends-as (stop-behind server {:drain-timeout-ms 50}))))
            (finally (reset! finish true)))
          (testing "its late response goes to nobody, or whole to its client"
            ;; The loop itself was in the inline handler: only then does it see that it has to drain.
            (is (contains? #{:ended [200 "late"]} (probe/outcome client))))
          (is (no-threads?)))))))

(deftest stop-inside-handler-test
  (doseq [mode [:worker :inline]]
    (testing (str "a handler (" mode ") may stop its own server, and still answers")
      (let [own-server (promise)
            server (start (fn [_]
                            (server/stop-server @own-server long-drain)
                            (probe/ok (name (server/server-status @own-server))))
                          {:event-loops 2 :handler-mode mode})]
        (deliver own-server server)
        (with-open [client (probe/connect server)
                    idle (probe/connect server)]
          (is (= [200 "stopping"] (probe/exchange client (raw/get-request "/"))))
          (is (probe/ended? client))
          (is (probe/ended? idle)))
        (is (= :stopped (ends-as (stop-behind server long-drain))))
        (is (no-threads?))))))

(deftest many-stops-test
  (testing "of stops at once each returns when the server has stopped, and a later one at once"
    (let [begun (CountDownLatch. 1)
          finish (CountDownLatch. 1)
          server (start (fn [_]
                          (.countDown begun)
                          (raw/await-latch finish)
                          (probe/ok "done"))
                        {:event-loops 2})]
      (with-open [client (probe/connect server)]
        (raw/send! client (raw/get-request "/"))
        (is (raw/await-latch begun))
        (let [stops (vec (repeatedly 8 #(stop-behind server long-drain)))
              joined (future (.join ^io.github.hinny.Stoppable server) (server/server-status server))]
          (is (probe/await-that #(= :stopping (server/server-status server))))
          (is (not-any? realized? (conj stops joined)))
          (.countDown finish)
          (is (= [200 "done"] (probe/outcome client)))
          (is (= (repeat 8 :stopped) (map ends-as stops)))
          (is (= :stopped (ends-as joined)))))
      (is (= :stopped (ends-as (stop-behind server long-drain))))
      (is (= :stopped (ends-as (future (server) (server/server-status server)))))))
  (testing "an interrupt of the thread that stops neither breaks the stop nor gets lost"
    (let [begun (CountDownLatch. 1)
          finish (CountDownLatch. 1)
          server (start (fn [_]
                          (.countDown begun)
                          (raw/await-latch finish)
                          (probe/ok "done"))
                        {:event-loops 1})
          seen (promise)
          stopper (Thread. #(do
                              (server/stop-server server long-drain)
                              (deliver seen [(server/server-status server) (Thread/interrupted)])))]
      (with-open [client (probe/connect server)]
        (raw/send! client (raw/get-request "/"))
        (is (raw/await-latch begun))
        (.start stopper)
        (is (probe/await-that #(= :stopping (server/server-status server))))
        (.interrupt stopper)
        (.countDown finish)
        (is (= [200 "done"] (probe/outcome client)))
        (is (= [:stopped true] (deref seen probe/guard-ms :hung)))))))

(deftest failed-start-test
  (testing "a start that fails leaves nothing"
    (raw/with-server [server ok-body {:event-loops 2}]
      (let [threads (probe/server-threads)
            fds (probe/server-fds)]
        (dotimes [_ 10]
          (is (= :hinny.error/port-in-use
                 (try
                   (server/run-server ok-body {:host "127.0.0.1" :port (server/server-port server)})
                   (catch ExceptionInfo e (:type (ex-data e)))))))
        (is (= threads (probe/server-threads)))
        (is (probe/await-that #(= fds (probe/server-fds))))))))

;;; Many lives

(defn- start-on-some-port
  "A server on a port that nobody uses, below those that the system gives out by itself: so nobody takes it between
  two lives of the server."
  [handler options]
  (probe/await-that
    #(try
       (start handler (assoc options :port (+ 10000 (rand-int 20000))))
       (catch ExceptionInfo e
         (when-not (= :hinny.error/port-in-use (:type (ex-data e)))
           (throw e))))))

(defn- live-and-die
  "One life of a server on `port`: a request that is answered, and a connection that the stop has to close, whose client
  then closes it too."
  [port options]
  (let [server (start ok-body (assoc options :port port))
        client (probe/connect server)
        outcome (probe/exchange client (raw/get-request "/"))
        ended (future (with-open [^Closeable client client] (probe/ended? client)))]
    (server/stop-server server long-drain)
    (if (deref ended probe/guard-ms :hung) outcome :still-open)))

(defn lives-scene
  "What `lives` servers one after the other on one port leave behind, again and again until one round adds next to
  nothing; for the forked JVM. Odd ones run their handlers inline."
  [lives]
  (let [first-server (start-on-some-port ok-body {})
        port (server/server-port first-server)
        live #(live-and-die port {:event-loops 2 :handler-mode (if (odd? %) :inline :worker)})]
    (server/stop-server first-server long-drain)
    (run! live (range (quot lives 2)))
    (probe/rounds (fn []
                    (let [outcomes (frequencies (map live (range lives)))]
                      (no-threads?)
                      outcomes)))))

(deftest many-lives-test
  (let [lives 100
        {:keys [value] :as jvm} (forked/call `lives-scene {:flags probe/steady-memory} lives)
        {:keys [results before after]} value]
    (testing (str lives " servers one after the other on one port")
      (is (forked/sound? jvm))
      (is (every? #(= {[200 "/"] lives} %) results))
      (testing "leave no thread and no descriptor"
        (is (= [] (:threads after)))
        (is (= (:fds before) (:fds after))))
      (testing "leave the memory and the global references as they were"
        (is (probe/flat? before after) value))
      (println (text/formatted "      %d lives, round %d: %s" lives (count results) (probe/change before after))))))
