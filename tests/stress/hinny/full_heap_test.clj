(ns hinny.full-heap-test
  "What does not fit into the heap costs the request that it is of, and nothing else. The server runs in a JVM of its own."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.other-jvm :as other]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server]))

(set! *warn-on-reflection* true)

(def ^:private small-heap
  ["-XX:+UseSerialGC" "-Xms64m" "-Xmx64m"])

(def ^:private json-mib 8)

;;; In the server's JVM

(def ^:private running (atom nil))

(defn start
  "Starts a server that parses JSON; its port."
  []
  (let [bytes (bit-shift-left (* 2 json-mib) 20)]
    (server/server-port
      (reset! running
              (server/run-server #(probe/ok (:uri %))
                                 {:host "127.0.0.1"
                                  :port 0
                                  :event-loops 1
                                  :health true
                                  :parse #{:json}
                                  :parsed-body-bytes bytes
                                  :max-body-bytes bytes
                                  :body-buffer-bytes (* 16 bytes)})))))

(defn metrics
  "Its counters."
  []
  (server/server-metrics @running))

(defn stop
  "Stops it; its status."
  []
  (server/stop-server @running)
  (server/server-status @running))

;;; Here

(deftest large-record-test
  (testing "what is parsed of a JSON body does not fit into the heap"
    (with-open [jvm (other/open {:flags small-heap})]
      (let [port (other/call jvm `start)
            json (str "[1" (str/join (repeat (dec (bit-shift-left json-mib 19)) ",1")) "]")
            request (str (raw/head "POST /json HTTP/1.1" "Host: x" "Content-Type: application/json"
                                   (str "Content-Length: " (count json)))
                         json)]
        (dotimes [_ 3]
          (with-open [client (raw/connect port)]
            (raw/send! client request)
            (is (= 503 (:status (raw/read-response client))))
            (testing "on a connection that goes on"
              (is (= [200 "/next"] (probe/exchange client (raw/get-request "/next")))))))
        (testing "the loop is well"
          (with-open [client (raw/connect port)]
            (is (= [200 200] (mapv #(first (probe/exchange client (raw/get-request %))) ["/live" "/ready"]))))
          (is (= {:panics 0 :loops-reopened 0 :exchanges-open 0}
                 (select-keys (other/call jvm `metrics) [:panics :loops-reopened :exchanges-open]))))
        (is (= :stopped (other/call jvm `stop)))
        (is (forked/sound? (other/end jvm)))))))
