(ns hinny.collected-body-wire-test
  "A body of ordinary size arrives without a handler, however slowly, as long as there is room for it; beyond that it
  arrives while it is read.

  Whether a body came whole can be told by the thread of an inline handler: one whose body is still arriving runs on a
  worker."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.server :as server])
  (:import
   (java.io Closeable InputStream)
   (java.util.concurrent CountDownLatch)
   (java.util.concurrent.atomic AtomicInteger)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(defn- on-loop? []
  (str/starts-with? (.getName (Thread/currentThread)) "hinny-loop-"))

(defn- whole-or-streamed
  "Answers with how the body came, and its length."
  [{:keys [^InputStream body]}]
  (let [how (if (on-loop?) "whole" "streamed")]
    {:status 200 :body (str how " " (if body (alength (.readAllBytes body)) "-"))}))

(defn- sized [length]
  (raw/post "/" (str/join (repeat length "b"))))

(defn- chunked-of [length]
  (str (raw/head "POST / HTTP/1.1" "Host: x" "Transfer-Encoding: chunked")
       (apply raw/chunked (map str/join (partition-all 50000 (repeat length "b"))))))

(deftest how-a-body-comes-test
  (doseq [[options length expected] [[nil 65536 "whole 65536"]
                                     [nil 65537 "whole 65537"]
                                     [nil 1000000 "whole 1000000"]
                                     [nil 1048577 "streamed 1048577"]
                                     [{:inline-body-bytes 100000} 100000 "whole 100000"]
                                     [{:inline-body-bytes 100000} 100001 "streamed 100001"]
                                     [{:body-buffer-bytes 0} 65536 "whole 65536"]
                                     [{:body-buffer-bytes 0} 200000 "streamed 200000"]
                                     [{:body-buffer-bytes 300000} 200000 "whole 200000"]
                                     [{:body-buffer-bytes 300000} 500000 "streamed 500000"]]]
    (testing (str options ", a body of " length " bytes")
      (with-server [server whole-or-streamed (merge {:handler-mode :inline :event-loops 1} options)]
        (with-client [client server]
          (dotimes [_ 3]
            (raw/send! client (sized length))
            (is (= expected (:body (raw/read-response client)))))
          (raw/send! client (chunked-of length))
          (let [body (str (:body (raw/read-response client)))]
            (is (str/ends-with? body (str " " length)))
            (when (< 200000 length 1000000)
              (is (= expected body) "in chunks"))))))))

(deftest room-is-given-back-test
  (testing "what bodies have taken of :body-buffer-bytes is there again, however they ended"
    (with-server [server whole-or-streamed {:handler-mode :inline :event-loops 1 :body-buffer-bytes 1000000}]
      (dotimes [n 5]
        (with-client [leaver server]
          (raw/send! leaver (subs (sized 900000) 0 (+ 500000 n)))
          (is (raw/await-taken leaver)))
        (with-client [client server]
          (is (raw/await-until #(do (raw/send! client (sized 900000))
                                    (= "whole 900000" (:body (raw/read-response client)))))))))))

(deftest slow-bodies-have-no-handler-test
  (testing "bodies of ordinary size that do not come to their end"
    (let [called (AtomicInteger.)
          handler (fn [{:keys [^InputStream body uri]}]
                    (when body
                      (.incrementAndGet called))
                    {:status 200 :body (if body (str (alength (.readAllBytes body))) uri)})]
      (with-server [server handler {:worker-threads 2 :stream-threads 1 :event-loops 1}]
        (let [clients (vec (repeatedly 100 #(raw/connect (server/server-port server))))
              request (sized 300000)]
          (try
            (run! #(raw/send! % (subs request 0 100000)) clients)
            (is (every? raw/await-taken clients))
            (is (= "/plain" (:body (raw/answer server (raw/get-request "/plain")))))
            (is (= 0 (.get called)) "no handler waits for them")
            (is (= 0 (:exchanges-open (server/server-metrics server))))
            (raw/send! (first clients) (subs request 100000))
            (is (= "300000" (:body (raw/read-response (first clients)))))
            (finally (run! #(.close ^Closeable %) clients))))))))

(deftest crowded-server-test
  (testing "where there is no room, bodies are streamed, and what was collected comes first"
    (let [there (CountDownLatch. 1)
          handler (fn [{:keys [^InputStream body]}]
                    (let [begin (String. (.readNBytes body 10))]
                      (.countDown there)
                      {:status 200 :body (str begin " " (+ 10 (alength (.readAllBytes body))))}))]
      (with-server [server handler {:event-loops 1 :body-buffer-bytes 100000}]
        (with-client [client server]
          (let [request (raw/post "/" (str "0123456789" (str/join (repeat 299990 "b"))))]
            (raw/send! client (subs request 0 200000))
            (is (raw/await-latch there) "the handler runs before the body has arrived")
            (raw/send! client (subs request 200000))
            (is (= "0123456789 300000" (:body (raw/read-response client))))))))))
