(ns hinny.route-endpoint-test
  "Endpoints of a route: methods, middleware, handlers of both arities, constant replies, options, and what is refused."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing]]
   [hinny.impl.route-data :as route-data]
   [hinny.impl.route-table :as route-table]
   [hinny.json :as json]
   [hinny.route-failure :refer [failure]])
  (:import
   (io.github.hinny Outbox ResponseEncoder)
   (java.util Arrays)))

(set! *warn-on-reflection* true)

(defn- show [_] {:status 200})
(defn- drop-it [_] {:status 204})

(defmulti ^:private by-method :request-method)

(defn- endpoints
  ([form] (endpoints form nil))
  ([form opts] (mapcat :endpoints (route-table/routes form opts))))

(defn- summary
  [form]
  (map (juxt :methods #(select-keys (:data %) (conj route-data/answers :doc))) (endpoints form)))

(deftest methods-test
  (are [data expected] (= expected (summary ["/x" data]))
    show [[nil {:handler show}]]
    {:handler show} [[nil {:handler show}]]
    {:get show} [[[:get] {:handler show}]]
    {:delete drop-it :get show} [[[:get] {:handler show}] [[:delete] {:handler drop-it}]]
    {:get show :handler drop-it} [[[:get] {:handler show}] [nil {:handler drop-it}]]
    {:methods [:post :get] :handler show} [[[:get :post] {:handler show}]]
    {:methods :get :handler show} [[[:get] {:handler show}]]
    {:methods [] :handler show} [[nil {:handler show}]]
    {:methods #{:get} :handler show :delete drop-it} [[[:delete] {:handler drop-it}] [[:get] {:handler show}]]
    {:handler show :get {:doc 1}} [[[:get] {:handler show :doc 1}] [nil {:handler show}]]
    {:handler show :doc 1 :get {:doc 2 :response {:status 200}}} [[[:get] {:response {:status 200} :doc 2}]
                                                                  [nil {:handler show :doc 1}]]
    {:doc 1 :get show} [[[:get] {:handler show :doc 1}]])
  (testing "an endpoint's data are the route's with its own merged into them"
    (is (= [{:roles #{1 2} :tags [1] :name ::x :handler show}]
           (map :data (endpoints ["/x" {:roles #{1} :tags [1] :name ::x :get {:roles #{2} :handler show}}])))))
  (testing "the name is its own, or the route's"
    (is (= [[[:get] ::x] [[:post] ::y]]
           (map (juxt :methods :name) (endpoints ["/x" {:name ::x :get show :post {:name ::y :handler show}}])))))
  (testing "any handler that can be called will do"
    (are [handler] (= 1 (count (endpoints ["/x" {:handler handler}])))
      show #'show by-method (comp show identity) (reify clojure.lang.IFn))))

(defn- tracing
  "Middleware of both arities that says when it is composed, and in what order it is passed."
  [composed tag]
  (fn [handler & arguments]
    (swap! composed conj tag)
    (fn
      ([request] (update (handler (update request :in (fnil conj []) tag)) :out (fnil conj []) (into [tag] arguments)))
      ([request respond raise]
       (handler (update request :in (fnil conj []) tag)
                #(respond (update % :out (fnil conj []) (into [tag] arguments)))
                raise)))))

(deftest middleware-test
  (let [composed (atom [])
        [a b c d] (map #(tracing composed %) [:a :b :c :d])
        handler (fn
                  ([request] {:status 200 :in (:in request)})
                  ([request respond _] (respond {:status 200 :in (:in request)})))
        [{composed-get :handler} {composed-post :handler}]
        (endpoints ["/x" {:middleware [[b "arg"] nil]} ["/y" {:middleware [c] :get {:middleware [d] :handler handler}
                                                              :post handler}]]
                   {:data {:middleware [a]}})]
    (testing "composed once for each endpoint, at once"
      (is (= [:d :c :b :a :c :b :a] @composed))
      (dotimes [_ 3] (composed-get {}))
      (is (= 7 (count @composed))))
    (testing "the router's first, then the routes' from outside in; one arity"
      (is (= {:status 200 :in [:a :b :c :d] :out [[:d] [:c] [:b "arg"] [:a]]} (composed-get {})))
      (is (= {:status 200 :in [:a :b :c] :out [[:c] [:b "arg"] [:a]]} (composed-post {}))))
    (testing "and of three"
      (is (= {:status 200 :in [:a :b :c :d] :out [[:d] [:c] [:b "arg"] [:a]]}
             (let [answer (promise)]
               (composed-get {} #(deliver answer %) #(deliver answer %))
               @answer)))))
  (testing "without middleware the handler is what was given, so that a var is followed"
    (is (identical? #'show (:handler (first (endpoints ["/x" #'show]))))))
  (testing "reitit's maps: :wrap, and :compile of data and options"
    (let [seen (atom nil)
          tag (fn [t] (fn [handler] (fn [request] (update (handler request) :tags conj t))))
          compiled {:name ::c :compile (fn [data opts] (reset! seen [(:doc data) (:syntax opts)]) (tag :compiled))}
          [{:keys [handler]}] (endpoints ["/x" {:doc 7 :middleware [{:name ::w :wrap (tag :wrapped)} compiled
                                                                    {:compile (constantly nil)}]
                                                :handler show}]
                                         {:syntax :bracket})]
      (is (= {:status 200 :tags [:wrapped :compiled]} (handler {})))
      (is (= [7 :bracket] @seen)))))

(deftest response-test
  (testing "a constant reply is what a handler's response would be"
    (are [response] (let [[{:keys [words handler]}] (endpoints ["/x" {:response response}])
                          outbox (Outbox. 64)]
                      (.encode (ResponseEncoder.) response 0 false outbox)
                      (and (nil? handler)
                           (= ["response"] (map first words))
                           (Arrays/equals (bytes (second (first words)))
                                          (Arrays/copyOf (.array outbox) (.position outbox)))))
      {:status 204}
      {:status 200 :headers {"Content-Type" "text/plain"} :body "hello"}
      {:status 200 :headers {"Content-Type" "text/plain; charset=iso-8859-1"} :body "é"}
      {:status 200 :headers {"Set-Cookie" ["a=1" "b=2"]} :body (.getBytes "bytes")}
      {:status 404 :headers {} :body (json/body {:error "none"})}
      {:status 200 :headers {} :body (apply str (repeat 100000 "x"))})))

(deftest options-test
  (is (= {:max-body-bytes 10 :parse #{:json} :handler-mode :async}
         (:options (first (endpoints ["/x" {:max-body-bytes 5 :parse #{:json}}
                                      ["/y" {:max-body-bytes 10 :handler-mode :non-blocking :doc 1 :handler show}]])))))
  (testing "media types, one or many"
    (is (= [["application/json"] ["text/html" "text/*; q=1"]]
           ((juxt :consumes :produces)
            (first (endpoints ["/x" {:consumes "application/json" :produces ["text/html" "text/*; q=1"]
                                     :handler show}])))))))

(deftest endpoint-failure-test
  (are [data pattern] (let [{:keys [type message template]} (failure (endpoints ["/x" data]))]
                        (and (= :hinny.error/route-invalid type) (= "/x" template) (re-find pattern message)))
    {} #"route \"/x\": has no :handler, and no :response, :files, :file or :resources"
    ::name #"route \"/x\" \(:hinny.route-endpoint-test/name\): has no :handler"
    {:handlr show} #"has no :handler.*; did you mean :handler by :handlr\?"
    {:get {:handlr show}} #"route :get \"/x\": has no :handler.*did you mean :handler by :handlr"
    {:handler "f"} #":handler must be a function, is \"f\""
    {:handler :f} #":handler must be a function, is :f"
    {:handler {}} #":handler must be a function, is \{\}"
    {:handler show :response {:status 200}} #"has :handler and :response; one of them answers"
    {:files "x" :file "y"} #"has :files and :file"
    {:get {:handler show :methods [:get]}} #":methods belongs to a route, and is in its :get"
    {:get {:post show}} #":post belongs to a route, and is in its :get"
    {:methods [:get :pst] :handler show} #":methods has :pst, did you mean :post\? Known: :get :head :post"
    {:methods ["GET"] :handler show} #":methods has \"GET\"\. Known:"
    {:methods [:get] :handler show :get show} #":get is one of its :methods, and has an endpoint of its own"
    {:name "x" :handler show} #":name must be a keyword, is \"x\""
    {:match-type :glob :handler show} #":match-type must be :simple or :regex, is :glob"
    {:consumes "json" :handler show} #":consumes must be media types such as \"application/json\", has \"json\""
    {:produces [:json] :handler show} #":produces must be media types.* has :json"
    {:middleware [::registered] :handler show} #"is a keyword; there is no registry, write the function itself"
    {:middleware [7] :handler show} #"middleware 7 is none of a function, a vector"
    {:middleware [identity "arg"] :handler show} #"middleware \"arg\" is none of a function"
    {:middleware [["arg"]] :handler show} #"middleware \"arg\" is none of"
    {:middleware [[nil]] :handler show} #"begins with no function"
    {:middleware [(constantly nil)] :handler show} #"returned no handler, but nil"
    {:response {:status 99}} #":response cannot be sent: response :status: must be 200 to 599"
    {:response "hello"} #":response cannot be sent: response: must be a map"
    {:response {:status 200 :headers {"a b" "c"}}} #":response cannot be sent: response"
    {:response {:status 200 :body (java.io.File. "x")}} #"must be nil, a string, a byte array or hinny.json/body, is a java.io.File"
    {:response {:status 200 :body (list "a")}} #"is a clojure.lang.PersistentList"
    {:response {:status 200 :body (java.io.ByteArrayInputStream. (byte-array 0))}} #"let a handler answer with it"
    {:response {:status 200} :middleware [identity]}
    #"the core answers :response by itself, so its :middleware would not run; .* :middleware \^:replace \[\]"
    {:max-body-byte 7 :handler show} #"unknown key :max-body-byte, did you mean :max-body-bytes\? \(Give a key of your own a name"
    {:max-body 7 :handler show} #"did you mean :max-body-bytes"
    {:handler-timout-ms 7 :handler show} #"did you mean :handler-timeout-ms"
    {:get {:body-read-timeout 7 :handler show}} #"did you mean :body-read-timeout-ms"
    {:middelware [identity] :handler show} #"unknown key :middelware, did you mean :middleware"
    {:middlewares [identity] :handler show} #"did you mean :middleware"
    {:consume "a/b" :handler show} #"did you mean :consumes"
    {:method :get :handler show} #"did you mean :methods"
    {:methods [:GET] :handler show} #":methods has :GET, did you mean :get\?"
    {:Middleware [identity] :handler show} #"unknown key :Middleware, did you mean :middleware\?"
    {:get {:HANDLER show} :handler show} #"unknown key :HANDLER, did you mean :handler\?"
    {:get show :handlr show} #"unknown key :handlr, did you mean :handler\?")
  (testing "a misspelt method drops no endpoint"
    (doseq [[k meant] {:psot :post :gett :get :GET :get :Get :get :pst :post :ptu :put :delte :delete :deletee :delete
                       :optoins :options :patc :patch :POST :post :haed :head}
            value [show {:handler show} {:middleware [identity]}]
            form [["/x" {:get show k value}]
                  ["/x" {k value :handler show}]
                  ["" {k value} ["/x" show]]
                  {:path "/x" :handler show k value}
                  {"/x" {:get show k value}}
                  {"/x" show k value}]]
      (let [{:keys [type message template key nearest]} (failure (endpoints form))]
        (is (= [:hinny.error/route-invalid "/x" k meant] [type template key nearest]) (pr-str form))
        (is (str/starts-with? (str message) (str "route \"/x\": unknown key " k ", did you mean " meant "?")) (pr-str form))))
    (is (= [:GET :get] ((juxt :key :nearest) (failure (endpoints ["/x" {:GET "whatever" :handler show}]))))))
  (testing "a key that is like a method, of the user's own, whose value answers nothing"
    (let [data {:handler show :host "h" :port 80 :pot {:a 1} :set #{1} :cost {:name "x"} :my/psot show :path-fn 1 :past nil}]
      (is (= [data] (map :data (endpoints ["/x" data]))))))
  (testing "options are checked as the server's are, and the message says where"
    (let [{:keys [type message option template]} (failure (endpoints ["/x" {:get {:max-body-bytes -1 :handler show}}]))]
      (is (= [:hinny.error/option-invalid :max-body-bytes "/x"] [type option template]))
      (is (str/starts-with? message "route :get \"/x\": :max-body-bytes must be an integer from 0 to"))))
  (testing "middleware that was replaced by none is none"
    (is (= 1 (count (endpoints ["/x" {:response {:status 200} :middleware ^:replace []}] {:data {:middleware [identity]}})))))
  (testing "keys of the user's own are free"
    (let [data {:handler show :responses {200 {}} :parameters {} :coercion 1 :muuntaja 1 :swagger {} :openapi {} :no-doc true
                :conflicting true :summary "" :description "" :tags #{} :roles #{} :parser 1 :resource 1 :product 1
                :handle 1 :requests 1 :timeout 1 :max 1 :body 1 :my/middlewar 1 :json 1 "middlewares" 1}]
      (is (= [data] (map :data (endpoints ["/x" data])))))))
