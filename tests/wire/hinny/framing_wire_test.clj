(ns hinny.framing-wire-test
  "Where a request ends: Content-Length, Transfer-Encoding, chunks and trailers, and what is refused because two
  recipients could see it end at different bytes.

  Sections are those of RFC 9112, or of RFC 9110 where they begin with 9110."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.raw-client :as raw :refer [head]]
   [hinny.server :as server]
   [hinny.wire-table :as table :refer [chunks request with-lines]]))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private chunked "Transfer-Encoding: chunked")

(defn- sized
  "A request with these values of Content-Length and `ab` as its body."
  [& values]
  (request "POST /a" (for [value values] (str "Content-Length: " value)) "ab"))

(defn- coded
  "A request with these values of Transfer-Encoding and `a` in one chunk."
  [& values]
  (request "POST /a" (for [value values] (str "Transfer-Encoding: " value)) "1\r\na\r\n0\r\n\r\n"))

(defn- of-1-0
  "A request of HTTP/1.0 with these lines."
  [lines body]
  (str (apply head "POST /a HTTP/1.0" lines) body))

(def ^:private length-table
  (concat
    [["6.2" "as it should be" (sized "2") ["post /a ab" :keep]]
     ["6.2" "0" (request "POST /a" ["Content-Length: 0"] "") ["post /a " :keep]]
     ["6.2" "none: no body" (request "POST /a") ["post /a" :keep]]
     ["6.2" "of any method" (request "GET /a" ["Content-Length: 2"] "ab") ["get /a ab" :keep]]
     ["6.2" "of HEAD" (request "HEAD /a" ["Content-Length: 2"] "ab") [200 :keep]]
     ["6.2" "of HTTP/1.0" (of-1-0 ["Content-Length: 2" "Connection: keep-alive"] "ab") ["post /a ab" :keep]]
     ["6.2" "what follows is the next request" (str (sized "2") (request "GET /b")) ["post /a ab" "get /b" :keep]]
     ["6.2" "a body that looks like a request" (request "POST /a" ["Content-Length: 39"] "GET /smuggled HTTP/1.1\r\nHost: x\r\nA: b\r\n")
      ["post /a GET /smuggled HTTP/1.1\r\nHost: x\r\nA: b\r\n" :keep]]
     ["9110 8.6" "leading zeros" (sized "0002") ["post /a ab" :keep]]
     ["9110 8.6" "twenty leading zeros" (sized "000000000000000000002") ["post /a ab" :keep]]
     ["9110 5.5" "white space around it" (sized " \t2\t ") ["post /a ab" :keep]]
     ["9110 5.1" "name in any case" (request "POST /a" ["cONTENT-lENGTH: 2"] "ab") ["post /a ab" :keep]]
     ["6.3" "names that only resemble it" (with-lines "GET /a" "Content-Length-X: 5" "X-Content-Length: 5" "Content_Length: 5" "Content-Lengt: 5")
      ["get /a" :keep]]
     ["6.3" "repeated, differing" (sized "2" "3") [400 :close]]
     ["6.3" "repeated, differing, the other way" (sized "3" "2") [400 :close]]
     ["6.3" "repeated, equal" (sized "2" "2") [400 :close]]
     ["6.3" "repeated, 0" (sized "0" "0") [400 :close]]
     ["6.3" "repeated apart, in another case" (request "POST /a" ["Content-Length: 2" "A: b" "content-length: 2"] "ab") [400 :close]]
     ["9110 15.5.14" "beyond :max-body-bytes" (sized "9223372036854775807") [413 :close]]]
    (for [value ["" "+2" "-2" "-0" "0x2" "2h" "2.0" "2e0" "2,2" "2, 2" "2,3" ",2" "2," "2;" "2 2" "2\t2" "\"2\"" "two" "\u00b2" "0b10" "1_0" "'2'"
                 "2\u0000" "\u000b2" "18446744073709551614" "18446744073709551616" "18446744073709551618" "99999999999999999999999999"]]
      ["9110 8.6" "not a length" (sized value) [400 :close]])))

