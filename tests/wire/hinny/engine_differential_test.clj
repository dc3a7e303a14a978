(ns hinny.engine-differential-test
  "The same bytes to both HTTP/1.1 engines: the client gets the same bytes, the handler sees the same requests, and the
  connection ends the same way.

  Every row of the wire tables, an answer of every kind, pipelines cut at every byte, and generated pipelines in pieces;
  see `hinny.engine-pair` for what is compared."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [clojure.test.check.clojure-test :refer [defspec]]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [clojure.test.check.results :as results]
   [hinny.answers :as answers]
   [hinny.body-wire-test :as body]
   [hinny.connection-wire-test :as connection]
   [hinny.engine-pair :as pair :refer [difference with-pair]]
   [hinny.framing-wire-test :as framing]
   [hinny.grammar-wire-test :as grammar]
   [hinny.log-capture :refer [with-log]]
   [hinny.modes :as modes]
   [hinny.persistence-wire-test :as persistence]
   [hinny.raw-client :as raw]
   [hinny.request-bytes :as request-bytes]
   [hinny.request-wire-test :as request]
   [hinny.response-wire-test :as response]
   [hinny.stream-framing-wire-test :as stream-framing]
   [hinny.target-wire-test :as target])
  (:import
   (java.io Closeable)
   (java.util Random)))

(set! *warn-on-reflection* true)

(defn- modes-named [& names]
  (filter (comp (set names) :name) modes/modes))

(def ^:private compared-modes
  (modes-named "worker" "inline" "async, answering on the loop" "async, answering on another thread"))

(def ^:private small-limits
  "Options for what is generated. No body is read while it comes: nobody could tell a handler that waits for a client's
  byte from one that is slow."
  {:max-body-bytes 2000 :inline-body-bytes 2000 :max-uri-bytes 300 :max-head-bytes 2048 :max-header-count 20})

(def ^:dynamic ^:private *small-pairs*
  "A pair for each mode, and one that parses."
  nil)

