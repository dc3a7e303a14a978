(ns hinny.stream-framing-wire-test
  "How response bodies that are streamed are framed, and that a seq is delivered element by element.

  Each row names the section that asks for it: 9110 and 9112 are RFCs, SPEC is the Ring SPEC 1.5.1."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.log-capture :as log :refer [with-log]]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.protocols :as protocols]
   [hinny.raw-client :as raw :refer [head with-client]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (java.io OutputStream)
   (java.util.concurrent CountDownLatch)
   (java.util.concurrent.atomic AtomicLong)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

;; A body that does to its stream what the function says.
(deftype Writing [f]
  protocols/StreamableResponseBody
  (write-body-to-stream [_ _ out] (f out)))

(defn- writing
  "A body that writes these texts and closes the stream; `:flush` flushes."
  [& steps]
  (->Writing (fn [^OutputStream out]
               (doseq [step steps]
                 (if (= :flush step)
                   (.flush out)
                   (.write out (raw/latin1 step))))
               (.close out))))

(def ^:private large (stream/text-of 100000))

(def framing-table
  "Section, request, headers, a function that makes the body, and on the wire: framing, body, Content-Lengths, whether
  the connection is kept."
  [["9112 6.3 small and never flushed: sized" (raw/get-request "/") {} #(writing "a" "b") :sized "ab" ["2"] true]
   ["9112 6.3 nothing, never flushed: sized" (raw/get-request "/") {} #(writing) :sized "" ["0"] true]
   ["9112 7.1 flushed with nothing written: chunked" (raw/get-request "/") {} #(writing :flush "a") :chunked "a" [] true]
   ["9112 7.1 flushed: chunked" (raw/get-request "/") {} #(writing "a" :flush "b") :chunked "ab" [] true]
   ["9112 7.1 larger than the buffer: chunked" (raw/get-request "/") {} #(writing large) :chunked large [] true]
   ["9112 7.1 empty flushes between" (raw/get-request "/") {} #(writing "a" :flush :flush :flush "b") :chunked "ab" [] true]
   ["SPEC a seq: chunked" (raw/get-request "/") {} #(list "a" "b") :chunked "ab" [] true]
   ["9112 6.3 an empty seq: sized" (raw/get-request "/") {} #(list) :sized "" ["0"] true]
   ["9112 6.3 HTTP/1.0 knows no chunks: to the end" (head "GET / HTTP/1.0") {} #(writing "a" :flush "b") :to-end "ab" [] false]
   ["9112 9.3 HTTP/1.0 with keep-alive: to the end all the same" (head "GET / HTTP/1.0" "Connection: keep-alive") {} #(writing "a" :flush "b")
    :to-end "ab" [] false]
   ["9112 9.3 HTTP/1.0 with keep-alive, sized" (head "GET / HTTP/1.0" "Connection: keep-alive") {} #(writing "a" "b") :sized "ab" ["2"] true]
   ["9110 8.6 the handler's length" (raw/get-request "/") {"Content-Length" "2"} #(writing "a" :flush "b") :sized "ab" ["2"] true]
   ["9110 8.6 the handler's length in HTTP/1.0" (head "GET / HTTP/1.0" "Connection: keep-alive") {"content-length" "2"} #(writing "a" :flush "b")
    :sized "ab" ["2"] true]
   ["9110 8.6 a length that is none" (raw/get-request "/") {"Content-Length" "x"} #(writing "a" :flush "b") :chunked "ab" [] true]
   ["9110 8.6 a wrong length of a body that is there whole" (raw/get-request "/") {"Content-Length" "9"} #(writing "a" "b") :sized "ab" ["2"] true]
   ["9112 6.1 Transfer-Encoding is hinny's" (raw/get-request "/") {"Transfer-Encoding" "gzip, chunked"} #(writing "a" :flush "b")
    :chunked "ab" [] true]
   ["9110 15.3.5 204" (raw/get-request "/") {::status 204} #(writing "a" :flush "b") :none "" [] true]
   ["9110 15.3.6 205" (raw/get-request "/") {::status 205} #(writing "a" :flush "b") :none "" ["0"] true]
   ["9110 15.4.5 304" (raw/get-request "/") {::status 304 "Content-Length" "2"} #(writing "a" :flush "b") :none "" ["2"] true]
   ["9110 9.3.2 HEAD" (head "HEAD / HTTP/1.1" "Host: x") {} #(writing "a" :flush "b") :none "" [] true]
   ["9110 9.3.2 HEAD, the handler's length" (head "HEAD / HTTP/1.1" "Host: x") {"Content-Length" "2"} #(writing "a" :flush "b") :none "" ["2"] true]])

(deftest framing-test
  (each-mode [mode]
    (doseq [[section request headers make framing body lengths kept?] framing-table]
      (testing section
        (with-handler [server mode (fn [_] {:status (::status headers 200) :headers (dissoc headers ::status) :body (make)})]
          (with-client [client server]
            (raw/send! client request)
            (let [response (stream/read-any client {:head? (str/starts-with? request "HEAD")})]
              (is (= [framing body false] ((juxt :framing :body :cut?) response)))
              (is (= lengths (raw/header-values response "content-length")))
              (is (= (if (= :chunked framing) ["chunked"] []) (raw/header-values response "transfer-encoding")))
              (is (= (cond
                       (= :to-end framing) ["close"]
                       (str/includes? request "HTTP/1.0") ["keep-alive"]
                       :else [])
                    (raw/header-values response "connection"))
                "9112 9.3, 9.6: what it says is what it does"))
            (if kept?
              (do (raw/send! client (raw/get-request "/"))
                  (is (some? (stream/read-head client)) "the next response starts where this one ends"))
              (is (raw/eof? client)))))))))

(deftest wrong-length-test
  (each-mode [mode]
    (testing "9112 8: fewer bytes than announced are no whole response"
      (with-log [_]
        (with-handler [server mode (fn [_] {:status 200 :headers {"Content-Length" "10"} :body (writing "abc" :flush "d")})]
          (with-client [client server]
            (raw/send! client (str (raw/get-request "/") (raw/get-request "/next")))
            (let [{:keys [body cut?] :as response} (stream/read-any client)]
              (is (= ["10"] (raw/header-values response "content-length")))
              (is (= ["abcd" true] [body cut?])))))))
    (testing "9110 8.6: no byte more than announced"
      (with-log [_]
        (with-handler [server mode (fn [{:keys [uri]}]
                                     (if (= "/next" uri)
                                       {:status 200 :body "next"}
                                       {:status 200 :headers {"Content-Length" "4"} :body (writing "abc" :flush "def" :flush "ghi")}))]
          (with-client [client server]
            (raw/send! client (str (raw/get-request "/") (raw/get-request "/next")))
            (is (= [:sized "abcd"] ((juxt :framing :body) (stream/read-any client))))
            (let [next-response (stream/read-any client)]
              (is (contains? #{nil "next"} (:body next-response))))))))))

(deftest element-by-element-test
  (each-mode [mode]
    (testing "SPEC: an element is with the client while the next one is not realized yet"
      (let [more (promise)]
        (with-handler [server mode (fn [_]
                                     {:status 200
                                      :body (lazy-seq
                                              (cons "first"
                                                    (lazy-seq (cons (deref more raw/guard-ms "too late") nil))))})]
          (with-client [client server]
            (raw/send! client (raw/get-request "/"))
            (is (= 200 (:status (stream/read-head client))))
            (is (= "first" (stream/read-chunk client)))
            (deliver more "second")
            (is (= "second" (stream/read-chunk client)))
            (is (= "" (stream/read-chunk client)))))))
    (testing "SPEC: so is a piece that was flushed"
      (let [gate (CountDownLatch. 1)]
        (with-handler [server mode (fn [_]
                                     {:status 200
                                      :body (->Writing (fn [^OutputStream out]
                                                         (.write out (raw/latin1 "first"))
                                                         (.flush out)
                                                         (raw/await-latch gate)
                                                         (.write out (raw/latin1 "second"))
                                                         (.close out)))})]
          (with-client [client server]
            (raw/send! client (raw/get-request "/"))
            (stream/read-head client)
            (is (= "first" (stream/read-chunk client)))
            (.countDown gate)
            (is (= ["second"] (stream/read-chunks client)))))))))

(defn- endless
  "An endless seq of texts that counts how many of its elements were realized."
  [^AtomicLong realized]
  (lazy-seq
    (.incrementAndGet realized)
    (cons "0123456789abcdef" (endless realized))))

(deftest endless-seq-test
  (each-mode [mode]
    (testing "SPEC: an endless seq ends when its client leaves, without a word in the log"
      (with-log [events]
        (let [realized (AtomicLong.)]
          (with-handler [server mode (fn [_] {:status 200 :body (endless realized)})]
            (with-client [client server]
              (raw/send! client (raw/get-request "/"))
              (is (= 200 (:status (stream/read-head client))))
              (dotimes [_ 100]
                (is (= 0 (rem (count (stream/read-chunk client)) 16)))))
            (is (raw/await-until #(= [0 0] ((juxt :exchanges-open :connections-open) (server/server-metrics server))))))
          ;; The server has stopped, and with it its workers: nobody is left to realize more.
          (is (< 100 (.get realized)))
          (is (= [] (log/events events))))))))
