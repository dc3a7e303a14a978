(ns hinny.server-failure-test
  "Handlers that throw: a 500 without detail, one event in the log with the stack, and a server that goes on.

  Every case runs in both handler modes, on one event loop and one worker, so that what a failure leaves behind meets the
  next request."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.log-capture :as log :refer [with-log]]
   [hinny.raw-client :as raw :refer [with-client with-server]])
  (:import
   (clojure.lang ExceptionInfo)))

(set! *warn-on-reflection* true)

(def ^:private modes [:inline :worker])

(defn- get-from
  "The response to GET of `target`."
  [server target]
  (raw/answer server (raw/get-request target)))

(defn- overflow [n]
  (inc (long (overflow (inc (long n))))))

(def ^:private throwing-table
  "What is thrown, how, and its class."
  [["exception" #(throw (IllegalStateException. "secret")) IllegalStateException]
   ["checked exception" #(throw (java.io.IOException. "secret")) java.io.IOException]
   ["ex-info" #(throw (ex-info "secret" {:secret 1})) ExceptionInfo]
   ["exception without message" #(throw (RuntimeException.)) RuntimeException]
   ["error" #(throw (Error. "secret")) Error]
   ["failed assertion" #(assert (= 1 2) "secret") AssertionError]
   ["stack overflow" #(overflow 0) StackOverflowError]
   ["link error" #(throw (NoClassDefFoundError. "secret")) NoClassDefFoundError]
   ["memory" #(throw (OutOfMemoryError. "secret")) OutOfMemoryError]
   ["interruption" #(throw (InterruptedException. "secret")) InterruptedException]
   ["interrupt flag left set" #(do (.interrupt (Thread/currentThread)) (throw (RuntimeException. "secret"))) RuntimeException]])

(deftest throwing-handler-test
  (doseq [mode modes
          [what throw! expected] throwing-table]
    (testing (str mode " " what)
      (with-log [events]
        (with-server [server (fn [{:keys [uri]}]
                               (if (= "/throw" uri)
                                 (throw!)
                                 {:status 200 :body "ok"}))
                      {:handler-mode mode :event-loops 1 :worker-threads 1}]
          (with-client [client server]
            (raw/send! client (raw/get-request "/throw?password=hunter2"))
            (let [response (raw/read-response client)]
              (is (= [500 "Internal Server Error"] ((juxt :status :body) response)))
              (is (not (str/includes? (pr-str response) "secret")) "no detail"))
            (testing "logged once, with the stack"
              (let [[event & more] (log/await-events events 1)]
                (is (= :error (:level event)))
                (is (str/includes? (:message event) "GET /throw"))
                (is (not (str/includes? (:message event) "hunter2")))
                (is (instance? expected (:throwable event)))
                (is (empty? more))))
            (testing "the connection and the server go on"
              (dotimes [_ 3]
                (raw/send! client (raw/get-request "/"))
                (is (= "ok" (:body (raw/read-response client)))))
              (is (= "ok" (:body (get-from server "/"))))
              (is (= 1 (count (log/events events)))))))))))

(deftest unprintable-exception-test
  (testing "an exception that cannot be logged, since its own message throws, is a 500 all the same"
    (doseq [mode modes]
      (with-server [server (fn [{:keys [uri]}]
                             (if (= "/throw" uri)
                               (throw (proxy [RuntimeException] []
                                        (getMessage [] (throw (IllegalStateException. "secret")))))
                               {:status 200 :body uri}))
                    {:handler-mode mode :event-loops 1 :worker-threads 1}]
        (with-client [client server]
          (raw/send! client (raw/get-request "/throw"))
          (is (= [500 "Internal Server Error"] ((juxt :status :body) (raw/read-response client))))
          (raw/send! client (raw/get-request "/next"))
          (is (= "/next" (:body (raw/read-response client)))))))))

(deftest interrupt-flag-does-not-leak-test
  (testing "a handler that leaves its thread interrupted harms no later one"
    (doseq [mode modes]
      (with-server [server (fn [{:keys [uri]}]
                             (let [interrupted (Thread/interrupted)]
                               (when (= "/interrupt" uri)
                                 (.interrupt (Thread/currentThread)))
                               {:status 200 :body (str interrupted)}))
                    {:handler-mode mode :event-loops 1 :worker-threads 1}]
        (dotimes [_ 3]
          (is (= "false" (:body (get-from server "/interrupt"))))
          (is (= "false" (:body (get-from server "/")))))))))

(deftest failures-among-pipelined-requests-test
  (testing "each request has its own answer, in order"
    (doseq [mode modes]
      (with-log [events]
        (with-server [server (fn [{:keys [uri]}]
                               (case uri
                                 "/throw" (throw (RuntimeException. "secret"))
                                 "/nil" nil
                                 {:status 200 :body uri}))
                      {:handler-mode mode}]
          (with-client [client server]
            (raw/send! client (str/join (map raw/get-request ["/a" "/throw" "/b" "/nil" "/c"])))
            (is (= ["/a" "Internal Server Error" "/b" "Internal Server Error" "/c"]
                   (doall (repeatedly 5 #(:body (raw/read-response client))))))
            (is (= 2 (count (log/await-events events 2))))))))))