(def ^:private parsing
  (assoc small-limits :parse #{:query :form :json} :parsed-body-bytes 2000))

(defn- with-small-pairs [test]
  (let [pairs (conj (mapv #(pair/open-pair % answers/handler small-limits) compared-modes)
                    (pair/open-pair (modes/named "inline") answers/handler parsing))]
    (try
      (binding [*small-pairs* pairs]
        (test))
      (finally
        (run! #(.close ^Closeable %) pairs)))))

(use-fixtures :once with-small-pairs)
;; Many handlers here fail, which is logged.
(use-fixtures :each (fn [test] (with-log [_] (test))))

;; What is compared is there at all

(deftest conversation-test
  (doseq [mode (modes-named "inline" "async, answering on another thread")]
    (with-pair [pair mode raw/echo-target]
      (doseq [side [(:auto pair) (:hyper pair)]
              _ (range 2)
              :let [{:keys [requests bytes end]} (#'pair/converse side [(raw/get-request "/a") (raw/get-request "/b")] nil)]]
        (is (= ["/a" "/b"] (sort (map :uri requests))) (:name mode))
        (is (str/includes? bytes "get /b"))
        (is (= :waiting end))))))

;; The rows of the wire tables

(def ^:private rows
  "What every row of the tables of requests sends."
  (concat
    (for [tables [grammar/tables framing/tables target/tables persistence/tables]
          table tables
          [_ _ bytes _] table]
      bytes)
    (for [table [request/seen-table request/refused-table body/refused-table body/small-body-table]
          [_ bytes] table]
      bytes)
    (for [[_ bytes] connection/persistence-table] bytes)
    (for [[_ half] connection/half-table] (str (raw/get-request "/a") half))))

(defn- clipped [bytes]
  (pr-str (subs bytes 0 (min 300 (count bytes)))))

(deftest rows-test
  (doseq [mode (modes-named "worker" "inline" "async, answering on the loop")]
    (with-pair [pair mode raw/echo-target]
      (doseq [bytes rows
              pieces [[bytes] [bytes pair/probe] [(str bytes pair/probe)]]]
        (testing (str (:name mode) " " (mapv clipped pieces))
          (is (nil? (difference pair pieces))))))))

;; Answers

(defn- same-answer?
  "Whether both engines answer whole requests alike."
  [pair & requests]
  (is (nil? (difference pair [(str (str/join requests) pair/probe)] {:patient? true}))))

(def ^:private table-answers
  "Every row of the tables of responses: the request, and a function that makes the response."
  (vec (concat
         (for [[_ method response] response/framing-table] [method (constantly response)])
         (for [[_ headers] response/field-table] ["GET" (constantly {:status 200 :headers headers :body "x"})])
         (for [[_ content-type body] response/charset-table]
           ["GET" (constantly {:status 200 :headers (if content-type {"Content-Type" content-type} {}) :body body})])
         (for [headers response/splitting-table] ["GET" (constantly {:status 200 :headers headers :body "x"})])
         (for [[_ request headers make] stream-framing/framing-table]
           [(re-find #"^[A-Z]+" request)
            (fn [] {:status (::stream-framing/status headers 200) :headers (dissoc headers ::stream-framing/status) :body (make)})]))))

(deftest table-answers-test
  (doseq [mode compared-modes]
    (with-pair [pair mode (fn [{:keys [uri]}] ((second (table-answers (parse-long (subs uri 1))))))]
      (doseq [[n [method]] (map-indexed vector table-answers)
              :let [request (raw/head (str method " /" n " HTTP/1.1") "Host: x")]]
        (testing (str (:name mode) " " method " " n)
          (same-answer? pair request)
          (same-answer? pair request request)
          (same-answer? pair (raw/head (str method " /" n " HTTP/1.1") "Host: x" "Connection: close"))
          (same-answer? pair (raw/head (str method " /" n " HTTP/1.0") "Connection: keep-alive")))))))

(deftest answers-test
  (doseq [mode compared-modes]
    (with-pair [pair mode answers/handler]
      (doseq [path (conj answers/paths "/echo?a")
              method ["GET" "HEAD" "POST"]
              :let [request (raw/head (str method " " path " HTTP/1.1") "Host: x")]]
        (testing (str (:name mode) " " method " " path)
          (same-answer? pair request)
          (same-answer? pair (raw/get-request "/before") request (raw/get-request "/behind")))))))

;; Pieces

(deftest cut-at-every-byte-test
  (doseq [[mode options] (concat
                           (for [mode (modes-named "worker" "inline")] [mode nil])
                           ;; Now bodies are streamed, which the lane leaves to hyper.
                           (for [mode (modes-named "worker")] [mode {:inline-body-bytes 4}]))]
    (with-pair [pair mode answers/handler options]
      (doseq [bytes request-bytes/plain-requests
              at (range 1 (count bytes))]
        (testing (str (:name mode) " " options " " at " " (pr-str bytes))
          (is (nil? (difference pair [(subs bytes 0 at) (str (subs bytes at) pair/probe)]))))))))

(deftest long-pipeline-test
  (doseq [mode compared-modes]
    (with-pair [pair mode answers/handler]
      (doseq [[seed n most] [[1 300 100000] [2 300 20000] [3 100 500] [4 30 20]]]
        (testing (str (:name mode) " " n " requests, seed " seed)
          (is (nil? (difference pair (conj (request-bytes/long-pipeline (Random. seed) n most) pair/probe) {:patient? true}))))))))

(defn- alike-difference
  "What both engines do not do alike with `pieces` in the first mode that has such a thing, nil if none has."
  [pieces]
  (some (fn [pair] (some-> (difference pair pieces) (assoc :mode (:name (:mode pair))))) *small-pairs*))

(defn- alike
  "A property's result: passes if both engines do the same with `pieces` in every mode, else shows what was not."
  [pieces]
  (let [difference (alike-difference pieces)]
    (reify results/Result
      (pass? [_] (nil? difference))
      (result-data [_] difference))))

(deftest asked-for-a-body-test
  (testing "a client that is asked for the rest of its body and sends none: that is an end, and soon; both once hung in it"
    (doseq [pieces [[(raw/head "POST /echo HTTP/1.1" "Host: x" "Expect: 100-continue" "Content-Length: 9")]
                    [(str (raw/get-request "/a") (raw/head "POST /echo HTTP/1.1" "Host: x" "Expect: 100-continue" "Content-Length: 9")) "half"]
                    [(raw/head "POST /echo HTTP/1.1" "Host: x" "Expect: 100-continue" "Transfer-Encoding: chunked") "4\r\nha"]]]
      (is (nil? (alike-difference pieces))))))

(deftest refused-behind-slow-answers-test
  (testing "whether hyper has seen the end itself is a matter of time: of 300 such conversations 65 differed once"
    (let [pieces [(str (raw/head "GET / HTTP/1.1" "Host: x" "Upgrade: websocket")
                       (raw/head "QUERY /status/500 HTTP/1.1" "Host: x" "Content-Length: 3") "nul"
                       (raw/head "GET / HTTP/1.0" "Host: x" "Connection: keep-alive" "Content-Length: 2001"))
                  (str/join (repeat 2001 "b"))]]
      (is (every? nil? (repeatedly 40 #(alike-difference pieces)))))))

(defspec generated-pipelines-test 400
  (prop/for-all [pieces request-bytes/gen-pieces
                 probe? gen/boolean]
    (alike (if probe? (conj pieces pair/probe) pieces))))
