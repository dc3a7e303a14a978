(ns hinny.response-wire-test
  "Ring responses in, bytes out.

  Each row names the section that asks for it: 9110 and 9112 are RFCs, SPEC is the Ring SPEC 1.5.1."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.impl.text :as text]
   [hinny.raw-client :as raw :refer [head with-client with-server]])
  (:import
   (java.time Duration ZonedDateTime)
   (java.time.format DateTimeFormatter)
   (java.util Locale)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private modes [:inline :worker])

(defn- request-of [method]
  (head (str method " / HTTP/1.1") "Host: x"))

(defn- answer-to
  "The response on the wire when the handler returns `ring-response`; the connection must be fit for another exchange."
  [mode method ring-response]
  (with-server [server (constantly ring-response) {:handler-mode mode}]
    (with-client [client server]
      (raw/send! client (request-of method))
      (let [response (raw/read-response client {:head? (= "HEAD" method)})]
        (raw/send! client (request-of method))
        (is (= (:status response) (:status (raw/read-response client {:head? (= "HEAD" method)})))
            "the next response starts where this one ends")
        response))))

(def framing-table
  "Section, method, response, and on the wire: status, body, every Content-Length."
  [["9112 6.2 String body" "GET" {:status 200 :body "abc"} 200 "abc" ["3"]]
   ["9112 6.2 byte[] body" "GET" {:status 200 :body (byte-array [0 -1 10 13])} 200 "\u0000\u00ff\n\r" ["4"]]
   ["9112 6.2 empty byte[]" "GET" {:status 200 :body (byte-array 0)} 200 "" ["0"]]
   ["9112 6.2 empty String" "GET" {:status 200 :body ""} 200 "" ["0"]]
   ["9112 6.2 nil body" "GET" {:status 200 :body nil} 200 "" ["0"]]
   ["SPEC body may be missing" "GET" {:status 200} 200 "" ["0"]]
   ["SPEC headers may be missing" "GET" {:status 404 :body "no"} 404 "no" ["2"]]
   ["9110 9.3.3 POST" "POST" {:status 201 :body "abc"} 201 "abc" ["3"]]
   ["9110 8.6 too long a Content-Length" "GET" {:status 200 :headers {"Content-Length" "10"} :body "abc"} 200 "abc" ["3"]]
   ["9110 8.6 too short a Content-Length" "GET" {:status 200 :headers {"content-length" "1"} :body "abc"} 200 "abc" ["3"]]
   ["9110 8.6 right Content-Length" "GET" {:status 200 :headers {"CONTENT-LENGTH" "3"} :body "abc"} 200 "abc" ["3"]]
   ["9110 8.6 Content-Length that is none" "GET" {:status 200 :headers {"Content-Length" "x"} :body "abc"} 200 "abc" ["3"]]
   ["9110 8.6 two Content-Lengths" "GET" {:status 200 :headers {"Content-Length" ["3" "4"]} :body "abc"} 200 "abc" ["3"]]
   ["9110 8.6 Content-Length without body" "GET" {:status 200 :headers {"Content-Length" "3"}} 200 "" ["0"]]
   ["9112 6.1 Transfer-Encoding is dropped" "GET" {:status 200 :headers {"Transfer-Encoding" "chunked"} :body "abc"} 200 "abc" ["3"]]
   ["9112 6.1 Transfer-Encoding is dropped" "GET" {:status 200 :headers {"transfer-encoding" ["gzip" "chunked"] "Content-Length" "1"} :body "abc"}
    200 "abc" ["3"]]
   ["9110 9.3.2 HEAD: length of the body, no body" "HEAD" {:status 200 :body "abc"} 200 "" ["3"]]
   ["9110 9.3.2 HEAD: the handler's length" "HEAD" {:status 200 :headers {"Content-Length" "10"}} 200 "" ["10"]]
   ["9110 9.3.2 HEAD: the handler's length wins" "HEAD" {:status 200 :headers {"Content-Length" "10"} :body "abc"} 200 "" ["10"]]
   ["9110 8.6 HEAD: a length that is none" "HEAD" {:status 200 :headers {"Content-Length" "x"} :body "abc"} 200 "" ["3"]]
   ["9112 6.1 HEAD: Transfer-Encoding is dropped" "HEAD" {:status 200 :headers {"Transfer-Encoding" "chunked"} :body "abc"} 200 "" ["3"]]
   ["9110 9.3.2 HEAD of an error" "HEAD" {:status 404 :body "abc"} 404 "" ["3"]]
   ["9110 8.6 204: no body, no length" "GET" {:status 204 :body "abc"} 204 "" []]
   ["9110 8.6 204: no body, no length" "GET" {:status 204 :headers {"Content-Length" "3"}} 204 "" []]
   ["9112 6.1 204: no Transfer-Encoding" "GET" {:status 204 :headers {"Transfer-Encoding" "chunked"}} 204 "" []]
   ["9110 8.6 204 to HEAD" "HEAD" {:status 204 :headers {"Content-Length" "3"} :body "abc"} 204 "" []]
   ["9110 15.4.5 304: no body" "GET" {:status 304 :body "abc"} 304 "" []]
   ["9110 15.4.5 304: no body" "GET" {:status 304} 304 "" []]
   ["9110 8.6 304: the handler's length" "GET" {:status 304 :headers {"Content-Length" "10"}} 304 "" ["10"]]
   ["9110 8.6 304 to HEAD: the handler's length" "HEAD" {:status 304 :headers {"Content-Length" "10"}} 304 "" ["10"]]
   ["9110 15.3.6 205: no content" "GET" {:status 205 :body "abc"} 205 "" ["0"]]
   ["SPEC status 599" "GET" {:status 599 :body "x"} 599 "x" ["1"]]
   ["SPEC status is any integer" "GET" {:status (int 202) :body "x"} 202 "x" ["1"]]])

