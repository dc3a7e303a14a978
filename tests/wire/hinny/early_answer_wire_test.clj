(ns hinny.early-answer-wire-test
  "An answer that is given before the request's body has come: a client that sends all of its body before it reads finds
  the answer there (RFC 9112 9.3, 9.6), however much it sends. With its answer a server that will not read the rest says
  `Connection: close`."
  (:require
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.http-clients :as clients]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (java.io InputStream)
   (java.net SocketException)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private piece (byte-array 65536 (byte 120)))

(defn- send-sized!
  "Sends a request with a body of `length` bytes, all of it."
  [client target length & lines]
  (raw/send! client (apply stream/sized-head target length lines))
  (doseq [_ (range (quot length (alength ^bytes piece)))]
    (raw/send! client piece))
  (raw/send! client (byte-array (rem length (alength ^bytes piece)))))

(defn- send-chunked!
  "Sends a request with a chunked body of `length` bytes, all of it."
  [client target length & lines]
  (raw/send! client (apply stream/chunked-head target lines))
  (let [chunk (raw/latin1 (stream/chunk-of (raw/text piece)))]
    (doseq [_ (range (quot length (alength ^bytes piece)))]
      (raw/send! client chunk)))
  (raw/send! client stream/last-chunk))

(defn- answer-after
  "Sends all and only then reads: `[status connection end]`, where the end is `:eof` or `:reset`. `:lost` if it cannot."
  [server send-all! & arguments]
  (with-client [client server]
    (try
      (apply send-all! client arguments)
      (let [response (raw/read-response client)]
        [(:status response) (raw/header response "connection") (raw/end-of client)])
      (catch SocketException _ :lost))))

(def ^:private mebibyte 1048576)

(deftest handler-test
  (each-mode [mode]
    (with-handler [server mode (fn [_] {:status 403 :body "no"}) {:max-body-bytes (* 100 mebibyte)}]
      (doseq [length [(* 5 mebibyte) (* 50 mebibyte)]]
        (testing (str "a handler that does not read its body, of " length " bytes")
          (is (= [403 "close" :eof] (answer-after server send-sized! "/" length))))
        (testing (str "nor its chunked one, of " length " bytes")
          (is (contains? #{[403 nil :eof] [403 "close" :eof]} (answer-after server send-chunked! "/" length))))))))

(deftest throwing-handler-test
  (each-mode [mode]
    (testing "a handler that throws"
      (with-handler [server mode (fn [_] (throw (ex-info "no" {}))) nil]
        (is (= [500 "close" :eof] (answer-after server send-sized! "/" (* 5 mebibyte))))))))

(deftest partly-read-test
  (each-mode [mode modes/may-block?]
    (testing "a handler that reads a part of it"
      (with-handler [server mode (fn [{:keys [^InputStream body]}]
                                   {:status 403 :body (str (alength (.readNBytes body 100000)))})
                     nil]
        (is (= [403 "close" :eof] (answer-after server send-sized! "/" (* 5 mebibyte))))))))

(def ^:private routes
  [["/small" {:post {:handler (fn [_] {:status 200}) :max-body-bytes 1000}}]
   ["/json" {:post {:handler (fn [_] {:status 200}) :consumes ["application/json"]}}]
   ["/get" {:get (fn [_] {:status 200})}]
   ["/constant" {:post {:response {:status 202 :body "constant"}}}]])

(deftest core-test
  (doseq [mode [:worker :inline]]
    (with-server [server nil {:routes routes :handler-mode mode}]
      (doseq [[target status] [["/nowhere" 404] ["/get" 405] ["/small" 413] ["/json" 415] ["/constant" 202]]]
        (testing (str mode ": the core's own " status)
          (doseq [length [(* 5 mebibyte) (* 50 mebibyte)]]
            (is (= [status "close" :eof] (answer-after server send-sized! target length "Content-Type: text/plain"))))
          (is (contains? #{[status nil :eof] [status "close" :eof]}
                (answer-after server send-chunked! target (* 5 mebibyte) "Content-Type: text/plain"))))))))

(deftest kept-test
  (each-mode [mode]
    (testing "9.3: what is within :max-unread-body-bytes is dropped, and the connection is kept"
      (with-handler [server mode (fn [{:keys [uri]}] {:status 403 :body uri}) {:max-unread-body-bytes (* 10 mebibyte)}]
        (with-client [client server]
          (doseq [send-all! [send-sized! send-chunked!]]
            (send-all! client "/early" (* 5 mebibyte))
            (let [response (raw/read-response client)]
              (is (= [403 nil] [(:status response) (raw/header response "connection")]))))
          (raw/send! client (raw/get-request "/next"))
          (is (= "/next" (:body (raw/read-response client)))))))))

(deftest clients-test
  (with-server [server (fn [_] {:status 403 :body "no"}) nil]
    (let [url (str "http://127.0.0.1:" (server/server-port server) "/")]
      (doseq [[client post] clients/clients]
        (testing client
          (dotimes [_ 5]
            (is (= [403 "no"] (post url (* 5 mebibyte))))))))))
