(ns hinny.parse-wire-test
  "`:parse`: what the core parses before a handler runs, and how it answers what does not parse."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client]]))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private all {:parse #{:query :form :json}})

(def ^:private json-type "Content-Type: application/json")

(defn- post
  "A request with this body, in bytes."
  [target type text & fields]
  (let [body (String. (.getBytes ^String text "UTF-8") "ISO-8859-1")]
    (str (apply raw/head (str "POST " target " HTTP/1.1") "Host: x" type (str "Content-Length: " (count body)) fields)
         body)))

(defn- parsed
  "Answers with what was parsed, and with the body."
  [request]
  {:status 200
   :headers {"Content-Type" "text/plain; charset=utf-8"}
   :body (pr-str (cond-> (select-keys request [:query-params :form-params :json-params :params])
                   (:body request) (assoc :body (slurp (:body request)))))})

(defn- answered
  "What `parsed` answers to a request, as data."
  [server request]
  (let [{:keys [status body]} (raw/answer server request)]
    (if (= 200 status)
      (read-string (String. (.getBytes ^String body "ISO-8859-1") "UTF-8"))
      status)))

(deftest parsed-test
  (each-mode [mode]
    (with-handler [server mode parsed all]
      (are [request expected] (= expected (answered server request))
        (raw/get-request "/")
        {:query-params {} :params {}}

        (raw/get-request "/?a=1&b=%C3%BC+x&a=2&c")
        {:query-params {"a" ["1" "2"] "b" "ü x" "c" ""} :params {"a" ["1" "2"] "b" "ü x" "c" ""}}

        (post "/?a=1" "Content-Type: application/x-www-form-urlencoded" "b=2&a=%33")
        {:query-params {"a" "1"} :form-params {"b" "2" "a" "3"} :params {"a" "1" "b" "2"} :body "b=2&a=%33"}

        (post "/" "Content-Type: application/x-www-form-urlencoded; charset=ISO-8859-1" "a=%FC")
        {:query-params {} :form-params {"a" "ü"} :params {"a" "ü"} :body "a=%FC"}

        (post "/?a=1" json-type "{\"a\": [1, 2.5, null, true], \"ü\\n\": {\"x\": \"😀\"}}")
        {:query-params {"a" "1"}
         :json-params {"a" [1 2.5 nil true] "ü\n" {"x" "😀"}}
         :params {"a" [1 2.5 nil true] "ü\n" {"x" "😀"}}
         :body "{\"a\": [1, 2.5, null, true], \"ü\\n\": {\"x\": \"😀\"}}"}

        (post "/" "Content-Type: application/vnd.api+json; v=1" "[1, 2]")
        {:query-params {} :json-params [1 2] :params {} :body "[1, 2]"}

        (post "/" json-type "")
        {:query-params {} :params {} :body ""}

        (post "/" "Content-Type: text/plain" "{\"a\"")
        {:query-params {} :params {} :body "{\"a\""}

        (str (raw/head "POST / HTTP/1.1" "Host: x" json-type "Transfer-Encoding: chunked")
             "4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n")
        {:query-params {} :json-params {"a" 1} :params {"a" 1} :body "{\"a\":1}"}))))

(deftest chosen-test
  (testing "only what was asked for is parsed"
    (with-handler [server (modes/named "inline") parsed {:parse #{:json} :json-keys :keyword}]
      (is (= {:json-params {:a {:b/c 1}} :params {:a {:b/c 1}} :body "{\"a\":{\"b/c\":1}}"}
             (answered server (post "/?q=1" json-type "{\"a\":{\"b/c\":1}}"))))
      (is (= {} (answered server (raw/get-request "/?q=1"))))
      (is (= {:body "a=1"} (answered server (post "/" "Content-Type: application/x-www-form-urlencoded" "a=1")))))))

(deftest malformed-json-test
  (each-mode [mode]
    (let [calls (atom 0)]
      (with-handler [server mode (fn [_] (swap! calls inc) {:status 200 :body "handled"}) all]
        (doseq [[text position detail] [["{\"a\":1,}" 7 "a character that cannot stand there"]
                                        ["[1 2]" 3 "a character that cannot stand there"]
                                        ["{\"a\"" 4 "the text ends too early"]
                                        [(str/join (repeat 600 "[")) 512 "nested too deeply"]]]
          (testing text
            (with-client [client server]
              (raw/send! client (post "/" json-type text))
              (let [answer (raw/read-response client)]
                (is (= [400 "application/problem+json" nil]
                       [(:status answer) (raw/header answer "content-type") (raw/header answer "connection")]))
                (is (= (str "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"detail\":\"" detail
                            "\",\"position\":" position "}")
                       (:body answer))))
              (testing "the connection goes on"
                (raw/send! client (raw/get-request "/"))
                (is (= 200 (:status (raw/read-response client))))))))
        (is (= 4 @calls) "no handler saw them")))))

(def ^:private names-of-one-hash
  "128 of them."
  (reduce (fn [names _] (for [part names more ["Aa" "BB"]] (str part more))) [""] (range 7)))

(deftest hostile-names-test
  (testing "names of one hash, which only the handler's thread finds, are a 400 when it looks at them"
    (each-mode [mode]
      (with-handler [server mode (fn [request] {:status 200 :body (str (count (:params request)))}) all]
        (doseq [[what request] [["query" (raw/get-request (str "/?" (str/join "&" (map #(str % "=1") names-of-one-hash))))]
                                ["JSON" (post "/" json-type (str "{" (str/join "," (map #(str (pr-str %) ":1") names-of-one-hash)) "}"))]]]
          (testing what
            (is (= 400 (:status (raw/answer server request))))))))))

(deftest malformed-in-pipeline-test
  (testing "an answer of the core keeps its place between those of handlers"
    (each-mode [mode]
      (with-handler [server mode (fn [{:keys [uri]}] {:status 200 :body uri}) all]
        (with-client [client server]
          (raw/send! client (str (raw/get-request "/1") (raw/get-request "/2")
                                 (raw/head "GET /3 HTTP/1.1" "Host: x" json-type "Content-Length: 1") "]"
                                 (raw/get-request "/4")
                                 (post "/5" json-type "nul")
                                 (raw/get-request "/6")))
          (is (= [[200 "/1"] [200 "/2"] [400 nil] [200 "/4"] [400 nil] [200 "/6"]]
                 (doall (repeatedly 6 #(let [{:keys [status body]} (raw/read-response client)]
                                         [status (when (= 200 status) body)]))))))))))

(deftest too-large-test
  (with-handler [server (modes/named "inline") parsed (assoc all :parsed-body-bytes 100)]
    (testing "a body of a parsed type beyond :parsed-body-bytes is answered 413, with or without its length"
      (let [large (str "[" (str/join (repeat 100 " ")) "]")]
        (is (= 413 (:status (raw/answer server (post "/" json-type large)))))
        (is (= 413 (:status (raw/answer server (str (raw/head "POST / HTTP/1.1" "Host: x" json-type "Transfer-Encoding: chunked")
                                                    "66\r\n" large "\r\n0\r\n\r\n")))))))
    (testing "another one is not"
      (is (= 200 (:status (raw/answer server (post "/" "Content-Type: text/plain" (str/join (repeat 200 "x"))))))))))

(deftest large-body-test
  (testing "a body that is parsed arrives whole, beyond :inline-body-bytes, in whatever pieces"
    (with-handler [server (modes/named "worker") parsed (assoc all :inline-body-bytes 10)]
      (let [text (str "[" (str/join "," (range 20000)) "]")]
        (is (= (vec (range 20000)) (:json-params (answered server (post "/" json-type text)))))))))

(deftest continue-test
  (testing "a client that waits for 100 Continue gets it, since its body is wanted"
    (with-handler [server (modes/named "inline") parsed all]
      (with-client [client server]
        (raw/send! client (raw/head "POST / HTTP/1.1" "Host: x" json-type "Content-Length: 3" "Expect: 100-continue"))
        (is (= 100 (:status (raw/read-response client))))
        (raw/send! client "[1]")
        (is (= "{:query-params {}, :json-params [1], :params {}, :body \"[1]\"}" (:body (raw/read-response client))))))))
