(ns hinny.reload-test
  "What a REPL does to a running server: the handler's namespace is loaded again and again under load, and Hinny's own
  namespaces too. In a JVM of its own, which is not used after that."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.router :as router]
   [hinny.server :as server]
   [hinny.test :as test]))

(set! *warn-on-reflection* true)

(def ^:private reloads 50)

(defn- load-subject
  "Loads the handler's namespace, as an editor sends a file to the REPL; its answer is `version`."
  [version]
  (load-string (str "(ns hinny.reload-subject) "
                 "(defn- answer [] {:status 200 :headers {} :body \"" version "\"}) "
                 "(defn handler [_] (answer))")))

(defn- ask-on
  [client]
  (probe/exchange client (raw/get-request "/")))

(defn- run-client
  "A future of the answers of one connection until `stopped`, repeated ones left out."
  [server stopped]
  (future
    (with-open [client (probe/connect server)]
      (loop [answers []]
        (let [answer (ask-on client)
              answers (if (= answer (peek answers)) answers (conj answers answer))]
          (if @stopped answers (recur answers)))))))

(defn handler-scene
  "Answers while the handler's namespace is loaded again: of clients, and after each time."
  []
  (load-subject 0)
  (raw/with-server [server (resolve 'hinny.reload-subject/handler) {:event-loops 2}]
    (let [stopped (atom false)
          clients (vec (repeatedly 4 #(run-client server stopped)))
          after (with-open [client (probe/connect server)]
                  (mapv (fn [version]
                          (load-subject version)
                          (ask-on client))
                        (range 1 (inc reloads))))]
      (reset! stopped true)
      {:after after :clients (mapv #(deref % probe/guard-ms :hangs) clients)})))

(defn own-scene
  "A server before and after Hinny's namespaces are loaded again, and one that is started then."
  []
  (let [old (server/run-server (constantly (probe/ok "old")) {:host "127.0.0.1" :port 0})
        before (probe/ask old "/")]
    (require 'hinny.server :reload-all)
    (let [port (.invoke ^clojure.lang.IFn (resolve 'hinny.server/server-port) old)
          after (with-open [client (raw/connect port)]
                  (ask-on client))
          status (server/server-status old)
          stopped (do
                    (server/stop-server old)
                    (server/server-status old))
          fresh (raw/with-server [server (constantly (probe/ok "new")) {}]
                  (probe/ask server "/"))]
      {:before before :after after :status status :stopped stopped :fresh fresh})))

(defn- body-of
  "A response body of a type that implements the protocol inline."
  [text]
  (eval `(do
           (require 'hinny.protocols)
           (deftype ~'Written [text#]
             hinny.protocols/StreamableResponseBody
             (~'write-body-to-stream [_# _# out#]
               (.write ^java.io.OutputStream out# (.getBytes ^String text#))
               (.close ^java.io.OutputStream out#)))
           (~'->Written ~text))))

(defn held-scene
  "What a user holds of Hinny while `namespaces` are loaded again with `flag`: a server, a router, a body of a type of their
  own, a value of JSON of a type of their own. What each function says of them then."
  [namespaces flag]
  (let [routes [["/a" {:name :a :get (constantly (probe/ok "a"))}]]
        held (router/router [["/b/:id" {:name :b :get (constantly (probe/ok "b"))}]])
        body (body-of "written")
        body-held (router/router [["/c" {:get (constantly {:status 200 :headers {} :body body})}]])
        running (server/run-server nil {:host "127.0.0.1" :port 0 :routes routes})
        ask (fn [path]
              (with-open [client (raw/connect (server/server-port running))]
                (probe/exchange client (raw/get-request path))))
        said (try
               (let [before (ask "/a")]
                 (apply require (concat namespaces [flag]))
                 (array-map ; in this order
                   :before before
                   :port? (pos-int? (server/server-port running))
                   :metrics? (pos-int? (:requests (server/server-metrics running)))
                   :printed? (string? (pr-str running held))
                   :routes (mapv first (server/routes running))
                   :again (ask "/a")
                   :swapped [(server/swap-routes! running held) (ask "/b/1")]
                   :body [(server/swap-routes! running body-held) (ask "/c")]
                   :router [(mapv first (router/routes held)) (router/path-for held :b {:id 1})
                            (:path-params (router/match held :get "/b/2"))]
                   :in-process (:body (test/request (constantly {:status 200 :headers {} :body body}) {}))))
               (catch Throwable thrown
                 {:threw (str thrown)}))]
    (assoc said :stopped [(server/stop-server running {:timeout 1000}) (server/server-status running)])))

(def ^:private reloaded
  "Namespaces and how they are loaded again, one after the other."
  '[[[hinny.server] :reload]
    [[hinny.router] :reload]
    [[hinny.router hinny.server] :reload]
    [[hinny.protocols hinny.json-protocol hinny.json hinny.middleware hinny.test] :reload]
    [[hinny.test] :reload-all]])

(defn held-scenes []
  (mapv #(apply held-scene %) reloaded))

(deftest held-reload-test
  (let [{values :value :as jvm} (forked/call `held-scenes {})]
    (is (forked/sound? jvm))
    (is (= (count reloaded) (count values)))
    (doseq [[what value] (map vector reloaded values)]
      (testing (str "a server and a router that are held outlive " what)
        (is (= {:before [200 "a"]
                :port? true
                :metrics? true
                :printed? true
                :routes ["/a"]
                :again [200 "a"]
                :swapped [nil [200 "b"]]
                :body [nil [200 "written"]]
                :router [["/b/:id"] "/b/1" {:id "2"}]
                :in-process "written"
                :stopped [nil :stopped]}
               value))))))

(deftest handler-reload-test
  (let [{:keys [value] :as jvm} (forked/call `handler-scene {})]
    (is (forked/sound? jvm))
    (testing "the next request after a reload gets the new answer"
      (is (= (mapv #(vector 200 (str %)) (range 1 (inc reloads))) (:after value))))
    (testing "meanwhile each request gets the old or the new one, and never an older one again"
      (doseq [answers (:clients value)]
        (is (every? #(= 200 (first %)) answers))
        (let [versions (map (comp parse-long second) answers)]
          (is (apply < -1 versions)))))))

(deftest own-reload-test
  (testing "a server outlives a reload of Hinny's namespaces, and can still be stopped"
    (let [{:keys [value] :as jvm} (forked/call `own-scene {})]
      (is (forked/sound? jvm))
      (is (= {:before [200 "old"] :after [200 "old"] :status :running :stopped :stopped :fresh [200 "new"]} value)))))
