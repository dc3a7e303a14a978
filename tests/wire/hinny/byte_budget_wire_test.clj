(ns hinny.byte-budget-wire-test
  "What strangers can make a server hold is bounded in bytes: parts of requests, requests that wait, and responses that
  clients do not take. See `docs/limits.md`."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.engines :as engines]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (java.io Closeable InputStream)
   (java.util.concurrent CountDownLatch)
   (java.util.concurrent.atomic AtomicInteger)))

(set! *warn-on-reflection* true)

(def ^:private mib (* 1024 1024))

(defn- closing
  "Calls `f` with a list that clients can be added to; they are closed after that."
  [f]
  (let [clients (atom [])]
    (try
      (f clients)
      (finally (run! #(.close ^Closeable %) @clients)))))

(defn- add-client! [clients server]
  (let [client (raw/connect (server/server-port server))]
    (swap! clients conj client)
    client))

(defn- refused?
  [response]
  (and (= 503 (:status response)) (some? (raw/header response "retry-after"))))

(deftest pipelined-large-responses-test
  (each-mode [mode]
    (doseq [engine engines/engines]
      (testing (str "64 requests for a large response in one piece: while none is read, few handlers run, " engine)
        (let [body (stream/text-of (* 4 mib))
              calls (AtomicInteger.)]
          (with-handler [server mode (fn [_] (.incrementAndGet calls) {:status 200 :body body})
                         {:event-loops 1 :http1-engine engine :max-pending-response-bytes (* 64 mib)}]
            (with-open [client (stream/small-buffers (server/server-port server))]
              (raw/send! client (str/join (repeat 64 (raw/get-request "/"))))
              (is (raw/await-until #(pos? (.get calls))))
              (with-client [neighbour server]
                (dotimes [_ 3] (raw/come-round! neighbour)))
              ;; The neighbour has asked six times.
              (is (<= (.get calls) (+ 6 2)))
              (testing "and they are answered as they are read"
                (is (every? #(= (count body) (count (:body %))) (repeatedly 4 #(raw/read-response client))))))))))))

(deftest small-then-large-test
  (testing "after small responses many requests may be together; after a large one they may not"
    (let [large (stream/text-of (* 4 mib))
          calls (AtomicInteger.)]
      (with-server [server (fn [{:keys [uri]}]
                             (.incrementAndGet calls)
                             {:status 200 :body (if (= "/large" uri) large "small")})
                    {:event-loops 1}]
        (with-open [client (stream/small-buffers (server/server-port server))]
          (dotimes [_ 10]
            (raw/send! client (raw/get-request "/small"))
            (is (= "small" (:body (raw/read-response client)))))
          (raw/send! client (raw/get-request "/large"))
          (is (= (count large) (count (:body (raw/read-response client)))))
          (.set calls 0)
          (raw/send! client (str/join (repeat 64 (raw/get-request "/large"))))
          (is (raw/await-until #(pos? (.get calls))))
          (with-client [neighbour server]
            (raw/come-round! neighbour))
          (is (<= (.get calls) (+ 2 2)))
          (is (every? #(= (count large) (count (:body %))) (repeatedly 3 #(raw/read-response client)))))))))

(defn- unread-response!
  "A client that asks for `/large` and reads nothing; true when its handler was called, or it was refused."
  [clients server]
  (let [client (stream/small-buffers (server/server-port server))]
    (swap! clients conj client)
    (raw/send! client (raw/get-request "/large"))))

(deftest responses-that-wait-test
  (each-mode [mode]
    (doseq [engine engines/engines]
      (testing (str "clients that do not read: soon requests are refused, and served again when they have left, " engine)
        (let [large (stream/text-of (* 8 mib))]
          (with-handler [server mode (fn [{:keys [uri]}] {:status 200 :body (if (= "/large" uri) large uri)})
                         {:event-loops 1 :http1-engine engine :max-pending-response-bytes (* 16 mib)}]
            (closing
              (fn [clients]
                (is (raw/await-until
                      #(or (refused? (raw/answer server (raw/get-request "/small")))
                           (do (unread-response! clients server) false))))
                (is (< (count @clients) 40))
                (testing "also on a connection that was there before, which is kept"
                  (with-client [client server]
                    (dotimes [_ 3]
                      (raw/send! client (raw/get-request "/small"))
                      (is (refused? (raw/read-response client))))))))
            (is (raw/await-until #(= "/small" (:body (raw/answer server (raw/get-request "/small"))))))))))))

(deftest half-requests-test
  (doseq [engine engines/engines]
    (testing (str "more halves of requests than may be held: the largest are answered 503, and whole ones are served, " engine)
      (with-server [server (fn [{:keys [uri]}] {:status 200 :body uri})
                    {:event-loops 1 :http1-engine engine :max-pending-request-bytes (* 1 mib)}]
        (closing
          (fn [clients]
            (let [half (subs (raw/get-request "/" (str "X-Long: " (stream/text-of 30000))) 0 29000)]
              (dotimes [_ 200]
                (raw/send! (add-client! clients server) half)))
            (is (= "/whole" (:body (raw/answer server (raw/get-request "/whole")))))
            (let [ended (doall (for [client @clients
                                     :when (pos? (.available ^InputStream (:in client)))]
                                 (raw/read-response client)))]
              (is (<= 150 (count ended)))
              (is (every? refused? ended))
              (is (every? #(= "close" (raw/header % "connection")) ended)))))))))

(deftest half-bodies-test
  (doseq [engine engines/engines]
    (testing (str "bodies that do not come to their end are bounded too, " engine)
      (with-server [server (fn [{:keys [uri]}] {:status 200 :body uri})
                    {:event-loops 1 :http1-engine engine :max-pending-request-bytes (* 1 mib)}]
        (closing
          (fn [clients]
            (let [half (raw/head "POST / HTTP/1.1" "Host: x" "Content-Length: 60000")
                  part (stream/text-of 40000)]
              (dotimes [_ 100]
                (raw/send! (add-client! clients server) (str half part))))
            (is (= "/whole" (:body (raw/answer server (raw/post "/whole" "abc")))))
            (is (raw/await-until
                  #(<= 70 (count (filter (fn [client] (pos? (.available ^InputStream (:in client)))) @clients))))
                "the rest was answered")))))))

(deftest queued-requests-test
  (testing "requests that wait for a worker hold no more than they may; others are refused"
    (let [gate (CountDownLatch. 1)
          calls (AtomicInteger.)]
      (with-server [server (fn [{:keys [uri]}]
                             (.incrementAndGet calls)
                             (raw/await-latch gate)
                             {:status 200 :body uri})
                    {:event-loops 1 :worker-threads 1 :max-pending-request-bytes (* 1 mib)}]
        (closing
          (fn [clients]
            (let [request (raw/post "/queued" (stream/text-of 10000))
                  answered? (fn [client] (pos? (.available ^InputStream (:in client))))]
              (dotimes [_ 200]
                (raw/send! (add-client! clients server) request))
              (is (raw/await-until #(<= 90 (count (filter answered? @clients)))))
              (.countDown gate)
              ;; A refusal may still be on its way, and one of a request that a read has cut.
              (let [responses (mapv raw/read-response @clients)
                    served (filter #(= "/queued" (:body %)) responses)]
                (is (<= 10 (count served) 110))
                (is (= (count served) (.get calls)))
                (is (every? refused? (remove (set served) responses))))
              (testing "there is room again"
                (is (raw/await-until #(= "/queued" (:body (raw/answer server request)))))))))))))
