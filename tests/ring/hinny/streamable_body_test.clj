(ns hinny.streamable-body-test
  "Response bodies of users' own types, `hinny.protocols/StreamableResponseBody`, in every mode: what they are given, what
  they may do with the stream, and what becomes of those that fail. Ring's protocol is in `hinny.ring-protocol-test`."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.log-capture :as log :refer [with-log]]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.protocols :as protocols]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (java.io ByteArrayInputStream IOException OutputStream)
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(defn- write! [^OutputStream out text]
  (.write out (raw/latin1 text)))

;; The three ways to give a type the protocol.

(deftype Inline [f]
  protocols/StreamableResponseBody
  (write-body-to-stream [_ response out] (f response out)))

(defrecord Page [title])

(extend-type Page
  protocols/StreamableResponseBody
  (write-body-to-stream [page response out]
    (write! out (str (:title page) " for " (:status response)))
    (.close ^OutputStream out)))

(defn- with-metadata [f]
  (with-meta {:by :metadata} {`protocols/write-body-to-stream (fn [_ response out] (f response out))}))

;; An InputStream that is also a user's own type.
(defn- own-input-stream []
  (proxy [ByteArrayInputStream hinny.protocols.StreamableResponseBody] [(raw/latin1 "as a stream")]
    (write_body_to_stream [_ out]
      (write! out "as its own type")
      (.close ^OutputStream out))))

(deftest ways-to-extend-test
  (each-mode [mode]
    (doseq [[what make expected] [["a type that implements it" #(->Inline (fn [_ ^OutputStream out] (write! out "a") (.close out))) "a"]
                                  ["a record that it is extended to" #(->Page "page") "page for 200"]
                                  ["an InputStream that implements it: wins" own-input-stream "as its own type"]]]
      (testing (str "S " what)
        (with-handler [server mode (fn [_] {:status 200 :body (make)})]
          (with-client [client server]
            (dotimes [_ 2]
              (raw/send! client (raw/get-request "/"))
              (is (= [200 expected] ((juxt :status :body) (stream/read-any client)))))))))))

(deftest metadata-is-no-extension-test
  (testing "Ring's protocol does not extend via metadata, so this one does not either: a map is no body"
    (with-log [_]
      (with-server [server (fn [_] {:status 200 :body (with-metadata (fn [_ out] (write! out "a")))}) nil]
        (is (= 500 (:status (raw/answer server (raw/get-request "/")))))))))

(deftest whole-response-test
  (each-mode [mode]
    (testing "S it is given the whole response, as the handler made it"
      (let [seen (promise)
            response {:status 201 :headers {"X-A" ["1" "2"] "Content-Type" "text/plain; charset=x"} :session {:a 1}}]
        (with-handler [server mode (fn [_] (assoc response :body (->Inline (fn [given ^OutputStream out]
                                                                             (deliver seen given)
                                                                             (.close out)))))]
          (is (= 201 (:status (stream/ask server (raw/get-request "/")))))
          (is (= response (dissoc (deref seen raw/guard-ms nil) :body)))
          (is (instance? Inline (:body @seen))))))))

(deftest any-write-test
  (each-mode [mode]
    (testing "S single bytes, parts of arrays, nothing, and more than any buffer"
      (let [large (stream/text-of 100000)]
        (with-handler [server mode (fn [_]
                                     {:status 200
                                      :body (->Inline (fn [_ ^OutputStream out]
                                                        (.write out 97)
                                                        (.write out (raw/latin1 "xxbcxx") 2 2)
                                                        (.write out (byte-array 0))
                                                        (.write out (int 0x164))
                                                        (write! out large)
                                                        (.close out)))})]
          (is (= (str "abcd" large) (:body (stream/ask server (raw/get-request "/"))))))))
    (testing "S what lies outside of an array is refused and does no harm"
      (let [thrown (promise)]
        (with-handler [server mode (fn [_]
                                     {:status 200
                                      :body (->Inline (fn [_ ^OutputStream out]
                                                        (deliver thrown (try
                                                                          (.write out (byte-array 3) 2 2)
                                                                          (catch IndexOutOfBoundsException e e)))
                                                        (write! out "a")
                                                        (.close out)))})]
          (is (= "a" (:body (stream/ask server (raw/get-request "/")))))
          (is (instance? IndexOutOfBoundsException @thrown)))))))

(deftest closed-stream-test
  (each-mode [mode]
    (testing "S closed twice: no harm; written or flushed after close: IOException, and nothing of it is sent"
      (let [after-close (promise)]
        (with-handler [server mode (fn [_]
                                     {:status 200
                                      :body (->Inline (fn [_ ^OutputStream out]
                                                        (write! out "a")
                                                        (.close out)
                                                        (.close out)
                                                        (deliver after-close
                                                                 (mapv #(try (%) :nothing (catch IOException _ :thrown))
                                                                       [(fn [] (write! out "b")) (fn [] (.write out 98)) (fn [] (.flush out))
                                                                        (fn [] (.close out))]))))})]
          (with-client [client server]
            (raw/send! client (str (raw/get-request "/") (raw/get-request "/")))
            (dotimes [_ 2]
              (is (= "a" (:body (stream/read-any client)))))
            (is (= [:thrown :thrown :thrown :nothing] (deref after-close raw/guard-ms nil)))))))))

(deftest left-open-test
  (each-mode [mode #(contains? #{:worker :inline} (get-in % [:options :handler-mode] :worker))]
    (testing "S the response of a sync handler ends when its body's writer returns, closed or not"
      (let [kept (promise)]
        (with-handler [server mode (fn [_] {:status 200 :body (->Inline (fn [_ out] (write! out "a") (deliver kept out)))})]
          (with-client [client server]
            (dotimes [_ 2]
              (raw/send! client (raw/get-request "/"))
              (is (= "a" (:body (stream/read-any client)))))
            (is (thrown? IOException (write! @kept "b")))))))))

(deftest written-on-by-another-thread-test
  (each-mode [mode #(= :async (get-in % [:options :handler-mode]))]
    (testing "S an async handler's body may be written on by another thread when the writer has returned"
      (let [returned (CountDownLatch. 1)]
        (with-handler [server mode (fn [_]
                                     {:status 200
                                      :body (->Inline (fn [_ ^OutputStream out]
                                                        (modes/on-thread #(do
                                                                            (raw/await-latch returned)
                                                                            (doseq [text ["a" "b"]]
                                                                              (write! out text)
                                                                              (.flush out))
                                                                            (.close out)))))})]
          (with-client [client server]
            (raw/send! client (raw/get-request "/"))
            ;; The writer has returned when another exchange has gone through the one worker.
            (is (raw/await-until #(= 1 (:exchanges-open (server/server-metrics server)))))
            (.countDown returned)
            (is (= ["a" "b"] (do (stream/read-head client) (stream/read-chunks client))))
            (is (raw/await-until #(zero? (:exchanges-open (server/server-metrics server)))))
            (raw/send! client (raw/get-request "/"))
            (is (= "ab" (:body (stream/read-any client))) "the connection goes on")))))))

(def ^:private failing-table
  "What the body does before it throws, and the status, body and whether it is cut."
  [["nothing" (fn [_]) 500 "Internal Server Error" false]
   ["writes" #(write! % "secret") 500 "Internal Server Error" false]
   ["flushes" (fn [^OutputStream out] (.flush out)) 200 "" true]
   ["writes and flushes" (fn [^OutputStream out] (write! out "a") (.flush out)) 200 "a" true]
   ["closes" (fn [^OutputStream out] (write! out "a") (.close out)) 200 "a" false]])

(deftest failing-body-test
  (each-mode [mode]
    (doseq [[what f status body cut?] failing-table
            ^Throwable thrown [(IOException. "secret") (AssertionError. "secret")]]
      (testing (str "M18 a body that " what " and throws " (class thrown))
        (with-log [events]
          (with-handler [server mode (fn [{:keys [uri]}]
                                       {:status 200
                                        :body (if (= "/next" uri)
                                                "next"
                                                (->Inline (fn [_ out] (f out) (throw thrown))))})]
            (with-client [client server]
              (raw/send! client (raw/get-request "/?hunter2"))
              (let [response (stream/read-any client)]
                (is (= [status body cut?] ((juxt :status :body :cut?) response))))
              (testing "logged once"
                (let [{:keys [level message throwable]} (log/await-event events)]
                  (is (= [:error thrown] [level throwable]))
                  (is (not (str/includes? message "hunter2")))))
              (when-not cut?
                (raw/send! client (raw/get-request "/next"))
                (is (= "next" (:body (stream/read-any client))) "the connection goes on")))
            (is (raw/await-until #(zero? (:exchanges-open (server/server-metrics server))))))
          (is (= [] (log/events events))))))))

(deftest not-wanted-test
  (each-mode [mode]
    (doseq [[what request response] [["HEAD" (raw/head "HEAD / HTTP/1.1" "Host: x") {:status 200}]
                                     ["204" (raw/get-request "/") {:status 204}]
                                     ["304" (raw/get-request "/") {:status 304}]]]
      (testing (str "M12 a body that nobody would see is not produced: " what)
        (let [called (atom 0)]
          (with-handler [server mode (fn [_] (assoc response :body (->Inline (fn [_ _] (swap! called inc)))))]
            (with-client [client server]
              (dotimes [_ 2]
                (raw/send! client request)
                (is (= (:status response) (:status (stream/read-any client {:head? (str/starts-with? request "HEAD")})))))))
          (is (= 0 @called)))))))

(deftest write-after-client-left-test
  (each-mode [mode]
    (testing "S every write throws soon after the client has left, and the body is done with"
      (with-log [events]
        (let [begun (CountDownLatch. 1)
              outcome (promise)]
          (with-handler [server mode (fn [_]
                                       {:status 200
                                        :body (->Inline (fn [_ ^OutputStream out]
                                                          (write! out "a")
                                                          (.flush out)
                                                          (.countDown begun)
                                                          (try
                                                            (loop []
                                                              (write! out "more")
                                                              (.flush out)
                                                              (recur))
                                                            (catch IOException gone
                                                              (deliver outcome gone)
                                                              (throw gone)))))})]
            (with-client [client server]
              (raw/send! client (raw/get-request "/"))
              (is (raw/await-latch begun))
              (is (= 200 (:status (stream/read-head client)))))
            (is (instance? IOException (deref outcome raw/guard-ms :still-writing)))
            (is (raw/await-until #(zero? (:exchanges-open (server/server-metrics server))))))
          (is (= [] (log/events events)) "no error: clients may leave"))))))
