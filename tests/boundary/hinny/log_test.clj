(ns hinny.log-test
  "What happens in Rust is told to SLF4J loggers below `hinny.native`, if their level asks for it; what a handler does
  wrong is told to `hinny.server`."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(def ^:private native-logger "hinny.native")

(def ^:private connection-logger
  "The logger of the Rust module that tells how connections end."
  "hinny.native.server.connection.task")

(def ^:private ok-body #(probe/ok (:uri %)))

(defn- provoke
  "Ends a connection with a parse error, then waits until all that happened before on the loop has been told: records
  of a loop come in order, so a response means that what was logged before its request has been logged."
  [server]
  (raw/with-client [client server]
    (raw/send! client "no HTTP at all\r\n\r\n")
    (.readAllBytes ^java.io.InputStream (:in client)))
  (probe/await-metrics server {:connections-open 0})
  (probe/ask server "/")
  (probe/await-metrics server {:connections-open 0}))

(defn- parse-errors
  [events]
  (probe/events-like events #"^connection of 127\.0\.0\.1 ended: "))

(deftest level-test
  ;; The logger of the module lets everything through: what does not come was not sent, and not merely dropped here.
  (probe/with-level [connection-logger :trace]
    (probe/with-log-events [events native-logger]
      (testing "with the logger hinny.native at ERROR from the start no debug event is sent"
        (probe/with-level [native-logger :error]
          (raw/with-server [server ok-body {:event-loops 1}]
            (provoke server)
            (is (= [] @events)))))
      (testing "at DEBUG it is, from the logger of its module"
        (probe/with-level [native-logger :debug]
          (raw/with-server [server ok-body {:event-loops 1}]
            (provoke server)
            (is (= [[connection-logger :debug]] (mapv (juxt :logger :level) (parse-errors events))))
            (is (not-any? :thrown @events)))))
      (testing "a running server heeds a change of the level"
        (reset! events [])
        (probe/with-level [native-logger :error]
          (raw/with-server [server ok-body {:event-loops 1}]
            (provoke server)
            (is (= [] @events))
            (probe/set-level native-logger :debug)
            (is (probe/await-that #(do (provoke server) (seq (parse-errors events)))))
            (probe/set-level native-logger :off)
            (is (probe/await-that #(do (reset! events []) (provoke server) (empty? @events))))
            (testing "and serves at every level"
              (doseq [level [:trace :info :warn :error]]
                (probe/set-level native-logger level)
                (is (= [200 (str "/" (name level))] (probe/ask server (str "/" (name level)))))))))))))

(deftest core-answer-test
  (doseq [engine [:auto :hyper]]
    (testing (str engine ": what the core answers with an error is told at DEBUG, with status, reason and client")
      (probe/with-log-events [events native-logger]
        (probe/with-level [native-logger :debug]
          (raw/with-server [server nil {:event-loops 1 :http1-engine engine :max-uri-bytes 64 :max-body-bytes 3
                                        :routes [["/a" {:get {:handler ok-body}}]
                                                 ["/slow" {:handler (fn [_] @(promise)) :handler-timeout-ms 20}]]}]
            (doseq [[request told] [[(raw/head "GET / HTTP/1.1") #"^answered 127\.0\.0\.1 400: request head malformed"]
                                    [(raw/get-request "/none") #"^answered 127\.0\.0\.1 404: "]
                                    [(raw/post "/a" "") #"^answered 127\.0\.0\.1 405: "]
                                    [(raw/post "/slow" "abcd") #"^answered 127\.0\.0\.1 413: request body exceeds 3 bytes"]
                                    [(raw/get-request (str "/" (apply str (repeat 80 \a))))
                                     #"^answered 127\.0\.0\.1 414: request target exceeds 64 bytes"]
                                    [(raw/get-request "/slow") #"^answered 127\.0\.0\.1 503: handler timed out"]]]
              (reset! events [])
              (raw/answer server request)
              (is (= :debug (:level (probe/await-event events told))))))))
      (probe/with-log-events [events native-logger]
        (testing "and not at INFO"
          (raw/with-server [server nil {:event-loops 1 :http1-engine engine :routes [["/a" {:get {:handler ok-body}}]]}]
            (is (= 404 (first (probe/ask server "/none"))))
            (probe/ask server "/a"))
          (is (= [] @events)))))))

(deftest order-test
  (testing "events of many connections all arrive, once each"
    (probe/with-level [native-logger :debug]
      (probe/with-log-events [events native-logger]
        (raw/with-server [server ok-body {:event-loops 2}]
          (let [clients (mapv (fn [_] (probe/connect server)) (range 40))]
            (run! #(raw/send! % "no HTTP at all\r\n\r\n") clients)
            (run! #(.readAllBytes ^java.io.InputStream (:in %)) clients)
            (run! #(.close ^java.io.Closeable %) clients))
          (is (probe/await-that #(= 40 (count (parse-errors events)))))
          (probe/await-metrics server {:connections-open 0}))
        (is (= 40 (count (parse-errors events))))))))

(deftest handler-failure-test
  (doseq [mode [:worker :inline]]
    (testing (str "what a handler (" mode ") throws is one error event with the stack, and the client learns nothing of it")
      (probe/with-log-events [events "hinny"]
        (raw/with-server [server (fn [_] (throw (ex-info "the secret reason" {}))) {:event-loops 1 :handler-mode mode}]
          (raw/with-client [client server]
            (raw/send! client (raw/get-request "/path?password=1"))
            (let [response (raw/read-response client)]
              (is (= 500 (:status response)))
              (is (not (str/includes? (str response) "secret")))
              (is (not (str/includes? (str response) "Exception"))))
            (testing "on a connection that goes on"
              (is (= 500 (first (probe/exchange client (raw/get-request "/again"))))))))
        (let [[event again & more] @events]
          (is (= ["hinny.server" :error "clojure.lang.ExceptionInfo" "the secret reason"]
                 ((juxt :logger :level :thrown :thrown-message) event)))
          (is (some #(str/includes? % "hinny.log_test") (:frames event)))
          (is (= "handler threw for GET /path" (:message event)))
          (is (= "handler threw for GET /again" (:message again)))
          (is (nil? more))))))
  (testing "an Error is caught as well"
    (probe/with-log-events [events "hinny.server"]
      (raw/with-server [server (fn [_] (throw (StackOverflowError. "deep"))) {:event-loops 1 :handler-mode :inline}]
        (is (= 500 (first (probe/ask server "/"))))
        (is (= 500 (first (probe/ask server "/"))))
        (is (= ["java.lang.StackOverflowError" "java.lang.StackOverflowError"] (mapv :thrown @events)))))))

(deftest invalid-response-test
  (testing "what is no response is one error event that says why"
    (probe/with-log-events [events "hinny"]
      (raw/with-server [server (constantly {:status 200 :headers {"a" "b\r\nc: d"} :body ""}) {:event-loops 1}]
        (is (= [500 "Internal Server Error"] (probe/ask server "/"))))
      (is (= [["hinny.server" :error nil]] (mapv (juxt :logger :level :thrown) @events)))
      (is (str/starts-with? (:message (first @events)) "handler returned an invalid response for GET /: ")))))

(defn- await-look
  "Waits until the watchdog has looked at the loops once more. It passes a changed level on before it looks at them, so
  when it passes the second change on, it has been through since the first."
  []
  (every? (fn [[level number]]
            (probe/set-level native-logger level)
            (probe/await-that #(= number (probe/static-value "NativeLog" "knownLevel"))))
          [[:debug 4] [:error 1]]))

(deftest stuck-loop-test
  (testing "an inline handler that keeps its loop for more than a second is reported once, with its stack"
    (let [begun (CountDownLatch. 1)
          finish (CountDownLatch. 1)
          wait-in-handler (fn [_]
                            (.countDown begun)
                            (raw/await-latch finish)
                            (probe/ok "late"))]
      (probe/with-log-events [events "hinny.server"]
        (raw/with-server [server wait-in-handler {:event-loops 1 :handler-mode :inline}]
          (raw/with-client [client server]
            (raw/send! client (raw/get-request "/"))
            (is (raw/await-latch begun))
            (let [event (probe/await-event events #"^hinny-loop-0 has been in a handler for \d+ ms")]
              (is (= :warn (:level event)))
              (is (some #(str/includes? % "hinny.log_test") (:frames event))))
            (probe/with-level [native-logger nil]
              (is (await-look)))
            (is (= 1 (count @events)))
            (.countDown finish)
            (is (= [200 "late"] (probe/outcome client)))))
        (is (= 1 (count @events)))))))
