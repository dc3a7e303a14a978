(ns hinny.server-test
  "The life of a server: start, what it tells about itself, stop; and ports that are taken."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.impl.options :as options]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.server :as server :refer [run-server server-metrics server-port server-status stop-server]])
  (:import
   (clojure.lang ExceptionInfo)
   (hinny.server Server)
   (java.io Closeable)
   (java.net InetAddress ServerSocket SocketException)
   (java.util.concurrent Callable CountDownLatch)))

(set! *warn-on-reflection* true)

(def ^:private local {:port 0 :host "127.0.0.1"})

(defn- hello [_] {:status 200 :body "hello"})

(defn- refused?
  "Whether nobody serves `port`: refused, or reset because the listener closed before it was accepted."
  [port]
  (try
    (with-open [client (raw/connect port)]
      (raw/send! client (raw/get-request "/"))
      (nil? (raw/read-response client)))
    (catch SocketException _ true)))

(defn- failure
  "The `ex-data` and message of what `run-server` throws."
  [handler options]
  (try
    (.close ^Server (run-server handler options))
    nil
    (catch ExceptionInfo e
      (assoc (ex-data e) :message (ex-message e)))))

(deftest closeable-test
  (testing "with-open starts and stops"
    (let [port (with-open [server (run-server hello local)]
                 (is (instance? Closeable server))
                 (is (= "hello" (:body (raw/answer server (raw/get-request "/")))))
                 (server-port server))]
      (is (refused? port)))))

(deftest port-zero-test
  (testing ":port 0 takes a free port, another one each time"
    (with-server [a hello nil]
      (with-server [b hello nil]
        (is (< 0 (server-port a) 65536))
        (is (not= (server-port a) (server-port b)))
        (is (= "hello" (:body (raw/answer a (raw/get-request "/")))))
        (is (= "hello" (:body (raw/answer b (raw/get-request "/")))))))))

(def ^:private ways-to-stop
  {"(server)" (fn [server] (server))
   "(server :timeout ms)" (fn [server] (server :timeout 1000))
   "(server {:timeout ms})" (fn [server] (server {:timeout 1000}))
   "(server {:drain-timeout-ms ms})" (fn [server] (server {:drain-timeout-ms 1000}))
   "(server :drain-timeout-ms ms)" (fn [server] (server :drain-timeout-ms 1000))
   "(server nil)" (fn [server] (server nil))
   "stop-server with http-kit's name" (fn [server] (stop-server server {:timeout 1000}))
   "stop-server with both names" (fn [server] (stop-server server {:timeout 1000 :drain-timeout-ms 1000}))
   "(apply server args)" (fn [server] (apply server [:timeout 1000]))
   "stop-server" (fn [server] (stop-server server))
   "stop-server with a drain timeout" (fn [server] (stop-server server {:drain-timeout-ms 1000}))
   "stop-server with nothing" (fn [server] (stop-server server nil))
   ".stop" (fn [^Server server] (.stop server))
   ".close" (fn [^Server server] (.close server))
   ".run" (fn [^Runnable server] (.run server))
   ".call" (fn [^Callable server] (.call server))})

(deftest stop-test
  (doseq [[way stop] ways-to-stop]
    (testing way
      (let [server (run-server hello local)]
        (is (= :running (server-status server)))
        (is (= "hello" (:body (raw/answer server (raw/get-request "/")))))
        (is (nil? (stop server)))
        (is (= :stopped (server-status server)))
        (is (refused? (server-port server)))
        (is (nil? (stop server)) "twice does no harm")
        (is (= :stopped (server-status server)))))))

