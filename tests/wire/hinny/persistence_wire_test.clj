(ns hinny.persistence-wire-test
  "Whether a connection stays after a request, what may be pipelined on it, and what a client may expect.

  Sections are those of RFC 9112, or of RFC 9110 where they begin with 9110."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.raw-client :as raw :refer [head]]
   [hinny.wire-table :as table :refer [chunks request]]))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(defn- of
  "A GET in an HTTP version with these lines."
  [version & lines]
  (apply head (str "GET /a HTTP/" version) "Host: x" lines))

(def ^:private connection-table
  (concat
    [["9.3" "HTTP/1.1" (of "1.1") ["get /a" :keep]]
     ["9.3" "HTTP/1.0" (of "1.0") ["get /a" :close]]]
    (for [lines [["Connection: close"] ["Connection: Close"] ["connection: CLOSE"] ["Connection:close"] ["Connection: \tclose "] ["Connection: a, close"]
                 ["Connection: close, a"] ["Connection: a,close,b"] ["Connection: , close ,"] ["Connection: keep-alive, close"] ["Connection: close, keep-alive"]
                 ["Connection: close" "Connection: keep-alive"] ["Connection: keep-alive" "Connection: close"] ["Connection: Upgrade, close" "Upgrade: h2c"]]
          version ["1.1" "1.0"]]
      ["9.6" (str "asks to close in HTTP/" version) (apply of version lines) ["get /a" :close]])
    (for [lines [["Connection: keep-alive"] ["Connection: a"] ["Connection:"] ["Connection: closed"] ["Connection: xclose"] ["Connection: close-not"]
                 ["Proxy-Connection: close"] ["Keep-Alive: timeout=1, max=1"] ["X-Connection: close"] ["Connection: Upgrade" "Upgrade: h2c"]
                 ["Connection: Upgrade, HTTP2-Settings" "Upgrade: h2c" "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"]
                 ["Connection: Upgrade" "Upgrade: websocket" "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" "Sec-WebSocket-Version: 13"]
                 ["Connection: Host"] ["TE: trailers" "Connection: TE"]]]
      ["9.3" "does not ask to close" (apply of "1.1" lines) ["get /a" :keep]])
    (for [lines [["Connection: keep-alive"] ["Connection: Keep-Alive"] ["connection:KEEP-ALIVE"] ["Connection: a, keep-alive"] ["Connection: keep-alive, a"]]]
      ["9.3" "HTTP/1.0 asks to stay" (apply of "1.0" lines) ["get /a" :keep]])
    (for [lines [["Connection: keep"] ["Connection: keep-alives"] ["Keep-Alive: timeout=5"] ["Proxy-Connection: keep-alive"] ["Connection:"]]]
      ["9.3" "HTTP/1.0 does not ask to stay" (apply of "1.0" lines) ["get /a" :close]])
    [["9.3" "HTTP/1.0 and HTTP/1.1 on one connection" (str (of "1.0" "Connection: keep-alive") (of "1.1") (of "1.0" "Connection: keep-alive"))
      ["get /a" "get /a" "get /a" :keep]]
     ["9.6" "nothing is read after the request that asks to close" (str (request "GET /a") (of "1.1" "Connection: close") (request "GET /b"))
      ["get /a" "get /a" :close]]
     ["9.6" "a body, then close" (request "POST /a" ["Content-Length: 2" "Connection: close"] "ab") ["post /a ab" :close]]
     ["9.6" "a chunked body, then close" (request "POST /a" ["Transfer-Encoding: chunked" "Connection: close"] "1\r\na\r\n0\r\n\r\n") ["post /a a" :close]]]))

(def ^:private messages
  "Every framing, with its answer."
  [[(request "GET /a") "get /a"]
   [(request "POST /b" ["Content-Length: 2"] "bc") "post /b bc"]
   [(chunks "1\r\na\r\n2;x\r\nbc\r\n0\r\nA: b\r\n\r\n") "post /a abc"]
   [(request "PUT /d" ["Content-Length: 0"] "") "put /d "]
   [(head "GET /e HTTP/1.0" "Connection: keep-alive") "get /e"]
   [(str "\r\n" (request "DELETE /f?g")) "delete /f g"]])

(def ^:private refused-messages
  "What may not follow, with its status."
  [[(head "GET /a HTTP/1.1") 400]
   [(request "POST /a" ["Content-Length: 1" "Content-Length: 1"] "a") 400]
   [(chunks "x\r\n") 400]
   [(head "GET /a HTTP/3.0" "Host: x") 505]
   [(request (str "GET /" (str/join (repeat 9000 "a")))) 414]
   [(request "GET /a" [(str "A: " (str/join (repeat 40000 "a")))] "") 431]
   [(request "GET /a" ["Expect: x"] "") 417]
   [(request "POST /a" ["Content-Length: 99999999"] "") 413]])

