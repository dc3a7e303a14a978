(ns hinny.connection-wire-test
  "Several requests on one connection: keep-alive, pipelining, and bytes that arrive in any pieces.

  Each case names the section of RFC 9112 (or 9110) that asks for it."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.raw-client :as raw :refer [head with-client with-server]]
   [hinny.server :as server])
  (:import
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private modes [:inline :worker])

(def persistence-table
  "Section, request, response headers of the handler, the Connection field that is sent back, whether the connection
  stays."
  [["9.3 HTTP/1.1 persists" (head "GET / HTTP/1.1" "Host: x") {} nil :stays]
   ["9.3 HTTP/1.1 with close" (head "GET / HTTP/1.1" "Host: x" "Connection: close") {} "close" :ends]
   ["9110 7.6.1 options have no case" (head "GET / HTTP/1.1" "Host: x" "Connection: CLOSE") {} "close" :ends]
   ["9110 7.6.1 option in a list" (head "GET / HTTP/1.1" "Host: x" "Connection: foo, close") {} "close" :ends]
   ["9.3 HTTP/1.0 ends" (head "GET / HTTP/1.0") {} nil :ends]
   ["9.3 HTTP/1.0 with keep-alive persists" (head "GET / HTTP/1.0" "Connection: keep-alive") {} "keep-alive" :stays]
   ["9.3 HTTP/1.0 with keep-alive in any case" (head "GET / HTTP/1.0" "Connection: Keep-Alive") {} "keep-alive" :stays]
   ["9.6 the handler closes" (head "GET / HTTP/1.1" "Host: x") {"Connection" "close"} "close" :ends]
   ["9.6 the handler closes HTTP/1.0 that asks to stay" (head "GET / HTTP/1.0" "Connection: keep-alive") {"Connection" "close"}
    "close" :ends]
   ["9.6 the handler closes, in any case" (head "GET / HTTP/1.1" "Host: x") {"connection" "Close"} "Close" :ends]
   ["9.3 upgrade is not required" (head "GET / HTTP/1.1" "Host: x" "Connection: Upgrade" "Upgrade: h2c") {} nil :stays]])

