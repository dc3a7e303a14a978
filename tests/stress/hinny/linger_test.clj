(ns hinny.linger-test
  "How long a connection that the server ends lingers for a client that never stops sending: half a minute."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.engines :as engines]
   [hinny.raw-client :as raw :refer [send! with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (java.io IOException)
   (java.util.concurrent.locks LockSupport)))

(set! *warn-on-reflection* true)

(def ^:private guard-ms
  "Twice what the server allows, and more."
  90000)

(defn- send-until-cut!
  "Sends again and again until nobody takes it; `:cut`, or `:hung` if that takes longer than the guard."
  [client data pause-nanos]
  (let [deadline (+ (System/nanoTime) (* 1000000 (long guard-ms)))]
    (loop []
      (cond
        (not (try (send! client data) true (catch IOException _ false))) :cut
        (neg? (- deadline (System/nanoTime))) :hung
        :else (do (LockSupport/parkNanos pause-nanos) (recur))))))

(deftest client-that-never-stops-test
  (testing "a client that sends much, and one that sends a byte now and then, are cut; what came before is there"
    (let [endings (vec (for [engine engines/engines
                             [data pause-nanos] [[(byte-array 100000) 1000000] ["x" 100000000]]]
                         (future
                           (with-server [server (fn [_] {:status 200 :body "ok"}) {:http1-engine engine}]
                             (with-open [client (raw/connect (server/server-port server))]
                               (send! client (raw/get-request "/" "Connection: close"))
                               (let [response (stream/read-any client)]
                                 [(:body response) (send-until-cut! client data pause-nanos)]))))))]
      (is (= (repeat 4 ["ok" :cut]) (map #(deref % (+ guard-ms raw/guard-ms) :hung) endings))))))
