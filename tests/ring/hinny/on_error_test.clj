(ns hinny.on-error-test
  "`:on-error`: what the log tells of a handler's failures, told to a function."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.log-capture :as log :refer [with-log]]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw])
  (:import
   (java.util.concurrent LinkedBlockingQueue TimeUnit)))

(set! *warn-on-reflection* true)

(defn- teller
  "A queue, and an `:on-error` function that puts what it is told into it."
  []
  (let [told (LinkedBlockingQueue.)]
    [told (fn [request throwable]
            (.put told {:uri (:uri request)
                        :message (ex-message throwable)
                        :thread (.getName (Thread/currentThread))
                        :virtual? (str/starts-with? (str (Thread/currentThread)) "VirtualThread")}))]))

(defn- next-told
  [^LinkedBlockingQueue told]
  (.poll told raw/guard-ms TimeUnit/MILLISECONDS))

(deftest failure-test
  (each-mode [mode]
    (let [[^LinkedBlockingQueue told on-error] (teller)
          handler (fn [{:keys [uri]}]
                    (case uri
                      "/throw" (throw (ex-info "thrown" {}))
                      "/invalid" {:status 99}
                      {:status 200 :headers {} :body uri}))]
      (with-log [_]
        (with-handler [server mode handler {:event-loops 1 :on-error on-error}]
          (is (= 500 (:status (raw/answer server (raw/get-request "/throw")))))
          (let [{:keys [uri message thread virtual?]} (next-told told)]
            (is (= ["/throw" "thrown"] [uri message]))
            (is (or virtual? (str/starts-with? thread "hinny-worker-"))))
          (is (= 500 (:status (raw/answer server (raw/get-request "/invalid")))))
          (is (str/includes? (:message (next-told told)) "status"))
          (is (= "/fine" (:body (raw/answer server (raw/get-request "/fine")))))
          (is (.isEmpty told)))))))

(deftest body-test
  (testing "a body that breaks off"
    (let [[told on-error] (teller)]
      (with-log [_]
        (raw/with-server [server (fn [_] {:status 200 :headers {} :body (map (fn [_] (throw (ex-info "broke" {}))) [1])})
                          {:event-loops 1 :on-error on-error}]
          (raw/with-client [client server]
            (raw/send! client (raw/get-request "/body" "connection: close"))
            (is (raw/end-of client)))
          (is (= ["/body" "broke"] ((juxt :uri :message) (next-told told)))))))))

(deftest after-answer-test
  (testing "what an async handler throws when it has answered has no request any more"
    (let [[told on-error] (teller)]
      (with-log [_]
        (raw/with-server [server (fn [_ respond _]
                                   (respond {:status 200 :headers {} :body "answered"})
                                   (throw (ex-info "late" {})))
                          {:event-loops 1 :handler-mode :async :on-error on-error}]
          (is (= "answered" (:body (raw/answer server (raw/get-request "/")))))
          (is (= [nil "late"] ((juxt :uri :message) (next-told told)))))))))

(deftest fence-test
  (each-mode [mode]
    (testing "a function that throws harms nobody; that is logged too"
      (with-log [events]
        (with-handler [server mode (fn [{:keys [uri]}]
                                     (if (= "/throw" uri)
                                       (throw (ex-info "thrown" {}))
                                       {:status 200 :headers {} :body uri}))
                       {:event-loops 1 :worker-threads 1 :on-error (fn [_ _] (throw (StackOverflowError. "told")))}]
          (dotimes [_ 3]
            (is (= 500 (:status (raw/answer server (raw/get-request "/throw")))))
            (is (= "/fine" (:body (raw/answer server (raw/get-request "/fine")))))))
        (is (= {"handler threw for GET /throw" 3 ":on-error function threw for GET /throw" 3}
               (frequencies (map :message (log/events events)))))))))
