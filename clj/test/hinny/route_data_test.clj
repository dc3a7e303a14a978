(ns hinny.route-data-test
  "Route data in three spellings, and what routes have from the routes around them."
  (:require
   [clojure.test :refer [are deftest is testing]]
   [clojure.test.check :as test-check]
   [clojure.test.check.properties :as prop]
   [hinny.impl.route-data :as route-data]
   [hinny.route-failure :refer [failure]]
   [hinny.route-generators :as generators]))

(set! *warn-on-reflection* true)

(defn- show [_])
(defn- drop-it [_])
(defn- wrap [handler] handler)
(defn- flat
  ([form] (flat form nil))
  ([form opts] (route-data/flatten-routes form opts)))

(deftest spelling-test
  (testing "the same routes in three spellings"
    (let [expected [["/api/users/:id" {:get {:handler show} :delete {:handler drop-it}}] ["/api/ping" {:handler show}]]]
      (are [form] (= expected (flat form))
        ["/api" ["/users/:id" {:get show :delete drop-it}] ["/ping" show]]
        [["/api" ["/users/:id" {:get {:handler show} :delete {:handler drop-it}}]] ["/api/ping" {:handler show}]]
        {"/api/users/:id" {:get show :delete drop-it} "/api/ping" show}
        {"/api" {"/users/:id" {:get show :delete drop-it} "/ping" show}}
        [{"/api" {"/users/:id" {:get show :delete drop-it}}} {:path "/api/ping" :handler show}]
        [["/api" [{:path "/users/:id" :get show :delete drop-it} {:path "/ping" :handler show}]]])))
  (testing "reitit's"
    (are [form expected] (= expected (flat form))
      nil []
      [] []
      {} []
      [nil nil] []
      ["/x" show] [["/x" {:handler show}]]
      ["/x" #'show] [["/x" {:handler #'show}]]
      ["/x" ::x] [["/x" {:name ::x}]]
      ["/x"] [["/x" {}]]
      (list "/x" show) [["/x" {:handler show}]]
      [["/x" show]] [["/x" {:handler show}]]
      [[[["/x" show]]] nil ["/y" show]] [["/x" {:handler show}] ["/y" {:handler show}]]
      ["/a" nil ["/x" show]] [["/a/x" {:handler show}]]
      ["/a" ["/x" show] nil] [["/a/x" {:handler show}]]
      ["/a" {:roles #{1}} (for [i [1 2]] [(str "/" i) show])] [["/a/1" {:roles #{1} :handler show}]
                                                               ["/a/2" {:roles #{1} :handler show}]]
      ["/a" {:handler show} (for [i []] [i show])] []
      ["/a" (for [i [1 2]] [(str "/" i) show])] [["/a/1" {:handler show}] ["/a/2" {:handler show}]]
      ["/a" ["" show] ["/" show]] [["/a" {:handler show}] ["/a/" {:handler show}]]
      ["" {:no-doc true} ["/x" show]] [["/x" {:no-doc true :handler show}]]
      ["/x" {:get {:handler show} :post nil}] [["/x" {:get {:handler show}}]]
      ["/x" {:get ::name}] [["/x" {:get {:name ::name}}]]
      ["/x" {:middleware wrap :handler show}] [["/x" {:middleware [wrap] :handler show}]]))
  (testing "Donkey's"
    (are [form expected] (= expected (flat form))
      {:path "/x" :handler show} [["/x" {:handler show}]]
      [{:path "/x" :methods [:get] :handler show :handler-mode :blocking}]
      [["/x" {:methods [:get] :handler show :handler-mode :worker}]]
      [{:path "/x" :handler show :handler-mode :non-blocking :consumes ["a/b"] :match-type :simple}]
      [["/x" {:handler show :handler-mode :async :consumes ["a/b"] :match-type :simple}]]
      [{:handler show}] [["/{*path}" {:handler show}]]
      [{:path "/x/(.*)" :match-type :regex :handler show}] [["/x/(.*)" {:match-type :regex :handler show}]]))
  (testing "maps of paths"
    (are [form expected] (= expected (flat form))
      {"/x" {"" show "/:id" {:roles #{1} "/y" show}}}
      [["/x" {:handler show}] ["/x/:id/y" {:roles #{1} :handler show}]]
      {:middleware [wrap] "/x" show} [["/x" {:middleware [wrap] :handler show}]]
      {"/x" nil "/y" show} [["/y" {:handler show}]]
      {"/x" [["/y" show] ["/z" show]]} [["/x/y" {:handler show}] ["/x/z" {:handler show}]])))

(deftest regex-test
  (testing "a Pattern, or a string that is said to be one"
    (is (= [["/x/(\\d+)" {:handler show :match-type :regex}]] (flat [#"/x/(\d+)" show])))
    (is (= [["/x/(\\d+)" {:handler show :match-type :regex}]] (flat ["/x/(\\d+)" {:handler show :match-type :regex}]))))
  (testing "the path around it is literal"
    (is (= [["/a\\.b/x(.*)" {:handler show :match-type :regex}]] (flat ["/a.b" [#"/x(.*)" show]])))
    (is (= [["/caf%C3%A9/x(.*)" {:handler show :match-type :regex}]] (flat [#"/x(.*)" show] {:path "/café"}))))
  (testing "and has no parameters"
    (is (re-find #"has parameters, and a regular expression continues it"
                 (:message (failure (flat ["/:id" [#"/x" show]]))))))
  (testing "all below a scope that says so are"
    (is (= [["/a.c" {:match-type :regex :handler show}]] (flat ["" {:match-type :regex} ["/a.c" show]])))))

(deftest merge-test
  (testing "what a route has of the routes around it"
    (are [outer inner merged] (= merged (route-data/merge-data outer inner))
      {:a 1} {:b 2} {:a 1 :b 2}
      {:a 1} {:a 2} {:a 2}
      {:a 1} {:a nil} {:a 1}
      {:a {:b 1 :c {:d 1}}} {:a {:b 2 :c {:e 2}}} {:a {:b 2 :c {:d 1 :e 2}}}
      {:a [1]} {:a [2 3]} {:a [1 2 3]}
      ;; metosin/reitit issue 296: a list stays in order.
      {:a '(1 2)} {:a [3]} {:a [1 2 3]}
      {:a '(1 2)} {:a '(3 4)} {:a [1 2 3 4]}
      {:a #{1}} {:a #{2}} {:a #{1 2}}
      {:a #{1}} {:a [2]} {:a [1 2]}
      {:a [1]} {:a :b} {:a :b}
      {:a [1]} {:a {:b 1}} {:a {:b 1}}
      {:a [1]} {:a ^:replace [2]} {:a [2]}
      {:a ^:displace [1]} {:a [2]} {:a [2]}
      {:a [1]} {:a ^:displace [2]} {:a [1]}
      {} {:a ^:displace [2]} {:a [2]}
      {:a [1]} {:a ^:prepend [2]} {:a [2 1]}
      {:a {:b #{1}}} {:a {:b ^:replace #{2}}} {:a {:b #{2}}}
      {:a {:b 1}} {:a ^:replace {:c 1}} {:a {:c 1}}
      {:get {:a [1]}} {:get {:a [2] :handler show}} {:get {:a [1 2] :handler show}}))
  (testing "what answers is replaced as a whole"
    (are [outer inner merged] (= merged (route-data/merge-data outer inner))
      {:handler show} {:response {:status 200}} {:response {:status 200}}
      {:response {:status 200}} {:handler show} {:handler show}
      {:handler show} {:response nil} {:handler show :response nil}
      {:get {:handler show}} {:get {:files "x"}} {:get {:files "x"}}
      {:handler show} {:get {:files "x"}} {:handler show :get {:files "x"}}))
  (testing "what replaces is added to further in"
    (is (= [["/a/b/c" {:roles #{2 3} :handler show}]]
           (flat ["/a" {:roles #{1}} ["/b" {:roles ^:replace #{2}} ["/c" {:roles #{3} :handler show}]]]))))
  (testing "from the outside in: the router's data, then the routes'"
    (is (= [["/p/a/b" {:tags [0 1 2] :doc :inner :handler show}]]
           (flat ["/a" {:tags [1] :doc :outer} ["/b" {:tags [2] :doc :inner :handler show}]]
                 {:path "/p" :data {:tags [0] :doc :global}}))))
  (testing "a function and a map of one method are merged too"
    (is (= [["/a/b" {:get {:tags [1] :handler show}}]]
           (flat ["/a" {:get {:tags [1]}} ["/b" {:get show}]])))))

(deftest data-failure-test
  (are [form pattern] (let [{:keys [type message]} (failure (flat form))]
                        (and (= :hinny.error/route-invalid type) (re-find pattern message)))
    :x #"a route is a vector that begins with a path, a map with a :path, or a map of paths, not :x"
    "/x" #"not \"/x\""
    [:get "/x" show] #"not \[:get \"/x\""
    [["/a" show] "/b"] #"not \[\[\"/a\""
    ["/a" ["/b" show] 7] #"route \"/a\": a route is a vector .* not 7"
    ["/x" 'sym] #"route \"/x\": neither a map, a function nor a name: sym"
    ["/x" {:get 7}] #"route \"/x\": neither a map, a function nor a name: 7"
    [{:foo 1}] #"a map with a :path, or a map of paths, not \{:foo 1\}"
    {"/x" {:get show "/y" show}} #"route \"/x\": has paths below it, and :get of its own; put that under the path \"\""
    {"/x" {:handler show "/y" show}} #"has paths below it, and :handler"
    {"/x" show 7 show} #"strings for paths and keywords for data, not 7"))

(deftest property-test
  (let [holds (fn [property]
                (let [{:keys [pass? shrunk seed]} (test-check/quick-check 60 property)]
                  (is pass? {:seed seed :smallest (:smallest shrunk)})))]
    (testing "flat routes are route data, and stay what they are"
      (holds (prop/for-all [tree generators/tree]
               (let [once (flat tree)]
                 (= once (flat once))))))
    (testing "a tree of maps of paths is the same as of vectors"
      (holds (prop/for-all [tree generators/tree]
               (let [as-map (fn as-map [[path data & children]]
                              (if (seq children)
                                [path [["" data (map as-map children)]]]
                                [path data]))]
                 (= (flat tree) (flat (map (fn [route] (apply array-map (as-map route))) tree)))))))
    (testing "a path is all paths around it, and middleware is as many"
      (holds (prop/for-all [tree generators/tree]
               (let [expected (fn expected [path n [text data & children]]
                                (let [path (str path text)
                                      n (+ n (count (:middleware data)))]
                                  (if (seq children)
                                    (mapcat #(expected path n %) children)
                                    [[path n]])))]
                 (= (mapcat #(expected "" 0 %) tree)
                    (map (fn [[template data]] [template (count (:middleware data))]) (flat tree)))))))))
