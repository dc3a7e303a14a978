(ns hinny.limits-wire-test
  "Sizes and times that a client must keep: what comes at the limit, what beyond it, and how the connection ends.

  Timeouts are long, and pass when the test says so. The guard of the raw client is below every default timeout: what comes
  within it comes because of the time that passed for the server, and not for the test."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.raw-client :as raw :refer [head with-client with-server]])
  (:import
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private modes [:inline :worker])

(defn- sized [length]
  (raw/post "/" (str/join (repeat length "b"))))

(defn- chunked-of [length piece]
  (str (head "POST / HTTP/1.1" "Host: x" "Transfer-Encoding: chunked")
       (apply raw/chunked (map str/join (partition-all piece (repeat length "b"))))))

(deftest body-limit-test
  (doseq [mode modes
          limit [0 1 1000 100000]
          [what request] [["sized" sized]
                          ["in one chunk" #(chunked-of % 1000000)]
                          ["in chunks of 700 bytes" #(chunked-of % 700)]]]
    (testing (str "9110 15.5.14 :max-body-bytes " limit ", " what ", " mode)
      (with-server [server raw/echo-body {:handler-mode mode :max-body-bytes limit}]
        (testing "at the limit"
          (with-client [client server]
            (raw/send! client (request limit))
            (let [response (raw/read-response client)]
              (is (= [200 limit] [(:status response) (count (:body response))])))
            (raw/send! client (raw/get-request "/"))
            (is (= 200 (:status (raw/read-response client))))))
        (testing "one byte beyond"
          (with-client [client server]
            (raw/send! client (str (request (inc limit)) (raw/get-request "/after")))
            (let [response (raw/read-response client)]
              (is (= 413 (:status response)))
              (is (= "close" (raw/header response "connection")))
              (is (= 1 (count (raw/header-values response "date")))))
            (is (raw/eof? client) "the rest of the body is no next request")))))))

(deftest refused-body-does-not-destroy-the-answer-test
  (testing "9112 9.6: a client that writes its whole body first can still read the answer"
    (doseq [mode modes
            request [(sized 600000) (chunked-of 600000 50000)]]
      (with-server [server raw/echo-body {:handler-mode mode :max-body-bytes 10}]
        (with-client [client server]
          (raw/send! client request)
          (is (= 413 (:status (raw/read-response client))))
          (is (raw/eof? client)))))))

(deftest announced-length-beyond-the-limit-is-refused-at-once-test
  (testing "9110 15.5.14: no byte of the body is needed to refuse it"
    (doseq [length ["11" "9999999999" "9223372036854775807"]]
      (with-server [server raw/echo-body {:max-body-bytes 10}]
        (with-client [client server]
          (raw/send! client (head "POST / HTTP/1.1" "Host: x" (str "Content-Length: " length)))
          (is (= 413 (:status (raw/read-response client))))
          (is (raw/eof? client)))))))

(defn- head-of-length
  "A request head of `length` bytes."
  [length]
  (let [shortest (count (raw/get-request "/" "X-A: "))]
    (raw/get-request "/" (str "X-A: " (str/join (repeat (- length shortest) "v"))))))

(deftest head-limit-test
  (doseq [mode modes
          limit [1024 4096 8192 32768 100000]]
    (testing (str "6585 5 :max-head-bytes " limit ", " mode)
      (with-server [server raw/echo-target {:handler-mode mode :max-head-bytes limit}]
        (testing "at the limit"
          (is (= 200 (:status (raw/answer server (head-of-length limit))))))
        (testing "beyond, complete"
          (with-client [client server]
            (raw/send! client (str (head-of-length (* 2 limit)) (raw/get-request "/after")))
            (let [response (raw/read-response client)]
              (is (= 431 (:status response)))
              (is (= "close" (raw/header response "connection"))))
            (is (raw/eof? client))))
        (testing "beyond, without an end in sight"
          (with-client [client server]
            (raw/send! client (subs (head-of-length (+ 64 (* 2 limit))) 0 (* 2 limit)))
            (is (= 431 (:status (raw/read-response client))))
            (is (raw/eof? client))))
        (testing "one byte beyond"
          (is (= 431 (:status (raw/answer server (head-of-length (inc limit)))))))))))

(defn- target-of-length [length]
  (str "/" (str/join (repeat (dec length) "a"))))

(deftest target-limit-test
  (doseq [mode modes
          [option limit] [[nil 8192] [64 64] [1000 1000] [65534 65534]]]
    (testing (str "9110 15.5.15 :max-uri-bytes " option ", " mode)
      (with-server [server raw/echo-target (cond-> {:handler-mode mode :max-head-bytes 100000}
                                             option (assoc :max-uri-bytes option))]
        (testing "at the limit"
          (let [target (target-of-length limit)]
            (is (= (str "get " target) (:body (raw/answer server (raw/get-request target)))))))
        (doseq [[what request] [["one byte beyond" (raw/get-request (target-of-length (inc limit)))]
                                ["with a query" (raw/get-request (str (target-of-length limit) "?"))]
                                ["without an end in sight" (str "GET " (target-of-length (inc limit)))]]]
          (testing what
            (with-client [client server]
              (raw/send! client request)
              (let [response (raw/read-response client)]
                (is (= 414 (:status response)))
                (is (= "close" (raw/header response "connection"))))
              (is (raw/eof? client))))))))
  (testing "6585 5: a head that is too large before its target is too long"
    (with-server [server raw/echo-target {:max-head-bytes 1024}]
      (is (= 431 (:status (raw/answer server (raw/get-request (target-of-length 5000)))))))))

(deftest header-count-limit-test
  (doseq [mode modes
          [option limit] [[nil 100] [1 1] [20 20] [101 101] [1000 1000]]]
    (testing (str "6585 5 :max-header-count " option ", " mode)
      (with-server [server raw/echo-target (cond-> {:handler-mode mode} option (assoc :max-header-count option))]
        ;; Host is one of them.
        (let [request #(apply raw/get-request "/" (for [n (range (dec %))] (str "X-" n ": v")))]
          (is (= 200 (:status (raw/answer server (request limit)))))
          (with-client [client server]
            (raw/send! client (request (inc limit)))
            (let [response (raw/read-response client)]
              (is (= 431 (:status response)))
              (is (= "close" (raw/header response "connection"))))
            (is (raw/eof? client))))))))

(def ^:private after-head-ms
  "Longer than :header-read-timeout-ms and :body-read-timeout-ms are when nobody sets them."
  40000)

(def ^:private after-idle-ms
  "Longer than :keep-alive-timeout-ms is when nobody sets it."
  90000)

(defn- times-out?
  "Whether the server does something about what it has of `client` when `ms` pass."
  [server ms client]
  (and (raw/await-taken client)
       (raw/pass-until-heard! server ms client)))

(deftest header-read-timeout-test
  (doseq [mode modes]
    (with-server [server raw/echo-target {:handler-mode mode :turned-clock? true}]
      (doseq [part ["G" "GET / HTTP/1.1\r\n" "GET / HTTP/1.1\r\nHost: x\r\n\r"]]
        (testing (str "9110 15.5.9: 408 after a part of a head, " (pr-str part) ", " mode)
          (with-client [client server]
            (raw/send! client part)
            (is (times-out? server after-head-ms client))
            (let [response (raw/read-response client)]
              (is (= [408 "Request Timeout"] ((juxt :status :body) response)))
              (is (= "close" (raw/header response "connection")))
              (is (= 1 (count (raw/header-values response "date"))) "9110 6.6.1"))
            (is (raw/eof? client)))))
      (testing (str "9110 15.5.9: no answer if nothing was asked, " mode)
        (with-client [client server]
          (is (times-out? server after-head-ms client))
          (is (raw/eof? client))))
      (testing (str "9110 15.5.9: 408 for the second request of a connection, " mode)
        (with-client [client server]
          (raw/send! client (str (raw/get-request "/a") "GET /b HT"))
          (is (= "get /a" (:body (raw/read-response client))))
          (is (times-out? server after-head-ms client))
          (is (= 408 (:status (raw/read-response client))))
          (is (raw/eof? client))))
      (doseq [[what request expected] [["a sized body" (raw/post "/a" "b") "post /a b"]
                                       ["a chunked body" (chunked-of 3 1) "post / bbb"]
                                       ["a head that ends in an empty line" (raw/get-request "/a") "get /a"]]
              part ["G" "\r\nG" "GET / HTTP/1.1\r\nX: y\r\n"]]
        (testing (str "9110 15.5.9: the time for a head begins when its first bytes come with the end of " what ", "
                      (pr-str part) ", " mode)
          (with-client [client server]
            (raw/send! client (str request part))
            (is (= expected (:body (raw/read-response client))))
            (is (times-out? server after-head-ms client))
            (is (= 408 (:status (raw/read-response client))))
            (is (raw/eof? client))))))))

(deftest header-read-timeout-is-what-the-option-says-test
  (doseq [[option before-ms then-ms] [[nil 29999 1001] [600000 599999 1001]]]
    (testing (str ":header-read-timeout-ms " option ": not before it, and at the next sweep then")
      (with-server [server raw/echo-target (cond-> {:turned-clock? true :event-loops 1}
                                             option (assoc :header-read-timeout-ms option))]
        (with-client [client server]
          (with-client [neighbour server]
            (raw/send! client "G")
            (is (raw/await-taken client))
            (raw/pass! server before-ms)
            (raw/come-round! neighbour)
            (is (not (raw/heard? client)))
            (is (times-out? server then-ms client))
            (is (= 408 (:status (raw/read-response client))))))))))

(deftest trickled-head-test
  (testing "9112 9.5: the time for a head is for all of it, a byte now and then does not prolong it"
    (with-server [server raw/echo-target {:turned-clock? true}]
      (with-client [client server]
        (raw/send! client "GET / HTTP/1.1\r\nX-A: ")
        (loop [turns 10]
          (when-not (or (raw/heard? client) (zero? turns))
            (raw/send! client "a")
            (is (raw/await-taken client))
            (raw/pass! server 5000)
            (recur (dec turns))))
        (is (= 408 (:status (raw/read-response client))))))))

(deftest keep-alive-timeout-test
  (doseq [mode modes
          request [(raw/get-request "/a") (head "GET /a HTTP/1.0" "Connection: keep-alive")]]
    (testing (str "9112 9.5: an idle connection is closed without a word, " mode)
      (with-server [server raw/echo-target {:handler-mode mode :turned-clock? true}]
        (with-client [client server]
          (raw/send! client request)
          (is (= "get /a" (:body (raw/read-response client))))
          (is (times-out? server after-idle-ms client))
          (is (raw/eof? client)))
        (testing "an empty line begins no request"
          (with-client [client server]
            (raw/send! client (str request "\r\n"))
            (is (= "get /a" (:body (raw/read-response client))))
            (is (times-out? server after-idle-ms client))
            (is (raw/eof? client))))))))

(deftest body-read-timeout-test
  (doseq [mode modes
          [what lines part] [["no byte" ["Content-Length: 10"] ""]
                             ["a part" ["Content-Length: 10"] "abc"]
                             ["a part of a chunk" ["Transfer-Encoding: chunked"] "5\r\nabc"]
                             ["no last chunk" ["Transfer-Encoding: chunked"] "3\r\nabc\r\n"]]]
    (testing (str "9110 15.5.9: 408 after " what " of a body, " mode)
      (with-server [server raw/echo-target {:handler-mode mode :turned-clock? true}]
        (with-client [client server]
          (raw/send! client (str (apply head "POST / HTTP/1.1" "Host: x" lines) part))
          (is (times-out? server after-head-ms client))
          (let [response (raw/read-response client)]
            (is (= 408 (:status response)))
            (is (= "close" (raw/header response "connection"))))
          (is (raw/eof? client)))))))

(deftest handler-is-not-timed-test
  (testing "the timeouts are for the client: a handler may take longer than any of them"
    (let [started (CountDownLatch. 1)
          gate (CountDownLatch. 1)]
      (with-server [server (fn [{:keys [uri]}]
                             (when (= "/slow" uri)
                               (.countDown started)
                               (raw/await-latch gate))
                             {:status 200 :body uri})
                    {:event-loops 1 :handler-timeout-ms 0 :turned-clock? true}]
        (with-client [slow server]
          (raw/send! slow (raw/get-request "/slow"))
          (is (raw/await-latch started))
          (testing "connections that came later are timed out meanwhile"
            (dotimes [_ 3]
              (with-client [idle server]
                (is (times-out? server after-idle-ms idle))
                (is (raw/eof? idle)))))
          (.countDown gate)
          (is (= "/slow" (:body (raw/read-response slow)))))))))
