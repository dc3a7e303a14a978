(ns hinny.route-router-test
  "hinny.router: routes as data, matching, reverse routing, and its own options."
  (:require
   [clojure.test :refer [are deftest is testing]]
   [clojure.test.check :as test-check]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [hinny.impl.options :as options]
   [hinny.impl.route-table :as route-table]
   [hinny.route-failure :refer [failure]]
   [hinny.route-generators :as generators]
   [hinny.route-reference :as reference]
   [hinny.router :as router])
  (:import
   (io.github.hinny RouteTable RouterParts)))

(set! *warn-on-reflection* true)

(defn- f [request] request)

(def ^:private site
  (router/router ["/api" {:roles #{:user}}
                  ["/users/me" {:name :user/me :get f}]
                  ["/users/:id" {:name :user/show :get f :delete {:name :user/drop :handler f}}]
                  ["/files/*path" {:name :file :methods [:get :put] :handler f}]
                  ["/any" f]
                  [#"/day/(?<day>\d+)" {:name :day :get f}]]))

(deftest print-test
  (is (= "#<hinny.router.Router 5 routes>" (pr-str site) (print-str site))))

(deftest routes-test
  (is (= [["/api/users/me" {:roles #{:user} :name :user/me :get {:handler f}}]
          ["/api/users/:id" {:roles #{:user} :name :user/show :get {:handler f} :delete {:name :user/drop :handler f}}]
          ["/api/files/*path" {:roles #{:user} :name :file :methods [:get :put] :handler f}]
          ["/api/any" {:roles #{:user} :handler f}]
          ["/api/day/(?<day>\\d+)" {:roles #{:user} :name :day :get {:handler f} :match-type :regex}]]
         (router/routes site)))
  (testing "are route data of the same router"
    (is (= (router/routes site) (router/routes (router/router (router/routes site))))))
  (testing "for any route data"
    (let [property (prop/for-all [tree generators/tree]
                     (let [once (router/routes (router/router tree {:data {:tags [0]} :path "/p"}))]
                       (= once (router/routes (router/router once)))))
          {:keys [pass? shrunk seed]} (test-check/quick-check 100 property)]
      (is pass? {:seed seed :smallest (:smallest shrunk)}))))

(deftest match-test
  (testing "what answers, and what the request will have"
    (is (= {:template "/api/users/:id"
            :name :user/show
            :method :get
            :data {:roles #{:user} :name :user/show :handler f}
            :path "/api/users/a%2Fb"
            :path-params {:id "a/b"}}
           (router/match site :get "/api/users/a%2Fb"))))
  (are [method path expected] (= expected ((juxt :template :name :method :path-params) (router/match site method path)))
    :get "/api/users/me" ["/api/users/me" :user/me :get {}]
    :delete "/api/users/me" ["/api/users/:id" :user/drop :delete {:id "me"}]
    :head "/api/users/7" ["/api/users/:id" :user/show :get {:id "7"}]
    "get" "/api/users/7" ["/api/users/:id" :user/show :get {:id "7"}]
    :put "/api/files/a/b" ["/api/files/*path" :file nil {:path "a/b"}]
    :get "/api/files/" ["/api/files/*path" :file nil {:path ""}]
    "PROPFIND" "/api/any" ["/api/any" nil nil {}]
    :get "/api/day/12" ["/api/day/(?<day>\\d+)" :day :get {:day "12"}])
  (testing "nothing"
    (are [method path] (nil? (router/match site method path))
      :get "/"
      :get "/api/users"
      :get "/api/users/"
      :get "/api/users/7/"
      :post "/api/users/7"
      :get "/api/files"
      :get "/api/day/x")))

(deftest path-for-test
  (are [path arguments] (= path (apply router/path-for site arguments))
    "/api/users/me" [:user/me]
    "/api/users/7" [:user/show {:id 7}]
    "/api/users/7" [:user/drop {:id 7}]
    "/api/users/7?x=1" [:user/show {:id 7} {:x 1}]
    "/api/users/me?a=1&a=2" [:user/me nil {:a [1 2]}]
    "/api/users/me" [:user/me nil {}]
    "/api/users/me" [:user/me nil {:a nil}]
    "/api/files/a%20b/c" [:file {:path "a b/c"}])
  (are [arguments expected] (= expected (select-keys (failure (apply router/path-for site arguments)) (keys expected)))
    [:user/shw {:id 7}] {:type :hinny.error/route-unknown :name :user/shw :nearest :user/show
                         :message "no route is named :user/shw, did you mean :user/show?"}
    [:completely-different] {:type :hinny.error/route-unknown :nearest nil
                             :message "no route is named :completely-different"}
    [nil] {:type :hinny.error/route-unknown :name nil :nearest nil}
    ["me"] {:type :hinny.error/route-unknown :name "me" :message "no route is named \"me\""}
    [:user/show] {:type :hinny.error/route-parameter-missing :missing [:id] :required [:id]
                  :message "path \"/api/users/:id\" needs :id, without a value are :id"}
    [:user/show {:id ""}] {:type :hinny.error/route-parameter-invalid :parameter :id}
    [:day {:day 1}] {:type :hinny.error/route-invalid
                     :message "route :day is the regular expression \"/api/day/(?<day>\\\\d+)\", of which no path can be made"})
  (testing "of any template, for any values, it leads back to them"
    (let [property (prop/for-all [[template params path] generators/filled]
                     (let [router (router/router [[template {:name ::it :get f}] ["/zz/*other" f]])]
                       (and (= path (router/path-for router ::it params))
                            (= [template params] ((juxt :template :path-params) (router/match router :get path))))))
          {:keys [pass? shrunk seed]} (test-check/quick-check 60 property)]
      (is pass? {:seed seed :smallest (:smallest shrunk)}))))

(def ^:private endpoints
  "What a generated route answers."
  (gen/elements [{:get f} {:get f :post f} {:handler f} {:get f :handler f} {:head f :delete f} {:methods [:get :put] :handler f}]))

(def ^:private table
  "Routes and requests."
  (gen/let [templates generators/templates
            data (gen/vector endpoints 30)
            requests (gen/vector (generators/request templates) 1 10)]
    [(map vector templates data) requests]))

(deftest reference-test
  (testing "what matches is what a matcher that tries every endpoint finds"
    (let [property (prop/for-all [[routes requests] table]
                     (let [routes (route-table/routes routes nil)
                           table (route-table/compile-table routes nil {:options (options/resolve-options nil)})
                           flat (vec (mapcat :endpoints routes))
                           pairs (:endpoints (reference/decode (route-table/words routes nil)))]
                       (every? (fn [[method path]]
                                 (let [found (.match table method path)
                                       [number values] (reference/find-match pairs method path)
                                       expected (when number (nth flat (dec number)))]
                                   (= (when number [(:template expected) (zipmap (:params (:path expected)) values)
                                                    (when (= 1 (count (:methods expected))) (first (:methods expected)))])
                                      (when found
                                        (let [{:keys [template method]} (.match (.endpoint found))]
                                          [template (.pathParams found) method])))))
                               requests)))
          {:keys [pass? shrunk seed]} (test-check/quick-check 150 property)]
      (is pass? {:seed seed :smallest (:smallest shrunk)}))))

(deftest options-test
  (testing "a path in front, data around, another syntax"
    (is (= [["/p/x/:id" {:tags [1 2] :get {:handler f}}]]
           (router/routes (router/router ["/x/:id" {:tags [2] :get f}] {:path "/p" :data {:tags [1]}}))))
    (is (= {:id "7"} (:path-params (router/match (router/router ["/u/{id}:drop" {:post f}] {:syntax :bracket})
                                                 :post
                                                 "/u/7:drop")))))
  (testing "wrong ones"
    (are [opts type pattern] (let [failed (failure (router/router [] opts))]
                               (and (= type (:type failed)) (re-find pattern (:message failed))))
      [] :hinny.error/option-invalid #"options must be a map"
      {:dat {}} :hinny.error/option-unknown #"unknown option :dat, did you mean :data or :path\? See docs/routing\.md\.$"
      {:conflicts nil} :hinny.error/option-unknown #"unknown option :conflicts"
      {:data []} :hinny.error/option-invalid #":data must be a map, is \[\]"
      {:path :x} :hinny.error/option-invalid #":path must be a string, is :x"
      {:fallback? 1} :hinny.error/option-invalid #":fallback\? must be true or false, is 1"
      {:trailing-slash :add} :hinny.error/option-invalid #":strict or :redirect, is :add"))
  (testing "a wrong syntax"
    (is (= :hinny.error/option-invalid (:type (failure (router/router ["/x" f] {:syntax :star})))))))

(deftest failure-test
  (are [data type] (= type (:type (failure (router/router data))))
    [["/x" f] ["/x" f]] :hinny.error/route-conflict
    [["/x" {:name ::x :get f}] ["/y" {:name ::x :get f}]] :hinny.error/route-name-duplicate
    ["x" f] :hinny.error/route-pattern
    ["/x" {}] :hinny.error/route-invalid
    ["/x" {:max-body-bytes -1 :handler f}] :hinny.error/option-invalid))

(deftest native-failure-test
  (testing "what only the native library finds"
    (is (= :hinny.error/route-pattern (:type (failure (router/router [#"/(?<a>x){1000000000}" f])))))
    (is (re-find #"\"/x\(\"" (:message (failure (router/router ["/x(" {:match-type :regex :handler f}])))))))

(deftest server-table-test
  (let [composed (atom 0)
        wrap (fn [handler] (swap! composed inc) handler)
        before (router/router ["/x" {:middleware [wrap] :get f}])
        opts {:options (assoc (options/resolve-options nil) :handler-mode :inline)
              :more [["/live" {:get {:hinny.impl/reply 0}}]]}
        mode #(some-> (.match ^RouteTable % "GET" "/x") .endpoint .mode str)]
    (testing "a router is compiled anew with a server's options, its middleware is not composed again"
      (is (= 1 @composed))
      (is (= "WORKER" (mode (.table ^RouterParts before))))
      (is (= "INLINE" (mode (router/server-table before opts))))
      (is (= "INLINE" (mode (router/server-table ["/x" f] opts))))
      (is (= 1 @composed)))
    (testing "the server's own routes answer too, and are not told of"
      (let [table (router/server-table before opts)]
        (is (= "/live" (:template (.match (.endpoint (.match table "GET" "/live"))))))
        (is (= (router/routes before) (.routes table)))))
    (testing "without routes of the user's"
      (let [table (router/server-table nil opts)]
        (is (some? (.match table "GET" "/live")))
        (is (nil? (.routes table))))
      (is (nil? (.match (router/server-table [] (dissoc opts :more)) "GET" "/live"))))
    (testing "a conflict with the server's own names both"
      (is (= ["/live" "/live"] (:templates (failure (router/server-table ["/live" f] opts))))))))