(def ^:private coding-table
  (concat
    [["6.1" "as it should be" (coded "chunked") ["post /a a" :keep]]
     ["6.1" "in any case" (coded "cHuNkEd") ["post /a a" :keep]]
     ["9110 5.5" "white space around it" (coded " \t chunked \t ") ["post /a a" :keep]]
     ["6.1" "name in any case, no white space" (request "POST /a" ["tRANSFER-eNCODING:chunked"] "1\r\na\r\n0\r\n\r\n") ["post /a a" :keep]]
     ["6.1" "of any method" (request "GET /a" [chunked] "1\r\na\r\n0\r\n\r\n") ["get /a a" :keep]]
     ["6.1" "names that only resemble it" (with-lines "GET /a" "Transfer-Encodings: chunked" "Transfer_Encoding: chunked" "X-Transfer-Encoding: chunked")
      ["get /a" :keep]]
     ["6.1" "chunked twice" (coded "chunked" "chunked") [400 :close]]
     ["6.1" "chunked and identity" (coded "chunked" "identity") [400 :close]]
     ["6.1" "identity and chunked" (coded "identity" "chunked") [400 :close]]
     ["6.1" "in HTTP/1.0" (of-1-0 [chunked] "1\r\na\r\n0\r\n\r\n") [400 :close]]
     ["6.1" "in HTTP/1.0 with keep-alive" (of-1-0 [chunked "Connection: keep-alive"] "1\r\na\r\n0\r\n\r\n") [400 :close]]
     ["6.1" "in HTTP/1.0 with a length" (of-1-0 [chunked "Content-Length: 2"] "ab") [400 :close]]]
    (for [value ["" "identity" "gzip" "deflate" "xchunked" "chunkedx" "chunke" "chunked, chunked" "chunked,chunked" "gzip, chunked" "chunked, gzip"
                 "chunked, identity" "identity, chunked" "chunked," ",chunked" "chunked;" "chunked;q=1" "\"chunked\"" "'chunked'" "chunked chunked"
                 "chunked\u0000" "\u000bchunked" "\u000cchunked" "chun\tked" "chunked\u00a0" "\u00a0chunked" "trailers" "*"]]
      ["6.1" "not exactly chunked" (coded value) [400 :close]])))

(def ^:private conflict-table
  (for [[what lines] [["length first" ["Content-Length: 5" chunked]]
                      ["length last" [chunked "Content-Length: 5"]]
                      ["length 0 first" ["Content-Length: 0" chunked]]
                      ["length 0 last" [chunked "Content-Length: 0"]]
                      ["apart" ["Content-Length: 5" "A: b" "C: d" "transfer-encoding:chunked"]]
                      ["with a broken length" ["Content-Length: x" chunked]]
                      ["with a broken coding" ["Content-Length: 5" "Transfer-Encoding: xchunked"]]
                      ["with two lengths" ["Content-Length: 5" "Content-Length: 5" chunked]]]
        body ["0\r\n\r\n" "5\r\nabcde\r\n0\r\n\r\n"]]
    ["6.3" (str "Content-Length and Transfer-Encoding, " what) (request "POST /a" lines body) [400 :close]]))

(def ^:private chunk-table
  (concat
    [["7.1" "no chunk" (chunks "0\r\n\r\n") ["post /a " :keep]]
     ["7.1" "several" (chunks "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n") ["post /a abc" :keep]]
     ["7.1" "digits in either case" (chunks "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n") ["post /a 01234567890123456789a" :keep]]
     ["7.1" "leading zeros" (chunks "0000000000000001\r\na\r\n0000000000000000\r\n\r\n") ["post /a a" :keep]]
     ["7.1" "data that looks like the end" (chunks "5\r\n0\r\n\r\n\r\n0\r\n\r\n") ["post /a 0\r\n\r\n" :keep]]
     ["7.1" "data that looks like a request" (chunks "1a\r\nGET /smuggled HTTP/1.1\r\n\r\n\r\n0\r\n\r\n") ["post /a GET /smuggled HTTP/1.1\r\n\r\n" :keep]]
     ["7.1" "what follows is the next request" (str (chunks "1\r\na\r\n0\r\n\r\n") (request "GET /b")) ["post /a a" "get /b" :keep]]
     ["7.1" "the data is longer" (chunks "1\r\nab\r\n0\r\n\r\n") [400 :close]]
     ["7.1" "the data is shorter" (chunks "2\r\na\r\n0\r\n\r\n") [400 :close]]
     ["7.1" "no line end behind the data" (chunks "1\r\na0\r\n\r\n") [400 :close]]
     ["7.1" "LF behind the data" (chunks "1\r\na\n0\r\n\r\n") [400 :close]]
     ["7.1" "CR behind the data" (chunks "1\r\na\r0\r\n\r\n") [400 :close]]
     ["7.1" "LF CR behind the data" (chunks "1\r\na\n\r0\r\n\r\n") [400 :close]]
     ["7.1" "two line ends behind the data" (chunks "1\r\na\r\n\r\n0\r\n\r\n") [400 :close]]
     ["7.1" "LF behind the size" (chunks "1\na\r\n0\r\n\r\n") [400 :close]]
     ["7.1" "CR behind the size" (chunks "1\ra\r\n0\r\n\r\n") [400 :close]]
     ["7.1" "LF behind the last size" (chunks "0\n\r\n") [400 :close]]
     ["7.1" "LF ends the body" (chunks "0\r\n\n") [400 :close]]]
    (for [size ["" " 1" "\t1" "1 " "1\t" "1 1" "0x1" "0X1" "x1" "1x" "1h" "+1" "-1" "-0" "1.0" "1,1" "g" "\"1\"" "\u00b9" "1_0" "\u00001" "1\u0000"
                "00000000000000001" "10000000000000000" "10000000000000001" "fffffffffffffffff" "1e400000000000000001"]]
      ["7.1" "not a size" (chunks (str size "\r\na\r\n0\r\n\r\n")) [400 :close]])
    (for [size ["7fffffffffffffff" "ffffffffffffffff" "fffffffffffffffe"]]
      ["9110 15.5.14" "beyond :max-body-bytes" (chunks (str size "\r\n" (str/join (repeat 9000000 "a")))) [413 :close]])))

