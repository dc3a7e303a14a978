(ns hinny.fault-test
  "A panic in Rust ends the connection it happens in and nothing else; one outside of connections ends nothing. The
  JVM survives both: the scenes run in a JVM of their own, so that its death is a failure and not the end of the
  report.

  A scene returns what was seen; the tests compare."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(def ^:private poll-faults
  "More than the failures in a row after which a loop gives up."
  150)

(defn- fault-request
  [path kind]
  (raw/get-request path (str "x-hinny-fault: " kind)))

(defn- slow-handler
  "Answers with the path; `/slow` waits for the latch `finish` and tells `begun`."
  [^CountDownLatch begun finish]
  (fn [{:keys [uri]}]
    (when (= "/slow" uri)
      (.countDown begun)
      (raw/await-latch finish))
    (probe/ok uri)))

(defn- on-one-loop
  "Sends a request with the fault `kind` to a server whose one loop also has an idle connection and one whose handler
  runs. Returns the outcomes of all and what was logged; `open` is the number of connections to wait for at the end."
  [kind open]
  (let [begun (CountDownLatch. 1)
        finish (CountDownLatch. 1)]
    (probe/with-log-events [events "hinny"]
      (raw/with-server [server (slow-handler begun finish) {:event-loops 1}]
        (with-open [idle (probe/connect server)
                    busy (probe/connect server)
                    faulty (probe/connect server)]
          (let [idle-before (probe/exchange idle (raw/get-request "/idle-before"))
                _ (raw/send! busy (raw/get-request "/slow"))
                _ (raw/await-latch begun)
                faulty-outcome (probe/exchange faulty (fault-request "/faulty" kind))
                idle-after (probe/exchange idle (raw/get-request "/idle-after"))
                _ (.countDown finish)
                busy-outcome (probe/outcome busy)
                busy-after (probe/exchange busy (raw/get-request "/busy-after"))
                new-outcome (probe/ask server "/new")]
            (probe/await-metrics server {:connections-open open})
            {:faulty faulty-outcome
             :others [idle-before idle-after busy-outcome busy-after new-outcome]
             :metrics (select-keys (server/server-metrics server)
                                   [:panics :connections-open :exchanges-open :replies-stale])
             :events (mapv #(select-keys % [:logger :level :message :thrown :thrown-message]) @events)}))))))

(defn- inline-scene
  "A fault in a connection while handlers run on the loop; then one in poll."
  []
  (raw/with-server [server #(probe/ok (:uri %)) {:event-loops 1 :handler-mode :inline}]
    (with-open [other (probe/connect server)
                first-faulty (probe/connect server)
                second-faulty (probe/connect server)]
      [(probe/exchange other (raw/get-request "/1"))
       (probe/exchange first-faulty (fault-request "/faulty" "connection"))
       (probe/exchange other (raw/get-request "/2"))
       (probe/exchange second-faulty (fault-request "/faulty" "poll"))
       (probe/exchange other (raw/get-request "/3"))
       (probe/exchange second-faulty (raw/get-request "/4"))
       (:panics (server/server-metrics server))])))

(defn- pipelined-scene
  "A fault in the second of three requests that arrive together."
  []
  (let [calls (atom [])]
    (raw/with-server [server #(do (swap! calls conj (:uri %)) (probe/ok (:uri %))) {:event-loops 1}]
      (with-open [connection (probe/connect server)]
        (raw/send! connection (str (raw/get-request "/1")
                                (fault-request "/2" "connection")
                                (raw/get-request "/3")))
        (let [outcomes (vec (take-while vector? (repeatedly #(probe/outcome connection))))]
          {:outcomes outcomes
           :calls @calls
           :next (probe/ask server "/next")
           :metrics (probe/await-metrics server {:panics 1 :connections-open 0 :exchanges-open 0})})))))

(defn- body-scene
  "A fault in a request whose body has not arrived."
  []
  (raw/with-server [server #(probe/ok (:uri %)) {:event-loops 1}]
    (with-open [connection (probe/connect server)]
      [(probe/exchange connection (str (raw/head "POST / HTTP/1.1"
                                                 "host: x"
                                                 "x-hinny-fault: connection"
                                                 "content-length: 100")
                                       "abc"))
       (probe/await-metrics server {:panics 1 :connections-open 0 :exchanges-open 0})])))

(defn- many-poll-faults
  "A loop outlives any number of failures, if it gets something done in between."
  []
  (raw/with-server [server #(probe/ok (:uri %)) {:event-loops 1}]
    (with-open [connection (probe/connect server)]
      (frequencies (repeatedly poll-faults #(probe/exchange connection (fault-request "/" "poll")))))))

(defn- stop-scene
  "A server that had both faults stops and leaves nothing."
  []
  (probe/await-that #(empty? (probe/server-threads)))
  (let [fds (probe/server-fds)]
    (raw/with-server [server #(probe/ok (:uri %)) {}]
      (dotimes [_ 10]
        (doseq [kind ["connection" "poll"]]
          (with-open [connection (probe/connect server)]
            (probe/exchange connection (fault-request "/" kind))))))
    (probe/await-that #(= fds (probe/server-fds)))
    (probe/await-that #(empty? (probe/server-threads)))
    {:fds-left (merge-with - (probe/server-fds) fds)
     :threads-left (vec (probe/server-threads))}))

(defn scenes
  "What the tests below look at; for the forked JVM."
  []
  (let [unarmed (on-one-loop "connection" 3)
        unarmed-poll (on-one-loop "poll" 3)]
    (System/setProperty "hinny.test.faults" "true")
    {:unarmed [unarmed unarmed-poll]
     :connection (on-one-loop "connection" 2)
     :poll (on-one-loop "poll" 3)
     :other-value (on-one-loop "other" 3)
     :inline (inline-scene)
     :pipelined (pipelined-scene)
     :body (body-scene)
     :many-poll-faults (many-poll-faults)
     :stop (stop-scene)}))

(def ^:private forked-scenes
  (delay (forked/call `scenes {})))

(defn- seen
  [scene]
  (get-in @forked-scenes [:value scene]))

(def ^:private others-served
  [[200 "/idle-before"] [200 "/idle-after"] [200 "/slow"] [200 "/busy-after"] [200 "/new"]])

(deftest jvm-test
  (testing "the JVM outlives every panic"
    (is (forked/sound? @forked-scenes))))

(deftest unarmed-test
  (testing "without the property the header does nothing"
    (doseq [{:keys [faulty others metrics events]} (seen :unarmed)]
      (is (= [200 "/faulty"] faulty))
      (is (= others-served others))
      (is (= 0 (:panics metrics)))
      (is (= [] events))))
  (testing "with it, another value does nothing"
    (is (= [200 "/faulty"] (:faulty (seen :other-value))))
    (is (= 0 (get-in (seen :other-value) [:metrics :panics])))))

(deftest connection-fault-test
  (let [{:keys [faulty others metrics events]} (seen :connection)]
    (testing "the connection ends without a byte"
      (is (= :ended faulty)))
    (testing "an idle connection, one in a handler and a new one live"
      (is (= others-served others)))
    (testing "a counter tells, and nothing is left of the connection"
      (is (= {:panics 1 :connections-open 2 :exchanges-open 0 :replies-stale 0} metrics)))
    (testing "the log tells where the panic was, and which connection ended"
      (is (= [[:error "hinny.native.server.panic"] [:error "hinny.native.server.connection.task"]]
             (mapv (juxt :level :logger) events)))
      (is (re-find #"^panic at .*service\.rs:\d+:\d+: test fault: connection$" (:message (first events))))
      (is (re-find #"^connection of 127\.0\.0\.1 ended: " (str (:message (second events))))))))

(deftest pipelined-fault-test
  (let [{:keys [outcomes calls metrics] :as scene} (seen :pipelined)]
    (testing "no request after the fault is handled, no response comes twice"
      (is (contains? #{[] [[200 "/1"]]} outcomes))
      (is (= ["/1"] (vec (remove #{"/next"} calls)))))
    (testing "the server lives"
      (is (= [200 "/next"] (:next scene)))
      (is (= {:panics 1 :connections-open 0 :exchanges-open 0} metrics)))))

(deftest body-fault-test
  (is (= [:ended {:panics 1 :connections-open 0 :exchanges-open 0}] (seen :body))))

(deftest inline-fault-test
  (is (= [[200 "/1"] :ended [200 "/2"] [200 "/faulty"] [200 "/3"] [200 "/4"] 1] (seen :inline))))

(deftest poll-fault-test
  (let [{:keys [faulty others metrics events]} (seen :poll)
        failures (filterv :thrown events)]
    (testing "one Java exception is logged, with the panic's text"
      (is (= [{:logger "hinny.server"
               :level :error
               :message "event loop 0 failed and goes on"
               :thrown "io.github.hinny.EngineException"
               :thrown-message "panic in the native library: test fault: poll"}]
             failures)))
    (testing "the log tells where the panic was, once"
      (is (= 1 (count (filter #(re-find #"^panic at .*event_loop\.rs:\d+:\d+: test fault: poll$" (:message %)) events)))))
    (testing "no connection is harmed, not even the one whose request it was"
      (is (= [200 "/faulty"] faulty))
      (is (= others-served others))
      (is (= 0 (:panics metrics)))
      (is (= 0 (:replies-stale metrics)))))
  (testing "a loop that serves in between may fail any number of times"
    (is (= {[200 "/"] poll-faults} (seen :many-poll-faults)))))

(deftest stop-test
  (testing "a server that has seen panics leaves no thread and no descriptor"
    (is (= [] (:threads-left (seen :stop))))
    (is (every? zero? (vals (:fds-left (seen :stop)))))))
