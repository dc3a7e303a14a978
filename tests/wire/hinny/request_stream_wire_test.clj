(ns hinny.request-stream-wire-test
  "Request bodies that arrive while they are read, and what goes wrong with them: too large, malformed, stalled, broken
  off, never read.

  Each row names the section that asks for it: 9110 and 9112 are RFCs. What comes before `Expect: 100-continue` is in
  `hinny.continue-wire-test`, how a handler reads in `hinny.request-body-test`."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.log-capture :refer [with-log]]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.raw-stream :as stream])
  (:import
   (java.io IOException InputStream)
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private inline-bytes
  "For :inline-body-bytes."
  1000)

(defn- framed
  "A request whose body is `text`, sized or in chunks of at most 700 bytes."
  [framing target text & lines]
  (case framing
    :sized (apply raw/post target text lines)
    :chunked (str (apply stream/chunked-head target lines)
                  (str/join (map (comp stream/chunk-of str/join) (partition-all 700 text)))
                  stream/last-chunk)))

(deftest around-the-inline-limit-test
  (each-mode [mode modes/may-block?]
    (doseq [framing [:sized :chunked]
            length [0 1 (dec inline-bytes) inline-bytes (inc inline-bytes) 5000 300000]]
      (testing (str "9112 6: a body of " length " bytes, " framing)
        (with-handler [server mode raw/echo-body {:inline-body-bytes inline-bytes}]
          (with-client [client server]
            (dotimes [_ 2]
              (let [text (stream/text-of length)
                    sending (future (raw/send! client (framed framing "/" text)))]
                (is (= text (:body (stream/read-any client))))
                (is (not= :hung (deref sending raw/guard-ms :hung)))))))))))

(deftest read-as-it-arrives-test
  (each-mode [mode modes/may-block?]
    (doseq [[framing head piece end] [[:chunked (stream/chunked-head "/") stream/chunk-of stream/last-chunk]
                                      [:sized (stream/sized-head "/" 15) identity ""]]]
      (testing (str "9112 6: the handler has a piece while the next one is not sent, " framing)
        (let [seen (java.util.concurrent.LinkedBlockingQueue.)]
          (with-handler [server mode (fn [{:keys [^InputStream body]}]
                                       (dotimes [_ 3]
                                         (.add seen (raw/text (.readNBytes body 5))))
                                       {:status 200 :body (str (.read body))})
                         {:inline-body-bytes 0}]
            (with-client [client server]
              (raw/send! client head)
              (doseq [text ["first" "secon" "third"]]
                (raw/send! client (piece text))
                (is (= text (.poll seen raw/guard-ms java.util.concurrent.TimeUnit/MILLISECONDS))))
              (raw/send! client end)
              (is (= "-1" (:body (stream/read-any client)))))))))))

(deftest echo-while-it-arrives-test
  (each-mode [mode]
    (testing "9112 9.3: a response may begin before its request ends"
      (with-handler [server mode (fn [{:keys [body]}] {:status 200 :body body}) {:inline-body-bytes 0}]
        (with-client [client server]
          (raw/send! client (stream/chunked-head "/"))
          (doseq [text ["first" "second" (stream/text-of 20000)]]
            (raw/send! client (stream/chunk-of text))
            (when (= "first" text)
              (is (= 200 (:status (stream/read-head client)))))
            (is (= text (loop [got ""]
                          (if (< (count got) (count text))
                            (recur (str got (stream/read-chunk client)))
                            got)))))
          (raw/send! client stream/last-chunk)
          (is (= "" (stream/read-chunk client)))
          (raw/send! client (raw/post "/" "next"))
          (is (= "next" (:body (stream/read-any client))) "the connection goes on"))))))

(deftest early-response-test
  (each-mode [mode]
    (testing "9112 9.3: an answer while the client is still sending; the client may go on and use the connection again"
      (with-handler [server mode (fn [{:keys [uri]}] {:status 200 :body uri}) {:inline-body-bytes 0}]
        (with-client [client server]
          (raw/send! client (str (stream/sized-head "/early" 10) "abc"))
          (is (= "/early" (:body (raw/read-response client))))
          (raw/send! client (str "defghij" (raw/get-request "/next")))
          (is (= "/next" (:body (raw/read-response client)))))))))

(deftest never-read-test
  (each-mode [mode]
    (doseq [framing [:sized :chunked]
            [length kept?] [[5000 true] [9000 true] [400000 false]]]
      (testing (str "9112 9.3: " length " bytes, " framing ", that the handler never reads, "
                    (if kept? "within" "beyond") " :max-unread-body-bytes")
        (with-handler [server mode (fn [{:keys [uri]}] {:status 200 :body uri})
                       {:inline-body-bytes 100 :max-unread-body-bytes 10000}]
          (with-client [client server]
            (let [sending (future
                            (try
                              (raw/send! client (str (framed framing "/unread" (stream/text-of length)) (raw/get-request "/next")))
                              (catch IOException closed closed)))]
              (is (= "/unread" (:body (raw/read-response client))))
              (if kept?
                (is (= "/next" (:body (raw/read-response client))))
                (is (contains? #{:eof :reset} (raw/end-of client)) "the rest is no request"))
              (is (not= :hung (deref sending raw/guard-ms :hung))))))))))

(deftest unread-body-does-not-start-the-clock-of-the-next-request-test
  (each-mode [mode]
    (testing "9110 15.5.9: the rest of a body that nobody read is no beginning of the next head"
      (with-handler [server mode (fn [{:keys [uri]}] {:status 200 :body uri})
                     {:inline-body-bytes 100 :turned-clock? true}]
        (with-client [client server]
          (raw/send! client (raw/post "/unread" (stream/text-of 20000)))
          (is (= "/unread" (:body (raw/read-response client))))
          (is (raw/await-taken client))
          (raw/pass! server 40000)
          (is (raw/pass-until-heard! server 5000 client))
          (is (raw/eof? client) "closed when it was idle for too long, without a 408"))))))

(defn- reading
  "A handler that reads all and delivers how that ended: the number of bytes or the exception."
  [outcome]
  (fn [{:keys [uri ^InputStream body]}]
    (if (= "/read" uri)
      (do (deliver outcome (try
                             (alength (.readAllBytes body))
                             (catch IOException failure failure)))
          {:status 200 :body "read"})
      {:status 200 :body uri})))

(def ^:private failure-table
  "Section, the options, what is sent, what the client does then, the status it reads or nil, and a word of the exception."
  [["9110 15.5.14 beyond :max-body-bytes" {:max-body-bytes 3000}
    (str (stream/chunked-head "/read") (stream/chunk-of (stream/text-of 2000)) (stream/chunk-of (stream/text-of 2000)))
    nil 413 ":max-body-bytes"]
   ["9112 7.1 malformed chunk" {}
    (str (stream/chunked-head "/read") (stream/chunk-of (stream/text-of 2000)) "nonsense\r\n")
    nil 400 "malformed"]
   ["9110 15.5.9 the client stalls, sized" {:turned-clock? true}
    (str (stream/sized-head "/read" 5000) (stream/text-of 2000))
    :stall 408 "too long"]
   ["9110 15.5.9 the client stalls, chunked" {:turned-clock? true}
    (str (stream/chunked-head "/read") (stream/chunk-of (stream/text-of 2000)))
    :stall 408 "too long"]
   ["9112 8 the client leaves, sized" {} (str (stream/sized-head "/read" 5000) (stream/text-of 2000)) :leave nil "gone"]
   ["9112 8 the client leaves, chunked" {} (str (stream/chunked-head "/read") (stream/chunk-of (stream/text-of 2000))) :leave nil "gone"]])

(deftest failing-body-test
  (each-mode [mode modes/may-block?]
    (doseq [[section options request then status word] failure-table
            inline-body-bytes [0 1000]]
      (testing (str section ", :inline-body-bytes " inline-body-bytes)
        (with-log [_]
          (let [outcome (promise)]
            (with-handler [server mode (reading outcome) (assoc options :inline-body-bytes inline-body-bytes)]
              (with-client [client server]
                (raw/send! client request)
                (when (= :stall then)
                  (is (raw/await-taken client))
                  (is (raw/pass-until-heard! server 40000 client)))
                (if (= :leave then)
                  (raw/finish! client)
                  (let [response (raw/read-response client)]
                    (is (= status (:status response)))
                    (is (= "close" (raw/header response "connection")))))
                (let [failure (deref outcome raw/guard-ms :hung)]
                  (testing "the handler's read throws"
                    (is (instance? IOException failure))
                    (is (str/includes? (str (some-> ^Throwable failure .getMessage)) word))))
                (when-not (= :leave then)
                  (raw/finish! client))
                (is (contains? #{:eof :reset} (raw/end-of client))))
              (is (= "/other" (:body (raw/answer server (raw/get-request "/other"))))))))))))

(deftest announced-length-test
  (each-mode [mode]
    (testing "9110 15.5.14: a length beyond :max-body-bytes is refused before the handler is called"
      (let [called (atom 0)]
        (with-handler [server mode (fn [_] (swap! called inc) {:status 200}) {:max-body-bytes 5000 :inline-body-bytes 100}]
          (with-client [client server]
            (raw/send! client (stream/sized-head "/" 5001))
            (is (= 413 (:status (raw/read-response client))))
            (is (raw/eof? client)))
          (is (= 0 @called)))))))

(deftest failure-after-the-answer-test
  (testing "9112 8: a body that goes wrong after the response has begun ends the connection, not the server"
    (doseq [[what rest-of-it] [["malformed" "nonsense\r\n"] ["too large" (stream/chunk-of (stream/text-of 5000))]]]
      (testing what
        (with-log [_]
          (let [begun (CountDownLatch. 1)]
            (with-server [server (fn [{:keys [uri body]}]
                                   (if (= "/other" uri)
                                     {:status 200 :body uri}
                                     {:status 200 :body body}))
                          {:inline-body-bytes 0 :max-body-bytes 3000}]
              (with-client [client server]
                (raw/send! client (str (stream/chunked-head "/") (stream/chunk-of "first")))
                (is (= 200 (:status (stream/read-head client))))
                (is (= "first" (stream/read-chunk client)))
                (.countDown begun)
                (raw/send! client rest-of-it)
                (is (nil? (last (stream/read-chunks client))) "no last chunk"))
              (is (= "/other" (:body (raw/answer server (raw/get-request "/other"))))))))))))
