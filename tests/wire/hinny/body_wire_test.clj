(ns hinny.body-wire-test
  "Request bodies: how they are framed, what the handler reads of them, and framing that is refused.

  Each row names the section that asks for it: 9110 and 9112 are RFCs, SPEC is the Ring SPEC 1.5.1."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.raw-client :as raw :refer [head with-client with-server]])
  (:import
   (java.io InputStream)
   (java.util Arrays)
   (java.util.concurrent LinkedBlockingQueue TimeUnit)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(defn- post-head [& lines]
  (apply head "POST / HTTP/1.1" "Host: x" lines))

(defn- take-seen
  [^LinkedBlockingQueue seen]
  (.poll seen raw/guard-ms TimeUnit/MILLISECONDS))

(def refused-table
  "Section, request that is answered with 400 and the end of the connection."
  [["9112 6.3 Content-Lengths differ" (post-head "Content-Length: 1" "Content-Length: 2")]
   ["9112 6.3 Content-Lengths differ" (post-head "Content-Length: 1, 2")]
   ;; A recipient may take equal ones for one. Who does not, or looks at the first only, frames what follows otherwise.
   ["9112 6.3 equal Content-Lengths" (str (post-head "Content-Length: 2" "Content-Length: 2") "ab")]
   ["9110 8.6 Content-Length is digits" (post-head "Content-Length: +1")]
   ["9110 8.6 Content-Length is digits" (post-head "Content-Length: -1")]
   ["9110 8.6 Content-Length is digits" (post-head "Content-Length: 0x1")]
   ["9110 8.6 Content-Length is digits" (post-head "Content-Length: 1 1")]
   ["9110 8.6 Content-Length is digits" (post-head "Content-Length:")]
   ["9110 8.6 Content-Length overflows" (post-head "Content-Length: 18446744073709551617")]
   ["9112 6.3 last coding is not chunked" (post-head "Transfer-Encoding: gzip")]
   ["9112 6.3 last coding is not chunked" (post-head "Transfer-Encoding: chunked, identity")]
   ["9112 6.3 last coding is not chunked" (post-head "Transfer-Encoding: chunked" "Transfer-Encoding: identity")]
   ["9112 6.1 unknown coding" (post-head "Transfer-Encoding: xchunked")]
   ["9112 6.1 unknown coding" (post-head "Transfer-Encoding: \u000bchunked")]
   ["9112 6.1 Transfer-Encoding in HTTP/1.0" (str (head "POST / HTTP/1.0" "Host: x" "Transfer-Encoding: chunked") (raw/chunked "a"))]
   ["9112 7.1 chunk size is hexadecimal" (str (post-head "Transfer-Encoding: chunked") "0x1\r\na\r\n0\r\n\r\n")]
   ["9112 7.1 chunk size is hexadecimal" (str (post-head "Transfer-Encoding: chunked") "-1\r\na\r\n0\r\n\r\n")]
   ["9112 7.1 chunk size is there" (str (post-head "Transfer-Encoding: chunked") "\r\na\r\n0\r\n\r\n")]
   ["9112 7.1 chunk size overflows" (str (post-head "Transfer-Encoding: chunked") "10000000000000000\r\na\r\n0\r\n\r\n")]
   ["9112 7.1 chunk is longer than its size" (str (post-head "Transfer-Encoding: chunked") "1\r\nab\r\n0\r\n\r\n")]
   ["9112 7.1 chunk line ends in CRLF" (str (post-head "Transfer-Encoding: chunked") "1\na\n0\n\n")]])

(deftest refused-framing-test
  (with-server [server raw/echo-target nil]
    (doseq [[section request] refused-table]
      (testing (str section " " (pr-str request))
        (with-client [client server]
          (raw/send! client request)
          (let [response (raw/read-response client)]
            (is (= 400 (:status response)))
            (is (= "close" (raw/header response "connection"))))
          (raw/finish! client)
          (is (raw/eof? client)))))))

(deftest ambiguous-framing-test
  (testing "9112 6.1 Content-Length with Transfer-Encoding is refused"
    (with-server [server raw/echo-target nil]
      (doseq [lines [["Content-Length: 3" "Transfer-Encoding: chunked"]
                     ["Transfer-Encoding: chunked" "Content-Length: 3"]]]
        (with-client [client server]
          (raw/send! client (str (apply head "POST /a HTTP/1.1" "Host: x" lines) (raw/chunked "abcdef") (raw/get-request "/smuggled")))
          (let [response (raw/read-response client)]
            (is (= 400 (:status response)))
            (is (= "close" (raw/header response "connection")))
            (is (raw/eof? client)))))))
  (testing "9112 6.1 chunked is applied once, and by name"
    (with-server [server raw/echo-target nil]
      (doseq [coding ["chunked, chunked" "gzip, chunked"]]
        (testing coding
          (let [response (raw/answer server (str (post-head (str "Transfer-Encoding: " coding)) (raw/chunked "a")))]
            (is (= 400 (:status response)))))))))

(defn- body-request [^bytes body framing]
  (case framing
    :sized [(post-head (str "Content-Length: " (alength body))) body]
    :chunked [(post-head "Transfer-Encoding: chunked")
              (str (Long/toHexString (alength body)) "\r\n") body "\r\n0\r\n\r\n"]))

(deftest body-test
  (doseq [mode [:inline :worker]
          length [1 1000 65535 65536 300000 700001 5000000]
          framing [:sized :chunked]]
    (testing (str "9112 6 body of " length " bytes, " framing ", " mode)
      (with-server [server raw/echo-body {:handler-mode mode}]
        (with-client [client server]
          (let [body (byte-array length)]
            (.nextBytes (java.util.Random. length) body)
            (dotimes [_ 2]
              ;; The client reads while it writes: an echo of this size does not fit into socket buffers.
              (let [sending (future (run! #(raw/send! client %) (body-request body framing)))
                    response (raw/read-response client)]
                (is (not= :hung (deref sending raw/guard-ms :hung)))
                (is (= 200 (:status response)))
                (is (= (str length) (raw/header response "content-length")))
                (is (Arrays/equals body (raw/latin1 (:body response))))))))))))

(def small-body-table
  "Section, request, the body as the handler reads it."
  [["9112 6.2" (raw/post "/" "hello") "hello"]
   ["9112 6.2 any method" (str (head "GET / HTTP/1.1" "Host: x" "Content-Length: 2") "ab") "ab"]
   ["9112 6.2 HTTP/1.0" (str (head "POST / HTTP/1.0" "Content-Length: 2") "ab") "ab"]
   ["9110 8.6 leading zeros" (str (post-head "Content-Length: 0002") "ab") "ab"]
   ["9112 7.1" (str (post-head "Transfer-Encoding: chunked") (raw/chunked "hel" "l" "o")) "hello"]
   ["9112 7.1 coding names have no case" (str (post-head "Transfer-Encoding: CHUNKED") (raw/chunked "a")) "a"]
   ["9112 7.1 hexadecimal in either case, zeros" (str (post-head "Transfer-Encoding: chunked")
                                                   "00a\r\n0123456789\r\n0B\r\n0123456789a\r\n0\r\n\r\n") "01234567890123456789a"]
   ["9112 7.1.1 chunk extensions" (str (post-head "Transfer-Encoding: chunked") "2;a=\"b\"\r\nab\r\n0;c\r\n\r\n") "ab"]
   ["9112 7.1.2 trailer fields" (str (post-head "Transfer-Encoding: chunked") "2\r\nab\r\n0\r\nX-T: v\r\n\r\n") "ab"]
   ["SPEC empty body" (post-head "Content-Length: 0") ""]
   ["SPEC empty chunked body" (str (post-head "Transfer-Encoding: chunked") (raw/chunked)) ""]])

(deftest small-body-test
  (let [seen (LinkedBlockingQueue.)]
    (with-server [server (fn [request]
                           (.add seen (assoc request ::text (some-> (:body request) slurp)))
                           {:status 200})
                  nil]
      (doseq [[section request expected] small-body-table]
        (testing (str section " " (pr-str request))
          (with-client [client server]
            (raw/send! client request)
            (is (= 200 (:status (raw/read-response client))))
            (let [request (take-seen seen)]
              (is (= expected (or (::text request) "")))
              (is (or (nil? (:body request)) (instance? InputStream (:body request))))
              (is (not (contains? (:headers request) "x-t")) "a trailer field is no header field"))))))))

(deftest empty-sized-body-is-a-stream-test
  (testing "SPEC: Content-Length: 0 gives an empty InputStream, no body gives nil"
    (let [seen (LinkedBlockingQueue.)]
      (with-server [server (fn [request] (.add seen request) {:status 200}) nil]
        (raw/answer server (raw/post "/" ""))
        (is (instance? InputStream (:body (take-seen seen))))
        (raw/answer server (post-head))
        (is (nil? (:body (take-seen seen))))))))

(deftest unread-body-does-not-harm-the-next-request-test
  (testing "9112 9.3: a handler that ignores its request's body"
    (doseq [mode [:inline :worker]]
      (with-server [server (fn [{:keys [uri]}] {:status 200 :body uri}) {:handler-mode mode}]
        (with-client [client server]
          (raw/send! client (str (raw/post "/a" (str/join (repeat 10000 "GET /x HTTP/1.1\r\n"))) (raw/get-request "/b")))
          (is (= "/a" (:body (raw/read-response client))))
          (is (= "/b" (:body (raw/read-response client)))))))))
