(ns hinny.grammar-wire-test
  "The grammar of a request's head on the wire: request line, versions, line ends, names and values of fields.

  Sections are those of RFC 9112, or of RFC 9110 where they begin with 9110."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.raw-client :as raw :refer [head]]
   [hinny.wire-table :as table :refer [request with-lines]]))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(defn- line
  "A request with this request line."
  [text]
  (head text "Host: x"))

(def ^:private request-line-table
  [["3" "as it should be" (line "GET /a HTTP/1.1") ["get /a" :keep]]
   ["3" "no version (HTTP/0.9)" (line "GET /a") [400 :close]]
   ["3" "nothing but a method" (line "GET") [400 :close]]
   ["3" "two spaces before the target" (line "GET  /a HTTP/1.1") [400 :close]]
   ["3" "two spaces behind the target" (line "GET /a  HTTP/1.1") [400 :close]]
   ["3" "space behind the version" (line "GET /a HTTP/1.1 ") [400 :close]]
   ["3" "tab behind the version" (line "GET /a HTTP/1.1\t") [400 :close]]
   ["3" "space before the method" (line " GET /a HTTP/1.1") [400 :close]]
   ["3" "tabs for spaces" (line "GET\t/a\tHTTP/1.1") [400 :close]]
   ["3" "tab for the first space" (line "GET\t/a HTTP/1.1") [400 :close]]
   ["3" "tab for the second space" (line "GET /a\tHTTP/1.1") [400 :close]]
   ["3" "vertical tab for a space" (line "GET\u000b/a HTTP/1.1") [400 :close]]
   ["3" "two targets" (line "GET /a /b HTTP/1.1") [400 :close]]
   ["3" "two versions" (line "GET /a HTTP/1.1 HTTP/1.1") [400 :close]]
   ["3" "no method" (line "/a HTTP/1.1") [400 :close]]
   ["3.1" "method in lower case is another method" (line "get /a HTTP/1.1") ["get /a" :keep]]
   ["3.1" "method of token characters" (line "A!#$%&'*+-.^_`|~9 /a HTTP/1.1") ["a!#$%&'*+-.^_`|~9 /a" :keep]]
   ["3.1" "method with a parenthesis" (line "G(T /a HTTP/1.1") [400 :close]]
   ["3.1" "method with a colon" (line "GET: /a HTTP/1.1") [400 :close]]
   ["3.1" "method with a slash" (line "GET/ /a HTTP/1.1") [400 :close]]
   ["3.1" "method in quotes" (line "\"GET\" /a HTTP/1.1") [400 :close]]
   ["3.1" "method with a NUL" (line "G\u0000T /a HTTP/1.1") [400 :close]]
   ["3.1" "method beyond ASCII" (line "G\u00c9T /a HTTP/1.1") [400 :close]]
   ["3.1" "method of 255 bytes" (line (str (str/join (repeat 255 "M")) " /a HTTP/1.1")) [(str (str/join (repeat 255 "m")) " /a") :keep]]
   ["9110 9.3.8" "TRACE is a method like others" (line "TRACE /a HTTP/1.1") ["trace /a" :keep]]])

(def ^:private version-table
  (concat
    [["2.3" "1.0" (line "GET /a HTTP/1.0") ["get /a" :close]]]
    (for [version ["0.9" "1.2" "1.9" "2.0" "3.0" "9.9" "0.0" "2.1"]]
      ["9110 15.6.6" "unknown version" (line (str "GET /a HTTP/" version)) [505 :close]])
    [["9113 3.4" "preface of HTTP/2" "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" [505 :close]]]
    (for [version ["HTTP/1" "HTTP/1." "HTTP/.1" "HTTP/1.10" "HTTP/01.1" "HTTP/1.1.1" "HTTP/1,1" "HTTP/1.x" "HTTP/+1.1" "http/1.1" "Http/1.1"
                   "HTTP 1.1" "HTTP1.1" "HTTP/ 1.1" "HTTPS/1.1" "XTTP/1.1" "HTTP//1.1" "HTTP/1.1\u0000" "\u0000HTTP/1.1" "HTTP/\u00b9.1"]]
      ["2.3" "not a version" (line (str "GET /a " version)) [400 :close]])))

