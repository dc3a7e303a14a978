(ns hinny.input-stream-body-test
  "InputStreams as response bodies in every mode: what arrives, when, and that each is closed exactly once, however its
  response ends."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.log-capture :as log :refer [with-log]]
   [hinny.modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (java.io ByteArrayInputStream InputStream PipedInputStream PipedOutputStream)
   (java.util.concurrent CountDownLatch)
   (java.util.concurrent.atomic AtomicInteger)))

(set! *warn-on-reflection* true)

(defn- counted
  "An InputStream that reads as the function `(bytes from length)` says and counts how often it is closed."
  ^InputStream [^AtomicInteger closed read-some]
  (proxy [InputStream] []
    (read
      ([] (let [one (byte-array 1)]
            (if (neg? (int (read-some one 0 1))) -1 (bit-and 0xFF (aget one 0)))))
      ([bytes] (read-some bytes 0 (alength ^bytes bytes)))
      ([bytes from length] (read-some bytes from length)))
    (close [] (.incrementAndGet closed))))

(defn- over
  "A function for `counted` that gives the bytes of a text, at most `most` at once."
  [text most]
  (let [in (ByteArrayInputStream. (raw/latin1 text))]
    (fn [bytes from length]
      (.read in bytes from (min (int length) (int most))))))

