(ns hinny.linger-wire-test
  "The end of a connection that the server ends: bytes that come when the last response is on its way, or out, do not cost
  the client the end of it (RFC 9112 9.6). The kernel resets a connection that was closed when more bytes come for it, or
  when some were not read, and drops what it has not sent.

  A client that reads slowly leaves much of a response with the server's kernel: what it sends then, when the server has
  ended its side, is what would do the harm. The time that a connection lingers passes when a test says so."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.file-site :as site :refer [with-directory write!]]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [head send! with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (hinny.raw_client Client)
   (java.io ByteArrayInputStream ByteArrayOutputStream IOException InputStream)
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine raw/turned-clock)

(def ^:private large
  "More than the kernel takes at once for a client that does not read."
  (delay (stream/text-of 6000000)))

(def ^:private medium
  "What it takes at once, and the client's kernel does not."
  (delay (stream/text-of 300000)))

(def ^:private closing (raw/get-request "/" "Connection: close"))

(def ^:private more-table
  "What a client may send behind its last request."
  {"a request" (raw/get-request "/more")
   "no request" "\u0000 nothing \r\n\r\n"})

(defn- slow-client ^Client [server]
  (stream/small-buffers (server/server-port server)))

(defn- read-until-ended
  "Reads piece by piece until the server has ended its side, and its kernel has some of the `length` bytes that it sends left;
  the text so far. What the kernel takes at once is left to it, however long the server needs. A look at the kernel's table
  costs more than to read a piece."
  [^Client client length]
  (let [out (ByteArrayOutputStream.)]
    (while (and (not (raw/server-ended? client))
                (< (count @medium) (- length (.size out))))
      (.write out (.readNBytes ^InputStream (.-in client) 200000)))
    (raw/await-until #(raw/server-ended? client))
    (raw/text (.toByteArray out))))

(defn- sent?
  "Whether the server takes what the client sends: nothing resets the connection."
  [client data]
  (try
    (send! client data)
    (raw/await-taken client)
    (catch IOException _ false)))

(defn- ends-well
  "Reads to the end; `[true :eof]` if `text`, which was read before, and the rest are one response with this body."
  [client text body]
  (let [[more end] (stream/read-rest client)
        text (str text more)]
    [(and (= 1 (count (re-seq #"HTTP/1\.1 200 OK\r\n|HTTP/1\.0 200 OK\r\n" text)))
          (str/ends-with? text (str "\r\n\r\n" body)))
     end]))

(deftest bytes-after-the-end-test
  (each-mode [mode]
    (doseq [[what more] more-table]
      (testing (str what " comes when the server has ended its side: the client reads the response to its end")
        (with-handler [server mode (fn [_] {:status 200 :body @large}) nil]
          (with-open [client (slow-client server)]
            (send! client closing)
            (let [text (read-until-ended client (count @large))]
              (is (< (count text) (count @large)))
              (is (sent? client more))
              (is (sent? client more))
              (is (= [true :eof] (ends-well client text @large))))))))))

(deftest bytes-before-the-end-test
  (each-mode [mode]
    (doseq [[what more] more-table]
      (testing (str "more of " what " than anybody buffers comes while the response is under way")
        (with-handler [server mode (fn [_] {:status 200 :body @large}) nil]
          (with-open [client (slow-client server)]
            (send! client closing)
            (let [sending (future (sent? client (str/join (repeat (quot 400000 (count more)) more))))]
              (is (= [true :eof] (ends-well client "" @large)))
              (is (true? (deref sending raw/guard-ms :hung))))))))))

(deftest nothing-behind-the-end-test
  (testing "what came with the last request, and is none, is not answered while the end of the response waits to be taken"
    (doseq [shorter (range 0 36000 3000)
            :let [body (subs @large shorter)]]
      (with-server [server (fn [_] {:status 200 :body body}) nil]
        (with-open [client (slow-client server)]
          (send! client (str closing (more-table "no request")))
          (is (= [true :eof] (ends-well client "" body)) shorter))))))

(deftest unread-at-the-end-test
  (each-mode [mode modes/may-block?]
    (doseq [[what more] more-table]
      (testing (str what " waits unread when the response is given")
        (let [called (CountDownLatch. 1)
              gate (CountDownLatch. 1)]
          (with-handler [server mode (fn [_]
                                       (.countDown called)
                                       (raw/await-latch gate)
                                       {:status 200 :body "ok"})
                         nil]
            (with-open [client (raw/connect (server/server-port server))]
              (send! client closing)
              (is (raw/await-latch called))
              (let [sending (future (sent? client (str/join (repeat (quot 400000 (count more)) more))))]
                (.countDown gate)
                (is (= [true :eof] (ends-well client "" "ok")))
                (is (true? (deref sending raw/guard-ms :hung)))))))))))

(def ^:private end-table
  "Why the connection ends: the request, the response's fields, the options."
  {"the handler closes" [(raw/get-request "/") {"Connection" "close"} nil]
   "HTTP/1.0" [(head "GET / HTTP/1.0" "Host: x") nil nil]
   "the last request of a connection" [(raw/get-request "/") nil {:max-requests-per-connection 1}]})

(deftest every-end-test
  (each-mode [mode #(contains? #{"worker" "inline" "async, answering on another thread"} (:name %))]
    (doseq [[what [request fields options]] end-table
            [how body] {"whole" #(deref large)
                        "streamed" #(ByteArrayInputStream. (raw/latin1 @large))}
            :when (or (= "whole" how) (modes/on-worker? mode))]
      (testing (str what ", with a " how " body")
        (with-handler [server mode (fn [_] {:status 200
                                            :headers (merge {"Content-Length" (str (count @large))} fields)
                                            :body (body)})
                       options]
          (with-open [client (slow-client server)]
            (send! client request)
            (let [text (read-until-ended client (count @large))]
              (is (< (count text) (count @large)))
              (is (sent? client "more"))
              (is (sent? client "more"))
              (is (= [true :eof] (ends-well client text @large))))))))))

(deftest core-answers-test
  (with-directory [directory]
    (write! directory "large.bin" @large)
    (write! directory "small.txt" "small")
    (with-server [server nil {:routes [["/s/*path" {:files (str directory)}]
                                       ["/constant" {:get {:response {:status 200 :body @medium}}}]]}]
      (doseq [[path body] {"/s/large.bin" @large, "/s/small.txt" "small", "/constant" @medium}
              turn [1 2]]
        (testing (str path ", turn " turn)
          (with-open [client (slow-client server)]
            (send! client (raw/get-request path "Connection: close"))
            (let [text (read-until-ended client (count body))]
              (is (sent? client "more"))
              (is (sent? client "more"))
              (is (= [true :eof] (ends-well client text body)))))))
      (doseq [[what request status] [["no route" (raw/get-request "/nowhere" "Connection: close") "404"]
                                     ["no such file" (raw/get-request "/s/none" "Connection: close") "404"]
                                     ["an error that ends the connection" (head "GET /constant HTTP/1.1") "400"]
                                     ["what hyper refuses" (head "GET /a b HTTP/1.1" "Host: x") "400"]]]
        (testing what
          (with-open [client (slow-client server)]
            (send! client request)
            (is (raw/await-until #(raw/server-ended? client)))
            (is (sent? client "more"))
            (is (sent? client "more"))
            (let [[text end] (stream/read-rest client)]
              (is (= [status :eof] [(second (re-find #"^HTTP/1\.1 (\d+) " text)) end])))))))))

(deftest idle-timeout-test
  (testing "the end of an idle connection, whose client has not read the last response"
    (with-server [server (fn [_] {:status 200 :body @medium}) nil]
      (with-open [client (slow-client server)]
        (send! client (raw/get-request "/"))
        (is (= 200 (:status (stream/read-head client))))
        (is (raw/pass-until! server 90000 #(raw/server-ended? client)))
        (is (sent? client (raw/get-request "/late")))
        (is (sent? client (raw/get-request "/later")))
        (is (= [@medium :eof] (stream/read-rest client)))))))

(defn- stop-behind
  "Stops `server` in another thread, by a deadline beyond every guard; a future of `:stopped`."
  [server]
  (future (server/stop-server server {:drain-timeout-ms 3600000}) :stopped))

(deftest drain-test
  (doseq [[what request body] [["an idle connection" (raw/get-request "/") medium]
                               ["a response under way" closing large]]]
    (testing (str "a stop meets " what ", whose client has not read the response")
      (let [called (CountDownLatch. 1)
            gate (CountDownLatch. 1)]
        (with-server [server (fn [{:keys [uri]}]
                               (when (= "/held" uri)
                                 (.countDown called)
                                 (raw/await-latch gate))
                               {:status 200 :body @body})
                      {:event-loops 1}]
          (with-open [client (slow-client server)
                      held (raw/connect (server/server-port server))]
            ;; A stop that waits for another request does not hurry.
            (send! held (raw/get-request "/held"))
            (is (raw/await-latch called))
            (send! client request)
            (is (= 200 (:status (stream/read-head client))))
            (let [stop (stop-behind server)
                  _ (is (raw/await-until #(= :stopping (server/server-status server))))
                  text (if (= body medium)
                         (do (is (raw/pass-until! server 100 #(raw/server-ended? client))) "")
                         (read-until-ended client (count @large)))]
              (is (sent? client (raw/get-request "/late")))
              (is (sent? client (raw/get-request "/later")))
              (let [[more end] (stream/read-rest client)]
                (is (= [true :eof] [(= @body (str text more)) end])))
              (.countDown gate)
              (is (= @body (:body (raw/read-response held))))
              (testing "and does not wait for clients that stay"
                (is (raw/pass-until! server 100 #(realized? stop)))))))))))

(deftest bounds-test
  (testing "a connection that lingers is not open, and does not keep another one out"
    (with-server [server (fn [_] {:status 200 :body "ok"}) {:max-connections 1 :event-loops 1}]
      (with-open [client (slow-client server)]
        (send! client closing)
        (is (= [true :eof] (ends-well client "" "ok")))
        (is (zero? (:connections-open (server/server-metrics server))))
        (is (= 200 (:status (raw/answer server closing)))))))
  (testing "a client that stays is left, and a stop does not wait for it"
    (with-server [server (fn [_] {:status 200 :body "ok"}) nil]
      (with-open [client (slow-client server)]
        (send! client closing)
        (is (raw/await-until #(raw/server-ended? client)))
        (is (raw/pass-until! server 1000 #(raw/server-left? client)))
        (is (raw/await-until #(not (sent? client "more"))))
        (is (first (ends-well client "" "ok")))))
    (with-server [server (fn [_] {:status 200 :body "ok"}) nil]
      (with-open [client (slow-client server)]
        (send! client closing)
        (is (raw/await-until #(raw/server-ended? client)))
        (is (let [stop (stop-behind server)] (raw/pass-until! server 100 #(realized? stop))))
        (is (= [true :eof] (ends-well client "" "ok")))))))
