(ns hinny.error-format-wire-test
  "How a client is told an error of the core, by its Accept: RFC 9110 section 12.5.1, RFC 9457."
  (:require
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.log-capture :refer [with-log]]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [head with-client with-server]]))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private formats
  "Header fields, and what they ask for."
  [[[] :usual]
   [["Accept: */*"] :usual]
   [["Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"] :usual]
   [["Accept: application/json"] :json]
   [["Accept: application/json, text/plain, */*"] :json]
   [["accept: application/problem+json"] :json]
   [["Accept: application/*"] :json]
   [["Accept: text/plain;q=0.5, application/json;q=0.6"] :json]
   [["Accept: text/plain;q=0.6, application/json;q=0.5"] :text]
   [["Accept: text/plain"] :text]
   [["Accept: application/json;q=0, */*"] :usual]
   [["X-Accept: application/json"] :usual]])

(defn- problem
  [status title]
  [status "application/problem+json" (str "{\"type\":\"about:blank\",\"title\":\"" title "\",\"status\":" status "}")])

(defn- told
  [response]
  [(:status response) (raw/header response "content-type") (:body response)])

(defn- is-told
  "Asks for each format with `request`, a function of header fields."
  [server request status title]
  (doseq [[fields format] formats]
    (is (= (if (= :json format) (problem status title) [status "text/plain" title])
           (told (raw/answer server (request fields))))
        (pr-str title fields))))

(defn- line
  [request-line & more]
  (fn [fields] (str (apply head request-line "Host: x" (concat more fields)))))

(deftest routes-test
  (with-server [server nil {:routes [["/get" {:get (fn [_] {:status 200 :body ""})}]
                                     ["/json" {:post {:handler (fn [_] {:status 200 :body ""}) :consumes ["application/json"]}}]
                                     ["/files/*rest" {:files {:root "docs"}}]]}]
    (is-told server (line "GET /none HTTP/1.1") 404 "Not Found")
    (is-told server (line "DELETE /get HTTP/1.1") 405 "Method Not Allowed")
    (is (= "GET, HEAD, OPTIONS" (raw/header (raw/answer server (head "DELETE /get HTTP/1.1" "Host: x" "Accept: application/json")) "allow")))
    (is-told server #(str ((line "POST /json HTTP/1.1" "Content-Type: text/xml" "Content-Length: 1") %) "x") 415 "Unsupported Media Type")
    (is-told server (line "GET /files/none HTTP/1.1") 404 "Not Found")
    (testing "again and again on one connection, where heads are known"
      (with-client [client server]
        (dotimes [_ 4]
          (doseq [[accept expected] [["application/json" (problem 404 "Not Found")] ["text/plain" [404 "text/plain" "Not Found"]]]]
            (dotimes [_ 3]
              (raw/send! client (head "GET /none HTTP/1.1" "Host: x" (str "Accept: " accept)))
              (is (= expected (told (raw/read-response client)))))))))))

(deftest handlers-test
  (with-log [_]
    (each-mode [mode]
      (with-handler [server mode (fn [_] (throw (ex-info "no" {})))]
        (is-told server (line "GET / HTTP/1.1") 500 "Internal Server Error"))
      (with-handler [server mode (fn [_] {:status 7})]
        (is-told server (line "GET / HTTP/1.1") 500 "Internal Server Error")))))

(deftest malformed-content-test
  (with-handler [server (modes/named "worker") (fn [request] {:status 200 :body (str (:json-params request))}) {:parse #{:json}}]
    (doseq [[fields format] formats
            :let [response (raw/answer server (str (apply head "POST / HTTP/1.1" "Host: x" "Content-Type: application/json"
                                                          "Content-Length: 1" fields)
                                                   "]"))]]
      (is (= (if (= :text format)
               [400 "text/plain" "Bad Request"]
               [400 "application/problem+json"
                "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"detail\":\"a character that cannot stand there\",\"position\":0}"])
             (told response))
          (pr-str fields)))))

(deftest before-a-head-test
  (testing "what is no request has no Accept"
    (with-server [server (constantly {:status 200 :body ""}) nil]
      (is (= [400 "text/plain" "Bad Request"]
             (told (raw/answer server "GET / HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")))))))

(deftest content-coding-test
  (testing "RFC 9110 15.5.16: content that is to be parsed and has a coding"
    (doseq [[options path] [[{:parse #{:json :form}} "/"]
                            [{:routes [["/x" {:post {:handler (fn [_] {:status 200 :body "parsed"}) :parse #{:json :form}}}]]} "/x"]]
            content-type ["application/json" "application/x-www-form-urlencoded"]
            :let [ask (fn [server & fields]
                        (raw/answer server (str (apply head (str "POST " path " HTTP/1.1") "Host: x" (str "Content-Type: " content-type)
                                                       "Content-Length: 3" fields)
                                                "[1]")))]]
      (with-server [server (fn [_] {:status 200 :body "parsed"}) options]
        (doseq [coding ["gzip" "br" "x-unknown" "identity, gzip" "GZIP"]
                :let [response (ask server (str "Content-Encoding: " coding))]]
          (is (= [415 "identity" "Unsupported Media Type"]
                 [(:status response) (raw/header response "accept-encoding") (:body response)])
              (str coding " " content-type)))
        (is (= 415 (:status (raw/answer server (str (head (str "POST " path " HTTP/1.1") "Host: x" (str "Content-Type: " content-type)
                                                          "Content-Encoding: gzip" "Transfer-Encoding: chunked")
                                                    "3\r\n[1]\r\n0\r\n\r\n")))))
        (testing "identity is none"
          (doseq [coding ["identity" "" "IDENTITY"]]
            (is (= [200 nil] ((juxt :status #(raw/header % "accept-encoding")) (ask server (str "Content-Encoding: " coding)))))))
        (testing "the connection goes on"
          (with-client [client server]
            (raw/send! client (str (head (str "POST " path " HTTP/1.1") "Host: x" (str "Content-Type: " content-type)
                                         "Content-Encoding: gzip" "Content-Length: 3")
                                   "[1]"
                                   (head (str "POST " path " HTTP/1.1") "Host: x" (str "Content-Type: " content-type) "Content-Length: 3")
                                   "[1]"))
            (is (= [415 200] [(:status (raw/read-response client)) (:status (raw/read-response client))])))))))
  (testing "content that nobody parses is the handler's"
    (with-server [server raw/echo-body {:parse #{:json}}]
      (is (= [200 "abc"] ((juxt :status :body)
                          (raw/answer server (str (head "POST / HTTP/1.1" "Host: x" "Content-Type: text/plain" "Content-Encoding: gzip"
                                                        "Content-Length: 3")
                                                  "abc"))))))))
