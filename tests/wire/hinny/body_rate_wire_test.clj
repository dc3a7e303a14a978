(ns hinny.body-rate-wire-test
  "A client that sends its request's body a byte now and then is told so and sent away; one that is slow because its
  handler does not read is not.

  The clock of the servers is turned; no piece comes later than :body-read-timeout-ms after the last."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.raw-client :as raw :refer [with-client with-server]])
  (:import
   (java.io IOException InputStream)
   (java.util.concurrent CountDownLatch LinkedBlockingQueue TimeUnit)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(defn- body-head [lines]
  (apply raw/head "POST /upload HTTP/1.1" "Host: x" lines))

(defn- trickle!
  "Sends `piece` and lets `ms` pass, at most `times`; how often it did before the server said something."
  [server client piece ms times]
  (loop [n 0]
    (if (or (= times n) (raw/heard? client))
      n
      (do
        (raw/send! client piece)
        (is (raw/await-taken client))
        (raw/pass! server ms)
        (recur (inc n))))))

(def ^:private bodies
  "What is said of a body, its first bytes, and a small piece of it."
  [["small, which is collected" ["Content-Length: 1000"] "" "b"]
   ["large, which is streamed" ["Content-Length: 5000000"] "" "b"]
   ["large, of which much came at once" ["Content-Length: 5000000"] (str/join (repeat 200000 "b")) "b"]
   ["in chunks" ["Transfer-Encoding: chunked"] "" "1\r\nb\r\n"]])

(deftest slow-body-test
  (doseq [mode [:worker :inline]
          [what lines begin piece] bodies]
    (testing (str "9110 15.5.9: 408 for a byte in ten seconds of a body that is " what ", " mode)
      (let [failures (LinkedBlockingQueue.)
            handler (fn [{:keys [^InputStream body]}]
                      (try
                        {:status 200 :body (str (alength (.readAllBytes body)))}
                        (catch IOException failure
                          (.add failures (ex-message failure))
                          {:status 500})))]
        (with-server [server handler {:handler-mode mode :turned-clock? true}]
          (with-client [client server]
            (raw/send! client (str (body-head lines) begin))
            (is (< 2 (trickle! server client piece 10000 10) 10))
            (let [response (raw/read-response client)]
              (is (= [408 "close"] [(:status response) (raw/header response "connection")])))
            (is (raw/eof? client)))
          (when (str/includes? what "large")
            (is (= "request body: the client sent nothing for too long"
                   (.poll failures raw/guard-ms TimeUnit/MILLISECONDS)))))))))

(deftest fast-enough-body-test
  (doseq [[what lines piece end] [["sized" ["Content-Length: 96000"] (str/join (repeat 4800 "b")) ""]
                                  ["chunked" ["Transfer-Encoding: chunked"]
                                   (str "12c0\r\n" (str/join (repeat 4800 "b")) "\r\n") "0\r\n\r\n"]]]
    (testing (str "a body of 240 bytes in a second, " what)
      (with-server [server raw/echo-body {:turned-clock? true :inline-body-bytes 0 :handler-timeout-ms 0}]
        (with-client [client server]
          (raw/send! client (body-head lines))
          (is (= 20 (trickle! server client piece 20000 20)))
          (raw/send! client end)
          (let [response (raw/read-response client)]
            (is (= [200 96000] [(:status response) (count (:body response))]))))))))

(deftest slow-handler-is-not-the-clients-fault-test
  (testing "a handler that does not read for minutes finds its client waiting"
    (let [reads (CountDownLatch. 1)
          gate (CountDownLatch. 1)]
      (with-server [server (fn [{:keys [^InputStream body]}]
                             (if body
                               (let [begin (.readNBytes body 100000)]
                                 (.countDown reads)
                                 (raw/await-latch gate)
                                 {:status 200 :body (str (+ (alength begin) (alength (.readAllBytes body))))})
                               {:status 200}))
                    {:turned-clock? true :exchange-buffer-bytes 4096 :handler-timeout-ms 0 :event-loops 1}]
        (with-client [client server]
          (with-client [neighbour server]
            (raw/send! client (str (body-head ["Content-Length: 3000000"]) (str/join (repeat 200000 "b"))))
            (is (raw/await-latch reads))
            (dotimes [_ 20]
              (raw/pass! server 10000)
              (raw/come-round! neighbour))
            (is (not (raw/heard? client)))
            (.countDown gate)
            (raw/send! client (str/join (repeat 2800000 "b")))
            (is (= [200 "3000000"] ((juxt :status :body) (raw/read-response client))))))))))

(deftest body-rate-options-test
  (testing ":min-body-bytes-per-second 0 is no limit"
    (with-server [server raw/echo-body {:turned-clock? true :min-body-bytes-per-second 0}]
      (with-client [client server]
        (raw/send! client (body-head ["Content-Length: 50"]))
        (is (= 50 (trickle! server client "b" 10000 50)))
        (is (= 200 (:status (raw/read-response client)))))))
  (testing ":body-rate-grace-ms is what it may fall behind"
    (with-server [server raw/echo-body {:turned-clock? true :body-rate-grace-ms 200000}]
      (with-client [client server]
        (raw/send! client (body-head ["Content-Length: 50"]))
        (is (< 15 (trickle! server client "b" 10000 50) 30))
        (is (= 408 (:status (raw/read-response client))))))))