(defn- extended
  "A chunked request with this between the size of its chunk and the line end."
  [extension]
  (chunks (str "1" extension "\r\na\r\n0\r\n\r\n")))

(def ^:private extension-table
  (concat
    (for [extension [";a" ";a=b" ";a=\"b c\"" ";a;b=c;d" " ;a" "\t;a" ";a=\"\t\"" ";a=\"\u00e9\"" "; a = b" ";" (str ";" (str/join (repeat 4096 "a")))]]
      ["7.1.1" "an extension is read and dropped" (extended extension) ["post /a a" :keep]])
    [["7.1.1" "an extension of the last chunk" (chunks "0;a\r\n\r\n") ["post /a " :keep]]]
    (for [extension [";a\u0000" ";\u0000" ";a\u0001" ";a=\"\u001f\"" ";a\u007f" ";a\rb" ";a\r\rb" ";a\nb" ";a\n" ";a\nGET /smuggled HTTP/1.1"
                     (str ";" (str/join (repeat 4097 "a"))) (str (str/join (repeat 5000 " ")) ";") (str ";" (str/join (repeat 100000 "a")))]]
      ["7.1.1" "an extension is refused" (extended extension) [400 :close]])
    [["7.1.1" "LF in an extension of the last chunk" (chunks "0;a\n\r\n") [400 :close]]
     ["7.1.1" "NUL in an extension of the last chunk" (chunks "0;\u0000\r\n\r\n") [400 :close]]]))

(defn- trailed
  "A chunked request with these trailer lines."
  [& lines]
  (chunks (str "1\r\na\r\n0\r\n" (str/join (map #(str % "\r\n") lines)) "\r\n")))

(def ^:private trailer-table
  (concat
    [["7.1.2" "one field" (trailed "X-A: b") ["post /a a" :keep]]
     ["7.1.2" "several" (trailed "X-A: b" "X-A: c" "Digest: d") ["post /a a" :keep]]
     ["7.1.2" "then the next request" (str (trailed "X-A: b") (request "GET /b")) ["post /a a" "get /b" :keep]]
     ["7.1.2" "as many as a head may have" (apply trailed (repeat 100 "A: b")) ["post /a a" :keep]]
     ["7.1.2" "too many" (apply trailed (repeat 101 "A: b")) [400 :close]]
     ["7.1.2" "too large" (trailed (str "A: " (str/join (repeat 33000 "b")))) [400 :close]]]
    (for [line ["Content-Length: 5" "content-length: 0" "Transfer-Encoding: chunked" "TRANSFER-ENCODING: gzip" "Host: y" "hOST:y"
                "Content-Length : 5" "Transfer-Encoding\t: chunked" "Host : y"]]
      ["9110 6.5.1" "a field of framing or routing" (trailed "A: b" line) [400 :close]])
    (for [[what & lines] [["folded" "A: b" " c"] ["white space first" " A: b"] ["no colon" "A"] ["no name" ": b"] ["NUL" "A: \u0000"] ["bare CR" "A: b\rc"]
                          ["bare LF" "A: b\nC: d"] ["space before the colon" "A : b"] ["control character in the name" "A\u0001: b"]
                          ["a request behind LF" "A: b\n\nGET /smuggled HTTP/1.1\nHost: x\n\n"]]]
      ["7.1.2" what (apply trailed lines) [400 :close]])))

(def tables
  "Every table above."
  [length-table coding-table conflict-table chunk-table extension-table trailer-table])

(deftest content-length-test (table/check-table length-table))
(deftest transfer-encoding-test (table/check-table coding-table))
(deftest conflict-test (table/check-table conflict-table))
(deftest chunk-test (table/check-table chunk-table))
(deftest extension-test (table/check-table extension-table))
(deftest trailer-test (table/check-table trailer-table))

(deftest splitting-changes-no-verdict-test
  (let [good (str (chunks "1\r\na\r\n2;b\r\ncd\r\n0\r\nA: b\r\n\r\n") "\r\n" (sized "2"))]
    (doseq [mode table/modes
            bad [(sized "2" "2") (request "POST /b" ["Content-Length: 1" chunked] "0\r\n\r\n") (chunks "1\n\na\r\n0\r\n\r\n")]
            :let [whole (str good bad (request "GET /smuggled"))]]
      (raw/with-server [server raw/echo-target {:handler-mode mode :event-loops 1}]
        (doseq [at (range 1 (count whole))]
          (testing (str "2.2: split at byte " at " of " (pr-str whole) ", " mode)
            (with-open [client (raw/connect (server/server-port server))
                        neighbour (raw/connect (server/server-port server))]
              (raw/send! client (subs whole 0 at))
              (raw/come-round! neighbour)
              ;; The server may have refused and gone when the rest comes.
              (try (raw/send! client (subs whole at)) (catch java.io.IOException gone gone))
              (is (= ["post /a acd" "post /a ab"] (doall (repeatedly 2 #(:body (raw/read-response client))))))
              (is (= 400 (:status (raw/read-response client))))
              (is (not= :more (raw/end-of client))))))))))