(defn- closed-once?
  "Whether a counter comes to one; and stays, which the end of the server shows."
  [^AtomicInteger closed]
  (raw/await-until #(= 1 (.get closed))))

(def ^:private content-table
  "Length of the content, and how much of it the stream gives at once."
  [[0 1] [1 1] [10 3] [32767 100000] [32768 100000] [32769 100000] [100000 7777] [3000000 100000]])

(deftest content-test
  (each-mode [mode]
    (doseq [[length most] content-table]
      (testing (str "S M15 a stream of " length " bytes, " most " at once: whole, closed once")
        (let [closed (AtomicInteger.)
              text (stream/text-of length)]
          (with-handler [server mode (fn [_] {:status 200 :body (counted closed (over text most))})]
            (with-client [client server]
              (raw/send! client (raw/get-request "/"))
              (let [{:keys [status body cut?]} (stream/read-any client)]
                (is (= [200 false] [status cut?]))
                (is (= text body)))
              (is (closed-once? closed))
              (raw/send! client (raw/get-request "/"))
              (is (= length (count (:body (stream/read-any client)))) "the connection goes on")))
          (is (= 2 (.get closed))))))))

(deftest charset-is-not-ours-test
  (each-mode [mode]
    (testing "S a stream is sent as it is, whatever charset its Content-Type names"
      (with-handler [server mode (fn [_]
                                   {:status 200
                                    :headers {"Content-Type" "text/plain; charset=nobody-knows"}
                                    :body (ByteArrayInputStream. (raw/latin1 "text"))})]
        (is (= [200 "text"] ((juxt :status :body) (stream/ask server (raw/get-request "/")))))))))

(deftest delivered-while-it-lasts-test
  (each-mode [mode]
    (testing "S what a stream gives is delivered before it gives more"
      (let [out (PipedOutputStream.)
            in (PipedInputStream. out)]
        (with-handler [server mode (fn [_] {:status 200 :body in})]
          (with-client [client server]
            (raw/send! client (raw/get-request "/"))
            (doseq [piece ["first" "second" "third"]]
              (.write out (raw/latin1 piece))
              (.flush out)
              (when (= "first" piece)
                (is (= 200 (:status (stream/read-head client)))))
              (is (= piece (stream/read-chunk client))))
            (.close out)
            (is (= "" (stream/read-chunk client)))))))))

(deftest throwing-stream-test
  (each-mode [mode]
    (testing "M15 M18 a stream that throws at once: 500, closed once, logged once"
      (with-log [events]
        (let [closed (AtomicInteger.)]
          (with-handler [server mode (fn [_]
                                       {:status 200
                                        :body (counted closed (fn [_ _ _] (throw (java.io.IOException. "secret"))))})]
            (with-client [client server]
              (dotimes [n 2]
                (raw/send! client (raw/get-request "/"))
                (is (= [500 "Internal Server Error"] ((juxt :status :body) (stream/read-any client))))
                (is (= "secret" (ex-message (:throwable (log/await-event events)))))
                (is (raw/await-until #(= (inc n) (.get closed)))))))
          (is (= 2 (.get closed)))
          (is (= [] (log/events events))))))
    (testing "M15 M18 a stream that throws in the middle: cut, closed once, logged once"
      (with-log [events]
        (let [closed (AtomicInteger.)
              text (over (stream/text-of 100000) 1000)]
          (with-handler [server mode (fn [_]
                                       {:status 200
                                        :body (counted closed (fn [bytes from length]
                                                                (let [n (int (text bytes from length))]
                                                                  (if (neg? n) (throw (java.io.IOException. "secret")) n))))})]
            (let [response (stream/ask server (raw/get-request "/"))]
              (is (= [200 true] ((juxt :status :cut?) response)))
              (is (not (str/includes? (:body response) "secret"))))
            (is (= "secret" (ex-message (:throwable (log/await-event events)))))
            (is (closed-once? closed)))
          (is (= 1 (.get closed)))
          (is (= [] (log/events events))))))))

(deftest not-read-test
  (each-mode [mode]
    (doseq [[what request response] [["HEAD" (raw/head "HEAD / HTTP/1.1" "Host: x") {:status 200}]
                                     ["204" (raw/get-request "/") {:status 204}]
                                     ["205" (raw/get-request "/") {:status 205}]
                                     ["304" (raw/get-request "/") {:status 304}]
                                     ["an invalid status" (raw/get-request "/") {:status 99}]
                                     ["a header that is none" (raw/get-request "/") {:status 200 :headers {"X" 1}}]
                                     ["headers that throw" (raw/get-request "/")
                                      {:status 200 :headers (proxy [clojure.lang.APersistentMap] []
                                                              (count [] (throw (ex-info "secret" {}))))}]]]
      (testing (str "M12 M15 a stream that nobody wants is not read and closed once: " what)
        (with-log [_]
          (let [closed (AtomicInteger.)
                reads (AtomicInteger.)]
            (with-handler [server mode (fn [_]
                                         (assoc response :body (counted closed (fn [_ _ _] (.incrementAndGet reads) -1))))]
              (with-client [client server]
                (raw/send! client request)
                (is (some? (stream/read-any client {:head? (str/starts-with? request "HEAD")})))
                (is (closed-once? closed))
                (raw/send! client request)
                (is (some? (stream/read-any client {:head? (str/starts-with? request "HEAD")})) "the connection goes on")
                (is (raw/await-until #(= 2 (.get closed))))
                (is (raw/await-until #(zero? (:exchanges-open (server/server-metrics server)))))))
            (is (= [2 0] [(.get closed) (.get reads)]))))))))

(deftest client-abort-test
  (each-mode [mode]
    (testing "M15 a client that leaves in the middle: closed once, and nothing is logged as an error"
      (with-log [events]
        (let [closed (AtomicInteger.)]
          (with-handler [server mode (fn [_]
                                       {:status 200
                                        :body (counted closed (fn [_ _ length] length))})
                         {:exchange-buffer-bytes 65536}]
            (with-client [client server]
              (raw/send! client (raw/get-request "/endless"))
              (is (= 200 (:status (stream/read-head client))))
              (is (seq (stream/read-chunk client))))
            (is (closed-once? closed))
            (is (raw/await-until #(= [0 0] ((juxt :exchanges-open :connections-open) (server/server-metrics server))))))
          (is (= 1 (.get closed)))
          (is (= [] (log/events events)))))))
  (each-mode [mode]
    (testing "M15 a client that has left before the stream gives anything: closed when it does"
      (let [closed (AtomicInteger.)
            reading (CountDownLatch. 1)
            gate (CountDownLatch. 1)]
        (with-handler [server mode (fn [_]
                                     {:status 200
                                      :body (counted closed (fn [_ _ length]
                                                              (.countDown reading)
                                                              (raw/await-latch gate)
                                                              length))})]
          (with-client [client server]
            (raw/send! client (raw/get-request "/"))
            (is (raw/await-latch reading))
            (raw/reset-connection! client))
          (is (raw/await-until #(zero? (:connections-open (server/server-metrics server)))))
          (.countDown gate)
          (is (closed-once? closed)))
        (is (= 1 (.get closed)))))))

(deftest cannot-be-closed-test
  (each-mode [mode]
    (testing "a stream whose close throws after its last byte: cut or whole, never hung, and the server goes on"
      (with-log [_]
        (with-handler [server mode (fn [{:keys [uri]}]
                                     {:status 200
                                      :body (if (= "/ok" uri)
                                              "ok"
                                              (proxy [ByteArrayInputStream] [(raw/latin1 "text")]
                                                (close [] (throw (java.io.IOException. "secret")))))})]
          (let [response (stream/ask server (raw/get-request "/"))]
            (is (or (:cut? response) (= 500 (:status response)) (= "text" (:body response)))))
          (is (= "ok" (:body (raw/answer server (raw/get-request "/ok"))))))))))
