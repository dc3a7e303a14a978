(ns hinny.server-response-test
  "Responses that are none: a 500 without detail, one line in the log that says what is wrong, and a server that goes on.

  What the encoder says of each is in `hinny.response-encoder-test`; here a client asks a running server."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.log-capture :as log :refer [with-log]]
   [hinny.raw-client :as raw :refer [with-client with-server]]))

(set! *warn-on-reflection* true)

(def ^:private bad-table
  "What is wrong, the response, and what the log line must contain."
  [["nil" nil "nil"]
   ["string" "secret" "java.lang.String"]
   ["number" 200 "java.lang.Long"]
   ["vector" [200 {} "secret"] "PersistentVector"]
   ["sequence" '(200 {} "secret") "PersistentList"]
   ["function" (fn [respond] (respond {:status 200 :body "secret"})) "map"]
   ["java.util.Map" (java.util.HashMap. {:status 200 :body "secret"}) "java.util.HashMap"]
   ["no status" {:headers {} :body "secret"} ":status"]
   ["empty map" {} ":status"]
   ["status nil" {:status nil :body "secret"} ":status"]
   ["status string" {:status "200" :body "secret"} ":status"]
   ["status keyword" {:status :ok :body "secret"} ":status"]
   ["status double" {:status 200.0 :body "secret"} ":status"]
   ["status ratio" {:status 401/2 :body "secret"} ":status"]
   ["status 0" {:status 0 :body "secret"} ":status"]
   ["status -200" {:status -200 :body "secret"} ":status"]
   ["status 99" {:status 99 :body "secret"} ":status"]
   ["status 100" {:status 100 :body "secret"} ":status"]
   ["status 600" {:status 600 :body "secret"} ":status"]
   ["status that is 200 modulo 2^16" {:status 65736 :body "secret"} ":status"]
   ["status that is 200 modulo 2^32" {:status 4294967496 :body "secret"} ":status"]
   ["status beyond long" {:status 100000000000000000000N :body "secret"} ":status"]
   ["headers string" {:status 200 :headers "secret" :body "x"} ":headers"]
   ["headers vector" {:status 200 :headers [["X-A" "secret"]] :body "x"} ":headers"]
   ["headers java.util.Map" {:status 200 :headers (java.util.HashMap. {"X-A" "secret"}) :body "x"} ":headers"]
   ["header name keyword" {:status 200 :headers {:x-a "secret"}} "header name"]
   ["header name nil" {:status 200 :headers {nil "secret"}} "header name"]
   ["header name empty" {:status 200 :headers {"" "secret"}} "header name"]
   ["header name with space" {:status 200 :headers {"X A" "secret"}} "X A"]
   ["header name with colon" {:status 200 :headers {"X:" "secret"}} "X:"]
   ["header value number" {:status 200 :headers {"X-A" 12345}} "X-A"]
   ["header value nil" {:status 200 :headers {"X-A" nil}} "X-A"]
   ["header value keyword" {:status 200 :headers {"X-A" :secret}} "X-A"]
   ["header value map" {:status 200 :headers {"X-A" {"secret" "x"}}} "X-A"]
   ["header value set" {:status 200 :headers {"X-A" #{"secret"}}} "X-A"]
   ["header vector of numbers" {:status 200 :headers {"X-A" ["a" 1]}} "X-A"]
   ["header vector with nil" {:status 200 :headers {"X-A" ["secret" nil]}} "X-A"]
   ["header value with CR" {:status 200 :headers {"X-A" "a\rsecret"}} "X-A"]
   ["header value with LF" {:status 200 :headers {"X-A" "a\nsecret"}} "X-A"]
   ["header value with NUL" {:status 200 :headers {"X-A" "a\u0000secret"}} "X-A"]
   ["second of many headers" {:status 200 :headers (array-map "X-A" "a" "X-B" "b\r\nsecret" "X-C" "c")} "X-B"]
   ["known header value with LF" {:status 200 :headers {"location" "/\nsecret"}} "location"]
   ["body number" {:status 200 :body 12345} "java.lang.Long"]
   ["body keyword" {:status 200 :body :secret} "Keyword"]
   ["body map" {:status 200 :body {:secret 1}} "PersistentArrayMap"]
   ["body vector" {:status 200 :body ["secret"]} "PersistentVector"]
   ["body char array" {:status 200 :body (char-array "secret")} "char[]"]
   ["charset unknown" {:status 200 :headers {"Content-Type" "text/plain; charset=nope"} :body "secret"} "nope"]
   ["charset that is no name" {:status 200 :headers {"Content-Type" "text/plain; charset=\"a b\""} :body "secret"} "a b"]
   ["body of a bodiless status" {:status 204 :body 12345} "java.lang.Long"]])

(deftest bad-response-test
  (doseq [mode [:inline :worker]
          [what bad fragment] bad-table]
    (testing (str mode " " what)
      (with-log [events]
        (with-server [server (fn [{:keys [uri]}] (if (= "/bad" uri) bad {:status 200 :body uri})) {:handler-mode mode}]
          (with-client [client server]
            (raw/send! client (raw/get-request "/bad?password=hunter2"))
            (let [response (raw/read-response client)]
              (is (= [500 "Internal Server Error"] ((juxt :status :body) response)))
              (is (= "21" (raw/header response "content-length")))
              (is (nil? (raw/header response "x-a")))
              (is (not (str/includes? (pr-str response) "secret")) "no detail"))
            (testing "the connection goes on"
              (raw/send! client (raw/get-request "/good"))
              (is (= "/good" (:body (raw/read-response client)))))
            (testing "logged once, with what is wrong and for which request"
              (let [[event & more] (log/await-events events 1)]
                (is (= :error (:level event)))
                (is (str/includes? (:message event) "GET /bad"))
                (is (str/includes? (str (:message event)) fragment))
                (is (not (re-find #"[\p{Cntrl}]" (:message event))) "no line break from the handler's data")
                (is (not (str/includes? (:message event) "hunter2")))
                (is (empty? more))))))))))

(deftest bad-response-to-head-test
  (testing "9110 9.3.2: an error answer to HEAD has no body either"
    (doseq [mode [:inline :worker]]
      (with-log [_]
        (with-server [server (fn [{:keys [request-method]}] (when (= :get request-method) {:status 200 :body "ok"})) {:handler-mode mode}]
          (with-client [client server]
            (raw/send! client (raw/head "HEAD / HTTP/1.1" "Host: x"))
            (is (= 500 (:status (raw/read-response client {:head? true}))))
            (raw/send! client (raw/get-request "/"))
            (is (= "ok" (:body (raw/read-response client))))))))))

(deftest lazy-response-that-throws-test
  (testing "a header value that throws while it is read: logged once, with the stack"
    (doseq [mode [:inline :worker]]
      (with-log [events]
        (with-server [server (fn [{:keys [uri]}]
                               {:status 200
                                :headers {"X-A" (map #(if (= 2 %) (throw (ex-info "secret" {})) (str uri %)) (range 3))}
                                :body "x"})
                      {:handler-mode mode}]
          (let [response (raw/answer server (raw/get-request "/"))]
            (is (= [500 "Internal Server Error"] ((juxt :status :body) response)))
            (is (nil? (raw/header response "x-a"))))
          (is (= ["secret"] (map (comp ex-message :throwable) (log/await-events events 1)))))))))
