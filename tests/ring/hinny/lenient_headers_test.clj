(ns hinny.lenient-headers-test
  "Header values that are no strings: refused, and with `:lenient-headers?` sent."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.adapter :refer [run-jetty]]
   [hinny.log-capture :refer [with-log]]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-server]]
   [hinny.router :as router]))

(set! *warn-on-reflection* true)

(def ^:private headers
  {"X-Number" 7 "X-Nil" nil "X-Text" "text" "X-Many" ["a" 2 nil :b] "X-List" '("a" "b") "X-Keyword" :k "X-None" []})

(defn- seen
  [response]
  [(:status response)
   (into {} (for [header ["x-number" "x-nil" "x-text" "x-many" "x-list" "x-keyword" "x-none"]
                  :let [values (raw/header-values response header)]
                  :when (seq values)]
              [header values]))])

(def ^:private expected
  [200 {"x-number" ["7"] "x-text" ["text"] "x-many" ["a" "2" ":b"] "x-list" ["a" "b"] "x-keyword" [":k"]}])

(defn- answer
  [_]
  {:status 200 :headers headers :body ""})

(deftest lenient-test
  (each-mode [mode]
    (with-handler [server mode answer {:lenient-headers? true}]
      (is (= expected (seen (raw/answer server (raw/get-request "/")))))
      (is (= expected (seen (raw/answer server (raw/get-request "/"))))))))

(deftest routes-test
  (doseq [routes [["/x" {:get answer}] (router/router ["/x" {:get answer}])]]
    (with-server [server nil {:lenient-headers? true :routes routes}]
      (is (= expected (seen (raw/answer server (raw/get-request "/x"))))))))

(deftest jetty-test
  (with-open [server (run-jetty answer {:host "127.0.0.1" :port 0 :join? false :lenient-headers? true})]
    (is (= expected (seen (raw/answer server (raw/get-request "/")))))))

(deftest strict-test
  (testing "by default they are what the SPEC has"
    (with-log [_]
      (doseq [value [7 nil :k ["a" 2]]]
        (with-server [server (fn [_] {:status 200 :headers {"X" value} :body ""}) nil]
          (is (= 500 (:status (raw/answer server (raw/get-request "/")))) (pr-str value)))))))
