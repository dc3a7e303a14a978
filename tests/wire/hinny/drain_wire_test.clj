(ns hinny.drain-wire-test
  "What a drain does with a connection that has nothing to do."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.raw-client :as raw]
   [hinny.server :as server]
   [hinny.server-clock :as clock])
  (:import
   (java.net ConnectException)))

(set! *warn-on-reflection* true)

(def ^:private long-drain {:drain-timeout-ms 3600000})

(defn- idle-client
  [server used?]
  (let [client (raw/connect (server/server-port server))]
    (when used?
      (raw/send! client (raw/get-request "/"))
      (raw/read-response client))
    client))

(defn- refused?
  "Whether the drain has begun: nobody listens."
  [server]
  (try
    (.close ^java.io.Closeable (raw/connect (server/server-port server)))
    false
    (catch ConnectException _ true)))

(deftest settled-test
  (doseq [engine [:auto :hyper]
          used? [true false]]
    (testing (str engine (if used? ", kept" ", fresh") ": a connection idle for a second ends at once, without the time of those that "
                  "may bring a request")
      (raw/with-server [server (fn [_] {:status 200 :headers {} :body "ok"})
                        {:event-loops 1 :http1-engine engine :turned-clock? true}]
        (with-open [client (idle-client server used?)]
          (is (raw/await-until #(= 1 (:connections-open (server/server-metrics server)))))
          ;; The client may have the response before the server has noted that the connection is idle.
          (clock/pass! server 1000)
          (raw/with-client [neighbour server]
            (raw/come-round! neighbour))
          (is (raw/await-until #(= 1 (:connections-open (server/server-metrics server)))))
          (clock/pass! server 1000)
          (let [stopped (future (server/stop-server server long-drain) :stopped)]
            ;; The clock stands still: what waits for the grace of 300 ms does not end.
            (is (= :eof (raw/end-of client)))
            (.close ^java.io.Closeable client)
            (is (= :stopped (deref stopped raw/guard-ms :hung))))))))
  (testing "one that had something less than a second ago may bring a request"
    (raw/with-server [server (fn [_] {:status 200 :headers {} :body "ok"}) {:event-loops 1 :turned-clock? true}]
      (with-open [client (idle-client server true)]
        (clock/pass! server 900)
        (let [stopped (future (server/stop-server server long-drain) :stopped)]
          (is (raw/await-until #(refused? server)))
          (raw/send! client (raw/get-request "/again"))
          (let [response (raw/read-response client)]
            (is (= [200 "close"] [(:status response) (raw/header response "connection")])))
          (is (= :eof (raw/end-of client)))
          (.close ^java.io.Closeable client)
          (is (= :stopped (deref stopped raw/guard-ms :hung))))))))
