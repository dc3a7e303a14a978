(ns hinny.async-worker-test
  "Async handlers under the names that other servers' users bring: called on a worker, where reading the body may block; and
  what answers when they take too long."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.adapter :refer [run-jetty]]
   [hinny.middleware :as middleware]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (io.github.hinny Stoppable)
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(def ^:private local {:host "127.0.0.1" :port 0 :drain-timeout-ms 2000})

(def ^:private names
  "The ways to say that a handler has three arguments."
  {"run-server :async?" #(server/run-server %1 (merge local {:async? true} %2))
   "run-server :ring-async?" #(server/run-server %1 (merge local {:ring-async? true} %2))
   "run-server :handler-mode :async-worker" #(server/run-server %1 (merge local {:handler-mode :async-worker} %2))
   "run-jetty :async?" #(run-jetty %1 (merge local {:async? true :join? false} %2))
   "a route" (fn [handler options]
               (server/run-server nil (merge local options {:routes [["/*path" {:handler handler
                                                                                :handler-mode :async-worker}]]})))
   "a route of an :async? server" (fn [handler options]
                                    (server/run-server nil (merge local options {:async? true
                                                                                 :routes [["/*path" {:handler handler}]]})))})

(defn- answering
  [f]
  (fn [request respond _]
    (respond {:status 200 :headers {} :body (str (f request))})))

(def ^:private readers
  "What reads a body: a handler, and the request text with a body of so many bytes."
  {"slurp" [(answering #(count (slurp (:body %))))
            (fn [size] (raw/post "/" (apply str (repeat size \a))))
            identity]
   "wrap-params" [(middleware/wrap-params (answering #(count (get-in % [:params "a"]))))
                  (fn [size] (raw/post "/" (str "a=" (apply str (repeat (- size 2) \a)))
                                       "Content-Type: application/x-www-form-urlencoded"))
                  #(- % 2)]
   "multipart" [(middleware/wrap-multipart-params (answering #(count (get-in % [:params "a"]))))
                (fn [size]
                  (let [before "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
                        after "\r\n--b--\r\n"]
                    (raw/post "/" (str before (apply str (repeat (- size (count before) (count after)) \a)) after)
                              "Content-Type: multipart/form-data; boundary=b")))
                #(- % 58)]
   "json" [(middleware/wrap-json-body (answering #(count (get (:body %) "a"))))
           (fn [size] (raw/post "/" (str "{\"a\":\"" (apply str (repeat (- size 8) \a)) "\"}")
                                "Content-Type: application/json"))
           #(- % 8)]})

(deftest body-test
  (doseq [[way run] names
          [what [handler request expected]] readers
          engine [:auto :hyper]
          size [65536 65537 300000]]
    (testing (str way ", " what ", " engine ": " size " bytes")
      (with-open [^Stoppable server (run handler {:event-loops 1 :http1-engine engine})]
        (let [{:keys [status body]} (raw/answer server (request size))]
          (is (= [200 (str (expected size))] [status body])))))))

(deftest thread-test
  (let [thread-of (answering (fn [_] (.getName (Thread/currentThread))))]
    (doseq [[way run] names]
      (testing (str way ": a worker calls it")
        (with-open [^Stoppable server (run thread-of {:event-loops 1})]
          (is (str/starts-with? (:body (raw/answer server (raw/get-request "/"))) "hinny-worker-")))))
    (testing ":handler-mode :async stays the loop's, also beside :async? true"
      (doseq [options [{:handler-mode :async} {:handler-mode :async :async? true}]]
        (raw/with-server [server thread-of (assoc options :event-loops 1)]
          (is (= "hinny-loop-0" (:body (raw/answer server (raw/get-request "/"))))))))))

(deftest block-test
  (testing "one that blocks holds up nobody else"
    (let [begun (CountDownLatch. 1)
          gate (CountDownLatch. 1)]
      (raw/with-server [server (answering (fn [{:keys [uri]}]
                                            (when (= "/blocked" uri)
                                              (.countDown begun)
                                              (raw/await-latch gate))
                                            uri))
                        {:async? true :event-loops 1}]
        (raw/with-client [client server]
          (raw/send! client (raw/get-request "/blocked"))
          (is (raw/await-latch begun))
          (is (= "/other" (:body (raw/answer server (raw/get-request "/other")))))
          (.countDown gate)
          (is (= "/blocked" (:body (raw/read-response client)))))))))

(def ^:private async-servers
  (select-keys names ["run-server :async?" "run-jetty :async?" "run-server :handler-mode :async-worker"]))

(deftest timeout-handler-test
  (doseq [[way run] async-servers
          :let [timeout-handler (fn [request respond raise]
                                  (if (= "/raise" (:uri request))
                                    (raise (ex-info "too late" {}))
                                    (respond {:status 504 :headers {"x" "late"} :body (:uri request)})))
                never (fn [{:keys [uri]} respond _]
                        (when (= "/fine" uri)
                          (respond {:status 200 :headers {} :body uri})))]]
    (testing way
      (with-open [^Stoppable server (run never {:event-loops 1 :async-timeout 30 :async-timeout-handler timeout-handler})]
        (raw/with-client [client server]
          (raw/send! client (raw/get-request "/slow"))
          (let [{:keys [status body] :as response} (raw/read-response client)]
            (is (= [504 "/slow" "late"] [status body (raw/header response "x")])))
          (raw/send! client (raw/get-request "/fine"))
          (is (= [200 "/fine"] ((juxt :status :body) (raw/read-response client))))
          (raw/send! client (raw/get-request "/raise"))
          (is (= 500 (:status (raw/read-response client)))))
        (is (= "/slow" (:body (raw/answer server (raw/get-request "/slow"))))))))
  (testing "beside the longest timeout that there may be"
    (let [longest (some #(when (= :handler-timeout-ms (:name %)) (:max %)) (server/options))]
      (doseq [[way run] async-servers]
        (testing way
          (with-open [^Stoppable server (run (fn [_ respond _] (respond {:status 200 :headers {} :body "in time"}))
                                             {:handler-timeout-ms longest :timeout-handler (fn [_ _ _])})]
            (is (= "in time" (:body (raw/answer server (raw/get-request "/"))))))))))
  (testing "without one it is the core's 503"
    (with-open [server (run-jetty (fn [_ _ _]) (merge local {:async? true :join? false :async-timeout 30}))]
      (is (= 503 (:status (raw/answer server (raw/get-request "/"))))))))

(deftest late-answer-test
  (testing "what the handler answers after its timeout handler is dropped"
    (let [held (promise)]
      (raw/with-server [server (fn [{:keys [uri]} respond _]
                                 (if (= "/held" uri)
                                   (deliver held respond)
                                   (respond {:status 200 :headers {} :body uri})))
                        {:async? true :async-timeout 20 :event-loops 1
                         :async-timeout-handler (fn [_ respond _] (respond {:status 504 :headers {} :body "timeout"}))}]
        (raw/with-client [client server]
          (raw/send! client (raw/get-request "/held"))
          (is (= "timeout" (:body (raw/read-response client))))
          (@held {:status 200 :headers {} :body "late"})
          (raw/send! client (raw/get-request "/next"))
          (is (= "/next" (:body (raw/read-response client)))))))))
