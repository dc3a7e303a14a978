(ns hinny.route-wire-test
  "Routes over a socket: which handler answers and what it sees, what the core answers by itself, and options of a route."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.modes :as modes :refer [each-mode]]
   [hinny.raw-client :as raw :refer [send! with-client with-server]]
   [hinny.server :as server])
  (:import
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(defn- seen
  "A handler that answers with what routes add to a request."
  [{:keys [route path-params] :as request}]
  {:status 200
   :headers {"Content-Type" "text/plain; charset=utf-8"}
   :body (pr-str [(:test/name route) path-params (:request-method request)])})

(defn- told
  "What `seen` says, or the status."
  [{:keys [status body]}]
  (if (and (= 200 status) (str/starts-with? body "["))
    (read-string (String. (raw/latin1 body) "UTF-8"))
    status))

(defn- request
  [method target & lines]
  (apply raw/head (str method " " target " HTTP/1.1") "Host: x" lines))

(defn- asked
  [server method target & lines]
  (raw/answer server (apply request method target lines) {:head? (= "HEAD" method)}))

(defn- site
  "Route data whose handlers are `handler`."
  [handler]
  [["/" {:test/name :root :get handler}]
   ["/users" ["/:id" {:test/name :user :get handler :delete handler}]]
   ["/users/me" {:test/name :me :post handler}]
   ["/files/*path" {:test/name :file :get handler}]
   ["/any/{name}.json" {:test/name :any :handler handler}]
   [#"/item/(\d+)(?:/(?<part>\w+))?" {:test/name :item :get handler}]
   ["/constant" {:get {:response {:status 202
                                  :headers {"Content-Type" "text/plain" "X-Two" ["a" "b"]}
                                  :body "constant"}}}]])

(deftest matched-test
  (each-mode [{:keys [adapt options]}]
    (with-server [server nil (assoc options :routes (site (adapt seen)))]
      (are [method target expected] (= expected (told (asked server method target)))
        "GET" "/" [:root {} :get]
        "GET" "/users/7" [:user {:id "7"} :get]
        "GET" "/users/me" [:user {:id "me"} :get]
        "POST" "/users/me" [:me {} :post]
        "DELETE" "/users/me" [:user {:id "me"} :delete]
        "GET" "/users/%61%C3%A9%2Fb%20c?q=1" [:user {:id "aé/b c"} :get]
        "GET" "/users/%FF" [:user {:id "\uFFFD"} :get]
        "GET" "/users/%2e%2E" [:user {:id ".."} :get]
        "GET" "/%75sers/7" [:user {:id "7"} :get]
        "GET" "/files/" [:file {:path ""} :get]
        "GET" "/files/a/b%2Fc/" [:file {:path "a/b/c/"} :get]
        "PATCH" "/any/x.json" [:any {:name "x"} :patch]
        "BREW" "/any/x.json" [:any {:name "x"} :brew]
        "GET" "/item/12" [:item {:param0 "12"} :get]
        "GET" "/item/12/a" [:item {:param0 "12" :part "a"} :get]
        "GET" "/item/x" 404
        "GET" "/users/7/8" 404))))

(deftest match-test
  (testing "a handler sees its route's data and how it was found"
    (with-server [server nil {:handler-mode :inline
                              :routes [["/a" {:b [1]} ["/:x" {:name :one
                                                              :b [2]
                                                              :get (fn [{:hinny.router/keys [match] :keys [route]}]
                                                                     {:status 200
                                                                      :body (pr-str [(update-keys (dissoc match :data) name)
                                                                                     (= route (:data match))
                                                                                     (:b route)])})}]]]}]
      (is (= [{"template" "/a/:x" "name" :one "method" :get "path" "/a/%20" "path-params" {:x " "}} true [1 2]]
             (read-string (:body (asked server "GET" "/a/%20")))))))
  (testing "the fallback sees none"
    (with-server [server (fn [request] {:status 200 :body (pr-str (mapv #(contains? request %)
                                                                        [:route :path-params :hinny.router/match]))})
                  {:routes [["/a" {:get seen}]]}]
      (is (= [false false false] (read-string (:body (asked server "GET" "/b"))))))))

(def ^:private core-answers
  "Request line, status, and fields of the response."
  [["GET" "/nowhere" 404 {"content-type" "text/plain" "content-length" "9"}]
   ["OPTIONS" "/nowhere" 404 {}]
   ["POST" "/" 405 {"allow" "GET, HEAD, OPTIONS" "content-type" "text/plain"}]
   ["PUT" "/users/me" 405 {"allow" "GET, HEAD, POST, DELETE, OPTIONS"}]
   ["OPTIONS" "/users/me" 204 {"allow" "GET, HEAD, POST, DELETE, OPTIONS" "content-length" nil}]
   ["OPTIONS" "*" 204 {"allow" "GET, HEAD, POST, DELETE, OPTIONS"}]
   ["GET" "/constant" 202 {"content-type" "text/plain" "content-length" "8" "x-two" "a"}]
   ["HEAD" "/constant" 202 {"content-length" "8"}]
   ["HEAD" "/nowhere" 404 {"content-length" "9"}]])

(deftest core-answer-test
  (with-server [server nil {:routes (site seen)}]
    (doseq [[method target status fields] core-answers
            :let [response (asked server method target)]]
      (testing (str method " " target)
        (is (= status (:status response)))
        (is (= fields (into {} (for [[field _] fields] [field (raw/header response field)]))))
        (is (= "hinny" (raw/header response "server")))
        (is (some? (raw/header response "date")))))
    (testing "no handler saw any of them"
      (let [{:keys [requests core-responses errors-answered]} (server/server-metrics server)]
        (is (= [0 4 5] [requests core-responses errors-answered]))))
    (testing "the connection goes on, and answers come in order, beside those of handlers"
      (with-client [client server]
        (let [targets (take 40 (cycle ["/constant" "/users/1" "/nowhere" "/" "/constant"]))]
          (send! client (str/join (map raw/get-request targets)))
          (is (= (map {"/constant" 202 "/users/1" [:user {:id "1"} :get] "/nowhere" 404 "/" [:root {} :get]} targets)
                 (doall (repeatedly 40 #(told (raw/read-response client)))))))))))

(deftest fallback-test
  (let [fallback (fn [{:keys [uri request-method]}] {:status 299 :body (str request-method " " uri)})]
    (with-server [server fallback {:routes (site seen) :handler-mode :inline}]
      (are [method target expected] (= expected (:body (asked server method target)))
        "GET" "/nowhere" ":get /nowhere"
        "POST" "/" ":post /"
        "OPTIONS" "/users/me" ":options /users/me"
        "OPTIONS" "*" ":options *"
        "GET" "/constant" "constant"))))

(deftest trailing-slash-test
  (let [routes [["/a" {:get seen :post seen}] ["/b/" {:get seen}] ["/c/*rest" {:get seen}]]]
    (with-server [server nil {:routes routes :trailing-slash :redirect}]
      (are [method target status location] (let [response (asked server method target)]
                                             (= [status location] [(:status response) (raw/header response "location")]))
        "GET" "/a/?q=%20" 301 "/a?q=%20"
        "HEAD" "/a/" 301 "/a"
        "POST" "/a/" 308 "/a"
        "GET" "/b" 301 "/b/"
        "GET" "/c" 301 "/c/"
        "GET" "/nowhere/" 404 nil
        "GET" "//a/" 404 nil))
    (with-server [server nil {:routes routes}]
      (is (= 404 (:status (asked server "GET" "/a/")))))))

(deftest content-test
  (with-server [server nil {:routes [["/in" {:post {:consumes ["application/json" "text/*"] :handler seen}}]
                                     ["/out" {:get {:produces ["application/json"] :handler seen}}]
                                     ["/two" {:post {:consumes "text/csv" :handler seen :test/name :csv}}]
                                     ["/two" {:post {:consumes "text/html" :handler seen :test/name :html}}]]
                            :handler-mode :inline}]
    (let [posted (fn [target type]
                   (told (raw/answer server (apply raw/post target "x" (when type [(str "Content-Type: " type)])))))]
      (are [target type expected] (= expected (posted target type))
        "/in" "application/json;charset=utf-8" [nil {} :post]
        "/in" "text/csv" [nil {} :post]
        "/in" "application/xml" 415
        "/in" nil 415
        "/two" "text/csv" [:csv {} :post]
        "/two" "text/html" [:html {} :post]
        "/two" "image/png" 415)
      (are [accept expected] (= expected (told (apply asked server "GET" "/out" (map #(str "Accept: " %) accept))))
        [] [nil {} :get]
        ["*/*"] [nil {} :get]
        ["text/html" "application/*;q=0.1"] [nil {} :get]
        ["text/html"] 406
        ["application/json;q=0"] 406))))

(deftest body-of-what-the-core-answers-test
  (with-server [server nil {:routes (site seen) :max-unread-body-bytes 100000}]
    (with-client [client server]
      (testing "a body is dropped, and the connection goes on"
        (doseq [length [5 1000 90000]]
          (send! client (raw/post "/nowhere" (str/join (repeat length "x"))))
          (is (= 404 (:status (raw/read-response client))) length))
        (send! client (str (raw/head "POST /constant HTTP/1.1" "Host: x" "Transfer-Encoding: chunked")
                           (raw/chunked "abc" "def")))
        (is (= 405 (:status (raw/read-response client))))
        (send! client (raw/get-request "/constant"))
        (is (= 202 (:status (raw/read-response client))))))
    (testing "a client that waits to be asked for its body is not"
      (with-client [client server]
        (send! client (raw/head "POST /nowhere HTTP/1.1" "Host: x" "Content-Length: 5" "Expect: 100-continue"))
        (let [response (raw/read-response client)]
          (is (= 404 (:status response)))
          (is (= "close" (raw/header response "connection"))))
        (is (raw/eof? client))))
    (testing "a request that is malformed is, whatever its route"
      (is (= 400 (:status (raw/answer server (raw/head "GET /nowhere HTTP/1.1")))))
      (is (= 400 (:status (raw/answer server (raw/get-request "/nowhere%"))))))))

(deftest options-of-a-route-test
  (let [thread (fn [_] {:status 200 :body (.getName (Thread/currentThread))})
        params (fn [request] {:status 200 :body (pr-str (:json-params request))})
        never (fn [_ _ _])
        latch (CountDownLatch. 1)
        stuck (fn [_] (.await latch) {:status 200})]
    (with-server [server thread
                  {:routes [["/inline" {:get {:handler thread :handler-mode :inline}}]
                            ["/async" {:get {:handler (modes/async thread) :handler-mode :async}}]
                            ["/worker" {:get thread}]
                            ["/parse" {:post {:handler params :parse #{:json} :json-keys :keyword}}]
                            ["/small" {:post {:handler params :max-body-bytes 10}}]
                            ["/large" {:post {:handler raw/echo-body :max-body-bytes 300000}}]
                            ["/never" {:get {:handler never :handler-mode :async :handler-timeout-ms 1000}}]
                            ["/stuck" {:get {:handler stuck :handler-timeout-ms 1000}}]]
                   :max-body-bytes 1000
                   :turned-clock? true}]
      (try
        (testing "how it is called"
          (are [target prefix] (str/starts-with? (:body (raw/answer server (raw/get-request target))) prefix)
            "/inline" "hinny-loop-"
            "/async" "hinny-loop-"
            "/worker" "hinny-worker-"
            "/other" "hinny-worker-"))
        (testing "what is parsed"
          (is (= "{:a 1}" (:body (raw/answer server (raw/post "/parse" "{\"a\":1}" "Content-Type: application/json")))))
          (is (= 400 (:status (raw/answer server (raw/post "/parse" "{" "Content-Type: application/json")))))
          (is (= "nil" (:body (raw/answer server (raw/post "/small" "{}" "Content-Type: application/json"))))))
        (testing "how much is taken"
          (are [target length status] (= status (:status (raw/answer server (raw/post target (str/join (repeat length "x"))))))
            "/small" 10 200
            "/small" 11 413
            "/other" 1000 200
            "/other" 1001 413
            "/large" 300000 200
            "/large" 300001 413))
        (testing "how long it may take"
          (is (= 503 (:status (raw/overdue-answer server (raw/get-request "/never") 1100))))
          (is (= 503 (:status (raw/overdue-answer server (raw/get-request "/stuck") 1100)))))
        (finally
          (.countDown latch))))))

(deftest middleware-test
  (let [tag (fn [handler tag]
              (fn
                ([request] (update (handler request) :body #(str tag "(" % ")")))
                ([request respond raise] (handler request #(respond (update % :body (fn [b] (str tag "(" b ")")))) raise))))
        body (fn [_] {:status 200 :body "x"})]
    (with-server [server nil {:routes ["/a" {:middleware [[tag "a"]]}
                                       ["/b" {:middleware [[tag "b"]] :get {:middleware [[tag "c"]] :handler body}}]
                                       ["/d" {:get {:handler (modes/async body) :handler-mode :async}}]]}]
      (is (= "a(b(c(x)))" (:body (raw/answer server (raw/get-request "/a/b")))))
      (is (= "a(x)" (:body (raw/answer server (raw/get-request "/a/d"))))))))