(def ^:private line-end-table
  [["2.2" "an empty line before the request" (str "\r\n" (request "GET /a")) ["get /a" :keep]]
   ["2.2" "an empty line between requests" (str (request "GET /a") "\r\n" (request "GET /b") "\r\n") ["get /a" "get /b" :keep]]
   ["2.2" "an empty line behind a body" (str (request "POST /a" ["Content-Length: 1"] "x") "\r\n" (request "GET /b")) ["post /a x" "get /b" :keep]]
   ["2.2" "two empty lines before the request" (str "\r\n\r\n" (request "GET /a")) [400 :close]]
   ["2.2" "two empty lines between requests" (str (request "GET /a") "\r\n\r\n" (request "GET /b")) ["get /a" 400 :close]]
   ["2.2" "LF alone as an empty line" (str "\n" (request "GET /a")) [400 :close]]
   ["2.2" "CR alone before the request" (str "\r" (request "GET /a")) [400 :close]]
   ["2.2" "CR CR LF before the request" (str "\r\r\n" (request "GET /a")) [400 :close]]
   ["2.2" "LF ends every line" "GET /a HTTP/1.1\nHost: x\n\n" [400 :close]]
   ["2.2" "LF ends the request line" "GET /a HTTP/1.1\nHost: x\r\n\r\n" [400 :close]]
   ["2.2" "LF ends a field" "GET /a HTTP/1.1\r\nHost: x\nA: b\r\n\r\n" [400 :close]]
   ["2.2" "LF ends the last field" "GET /a HTTP/1.1\r\nHost: x\n\r\n" [400 :close]]
   ["2.2" "LF ends the head" "GET /a HTTP/1.1\r\nHost: x\r\n\n" [400 :close]]
   ["2.2" "LF CR ends a field" "GET /a HTTP/1.1\r\nHost: x\n\rA: b\r\n\r\n" [400 :close]]
   ["2.2" "CR ends a field" "GET /a HTTP/1.1\r\nHost: x\rA: b\r\n\r\n" [400 :close]]
   ["2.2" "CR CR LF ends a field" "GET /a HTTP/1.1\r\nHost: x\r\r\n\r\n" [400 :close]]
   ["2.2" "CR ends the request line" "GET /a HTTP/1.1\rHost: x\r\n\r\n" [400 :close]]
   ["2.2" "CR CR LF ends the head" "GET /a HTTP/1.1\r\nHost: x\r\n\r\r\n" [400 :close]]
   ["2.2" "a second request hidden behind LF" "GET /a HTTP/1.1\r\nHost: x\r\nA: b\n\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n" [400 :close]]
   ["2.2" "a good request, then LF" (str (request "GET /a") "GET /b HTTP/1.1\nHost: x\r\n\r\n") ["get /a" 400 :close]]
   ["2.1" "TLS" "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n" [400 :close]]
   ["2.1" "SSH" "SSH-2.0-OpenSSH_9.6\r\n\r\n" [400 :close]]])

(def ^:private fold-table
  [["5.2" "folded with a space" (with-lines "GET /a" "A: b" " c") [400 :close]]
   ["5.2" "folded with a tab" (with-lines "GET /a" "A: b" "\tc") [400 :close]]
   ["5.2" "folded to nothing" (with-lines "GET /a" "A: b" " ") [400 :close]]
   ["5.2" "folded Content-Length" (with-lines "POST /a" "Content-Length:" " 5") [400 :close]]
   ["5.2" "folded Transfer-Encoding" (with-lines "POST /a" "Transfer-Encoding:" " chunked") [400 :close]]
   ["5.2" "a framing field hidden in a fold" (with-lines "POST /a" "A: b" " Content-Length: 5") [400 :close]]
   ["2.2" "space before the first field" (head "GET /a HTTP/1.1" " Host: x" "Host: x") [400 :close]]
   ["2.2" "tab before the first field" (head "GET /a HTTP/1.1" "\tA: b" "Host: x") [400 :close]]
   ["2.2" "a line of white space before the first field" (head "GET /a HTTP/1.1" " " "Host: x") [400 :close]]])

