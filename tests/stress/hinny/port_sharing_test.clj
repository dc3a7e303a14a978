(ns hinny.port-sharing-test
  "Who may listen on a port that somebody listens on: with `:reuse-port?`, and only if all of them have it. In one JVM and in
  two, whoever comes first."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.other-jvm :as other]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (clojure.lang ExceptionInfo)))

(set! *warn-on-reflection* true)

(def ^:private running
  "Those of this JVM."
  (atom []))

(defn start
  "Starts a server that answers with its name; its port, or the type of the error."
  [server-name options]
  (try
    (let [server (server/run-server (fn [_] {:status 200 :headers {} :body server-name})
                                    (merge {:event-loops 2 :drain-timeout-ms 2000} options))]
      (swap! running conj server)
      (server/server-port server))
    (catch ExceptionInfo e (:type (ex-data e)))))

(defn stop-all
  "Stops them."
  []
  (run! server/stop-server (first (reset-vals! running []))))

(defn- answers
  "Who answers of so many connections."
  [port n]
  (into #{}
        (map (fn [_]
               (with-open [client (raw/connect port)]
                 (raw/send! client (raw/get-request "/" "Connection: close"))
                 (:body (raw/read-response client)))))
        (range n)))

(def ^:private combinations
  "Options of the first and of the second, and who answers then."
  (for [owner-loops [1 2]
        [first-host second-host] [["127.0.0.1" "127.0.0.1"] ["::" "127.0.0.1"] ["::" "::"] ["0.0.0.0" "0.0.0.0"]]
        [first-shares? second-shares?] [[false false] [false true] [true false] [true true]]]
    [{:host first-host :reuse-port? first-shares? :event-loops owner-loops}
     {:host second-host :reuse-port? second-shares?}
     (and first-shares? second-shares?)]))

(defn- check-sharing
  "Starts two servers, by `first-start` and `second-start`, whose arguments are those of `start`."
  [first-start second-start stop]
  (doseq [[first-options second-options shared?] combinations]
    (testing (str (pr-str first-options) " then " (pr-str second-options))
      (let [port (first-start "first" (assoc first-options :port 0))
            second-port (second-start "second" (assoc second-options :port port))]
        (is (= (if shared? port :hinny.error/port-in-use) second-port))
        (when-not shared?
          (is (= #{"first"} (answers port 40))))
        (stop)
        (testing "and when the first has gone the port is free"
          (is (= port (second-start "next" (assoc second-options :port port))))
          (is (= #{"next"} (answers port 4)))
          (stop))))))

(deftest one-jvm-test
  (check-sharing start start stop-all))

(deftest two-jvms-test
  (with-open [a (other/open {})
              b (other/open {})]
    (check-sharing #(other/call a `start %1 %2)
                   #(other/call b `start %1 %2)
                   #(run! (fn [jvm] (other/call jvm `stop-all)) [a b]))
    (is (forked/sound? (other/end a)))
    (is (forked/sound? (other/end b)))))

(deftest message-test
  (testing "the error says what the other server lacks"
    (let [port (start "first" {:port 0 :host "127.0.0.1"})]
      (is (thrown-with-msg? ExceptionInfo #"already in use, by a server that does not share it with :reuse-port\?"
                            (server/run-server identity {:port port :host "127.0.0.1" :reuse-port? true})))
      (stop-all))))
