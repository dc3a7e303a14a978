(ns hinny.route-swap-test
  "Routes that are swapped while requests come: none is lost, none gets another route's handler, and when a swap has
  returned it counts."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.modes :as modes]
   [hinny.raw-client :as raw :refer [send! with-client with-server]]
   [hinny.server :as server])
  (:import
   (java.util.concurrent.atomic AtomicBoolean)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private paths ["/a" "/b" "/c/:x" "/d" "/e/*rest"])

(def ^:private targets ["/a" "/b" "/c/1" "/d" "/e/x/y"])

(defn- answer-of
  "A handler that tells for which path and in which version of the routes it was made."
  [path version]
  (fn [{:keys [route]}]
    {:status 200 :body (pr-str [path version (= path (:test/path route)) (:test/version route)])}))

(defn- version-of-site
  "The same paths in another order, so that each version has other numbers for them."
  [adapt version]
  (let [ordered (take (count paths) (drop (mod version (count paths)) (cycle paths)))]
    (vec (for [path ordered]
           [path {:test/path path :test/version version :get (adapt (answer-of path version))}]))))

(defn- right?
  "Whether `response` is that of the route for `target`."
  [target {:keys [status body]}]
  (and (= 200 status)
       (let [[path version same? data-version] (read-string body)]
         (and (= path (nth paths (.indexOf ^java.util.List targets target)))
              same?
              (= version data-version)))))

(defn- load!
  "Sends pipelines of requests until `done`; returns how many answers came, and the wrong ones."
  [server ^AtomicBoolean done depth]
  (with-client [client server]
    (loop [answers 0
           wrong []]
      (if (.get done)
        [answers wrong]
        (let [batch (take depth (shuffle (take (* 2 depth) (cycle targets))))]
          (send! client (str/join (map raw/get-request batch)))
          (let [responses (doall (repeatedly depth #(raw/read-response client)))]
            (recur (+ answers (long depth))
                   (into wrong (remove (fn [[target response]] (right? target response)) (map vector batch responses))))))))))

(deftest swap-under-load-test
  (doseq [mode-name ["worker" "inline" "async, answering on another thread"]
          :let [{:keys [adapt options]} (modes/named mode-name)]]
    (testing mode-name
      (with-server [server nil (assoc options :routes (version-of-site adapt 0) :event-loops 2)]
        (let [done (AtomicBoolean.)
              loads (mapv (fn [depth] (future (load! server done depth))) [1 1 4 16])]
          (try
            (with-client [client server]
              (doseq [version (range 1 101)]
                (server/swap-routes! server (version-of-site adapt version))
                (send! client (raw/get-request "/c/2"))
                (let [[path seen] (read-string (:body (raw/read-response client)))]
                  (is (= ["/c/:x" version] [path seen])))))
            (finally
              (.set done true)))
          (doseq [load loads
                  :let [[answers wrong] (deref load raw/guard-ms [0 [:hangs]])]]
            (is (pos? answers))
            (is (= [] wrong))))
        (is (= 0 (:replies-stale (server/server-metrics server))))
        (is (= 100 (:test/version (second (first (server/routes server))))))))))

(deftest swap-of-all-sorts-test
  (with-server [server nil {:routes [["/a" {:get (answer-of "/a" 1)}]]}]
    (testing "what was there is gone, what is new is there"
      (server/swap-routes! server {"/b" (answer-of "/b" 1)})
      (is (= [404 200] (map #(:status (raw/answer server (raw/get-request %))) ["/a" "/b"]))))
    (testing "routes that are wrong change nothing"
      (is (thrown-with-msg? clojure.lang.ExceptionInfo #"\"/c\"" (server/swap-routes! server [["/c" {:get 1}]])))
      (is (= [404 200] (map #(:status (raw/answer server (raw/get-request %))) ["/a" "/b"]))))
    (testing "a server without routes may get some"
      (with-server [bare (constantly {:status 299})]
        (is (nil? (server/routes bare)))
        (server/swap-routes! bare [["/b" {:get (answer-of "/b" 1)}]])
        (is (= [299 200] (map #(:status (raw/answer bare (raw/get-request %))) ["/a" "/b"]))))))
  (testing "a handler may swap the routes of its own server"
    (doseq [mode [:inline :worker]
            :let [own (promise)
                  swap (fn [_]
                         (server/swap-routes! @own [["/after" {:get (answer-of "/after" 2)}]])
                         {:status 200 :body "swapped"})]]
      (with-server [server nil {:routes [["/swap" {:get swap}]] :handler-mode mode}]
        (deliver own server)
        (is (= "swapped" (:body (raw/answer server (raw/get-request "/swap")))))
        (is (raw/await-until #(= 200 (:status (raw/answer server (raw/get-request "/after")))))))))
  (testing "a server that is stopped has none"
    (let [stopped (server/run-server nil {:routes [["/a" {:get (answer-of "/a" 1)}]] :port 0 :host "127.0.0.1"})]
      (.close ^java.io.Closeable stopped)
      (is (thrown? IllegalStateException (server/swap-routes! stopped [["/b" {:get (answer-of "/b" 1)}]]))))))

(deftest body-on-its-way-test
  (testing "a request whose body comes slowly is matched when it is complete"
    (let [echo (fn [version] (fn [request] {:status 200 :body (str version (slurp (:body request)))}))]
      (with-server [server nil {:routes [["/a" {:post (echo "old")}] ["/b" {:post (echo "b")}]]}]
        (with-client [client server]
          (send! client (raw/head "POST /b HTTP/1.1" "Host: x" "Content-Length: 4"))
          (send! client "xy")
          (is (raw/await-taken client))
          (server/swap-routes! server [["/b" {:post (echo "new")}]])
          (send! client "zz")
          (is (= "newxyzz" (:body (raw/read-response client)))))))))
