(ns hinny.continue-wire-test
  "Expect: 100-continue (RFC 9110 section 10.1.1): the client is asked for its body when the handler first reads it, and
  not before."
  (:require
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client]]
   [hinny.raw-stream :as stream])
  (:import
   (hinny.raw_client Client)
   (java.io IOException InputStream)
   (java.util.concurrent LinkedBlockingQueue Semaphore TimeUnit)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private heads
  "The two ways to announce a body of ten bytes, and those bytes."
  {:sized [(stream/sized-head "/" 10 "Expect: 100-continue") "0123456789"]
   :chunked [(stream/chunked-head "/" "expect: 100-Continue") (str (stream/chunk-of "0123456789") stream/last-chunk)]})

(defn- continue?
  "Whether the next response is 100 Continue, and nothing but that."
  [client]
  (let [{:keys [status headers]} (stream/read-head client)]
    (= [100 []] [status headers])))

(defn- nothing-came?
  "Whether the one loop of `server` has sent `client` nothing of what it could have sent: it has answered others since."
  [server ^Client client]
  (dotimes [_ 2]
    (raw/answer server (raw/head "GET / HTTP/1.1")))
  (zero? (.available ^InputStream (.-in client))))

(deftest asked-at-the-first-read-test
  (each-mode [mode modes/may-block?]
    (doseq [[framing [head body]] heads]
      (testing (str framing)
        (let [called (LinkedBlockingQueue.)
              gate (Semaphore. 0)]
          (with-handler [server mode (fn [{:keys [^InputStream body]}]
                                       (.add called :called)
                                       (.tryAcquire gate raw/guard-ms TimeUnit/MILLISECONDS)
                                       {:status 200 :body (slurp body)})
                         {:event-loops 1}]
            (with-client [client server]
              (dotimes [_ 2]
                (raw/send! client head)
                (is (= :called (.poll called raw/guard-ms TimeUnit/MILLISECONDS)))
                (is (nothing-came? server client) "not while the handler has not read")
                (.release gate)
                (is (continue? client))
                (is (nothing-came? server client) "once")
                (raw/send! client body)
                (is (= "0123456789" (:body (stream/read-any client))))))))))))

(deftest answered-without-reading-test
  (each-mode [mode]
    (doseq [[framing [head _]] heads
            status [200 401]]
      (testing (str "a final response without a read: no 100, and whatever the client sends next is not misread, " framing " " status)
        (with-handler [server mode (fn [{:keys [uri]}] {:status status :body uri})]
          (testing "a client that then sends no body"
            (with-client [client server]
              (raw/send! client head)
              (let [response (raw/read-response client)]
                (is (= [status "/"] ((juxt :status :body) response)) "and not 100")
                (is (= "close" (raw/header response "connection")) "9112 9.6: it is told that no request can follow"))
              (is (raw/eof? client)))))))))

(deftest body-that-comes-unasked-test
  (each-mode [mode modes/may-block?]
    (doseq [[framing [head body]] heads]
      (testing (str "9110 10.1.1: a client need not wait, " framing)
        (with-handler [server mode (fn [{:keys [body]}] {:status 200 :body (slurp body)})]
          (with-client [client server]
            (raw/send! client (str head body))
            (let [response (stream/read-any client)]
              (is (= "0123456789" (:body (if (= 100 (:status response))
                                           (stream/read-any client)
                                           response)))))))))))

(deftest nothing-to-ask-for-test
  (each-mode [mode]
    (testing "9110 10.1.1: no 100 where there is no body, nor in HTTP/1.0"
      (with-handler [server mode (fn [{:keys [body]}] {:status 200 :body (str (some-> body slurp))})]
        (with-client [client server]
          (raw/send! client (raw/post "/" "" "Expect: 100-continue"))
          (is (= [200 ""] ((juxt :status :body) (raw/read-response client))))
          (raw/send! client (raw/get-request "/" "Expect: 100-continue"))
          (is (= [200 ""] ((juxt :status :body) (raw/read-response client))))))))
  (each-mode [mode modes/may-block?]
    (testing "9110 10.1.1: nor in HTTP/1.0, whose clients do not know it"
      (with-handler [server mode (fn [{:keys [body]}] {:status 200 :body (slurp body)})]
        (with-client [client server]
          (raw/send! client (str (raw/head "POST / HTTP/1.0" "Content-Length: 3" "Expect: 100-continue") "abc"))
          (is (= [200 "abc"] ((juxt :status :body) (stream/read-any client)))))))))

(deftest read-on-the-loop-test
  (each-mode [mode (complement modes/may-block?)]
    (testing "a read on the loop: an inline handler is on a worker then and gets its body; an async one must not wait, and nobody asks"
      (with-handler [server mode (fn [{:keys [body]}]
                                   {:status 200 :body (try (slurp body) (catch IOException _ "told"))})]
        (with-client [client server]
          (raw/send! client (first (:sized heads)))
          (if (= :inline (get-in mode [:options :handler-mode]))
            (do (is (continue? client))
                (raw/send! client (second (:sized heads)))
                (is (= "0123456789" (:body (raw/read-response client)))))
            (let [response (raw/read-response client)]
              (is (= "told" (:body response)))
              (is (= "close" (raw/header response "connection")))
              (is (raw/eof? client)))))))))
