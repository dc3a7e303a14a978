(ns hinny.continue-wire-test
  "Expect: 100-continue (RFC 9110 section 10.1.1): the client is asked for its body when the handler first reads it, and
  not before."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client]]
   [hinny.raw-stream :as stream])
  (:import
   (java.io InputStream)
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(def ^:private heads
  "The two ways to announce a body of ten bytes, and those bytes."
  {:sized [(stream/sized-head "/" 10 "Expect: 100-continue") "0123456789"]
   :chunked [(stream/chunked-head "/" "expect: 100-Continue") (str (stream/chunk-of "0123456789") stream/last-chunk)]})

(defn- continue?
  "Whether the next response is 100 Continue, and nothing but that."
  [client]
  (let [{:keys [status headers]} (stream/read-head client)]
    (= [100 []] [status headers])))

(deftest asked-at-the-first-read-test
  (each-mode [mode modes/may-block?]
    (doseq [[framing [head body]] heads]
      (testing (str framing)
        (let [called (CountDownLatch. 1)
              gate (CountDownLatch. 1)]
          (with-handler [server mode (fn [{:keys [^InputStream body]}]
                                       (.countDown called)
                                       (raw/await-latch gate)
                                       {:status 200 :body (slurp body)})]
            (with-client [client server]
              (raw/send! client head)
              (is (raw/await-latch called))
              (testing "not while the handler has not read: the server does something else first"
                (is (= 200 (:status (with-client [other server]
                                      (.countDown gate)
                                      (raw/send! other (raw/get-request "/"))
                                      {:status 200}))))
                (is (continue? client)))
              (raw/send! client body)
              (is (= "0123456789" (:body (stream/read-any client))))
              (testing "once, and the connection goes on"
                (raw/send! client (str head))
                (is (continue? client))
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
            (let [response (stream/read-head client)
                  response (if (= 100 (:status response)) (stream/read-any client) (assoc response :body (:body response)))]
              (is (= 200 (:status response))))))))))

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
    (testing "an inline or async handler whose read asks for the body on the loop"
      (with-handler [server mode (fn [{:keys [body]}]
                                   {:status 200 :body (try (slurp body) (catch java.io.IOException e (.getMessage e)))})]
        (with-client [client server]
          (raw/send! client (first (:sized heads)))
          (let [response (stream/read-head client)]
            ;; Inline handlers of such requests run on a worker; only an async one is on the loop.
            (is (contains? #{100 200} (:status response)))))))))
