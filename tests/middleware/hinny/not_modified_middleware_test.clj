(ns hinny.not-modified-middleware-test
  "`wrap-not-modified`: what a client has already is not sent again, and its connection goes on."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.middleware-app :refer [answering fetch header with-app with-directory write-file!]]
   [hinny.raw-client :as raw :refer [with-client]]
   [ring.middleware.file :refer [wrap-file]]
   [ring.middleware.not-modified :refer [wrap-not-modified]]
   [ring.util.response :refer [not-found]])
  (:import
   (java.io File)))

(set! *warn-on-reflection* true)

(def ^:private modified "Wed, 05 Jan 2022 10:00:00 GMT")

(def ^:private tagged
  (wrap-not-modified
    (answering (fn [{:keys [request-method]}]
                 {:status 200
                  :headers {"ETag" "\"v1\"" "Last-Modified" modified "X-Kept" "yes" "Content-Type" "text/plain"}
                  :body (str "body for " (name request-method))}))))

(def ^:private condition-table
  "What is asked, the lines of the request, and the status."
  [["nothing" [] 200]
   ["the same tag" ["If-None-Match: \"v1\""] 304]
   ["another tag" ["If-None-Match: \"v2\""] 200]
   ["the same time" [(str "If-Modified-Since: " modified)] 304]
   ["a later time" ["If-Modified-Since: Thu, 06 Jan 2022 00:00:00 GMT"] 304]
   ["an earlier time" ["If-Modified-Since: Tue, 04 Jan 2022 00:00:00 GMT"] 200]
   ["an old format of the time" ["If-Modified-Since: Wednesday, 05-Jan-22 10:00:00 GMT"] 304]
   ["no time" ["If-Modified-Since: yesterday"] 200]
   ["tag and time" ["If-None-Match: \"v1\"" (str "If-Modified-Since: " modified)] 304]
   ["the tag, but an earlier time" ["If-None-Match: \"v1\"" "If-Modified-Since: Tue, 04 Jan 2022 00:00:00 GMT"] 200]])

(deftest conditions-test
  (with-app [server tagged]
    (with-client [client server]
      (doseq [[what lines status] condition-table]
        (testing (str what ", all on one connection")
          (raw/send! client (apply raw/get-request "/" lines))
          (let [response (raw/read-response client)]
            (is (= status (:status response)))
            (is (= ["\"v1\"" modified "yes"] (map #(raw/header response %) ["etag" "last-modified" "x-kept"])))
            (is (= (if (= 200 status) "body for get" "") (:body response)))))))))

(deftest not-modified-has-no-body-test
  (testing "9110 15.4.5: a 304 ends with its head, whatever its Content-Length says; the next response follows it"
    (with-app [server tagged]
      (let [bytes (raw/conversation server (str (raw/get-request "/" "If-None-Match: \"v1\"")
                                                (raw/get-request "/" "If-None-Match: \"v1\"")
                                                (raw/get-request "/" "Connection: close")))
            [before & parts] (str/split bytes #"(?=HTTP/1\.1 )")
            [first-304 second-304 last-200] (cons before parts)]
        (is (= 3 (count (cons before parts))))
        (doseq [part [first-304 second-304]]
          (is (str/starts-with? part "HTTP/1.1 304 "))
          (is (str/ends-with? part "\r\n\r\n"))
          (is (= 1 (count (re-seq #"\r\n\r\n" part))) "nothing after the head"))
        (is (str/ends-with? last-200 "\r\n\r\nbody for get"))))))

(deftest other-methods-test
  (with-app [server tagged]
    (with-client [client server]
      (raw/send! client (raw/head "HEAD / HTTP/1.1" "Host: x" "If-None-Match: \"v1\""))
      (is (= 304 (:status (raw/read-response client {:head? true}))))
      (raw/send! client (raw/post "/" "" "If-None-Match: \"v1\""))
      (is (= [200 "body for post"] ((juxt :status :body) (raw/read-response client)))))))

(deftest real-client-test
  (testing "the JDK's client takes a 304 for what it is, and goes on"
    (with-app [server tagged]
      (let [tag (header (fetch server "/") "etag")]
        (dotimes [_ 3]
          (is (= [304 ""] ((juxt :status :body) (fetch server "/" :headers {"If-None-Match" tag}))))
          (is (= [200 "body for get"] ((juxt :status :body) (fetch server "/")))))))))

(deftest file-not-modified-test
  (with-directory [directory]
    (let [^File file (write-file! directory "a.txt" "content")]
      (with-app [server (-> (answering (fn [_] (not-found "no"))) (wrap-file (str directory)) wrap-not-modified) {:blocking? true}]
        (.setLastModified file 1641376800000)
        (with-client [client server]
          (dotimes [_ 3]
            (raw/send! client (raw/get-request "/a.txt" (str "If-Modified-Since: " modified)))
            (let [response (raw/read-response client)]
              (is (= [304 ""] ((juxt :status :body) response)))
              (is (= modified (raw/header response "last-modified")))))
          (testing "a change is seen"
            (.setLastModified file 1641376801000)
            (raw/send! client (raw/get-request "/a.txt" (str "If-Modified-Since: " modified)))
            (is (= [200 "content"] ((juxt :status :body) (raw/read-response client))))))))))