(deftest framing-test
  (doseq [mode modes
          [section method response status body lengths] framing-table]
    (testing (str mode " " section " " method " " (pr-str response))
      (let [answer (answer-to mode method response)]
        (is (= status (:status answer)))
        (is (= body (:body answer)))
        (is (= lengths (raw/header-values answer "content-length")))
        (is (nil? (raw/header answer "transfer-encoding")))
        (is (= "HTTP/1.1" (:version answer)))))))

(deftest head-has-the-fields-of-get-test
  (testing "9110 9.3.2"
    (let [response {:status 200 :headers {"Content-Type" "text/plain" "X-A" ["1" "2"] "ETag" "\"e\""} :body "caf\u00e9"}
          fields #(dissoc (into {} (map (juxt key (comp vec (partial map second) val))) (group-by first (:headers %))) "date")]
      (is (= (fields (answer-to :inline "GET" response)) (fields (answer-to :inline "HEAD" response)))))))

(deftest interim-status-is-no-final-response-test
  (testing "9110 15.2: a handler's response must be final"
    (doseq [mode modes
            status [100 101 102 103 199]]
      (let [answer (answer-to mode "GET" {:status status :headers {"X-A" "b"} :body "x"})]
        (is (= 500 (:status answer)))
        (is (nil? (raw/header answer "x-a")))))))

(def field-table
  "Section, headers of the handler, name to look at, the values on the wire in order (Latin-1 for bytes)."
  [["SPEC String value" {"X-A" "b"} "x-a" ["b"]]
   ["SPEC vector of Strings" {"Set-Cookie" ["a=1" "b=2; Path=/" "a=3"]} "set-cookie" ["a=1" "b=2; Path=/" "a=3"]]
   ["SPEC sequence of Strings" {"X-A" (map str (range 5))} "x-a" ["0" "1" "2" "3" "4"]]
   ["SPEC list of Strings" {"X-A" '("a" "b")} "x-a" ["a" "b"]]
   ["SPEC vector of one" {"X-A" ["b"]} "x-a" ["b"]]
   ["SPEC empty vector" {"X-A" []} "x-a" []]
   ["9110 5.1 names have no case" {"conTENT-tyPE" "text/x"} "content-type" ["text/x"]]
   ["9110 5.1 two names that differ in case" (array-map "X-A" "1" "x-a" "2") "x-a" ["1" "2"]]
   ["9110 5.5 empty value" {"X-A" ""} "x-a" [""]]
   ["9110 5.5 space around a value" {"X-A" "  b c\t "} "x-a" ["b c"]]
   ["9110 5.5 tab within a value" {"X-A" "b\tc"} "x-a" ["b\tc"]]
   ["9110 5.5 Latin-1 is one byte a character" {"X-A" "caf\u00e9 \u00ff"} "x-a" ["caf\u00e9 \u00ff"]]
   ["9110 5.5 beyond Latin-1 is UTF-8" {"X-A" "\u20ac \u00e9"} "x-a" ["\u00e2\u0082\u00ac \u00c3\u00a9"]]
   ["9110 5.5 beyond the BMP is UTF-8" {"X-A" "\ud83d\ude00"} "x-a" ["\u00f0\u009f\u0098\u0080"]]
   ["9110 5.5 long value" {"X-A" (str/join (repeat 50000 "v"))} "x-a" [(str/join (repeat 50000 "v"))]]])

(deftest header-field-test
  (doseq [mode modes
          [section headers field values] field-table]
    (testing (str mode " " section)
      (let [answer (answer-to mode "GET" {:status 200 :headers headers :body "x"})]
        (is (= 200 (:status answer)))
        (is (= values (raw/header-values answer field)))
        (is (= "x" (:body answer)))))))

(deftest many-header-fields-test
  (testing "SPEC: nothing limits how many"
    (let [headers (into {} (for [n (range 500)] [(str "X-" n) (str n)]))
          answer (answer-to :inline "GET" {:status 200 :headers headers})]
      (doseq [n (range 500)]
        (is (= [(str n)] (raw/header-values answer (str "x-" n))))))))

(def charset-table
  "Section, Content-Type, String body, the bytes on the wire as Latin-1."
  [["SPEC no Content-Type: UTF-8" nil "\u00e9" "\u00c3\u00a9"]
   ["SPEC no charset: UTF-8" "text/html" "\u20ac" "\u00e2\u0082\u00ac"]
   ["9110 8.3.2" "text/plain; charset=ISO-8859-1" "\u00e9" "\u00e9"]
   ["9110 8.3.2 no case" "text/plain;CHARSET=iso-8859-1" "\u00e9" "\u00e9"]
   ["9110 8.3.2 quoted" "text/plain; charset=\"iso-8859-1\"" "\u00e9" "\u00e9"]
   ["9110 8.3.2 second parameter" "text/plain; format=flowed; charset=utf-8" "\u00e9" "\u00c3\u00a9"]
   ["9110 8.3.2 UTF-16" "text/plain; charset=UTF-16BE" "a\u20ac" "\u0000a\u0020\u00ac"]
   ["SPEC not in the charset" "text/plain; charset=US-ASCII" "a\u20ac" "a?"]])

(deftest string-body-charset-test
  (doseq [[section content-type body expected] charset-table]
    (testing (str section " " content-type)
      (let [answer (answer-to :worker "GET" {:status 200 :headers (if content-type {"Content-Type" content-type} {}) :body body})]
        (is (= expected (:body answer)))
        (is (= content-type (raw/header answer "content-type")) "sent as the handler wrote it"))))
  (testing "the name of the field has no case"
    (is (= "\u00e9" (:body (answer-to :inline "GET" {:status 200 :headers {"content-TYPE" "a/b;charset=latin1"} :body "\u00e9"})))))
  (testing "the same handler may change charsets"
    (let [charsets (cycle ["utf-8" "iso-8859-1"])
          responses (atom (for [charset charsets] {:status 200 :headers {"Content-Type" (str "a/b; charset=" charset)} :body "\u00e9"}))]
      (with-server [server (fn [_] (ffirst (swap-vals! responses rest))) {:handler-mode :inline}]
        (doseq [expected (take 6 (cycle ["\u00c3\u00a9" "\u00e9"]))]
          (is (= expected (:body (raw/answer server (raw/get-request "/"))))))))))

(def splitting-table
  "Header maps that would add a field, a body or a response if they were written as they are."
  [{"X-A" "b\r\nInjected: 1"}
   {"X-A" "b\nInjected: 1"}
   {"X-A" "b\rInjected: 1"}
   {"X-A" "b\r\n\r\nHTTP/1.1 200 OK\r\nInjected: 1\r\n\r\n"}
   {"X-A" "b\u0000Injected"}
   {"X-A" "b\u007fInjected"}
   {"X-A" ["ok" "b\r\nInjected: 1"]}
   {"X-A" "\r\n Injected"}
   {"X-A\r\nInjected" "1"}
   {"X-A\nInjected" "1"}
   {"X-A: b\r\nInjected" "1"}
   {"X-A\u0000Injected" "1"}
   {"X-A Injected" "1"}
   {"X-A:Injected" "1"}
   {"" "Injected"}
   {"Inject\u00e9d" "1"}
   {"\u010d\u010aInjected" "1"}
   {"Content-Type" "text/plain\r\nInjected: 1"}
   {"Location" "/\r\nInjected: 1"}
   {"Set-Cookie" ["a=1\r\nInjected: 1"]}])

(deftest response-splitting-test
  (doseq [mode modes
          headers splitting-table]
    (testing (str "9112 11.1 " mode " " (pr-str headers))
      (with-server [server (fn [_] {:status 200 :headers (assoc headers "X-Other" "Injected") :body "Injected"}) {:handler-mode mode}]
        (let [bytes (raw/conversation server (raw/get-request "/" "Connection: close"))]
          (is (str/starts-with? bytes "HTTP/1.1 500 "))
          (is (not (str/includes? (text/lower-case bytes) "inject")))
          (is (str/ends-with? bytes "\r\n\r\nInternal Server Error"))))))
  (testing "a character whose low byte is CR or LF makes no line"
    (let [value "b\u010d\u010aInjected: 1"
          answer (answer-to :inline "GET" {:status 200 :headers {"X-A" value}})]
      (is (= [(raw/text (.getBytes value "UTF-8"))] (raw/header-values answer "x-a")))
      (is (nil? (raw/header answer "injected"))))))

(deftest server-header-test
  (doseq [mode modes
          [what option headers expected] [["default" {} {} ["hinny"]]
                                          ["custom" {:server-header "Acme 1.0 (x)"} {} ["Acme 1.0 (x)"]]
                                          ["nil" {:server-header nil} {} []]
                                          ["empty" {:server-header ""} {} []]
                                          ["the handler's own" {} {"Server" "mine"} ["mine"]]
                                          ["the handler's own, in any case" {:server-header "Acme"} {"sERVER" "mine"} ["mine"]]
                                          ["the handler's own beside nil" {:server-header nil} {"Server" "mine"} ["mine"]]]]
    (testing (str "9110 10.2.4 Server: " what ", " mode)
      (with-server [server (fn [_] {:status 200 :headers headers}) (assoc option :handler-mode mode)]
        (is (= expected (raw/header-values (raw/answer server (raw/get-request "/")) "server"))))))
  (testing "error answers have it too"
    (with-server [server (fn [_] nil) {:server-header "Acme"}]
      (is (= ["Acme"] (raw/header-values (raw/answer server (raw/get-request "/")) "server"))))))

(def ^:private imf-fixdate
  (DateTimeFormatter/ofPattern "EEE, dd MMM yyyy HH:mm:ss 'GMT'" Locale/US))

(defn- age
  "How long ago a Date field's time is; throws if it is not an IMF-fixdate."
  ^Duration [^String date]
  (let [^DateTimeFormatter formatter imf-fixdate
        time (ZonedDateTime/parse date (.withZone formatter java.time.ZoneOffset/UTC))]
    (is (= date (.format formatter time)))
    (Duration/between time (ZonedDateTime/now java.time.ZoneOffset/UTC))))

(deftest date-test
  (testing "9110 6.6.1: one Date, of now, in IMF-fixdate"
    (doseq [mode modes]
      (let [dates (raw/header-values (answer-to mode "GET" {:status 200}) "date")]
        (is (= 1 (count dates)))
        (is (< -2 (.toSeconds (age (first dates))) 60)))))
  (testing "9110 6.6.1: the handler's own is not doubled"
    (doseq [field ["Date" "date" "DATE"]]
      (is (= ["Tue, 15 Nov 1994 08:12:31 GMT"]
             (raw/header-values (answer-to :worker "GET" {:status 200 :headers {field "Tue, 15 Nov 1994 08:12:31 GMT"}}) "date")))))
  (testing "9110 6.6.1: error answers have it too"
    (doseq [[handler request] [[(fn [_] nil) (raw/get-request "/")]
                               [raw/echo-target (head "GET / HTTP/1.1")]
                               [raw/echo-target "x\r\n\r\n"]]]
      (with-server [server handler nil]
        (is (= 1 (count (raw/header-values (raw/answer server request) "date"))))))))

(deftest large-body-test
  (doseq [mode modes
          length [32767 32768 32769 65536 1000000 5000000]]
    (testing (str "a body of " length " bytes arrives whole, " mode)
      (let [body (byte-array length)]
        (.nextBytes (java.util.Random. length) body)
        (with-server [server (fn [_] {:status 200 :body body}) {:handler-mode mode}]
          (let [answer (raw/answer server (raw/get-request "/"))]
            (is (= (str length) (raw/header answer "content-length")))
            (is (java.util.Arrays/equals body (raw/latin1 (:body answer))))))))))