(deftest persistence-test
  (doseq [mode modes
          [section request headers connection then] persistence-table]
    (testing (str mode " " section)
      (with-server [server (fn [_] {:status 200 :headers headers :body "ok"}) {:handler-mode mode}]
        (with-client [client server]
          (raw/send! client request)
          (let [response (raw/read-response client)]
            (is (= [200 "ok"] ((juxt :status :body) response)))
            (is (= (if connection [connection] []) (raw/header-values response "connection")))
            (is (= (subs (re-find #"HTTP/1\.\d" request) 0) (:version response)))
            (if (= :ends then)
              (is (raw/eof? client))
              (do
                (raw/send! client request)
                (is (= "ok" (:body (raw/read-response client))))))))))))

(deftest refused-by-the-core-test
  (doseq [mode modes
          [version & fields] [["HTTP/1.1"] ["HTTP/1.0" "Connection: keep-alive"]]
          behind ["" (raw/get-request "/before")]]
    (testing (str mode " 9.6: an error that ends the connection says close, and nothing else, " version)
      (with-server [server raw/echo-target {:handler-mode mode :max-body-bytes 2}]
        (with-client [client server]
          (raw/send! client (str behind (apply raw/head (str "POST / " version) "Host: x" "Content-Length: 3" fields)))
          (when (seq behind)
            (raw/read-response client))
          (let [response (raw/read-response client)]
            (is (= [413 version] ((juxt :status :version) response)))
            (is (= ["close"] (raw/header-values response "connection"))))
          (is (raw/eof? client)))))))

(deftest pipelining-test
  (doseq [mode modes
          length (range 2 33)]
    (testing (str "9.3.2: " length " pipelined requests are answered in order, " mode)
      (with-server [server raw/echo-target {:handler-mode mode}]
        (with-client [client server]
          (raw/send! client (str/join (for [n (range length)]
                                        (if (zero? (mod n 5))
                                          (raw/post (str "/" n) (str "body" n))
                                          (raw/get-request (str "/" n))))))
          (is (= (for [n (range length)]
                   (if (zero? (mod n 5)) (str "post /" n " body" n) (str "get /" n)))
                (doall (repeatedly length #(:body (raw/read-response client)))))))))))

(deftest pipelined-large-responses-test
  (testing "9.3.2: responses larger than any buffer keep their order and bytes"
    (doseq [mode modes]
      (with-server [server (fn [{:keys [uri]}] {:status 200 :body (str/join (repeat 100000 uri))}) {:handler-mode mode}]
        (with-client [client server]
          (raw/send! client (str/join (for [n (range 10 20)] (raw/get-request (str "/" n)))))
          (doseq [n (range 10 20)]
            (is (= (str/join (repeat 100000 (str "/" n))) (:body (raw/read-response client))))))))))

(def split-requests
  "Every way to frame a request, one after the other."
  [[(raw/get-request "/a?b") "get /a b"]
   [(raw/post "/c" "sized") "post /c sized"]
   [(str (head "POST /d HTTP/1.1" "Host: x" "Transfer-Encoding: chunked") (raw/chunked "chu" "nked")) "post /d chunked"]
   [(raw/post "/e" "") "post /e "]
   [(raw/get-request "/f" "X-Long: v" "Cookie: a") "get /f"]])

(deftest splitting-anywhere-changes-nothing-test
  (let [whole (str/join (map first split-requests))
        expected (map second split-requests)]
    (doseq [mode modes]
      (with-server [server raw/echo-target {:handler-mode mode :event-loops 1}]
        (with-open [client (raw/connect (server/server-port server))
                    neighbour (raw/connect (server/server-port server))]
          (doseq [at (range 1 (count whole))]
            (testing (str "2.2: split at byte " at ", " mode)
              (raw/send! client (subs whole 0 at))
              (raw/come-round! neighbour)
              (raw/send! client (subs whole at))
              (is (= expected (doall (repeatedly (count expected) #(:body (raw/read-response client)))))))))))))

(deftest byte-by-byte-test
  (doseq [mode modes]
    (testing (str "2.2: every byte comes alone, " mode)
      (with-server [server raw/echo-target {:handler-mode mode :event-loops 1}]
        (with-open [client (raw/connect (server/server-port server))
                    neighbour (raw/connect (server/server-port server))]
          (doseq [[request expected] split-requests]
            (doseq [b request]
              (raw/send! client (str b))
              (raw/come-round! neighbour))
            (is (= expected (:body (raw/read-response client))))))))))

(def half-table
  "What follows a complete request and lacks its end."
  {"half a request line" "GET /b HT"
   "one byte" "G"
   "half a head" "GET /b HTTP/1.1\r\nHost: x\r\nX-"
   "a head without its last byte" "GET /b HTTP/1.1\r\nHost: x\r\n\r"
   "a head and half a body" "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234"
   "a head and half a chunk" "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\na\r\n01234"
   "an empty line" "\r\n"})

(deftest finished-response-is-not-withheld-test
  (doseq [mode modes
          complete [1 3]
          [what half] half-table]
    (testing (str complete " complete, then " what ", in one piece: the complete are answered at once, " mode)
      (with-server [server raw/echo-target {:handler-mode mode}]
        (with-client [client server]
          (raw/send! client (str (str/join (repeat complete (raw/get-request "/a"))) half))
          (is (= (repeat complete "get /a") (doall (repeatedly complete #(:body (raw/read-response client)))))))))))

(deftest slow-request-does-not-withhold-the-one-before-test
  (testing "a fast and a slow request in one piece: the fast one is answered while the slow one is with its handler"
    (let [started (CountDownLatch. 1)
          gate (CountDownLatch. 1)]
      (with-server [server (fn [{:keys [uri]}]
                             (when (= "/slow" uri)
                               (.countDown started)
                               (raw/await-latch gate))
                             {:status 200 :body uri})
                    nil]
        (with-client [client server]
          (raw/send! client (str (raw/get-request "/fast") (raw/get-request "/slow") (raw/get-request "/last")))
          (is (= "/fast" (:body (raw/read-response client))))
          (is (raw/await-latch started))
          (is (= 1 (.getCount gate)) "the gate is still closed")
          (.countDown gate)
          (is (= "/slow" (:body (raw/read-response client))))
          (is (= "/last" (:body (raw/read-response client)))))))))

(deftest error-answers-keep-their-place-test
  (testing "9.3.2: a refused request after good ones is answered last, and nothing after it"
    (doseq [mode modes]
      (with-server [server raw/echo-target {:handler-mode mode}]
        (with-client [client server]
          (raw/send! client (str (raw/get-request "/a") (raw/get-request "/b") (head "GET /c HTTP/1.1") (raw/get-request "/d")))
          (is (= "get /a" (:body (raw/read-response client))))
          (is (= "get /b" (:body (raw/read-response client))))
          (is (= 400 (:status (raw/read-response client))))
          (is (raw/eof? client)))))))

(deftest expect-continue-test
  (doseq [mode modes]
    (with-server [server raw/echo-target {:handler-mode mode :max-body-bytes 10}]
      (testing (str "9110 10.1.1: the client is told to go on, " mode)
        (with-client [client server]
          (raw/send! client (head "POST /a HTTP/1.1" "Host: x" "Content-Length: 2" "Expect: 100-continue"))
          (is (= 100 (:status (raw/read-response client))))
          (raw/send! client "ab")
          (is (= "post /a ab" (:body (raw/read-response client))))
          (raw/send! client (str (head "POST /b HTTP/1.1" "Host: x" "Transfer-Encoding: chunked" "Expect: 100-Continue")))
          (is (= 100 (:status (raw/read-response client))))
          (raw/send! client (raw/chunked "c"))
          (is (= "post /b c" (:body (raw/read-response client))))))
      (testing "9110 10.1.1: not told to send what would be refused"
        (with-client [client server]
          (raw/send! client (head "POST /a HTTP/1.1" "Host: x" "Content-Length: 11" "Expect: 100-continue"))
          (is (= 413 (:status (raw/read-response client))))
          (is (raw/eof? client))))
      (testing "9110 10.1.1: no 100 for a request without a body, nor for HTTP/1.0"
        (is (= 200 (:status (raw/answer server (raw/get-request "/" "Expect: 100-continue")))))
        (is (= "post / ab" (:body (raw/answer server (str (head "POST / HTTP/1.0" "Content-Length: 2" "Expect: 100-continue") "ab")))))))))
