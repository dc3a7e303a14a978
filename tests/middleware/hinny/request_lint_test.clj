(ns hinny.request-lint-test
  "The lint finds what is wrong, one thing at a time, and nothing else."
  (:require
   [clojure.java.io :as io]
   [clojure.test :refer [are deftest is testing]]
   [hinny.request-lint :as lint]))

(set! *warn-on-reflection* true)

(def ^:private request
  {:server-port 8080
   :server-name "example.org"
   :remote-addr "127.0.0.1"
   :uri "/a%20b"
   :query-string "a=/?"
   :scheme :http
   :request-method :get
   :protocol "HTTP/1.1"
   :headers {"host" "example.org:8080" "content-type" "text/plain; charset=UTF-8" "content-length" "2"}
   :body (io/input-stream (byte-array 2))})

(deftest request-test
  (testing "nothing is wrong"
    (are [change] (= [] (lint/request-violations (merge request change)))
      {}
      {:body nil :query-string nil}
      {:server-name "[::1]" :remote-addr "2001:db8::1"}
      {:uri "*" :request-method :options}
      {:content-type "text/plain; charset=UTF-8" :content-length 2 :character-encoding "utf-8"}
      {:hinny/exchange 1}))
  (testing "one thing is"
    (are [k value] (= [[k value]] (lint/request-violations (assoc request k value)))
      :server-port 0
      :server-port "8080"
      :server-name nil
      :server-name "example.org:8080"
      :remote-addr "localhost"
      :remote-addr "127.0.0.1:1234"
      :uri nil
      :uri "a"
      :uri "/a?b"
      :uri "/a b"
      :uri "http://example.org/"
      :query-string "?a"
      :scheme "http"
      :request-method :GET
      :request-method "get"
      :protocol "1.1"
      :headers nil
      :headers {"content-type" nil}
      :headers {"Host" "x"}
      :headers {:host "x"}
      :headers {"host" ["x"]}
      :body "text"
      :body []
      :content-type "text/html"
      :content-length 3
      :character-encoding "latin1"
      :extra 1))
  (testing "what is no map"
    (is (= [[:request nil]] (lint/request-violations nil)))
    (is (= [[:request String]] (lint/request-violations "GET /")))))

(deftest response-test
  (are [expected response] (= expected (lint/response-violations response))
    [] {:status 200 :headers {} :body "x"}
    [] {:status 304 :headers {"A" "b" "C" (list "d" "e")} :body nil}
    [] {:status 200 :headers {} :body (map str [1 2])}
    [[:status "200"]] {:status "200" :headers {}}
    [[:headers nil]] {:status 200}
    [[:headers {:a "b"}]] {:status 200 :headers {:a "b"}}
    [[:headers {"A" 1}]] {:status 200 :headers {"A" 1}}
    [[:body Long]] {:status 200 :headers {} :body 1}
    [[:response nil]] nil))

(deftest wrap-lint-test
  (testing "both arities note both sides"
    (let [violations (atom [])
          handler (lint/wrap-lint (fn ([_] {:status 200})
                                    ([_ respond _] (respond {:status 200})))
                                  violations)
          wrong [[:scheme :ftp] [:headers nil]]]
      (is (= {:status 200} (handler (assoc request :scheme :ftp))))
      (is (= wrong @violations))
      (handler (assoc request :scheme :ftp) #(is (= {:status 200} %)) nil)
      (is (= (concat wrong wrong) @violations)))))