(deftest stop-arguments-test
  (with-server [server hello nil]
    (doseq [[what call type] [["unknown option" #(server :timeot 1) :hinny.error/option-unknown]
                              ["negative" #(server :timeout -1) :hinny.error/option-invalid]
                              ["no number" #(server :timeout "1") :hinny.error/option-invalid]
                              ["unknown in a map" #(stop-server server {:timeot 1}) :hinny.error/option-unknown]
                              ["negative as http-kit" #(server {:timeout -1}) :hinny.error/option-invalid]
                              ["two values" #(stop-server server {:timeout 1 :drain-timeout-ms 2}) :hinny.error/option-conflict]
                              ["no map" #(server 100) :hinny.error/option-invalid]
                              ["negative in a map" #(stop-server server {:drain-timeout-ms -1}) :hinny.error/option-invalid]]]
      (testing what
        (is (= type (:type (ex-data (is (thrown? ExceptionInfo (call)))))))
        (is (= :running (server-status server)))))))

(deftest no-server-test
  (testing "there is nothing to stop of a server that was never started"
    (is (nil? (stop-server nil)))
    (is (nil? (stop-server nil {:timeout 1}))))
  (testing "other functions want a server"
    (doseq [f [server-port server-status server/server-metrics server/routes #(server/swap-routes! % []) stop-server]
            none [3 {} run-server]]
      (is (thrown-with-msg? IllegalArgumentException #"needs a server, as run-server returns it, not" (f none))))
    (is (thrown-with-msg? IllegalArgumentException #"not nil" (server-port nil)))))

(deftest options-test
  (testing "the options at the REPL: all of the table, by name"
    (let [all (server/options)]
      (is (= (sort (keys (options/resolve-options nil))) (map :name all)))
      (is (= (options/resolve-options nil) (into {} (map (juxt :name :default)) all)))
      (is (every? (every-pred :type :doc) all))
      (is (= {:type :integer :unit "ms" :min 0 :max 3600000 :default 30000 :route? false}
             (dissoc (first (filter #(= :drain-timeout-ms (:name %)) all)) :name :doc))))))

(deftest join-test
  (testing ".join returns when the server has stopped, not before"
    (let [^Server server (run-server hello local)
          joined (future (.join server) (server-status server))]
      (is (not (realized? joined)))
      (.close server)
      (is (= :stopped (deref joined raw/guard-ms :blocked)))
      (is (nil? (.join server)) "at once when it has stopped"))))

(deftest draining-test
  (doseq [stop [#(.close ^Server %) #(% :timeout 60000)]]
    (testing "a request that has begun is finished, and nothing new is accepted"
      (let [started (CountDownLatch. 1)
            gate (CountDownLatch. 1)
            server (run-server (fn [{:keys [uri]}]
                                 ;; Loops stop accepting one after the other, so a probe may still be served.
                                 (when (= "/held" uri)
                                   (.countDown started)
                                   (raw/await-latch gate))
                                 {:status 200 :body "done"})
                     (assoc local :drain-timeout-ms 60000))]
        (with-client [idle server]
          (with-client [client server]
            (raw/send! client (raw/get-request "/held"))
            (is (raw/await-latch started))
            (let [stopping (future (stop server))]
              (is (raw/eof? idle) "an idle connection is closed")
              (is (= :stopping (server-status server)))
              (is (raw/await-until #(refused? (server-port server))))
              (is (not (realized? stopping)))
              (.countDown gate)
              (let [response (raw/read-response client)]
                (is (= "done" (:body response)))
                (is (= "close" (raw/header response "connection")) "9112 9.6"))
              (is (raw/eof? client))
              (is (nil? (deref stopping raw/guard-ms :blocked)))
              (is (= :stopped (server-status server))))))))))

(deftest drain-timeout-test
  (doseq [[what options stop] [["the option" {:drain-timeout-ms 20} #(.close ^Server %)]
                               ["of the call" {:drain-timeout-ms 60000} #(% :timeout 20)]
                               ["of the call, a map" {:drain-timeout-ms 60000} #(% {:timeout 20})]
                               ["of stop-server" {:drain-timeout-ms 60000} #(stop-server % {:timeout 20})]
                               ["none" {:drain-timeout-ms 0} #(.close ^Server %)]]]
    (testing (str "what takes longer than the drain timeout is cut: " what)
      (let [started (CountDownLatch. 1)
            gate (CountDownLatch. 1)
            server (run-server (fn [_]
                                 (.countDown started)
                                 ;; The pool interrupts what is cut; this handler will not listen.
                                 (while (pos? (.getCount gate))
                                   (try (.await gate) (catch InterruptedException _)))
                                 {:status 200})
                     (merge local options))]
        (try
          (with-client [client server]
            (raw/send! client (raw/get-request "/"))
            (is (raw/await-latch started))
            (is (nil? (deref (future (stop server)) raw/guard-ms :blocked)))
            (is (= :stopped (server-status server)))
            (is (contains? #{:eof :reset} (raw/end-of client))))
          (finally (.countDown gate)))))))

(deftest handler-stops-its-own-server-test
  (doseq [mode [:worker :inline]]
    (testing (str "does not wait for itself, " mode)
      (let [itself (promise)
            server (run-server (fn [_] (stop-server @itself) {:status 200 :body "bye"}) (assoc local :handler-mode mode))]
        (deliver itself server)
        (is (= "bye" (:body (raw/answer server (raw/get-request "/")))))
        (is (nil? (deref (future (.join ^Server server)) raw/guard-ms :blocked)))
        (is (= :stopped (server-status server)))))))

(deftest restart-on-the-same-port-test
  (testing "a port is free as soon as its server has stopped, connections in TIME_WAIT or not"
    (let [port (with-server [server hello nil]
                 (raw/conversation server (raw/get-request "/" "Connection: close"))
                 (server-port server))]
      (dotimes [_ 5]
        (with-server [server hello {:port port}]
          (is (= port (server-port server)))
          (raw/conversation server (raw/get-request "/" "Connection: close")))))))

(deftest occupied-port-test
  (testing "by a plain socket"
    (with-open [other (ServerSocket. 0 1 (InetAddress/getByName "127.0.0.1"))]
      (let [port (.getLocalPort other)
            {:keys [type message] :as data} (failure hello {:port port :host "127.0.0.1"})]
        (is (= :hinny.error/port-in-use type))
        (is (= [port "127.0.0.1"] ((juxt :port :host) data)))
        (is (str/includes? message (str port))))))
  (testing "by another server, though both share ports between their own loops"
    (with-server [other hello {:event-loops 2}]
      (let [{:keys [type port message]} (failure hello {:port (server-port other) :host "127.0.0.1" :event-loops 2})]
        (is (= :hinny.error/port-in-use type))
        (is (= (server-port other) port))
        (is (str/includes? message (str port)))
        (is (= "hello" (:body (raw/answer other (raw/get-request "/")))) "which goes on")))))

(deftest bind-failure-test
  (testing "an address that is not of this machine (TEST-NET-3, RFC 5737)"
    (let [{:keys [type host]} (failure hello {:port 0 :host "203.0.113.1"})]
      (is (= :hinny.error/bind-failed type))
      (is (= "203.0.113.1" host)))))

(deftest print-test
  (let [server (run-server hello local)
        port (server-port server)]
    (is (= (str "#<hinny.server.Server port " port " :running>") (pr-str server)))
    (.close ^Server server)
    (is (= (str "#<hinny.server.Server port " port " :stopped>") (pr-str server)))))

(deftest metrics-test
  (let [server (run-server hello (assoc local :event-loops 2))]
    (is (every? #{0} (vals (server-metrics server))))
    (is (= #{:connections-accepted :connections-open :requests :exchanges-open :core-responses :errors-answered :replies-stale :panics
             :exchanges-cut :accept-failures :loops-reopened
             :workers-busy :workers-streaming :workers-stuck :exchanges-queued :exchanges-refused}
           (set (keys (server-metrics server)))))
    (with-client [client server]
      (dotimes [_ 3]
        (raw/send! client (raw/get-request "/"))
        (raw/read-response client))
      (raw/answer server (raw/head "GET / HTTP/1.1"))
      (is (raw/await-until #(= 1 (:connections-open (server-metrics server)))))
      (is (= {:connections-accepted 2 :requests 3 :exchanges-open 0 :errors-answered 1 :panics 0}
             (select-keys (server-metrics server) [:connections-accepted :requests :exchanges-open :errors-answered :panics]))))
    (.close ^Server server)
    (is (= {} (server-metrics server)) "none when it has stopped")))

(deftest two-servers-test
  (testing "servers in one JVM share nothing"
    (with-server [a (fn [_] {:status 200 :body "a"}) {:handler-mode :inline}]
      (with-server [b (fn [_] {:status 200 :body "b"}) nil]
        (is (= ["a" "b"] (map #(:body (raw/answer % (raw/get-request "/"))) [a b])))
        (.close ^Server a)
        (is (= "b" (:body (raw/answer b (raw/get-request "/")))))))))