(def ^:private name-table
  (concat
    [["5.1" "space before the colon" (with-lines "GET /a" "A : b") [400 :close]]
     ["5.1" "tab before the colon" (with-lines "GET /a" "A\t: b") [400 :close]]
     ["5.1" "space before the colon of Host" (head "GET /a HTTP/1.1" "Host : x") [400 :close]]
     ["5.1" "space before the colon of Content-Length" (request "POST /a" ["Content-Length : 1"] "x") [400 :close]]
     ["5.1" "tab before the colon of Transfer-Encoding" (request "POST /a" ["Transfer-Encoding\t: chunked"] "0\r\n\r\n") [400 :close]]
     ["5.1" "no colon" (with-lines "GET /a" "A") [400 :close]]
     ["5.1" "no name" (with-lines "GET /a" ": b") [400 :close]]
     ["5.1" "nothing but a colon" (with-lines "GET /a" ":") [400 :close]]
     ["5.1" "no white space behind the colon" (with-lines "GET /a" "A:b") ["get /a" :keep]]
     ["5.1" "colons in the value" (with-lines "GET /a" "A: b:c:d") ["get /a" :keep]]
     ["9110 5.6.2" "every token character" (with-lines "GET /a" "!#$%&'*+-.^_`|~09Zz: b") ["get /a" :keep]]]
    (for [b [0x00 0x01 0x08 0x0b 0x0c 0x1b 0x1f 0x7f 0x80 0xe9 0xff \space \tab \" \( \) \, \/ \; \< \= \> \? \@ \[ \\ \] \{ \}]]
      ["9110 5.1" (str "byte " (int b) " in a name") (with-lines "GET /a" (str "a" (char b) "b: c")) [400 :close]])))

(def ^:private value-table
  (concat
    (for [b [0x00 0x01 0x07 0x08 0x0b 0x0c 0x0d 0x0e 0x1b 0x1f 0x7f]]
      ["9110 5.5" (str "byte " b " in a value") (with-lines "GET /a" (str "A: b" (char b) "c")) [400 :close]])
    [["9110 5.5" "NUL alone" (with-lines "GET /a" "A: \u0000") [400 :close]]
     ["9110 5.5" "NUL before the line end" (with-lines "GET /a" "A: b\u0000") [400 :close]]
     ["9110 5.5" "tab and space in a value" (with-lines "GET /a" "A: b\tc d") ["get /a" :keep]]
     ["9110 5.5" "obs-text" (with-lines "GET /a" "A: \u0080\u00ff") ["get /a" :keep]]
     ["9110 5.5" "empty" (with-lines "GET /a" "A:") ["get /a" :keep]]
     ["9110 5.5" "white space" (with-lines "GET /a" "A: \t \t") ["get /a" :keep]]]))

(def tables
  "Every table above."
  [request-line-table version-table line-end-table fold-table name-table value-table])

(deftest request-line-test (table/check-table request-line-table))
(deftest version-test (table/check-table version-table))
(deftest line-end-test (table/check-table line-end-table))
(deftest fold-test (table/check-table fold-table))
(deftest field-name-test (table/check-table name-table))
(deftest field-value-test (table/check-table value-table))

(deftest refusal-tells-nothing-test
  (testing "an answer to a refused request names no rule, and has Date and Server"
    (doseq [mode table/modes
            [_ _ bytes [status]] [(nth request-line-table 1) (nth version-table 1) (first fold-table) (first name-table)]]
      (raw/with-server [server raw/echo-target {:handler-mode mode}]
        (let [{:keys [reason body] :as response} (raw/answer server bytes)]
          (is (= status (:status response)))
          (is (contains? #{"" reason} body))
          (is (= ["close"] (raw/header-values response "connection")))
          (is (= 1 (count (raw/header-values response "date")))))))))
