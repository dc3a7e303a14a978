(ns hinny.server-handler-test
  "What a handler may be, and what it gets.

  Every case runs in both handler modes."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.server :refer [run-server]])
  (:import
   (clojure.lang ExceptionInfo IFn)
   (io.github.hinny RingRequest)
   (java.io InputStream)
   (java.util.concurrent LinkedBlockingQueue)))

(set! *warn-on-reflection* true)

(def ^:private modes [:inline :worker])

(defn- get-from
  "The response to GET of `target`."
  [server target]
  (raw/answer server (raw/get-request target)))

;; What a handler may be

(defn redefined [_] {:status 200 :body "first"})

(deftest var-handler-test
  (testing "a var is followed on redefinition, on open connections too"
    (doseq [mode modes]
      (let [original redefined]
        (try
          (with-server [server #'redefined {:handler-mode mode}]
            (with-client [client server]
              (doseq [body ["first" "second" "third"]]
                (when-not (= "first" body)
                  (alter-var-root #'redefined (constantly (fn [_] {:status 200 :body body}))))
                (raw/send! client (raw/get-request "/"))
                (is (= body (:body (raw/read-response client)))))))
          (finally (alter-var-root #'redefined (constantly original))))))))

(defmulti by-method :request-method)
(defmethod by-method :get [_] {:status 200 :body "got"})
(defmethod by-method :default [{:keys [request-method]}] {:status 405 :body (name request-method)})

(defrecord Greeter [greeting]
  IFn
  (invoke [_ request] {:status 200 :body (str greeting " " (:uri request))}))

(deftest kinds-of-handler-test
  (doseq [mode modes
          [what handler request expected]
          [["function" (fn [_] {:status 200 :body "f"}) (raw/get-request "/") [200 "f"]]
           ["function of any arity" (fn [& [request]] {:status 200 :body (:uri request)}) (raw/get-request "/a") [200 "/a"]]
           ["partial application" (partial (fn [body _] {:status 200 :body body}) "p") (raw/get-request "/") [200 "p"]]
           ["composition" (comp (fn [uri] {:status 200 :body uri}) :uri) (raw/get-request "/c") [200 "/c"]]
           ["multimethod" by-method (raw/get-request "/") [200 "got"]]
           ["multimethod, default" by-method (raw/post "/" "") [405 "post"]]
           ["var of a multimethod" #'by-method (raw/get-request "/") [200 "got"]]
           ["record" (->Greeter "hi") (raw/get-request "/r") [200 "hi /r"]]
           ["map, which gives nil" {} (raw/get-request "/") [500 "Internal Server Error"]]
           ["keyword, which gives a string" :uri (raw/get-request "/") [500 "Internal Server Error"]]
           ["function of no argument" (fn [] nil) (raw/get-request "/") [500 "Internal Server Error"]]]]
    (testing (str mode " " what)
      (with-server [server handler {:handler-mode mode}]
        (is (= expected ((juxt :status :body) (raw/answer server request))))))))

(deftest what-is-no-handler-test
  (doseq [handler [nil 1 "handler" (Object.) 'a.list.would/be-called]]
    (when-not (ifn? handler)
      (testing (pr-str handler)
        (is (= :hinny.error/handler-invalid
               (:type (ex-data (is (thrown? ExceptionInfo (run-server handler {:port 0 :host "127.0.0.1"})))))))))))

;; What it gets

(defn- describe
  "What a middleware stack does with a request, in one response."
  [{:keys [uri request-method headers] :as request}]
  (let [{:keys [query-string missing] :or {missing "none"}} request
        {host "host" agent "user-agent"} headers
        facts {:destructured [uri request-method query-string missing host agent]
               :map? (map? request)
               :assoc (:route (assoc request :route 1))
               :assoc-core (:uri (assoc request :uri "/other"))
               :unchanged (:uri request)
               :dissoc (contains? (dissoc request :uri) :uri)
               :merge (:uri (merge request {:uri "/merged"}))
               :merge-into (:uri (merge {:uri "/below"} request))
               :select-keys (select-keys request [:uri :request-method :nothing])
               :update-in (get-in (update-in request [:headers "user-agent"] str "!") [:headers "user-agent"])
               :equal (= request (into {} request))
               :equal-to (= (into {} request) request)
               :hash (= (hash request) (hash (into {} request)))
               :keys (set (keys request))
               :count (= (count request) (count (keys request)) (count (seq request)))
               :reduce-kv (reduce-kv (fn [n _ _] (inc n)) 0 request)
               :call (request :uri)
               :get-default (get request :nothing :default)
               :meta (meta (with-meta request {:m 1}))}]
    {:status 200 :body (pr-str facts)}))

(deftest request-is-a-map-test
  (doseq [mode modes]
    (testing (str "SPEC, in middleware on a real request, " mode)
      (with-server [server describe {:handler-mode mode}]
        (let [core #{:uri :request-method :headers :query-string :scheme :server-name :server-port :remote-addr :protocol}]
          (is (= {:destructured ["/p" :get "q" "none" "x" "ua"]
                  :map? true
                  :assoc 1
                  :assoc-core "/other"
                  :unchanged "/p"
                  :dissoc false
                  :merge "/merged"
                  :merge-into "/p"
                  :select-keys {:uri "/p" :request-method :get}
                  :update-in "ua!"
                  :equal true
                  :equal-to true
                  :hash true
                  :keys core
                  :count true
                  :reduce-kv (count core)
                  :call "/p"
                  :get-default :default
                  :meta {:m 1}}
                 (read-string (:body (raw/answer server (raw/get-request "/p?q" "User-Agent: ua")))))))))))

(deftest request-outlives-its-exchange-test
  (doseq [mode modes]
    (testing (str "kept requests are read after thousands of bytes of others went through the same buffers, " mode)
      (let [kept (LinkedBlockingQueue.)]
        (with-server [server (fn [request] (.add kept request) {:status 200}) {:handler-mode mode}]
          (with-client [client server]
            (doseq [n (range 200)]
              (raw/send! client (raw/post (str "/" n "?q" n) (str "body " n) (str "X-N: " n)))
              (raw/read-response client))))
        (is (= 200 (count kept)))
        (doseq [[n request] (map-indexed vector kept)]
          (is (instance? RingRequest request))
          (is (= [(str "/" n) (str "q" n) (str n) (str "body " n)]
                 [(:uri request) (:query-string request) (get-in request [:headers "x-n"]) (slurp ^InputStream (:body request))])))))))

(deftest record-response-test
  (defrecord Response [status headers body])
  (doseq [mode modes
          [what response] [["record" (->Response 200 {"X-A" "1"} "r")]
                           ["sorted map" (sorted-map :status 200 :headers (sorted-map "X-A" "1") :body "r")]
                           ["array map" (array-map :body "r" :headers (array-map "X-A" "1") :status 200)]
                           ["hash map" (hash-map :body "r" :headers (hash-map "X-A" "1") :status 200)]
                           ["map with more keys" {:status 200 :headers {"X-A" "1"} :body "r" :session {:a 1} "x" 'y}]
                           ["map with metadata" (with-meta {:status 200 :headers {"X-A" "1"} :body "r"} {:m 1})]]]
    (testing (str mode " SPEC: any map is a response, " what)
      (with-server [server (constantly response) {:handler-mode mode}]
        (let [answer (get-from server "/")]
          (is (= [200 "r" "1"] [(:status answer) (:body answer) (raw/header answer "x-a")])))))))

(deftest request-as-response-test
  (testing "a request with a status is a map too (http-kit and compojure users do it)"
    (doseq [mode modes]
      (with-server [server (fn [request] (assoc request :status 200 :headers {} :body (:uri request))) {:handler-mode mode}]
        (is (= "/a" (:body (get-from server "/a"))))))))