(def ^:private pipeline-table
  (concat
    (for [[first-bytes first-answer] messages
          [second-bytes second-answer] messages]
      ["9.3.2" "two requests" (str first-bytes second-bytes) [first-answer second-answer :keep]])
    (for [[bytes answer] messages
          [refused status] refused-messages]
      ["9.3.2" "a good request and a refused one" (str bytes refused (request "GET /smuggled")) [answer status :close]])
    [["9.3.2" "HEAD and GET" (str (request "HEAD /a") (request "GET /b")) [200 "get /b" :keep]]
     ["9.3.2" "all of them, twice" (str/join (map first (concat messages messages))) (conj (mapv second (concat messages messages)) :keep)]]))

(defn- expecting
  "A request with this value of Expect and `ab` as its body."
  [value]
  (request "POST /a" [(str "Expect: " value) "Content-Length: 2"] "ab"))

(def ^:private expect-table
  (concat
    [["9110 10.1.1" "100-continue" (expecting "100-continue") [100 "post /a ab" :keep]]
     ["9110 10.1.1" "in any case" (expecting "100-CONTINUE") [100 "post /a ab" :keep]]
     ["9110 10.1.1" "chunked" (request "POST /a" ["Expect: 100-continue" "Transfer-Encoding: chunked"] "1\r\na\r\n0\r\n\r\n") [100 "post /a a" :keep]]
     ["9110 10.1.1" "twice" (request "POST /a" ["Expect: 100-continue" "Expect: 100-continue" "Content-Length: 2"] "ab") [100 "post /a ab" :keep]]
     ["9110 10.1.1" "without a body" (request "GET /a" ["Expect: 100-continue"] "") ["get /a" :keep]]
     ["9110 10.1.1" "with an empty body" (request "POST /a" ["Expect: 100-continue" "Content-Length: 0"] "") ["post /a " :keep]]
     ["9110 10.1.1" "HTTP/1.0" (str (head "POST /a HTTP/1.0" "Expect: 100-continue" "Content-Length: 2") "ab") ["post /a ab" :close]]
     ["9110 10.1.1" "unknown in HTTP/1.0" (head "GET /a HTTP/1.0" "Expect: x") ["get /a" :close]]
     ["9110 10.1.1" "too large a body" (request "POST /a" ["Expect: 100-continue" "Content-Length: 99999999"] "") [413 :close]]
     ["9110 10.1.1" "no Host" (head "POST /a HTTP/1.1" "Expect: 100-continue" "Content-Length: 2") [400 :close]]
     ["9110 15.5.18" "unknown, without a body" (request "GET /a" ["Expect: x"] "") [417 :close]]
     ["9110 15.5.18" "known and unknown" (request "POST /a" ["Expect: 100-continue" "Expect: x" "Content-Length: 2"] "ab") [417 :close]]]
    (for [value ["" "x" "100" "continue" "100-continued" "100-continue;q=1" "100-continue, x" "x, 100-continue" "\"100-continue\"" "200-ok"]]
      ["9110 15.5.18" "unknown" (expecting value) [417 :close]])))

(def tables
  "Every table above."
  [connection-table pipeline-table expect-table])

(deftest connection-test (table/check-table connection-table))
(deftest pipeline-test (table/check-table pipeline-table))
(deftest expect-test (table/check-table expect-table))

(deftest client-that-ends-its-side-test
  (testing "9.6: what was asked before the end is answered; a head or a body without its end is no request"
    (doseq [mode table/modes
            [bytes statuses] [[(request "GET /a") [200]]
                              [(str (request "GET /a") (request "GET /b")) [200 200]]
                              [(str (request "GET /a") "GET /smuggled HTTP/1.1\r\nHost: x\r\n") [200]]
                              [(str (request "GET /a") (request "POST /smuggled" ["Content-Length: 5"] "abcd")) [200]]]]
      (testing (str mode " " (pr-str bytes))
        (let [seen (atom [])]
          (raw/with-server [server (fn [{:keys [uri]}] (swap! seen conj uri) {:status 200}) {:handler-mode mode}]
            (raw/with-client [client server]
              (raw/send! client bytes)
              (doseq [status statuses]
                (is (= status (:status (raw/read-response client)))))
              (raw/finish! client)
              (is (contains? #{nil 400} (:status (raw/read-response client))) "8: the server may say that something is missing")
              (is (not= :more (raw/end-of client)))))
          (is (not-any? #{"/smuggled"} @seen)))))))
