(ns hinny.health-wire-test
  "Health endpoints: what they say, when, and that they answer whatever the handlers do."
  (:require
   [clojure.test :refer [are deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.json :as json]
   [hinny.log-capture :refer [with-log]]
   [hinny.raw-client :as raw :refer [send! with-client with-server]]
   [hinny.server :as server])
  (:import
   (clojure.lang ExceptionInfo)
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(defn- probe
  "Status and body of an endpoint."
  [server path]
  (let [{:keys [status body]} (raw/answer server (raw/get-request path))]
    [status (json/read-value body {:key-fn keyword})]))

(defn- becomes?
  "Whether an endpoint says this, sooner or later."
  [server path expected]
  (raw/await-until #(= expected (probe server path))))

(def ^:private up [200 {:status "up"}])

(defn- hello [_] {:status 200 :body "hello"})

(deftest without-checks-test
  (with-server [server hello {:health true}]
    (are [path] (= up (probe server path))
      "/live" "/ready" "/startup")
    (is (= "hello" (:body (raw/answer server (raw/get-request "/other")))))
    (testing "no cache keeps it, and HEAD is answered too"
      (let [response (raw/answer server (raw/head "HEAD /ready HTTP/1.1" "Host: x") {:head? true})]
        (is (= [200 "no-store" "15"]
               [(:status response) (raw/header response "cache-control") (raw/header response "content-length")]))))
    (testing "they are no routes of the user's"
      (is (nil? (server/routes server)))))
  (with-server [server hello {:health {:live "/health/live" :ready nil}}]
    (is (= up (probe server "/health/live")))
    (is (= "hello" (:body (raw/answer server (raw/get-request "/ready"))) (:body (raw/answer server (raw/get-request "/live")))))))

(deftest checks-test
  (let [db (atom (constantly true))
        started (atom false)]
    (with-log [_events]
      (with-server [server hello {:health {:checks {:db #(@db) :cache (constantly :yes)}
                                           :startup-checks {:warm #(deref started)}
                                           :live-checks {:self (constantly true)}
                                           :interval-ms 5
                                           :timeout-ms 200}}]
        (testing "not ready before it has started"
          (is (becomes? server "/startup" [503 {:status "down" :checks {:warm "down"}}]))
          (is (becomes? server "/ready" [503 {:status "down" :checks {:db "up" :cache "up"}}]))
          (reset! started true)
          (is (becomes? server "/startup" [200 {:status "up" :checks {:warm "up"}}]))
          (is (becomes? server "/ready" [200 {:status "up" :checks {:db "up" :cache "up"}}])))
        (testing "startup stays well"
          (reset! started false)
          (is (becomes? server "/startup" [200 {:status "up" :checks {:warm "down"}}])))
        (testing "a check that is false, throws or takes too long is down, and may come back"
          (doseq [make [(fn [_] nil)
                        (fn [_] (throw (IllegalStateException. "secret")))
                        (fn [_] (throw (StackOverflowError. "secret")))
                        (fn [^CountDownLatch latch] (.await latch) true)]
                  :let [latch (CountDownLatch. 1)]]
            (reset! db #(make latch))
            (is (becomes? server "/ready" [503 {:status "down" :checks {:db "down" :cache "up"}}]))
            (reset! db (constantly true))
            (.countDown latch)
            (is (becomes? server "/ready" [200 {:status "up" :checks {:db "up" :cache "up"}}]))))
        (testing "liveness has its own checks"
          (is (becomes? server "/live" [200 {:status "up" :checks {:self "up"}}])))))))

(deftest busy-test
  (testing "they answer while every worker is stuck and the queue is full"
    (let [stuck (CountDownLatch. 2)
          latch (CountDownLatch. 1)
          handler (fn [_]
                    (.countDown stuck)
                    (.await latch)
                    {:status 200 :body "late"})]
      (with-server [server handler {:health {:checks {:db (constantly true)}} :worker-threads 2 :worker-queue-depth 2}]
        (try
          (with-client [client server]
            (send! client (raw/get-request "/1"))
            (with-client [second-client server]
              (send! second-client (raw/get-request "/2"))
              (is (raw/await-latch stuck))
              (is (becomes? server "/ready" [200 {:status "up" :checks {:db "up"}}]))
              (is (= up (probe server "/live")))))
          (finally
            (.countDown latch)))))))

(deftest stop-test
  (testing "a server that stops is not ready, but alive"
    (let [entered (CountDownLatch. 1)
          latch (CountDownLatch. 1)
          handler (fn [_]
                    (.countDown entered)
                    (.await latch)
                    {:status 200 :body "late"})
          server (server/run-server handler (assoc raw/*options* :health true :drain-timeout-ms 10000))]
      (with-client [waiting server]
        (with-client [probing server]
          (send! probing (raw/get-request "/ready"))
          (is (= 200 (:status (raw/read-response probing))))
          (send! waiting (raw/get-request "/"))
          (is (raw/await-latch entered))
          (let [stopping (future (server/stop-server server))]
            (is (raw/await-until #(= :stopping (server/server-status server))))
            (send! probing (str (raw/get-request "/ready") (raw/get-request "/live")))
            (let [response (raw/read-response probing)]
              (is (= [503 "{\"status\":\"stopping\"}"] [(:status response) (:body response)])))
            (.countDown latch)
            (is (= "late" (:body (raw/read-response waiting))))
            (is (not= :hung (deref stopping raw/guard-ms :hung)))))))))

(deftest options-test
  (are [health message] (let [failure (try
                                        (server/run-server hello {:port 0 :health health})
                                        (catch ExceptionInfo failure failure))]
                          (re-find message (ex-message failure)))
    7 #":health  must be true or a map"
    {:reddy "/r"} #"did you mean :ready\?"
    {:interval-ms 0} #":interval-ms must be an integer from 1"
    {:checks {:db 1}} #":checks must be a map from keywords to functions"
    {:ready nil :checks {:db (constantly true)}} #"there is no :ready"
    {:live "live"} #"\"live\""))
