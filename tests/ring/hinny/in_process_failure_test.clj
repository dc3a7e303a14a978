(ns hinny.in-process-failure-test
  "What `hinny.test/request` tells a test that a server would only log, or never tell: exceptions, invalid responses,
  timeouts, and requests that make no sense."
  (:require
   [clojure.test :refer [are deftest is testing]]
   [hinny.server :as server]
   [hinny.test :as hinny])
  (:import
   (clojure.lang ExceptionInfo)
   (java.io File InputStream)
   (java.nio.file Files)
   (java.util.concurrent CompletableFuture CountDownLatch)
   (java.util.function Supplier)))

(set! *warn-on-reflection* true)

(defn- ok
  ([body] (ok {} body))
  ([headers body] {:status 200 :headers headers :body body}))

(defn- failure
  "Type and message of what `request` throws for a handler; the exception itself if it is none of ours."
  ([handler] (failure handler {} {}))
  ([handler request options]
   (try
     (hinny/request handler request options)
     (catch ExceptionInfo e
       (if (= "hinny.error" (some-> (:type (ex-data e)) namespace))
         [(:type (ex-data e)) (ex-message e)]
         e))
     (catch Throwable t t))))

(deftest exception-test
  (let [own (IllegalStateException. "own")
        throw-own (fn [& _] (throw own))]
    (testing "what is thrown on any way to the response is thrown to the caller"
      (are [handler options] (identical? own (failure handler {} options))
        throw-own {}
        throw-own {:async? true}
        (fn [_ _ raise] (raise own)) {:async? true}
        (fn [_ respond _] (respond (ok (map throw-own [1])))) {:async? true}
        (fn [_] (ok {"X-A" (map throw-own [1])} nil)) {}
        (fn [_] (ok (map throw-own [1]))) {}
        (fn [_] (ok (lazy-cat (repeat 100000 "x") (throw own)))) {}
        (fn [_] (ok (proxy [InputStream] [] (read ([] (throw own)) ([_] (throw own)) ([_ _ _] (throw own)))))) {}
        (fn [_] (CompletableFuture/failedFuture own)) {}
        (fn [_] (CompletableFuture/supplyAsync (reify Supplier (get [_] (throw-own))))) {}))
    (testing "an Error too"
      (is (instance? StackOverflowError (failure (fn [_] (throw (StackOverflowError.)))))))
    (testing "after the first answer nothing counts"
      (is (= "first" (:body (hinny/request (fn [_ respond raise]
                                             (respond (ok "first"))
                                             (respond (ok "second"))
                                             (raise own)
                                             (throw own))
                                           {}
                                           {:async? true})))))))

(deftest invalid-response-test
  (testing "what a server answers with 500 is an exception with the reason"
    (are [reason response] (= [:hinny.error/response-invalid reason] (failure (constantly response)))
      "response: is nil" nil
      "response :status: is missing" {:body "x"}
      "response header \"X\": value contains CR or LF" (ok {"X" "a\nb"} nil)
      "response: must be a map, is java.lang.String" "text")
    (is (= [:hinny.error/response-invalid "response: is nil"]
           (failure (fn [_ respond _] (respond nil)) {} {:async? true}))))
  (testing "a file that cannot be sent as well"
    (let [directory (str (Files/createTempDirectory "hinny" (make-array java.nio.file.attribute.FileAttribute 0)))]
      (are [path] (re-find #"cannot send the file" (second (failure (constantly (ok (File. ^String path))))))
        "/no/such/file"
        directory))))

(deftest timeout-test
  (testing "a handler that does not return"
    (let [interrupted (promise)
          thrown (try
                   (hinny/request (fn [_] (try
                                            (.await (CountDownLatch. 1))
                                            (catch InterruptedException _ (deliver interrupted true))))
                                  {}
                                  {:timeout-ms 2000})
                   (catch ExceptionInfo e e))]
      (is (= :hinny.error/timeout (:type (ex-data thrown))))
      (is (= "no complete response after 2000 ms: the handler still runs" (ex-message thrown)))
      (testing "tells where it is, and is interrupted"
        (is (some #(re-find #"CountDownLatch" (str %)) (.getStackTrace ^Throwable (ex-cause thrown))))
        (is (true? (deref interrupted 20000 false))))))
  (testing "one that never responds"
    (is (= [:hinny.error/timeout
            "no complete response after 2000 ms: the handler has returned, and nobody has called respond or ended the body"]
           (failure (fn [_ _ _]) {} {:async? true :timeout-ms 2000}))))
  (testing "an endless body, whose writer then ends"
    (is (= :hinny.error/timeout (first (failure (fn [_] (ok (map #(do (Thread/sleep 1) (str %)) (range))))
                                                {}
                                                {:timeout-ms 50})))))
  (testing "on-close learns of it"
    (let [closed (promise)]
      (failure (fn [request _ _] (server/on-close request #(deliver closed %))) {} {:async? true :timeout-ms 10})
      (is (= :timed-out (deref closed 20000 :never))))))

(deftest refusal-test
  (testing "a request or option that makes no sense is refused"
    (are [type-name request options] (= type-name (first (failure (constantly (ok nil)) request options)))
      :hinny.error/request-invalid {:body 1} {}
      :hinny.error/request-invalid {:uri "a"} {}
      :hinny.error/request-invalid {:headers {:a "b"}} {}
      :hinny.error/request-invalid {:headers {"a" ["b"]}} {}
      :hinny.error/option-unknown {} {:timeout 1})))
