(ns hinny.route-table-test
  "All routes together: conflicts, names, and the words that the native library reads."
  (:require
   [clojure.test :refer [are deftest is testing]]
   [hinny.impl.options :as options]
   [hinny.impl.route-table :as route-table]
   [hinny.route-failure :refer [failure]]
   [hinny.route-reference :as reference])
  (:import
   (io.github.hinny Endpoint Engine$Mode)))

(set! *warn-on-reflection* true)

(defn- f [_])

(defn- conflict
  [form]
  (failure (route-table/compile-table (route-table/routes form nil) nil {:options (options/resolve-options nil)})))

(deftest conflict-test
  (are [form message] (= message (:message (conflict form)))
    [["/x" f] ["/x" f]]
    "the routes \"/x\" and \"/x\" both answer every method; give them other paths or methods, or let them differ in :consumes or :produces"
    [["/users/:id" {:name ::a :get f}] ["/users/{name}" {:name ::b :get f :post f}]]
    "the routes :get \"/users/:id\" (:hinny.route-table-test/a) and :get \"/users/{name}\" (:hinny.route-table-test/b) both answer :get; give them other paths or methods, or let them differ in :consumes or :produces")
  (testing "what is one"
    (are [form templates method] (= [:hinny.error/route-conflict templates method]
                                    ((juxt :type :templates :method) (conflict form)))
      [["/a" {:get f}] ["/b" f] ["/a" {:methods [:post :get] :handler f}]] ["/a" "/a"] :get
      [["/*a" f] ["/{*b}" f]] ["/*a" "/{*b}"] :any
      [["/a/:b" {:post f}] ["/a/:c" f]] ["/a/:b" "/a/:c"] :post
      [["/a/:c" f] ["/a/:b" {:post f}]] ["/a/:c" "/a/:b"] :post
      [["/caf%c3%a9" f] ["/café" f]] ["/caf%c3%a9" "/café"] :any
      [["/%41" f] ["/A" f]] ["/%41" "/A"] :any
      [["/a" {:consumes ["a/b"] :handler f}] ["/a" {:consumes ["a/b"] :handler f}]] ["/a" "/a"] :any
      [["/a" {:produces ["a/b" "c/d"] :handler f}] ["/a" {:produces ["c/d" "a/b"] :handler f}]] ["/a" "/a"] :any
      [["/a" {:get f :handler f}] ["/a" {:post f}]] ["/a" "/a"] :post))
  (testing "what is none"
    (are [form] (nil? (conflict form))
      []
      [["/a" {:get f}] ["/a" {:post f}]]
      [["/a" {:get f}] ["/a" {:head f}]]
      [["/a" f] ["/a/" f] ["/A" f]]
      [["/users/me" f] ["/users/:id" f] ["/users/*rest" f] ["/*all" f]]
      [["/:user-id/orders" f] ["/bulk/:bulk-id" f] ["/public/*path" f] ["/:version/status" f]]
      [["/f/{name}.json" f] ["/f/{name}.html" f] ["/f/{name}" f] ["/f/v{name}" f]]
      [["/a" {:consumes ["a/b"] :handler f}] ["/a" {:consumes ["a/c"] :handler f}] ["/a" f]]
      [["/a" {:produces ["a/b"] :get f}] ["/a" {:produces ["a/c"] :get f}]]
      [["/a" {:get {:consumes "a/b" :handler f}}]
       ["/a" {:consumes "a/b" :get {:consumes ^:replace ["a/c"] :handler f} :handler f}]]
      [["/a" {:get f :post f :handler f}]]
      [[#"/x(.*)" f] [#"/x(.*)" f]])))

(deftest names-test
  (let [names #(route-table/names (route-table/routes % nil))]
    (testing "of routes and of endpoints"
      (is (= {::a "/a" ::b "/b" ::c "/b"}
             (update-vals (names [["/a" {:name ::a :get f :post f}] ["/b" {:get {:name ::b :handler f}
                                                                           :post {:name ::c :handler f}}]])
                          :template))))
    (testing "the endpoints of one route may share one"
      (is (= [::a] (keys (names ["/a" {:get {:name ::a :handler f} :post {:name ::a :handler f}}])))))
    (testing "two routes may not"
      (is (= {:type :hinny.error/route-name-duplicate
              :name ::a
              :templates ["/a" "/b"]
              :message "the routes \"/a\" and \"/b\" are both named :hinny.route-table-test/a; rename one of them"}
             (failure (names [["/a" {:name ::a :get f}] ["/b" {:get {:name ::a :handler f}}]])))))))

(deftest words-test
  (let [resolved (assoc (options/resolve-options nil) :max-body-bytes 7 :parse #{:query})
        routes (route-table/routes [["/users/:id" {:name :user/show
                                                   :max-body-bytes 9
                                                   :get f
                                                   :post {:consumes ["a/b"] :produces ["c/d" "e/f"] :handler f}
                                                   :handler f}]
                                    [#"/(?<year>\d+)/(.*)" {:handler f :handler-mode :async}]
                                    ["/r" {:response {:status 204}}]
                                    ["/live" {:hinny.impl/reply 3}]]
                                   nil)
        {:keys [table endpoints]} (reference/decode (route-table/words routes {:options resolved
                                                                               :fallback? true
                                                                               :trailing-slash :redirect}))
        server-words [["body-read-timeout-ms" "30000"] ["handler-mode" "worker"] ["handler-timeout-ms" "300000"]
                      ["inline-body-bytes" "1048576"] ["json-keys" "string"] ["max-body-bytes" "7"] ["parse" "query"]
                      ["parsed-body-bytes" "1048576"]]]
    (testing "the table's"
      (is (= (into [["fallback" "true"] ["trailing-slash" "redirect"]] server-words) table))
      (is (= (into [["fallback" "false"] ["trailing-slash" "strict"]] server-words)
             (:table (reference/decode (route-table/words [] {:options resolved}))))))
    (testing "each endpoint's"
      (is (= [":get \"/users/:id\" (:user/show)" ":post \"/users/:id\" (:user/show)" "\"/users/:id\" (:user/show)"
              "\"/(?<year>\\\\d+)/(.*)\"" "\"/r\"" "\"/live\""]
             (mapcat #(reference/values-of % "route") endpoints)))
      (are [key expected] (= expected (map #(reference/values-of % key) endpoints))
        "method" [["GET"] ["POST"] [] [] [] []]
        "pattern" [["/users/{p0}"] ["/users/{p0}"] ["/users/{p0}"] [] ["/r"] ["/live"]]
        "regex" [[] [] [] ["/(?<year>\\d+)/(.*)"] [] []]
        "group-count" [[] [] [] ["2"] [] []]
        "route-number" [["0"] ["0"] ["0"] ["1"] ["2"] ["3"]]
        "consumes" [[] ["a/b"] [] [] [] []]
        "produces" [[] ["c/d" "e/f"] [] [] [] []]
        "max-body-bytes" [["9"] ["9"] ["9"] [] [] []]
        "parse" (repeat 6 [])
        "handler-mode" [[] [] [] ["async"] [] []]
        "reply" [[] [] [] [] [] ["3"]])
      (is (= 1 (count (reference/values-of (nth endpoints 4) "response")))))
    (testing "what Java has of them"
      (let [found (vec (route-table/jvm-endpoints routes resolved))]
        (is (= [Engine$Mode/WORKER Engine$Mode/WORKER Engine$Mode/WORKER Engine$Mode/ASYNC nil nil]
               (map #(.mode ^Endpoint %) found)))
        (is (= [[:id] [:id] [:id] [:year :param1] [] []] (map #(vec (.params ^Endpoint %)) found)))
        (is (= [{:template "/users/:id" :name :user/show :method :get} {:template "/users/:id" :name :user/show :method :post}
                {:template "/users/:id" :name :user/show} {:template "/(?<year>\\d+)/(.*)"} {:template "/r"}
                {:template "/live"}]
               (map #(dissoc (.match ^Endpoint %) :data) found)))
        (is (every? #(identical? (.data ^Endpoint %) (:data (.match ^Endpoint %))) found))
        (is (identical? f (.handler ^Endpoint (first found))))))))

(deftest regex-failure-test
  (is (re-find #"is a regular expression that does not begin with a slash"
               (:message (failure (route-table/routes [#"x(.*)" f] nil)))))
  (testing "but with a flag for the case"
    (is (= 1 (count (route-table/routes [#"(?i)/x(.*)" f] nil))))))
