(ns hinny.json-middleware-test
  "`wrap-json-response`, `wrap-json-body` and `wrap-json-params`. ring-json 0.4 is synchronous: an asynchronous app runs
  it at its heart."
  (:require
   [cheshire.core :as json]
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.middleware-app :as app :refer [answering curl edn edn-response fetch header url with-app]]
   [hinny.raw-client :as raw :refer [with-client]]
   [ring.middleware.json :refer [wrap-json-body wrap-json-params wrap-json-response]]
   [ring.middleware.keyword-params :refer [wrap-keyword-params]]
   [ring.middleware.params :refer [wrap-params]]
   [ring.util.response :refer [response]]))

(set! *warn-on-reflection* true)

(def ^:private json-type "application/json; charset=utf-8")

(defn- post-json [server target body & {:keys [type] :or {type "application/json"}}]
  (fetch server target :method "POST" :body body :headers {"Content-Type" type}))

(deftest json-response-test
  (doseq [[what value text] [["a map" {:a 1 :b [true nil 2.5 "x"]} "{\"a\":1,\"b\":[true,null,2.5,\"x\"]}"]
                             ["an empty map" {} "{}"]
                             ["a vector" [1 {:b "\"\\\n"}] "[1,{\"b\":\"\\\"\\\\\\n\"}]"]
                             ["text beyond ASCII" {"grüß" "😀"} "{\"grüß\":\"😀\"}"]]]
    (testing what
      (with-app [server (answering (wrap-json-response (fn [_] (response value))))]
        (let [got (fetch server "/")]
          (is (= [200 json-type text (str (count (.getBytes ^String text "UTF-8")))]
                 [(:status got) (header got "content-type") (:body got) (header got "content-length")]))))))
  (testing "a type that the handler chose is kept, and a body that is text is not touched"
    (with-app [server (answering (wrap-json-response
                                   (fn [{:keys [uri]}]
                                     (if (= "/own" uri)
                                       {:status 201 :headers {"Content-Type" "application/problem+json"} :body {:a 1}}
                                       {:status 200 :headers {"Content-Type" "text/plain"} :body "{:a 1}"}))))]
      (is (= [201 "application/problem+json" "{\"a\":1}"]
             ((juxt :status #(header % "content-type") :body) (fetch server "/own"))))
      (is (= [200 "text/plain" "{:a 1}"]
             ((juxt :status #(header % "content-type") :body) (fetch server "/")))))))

(deftest json-body-test
  (with-app [server (answering (wrap-json-body (fn [{:keys [body]}] (edn-response (if (instance? java.io.InputStream body) (slurp body) body)))
                                               {:keywords? true :bigdecimals? true}))]
    (doseq [[what type text expected] [["an object" "application/json" "{\"a\": {\"b\": [1, null, true]}}" {:a {:b [1 nil true]}}]
                                       ["an array" "application/json" "[1, \"x\"]" [1 "x"]]
                                       ["beyond ASCII" "application/json" "{\"name\": \"Jürgen \\u00e9 😀\"}" {:name "Jürgen é 😀"}]
                                       ["a decimal" "application/json" "{\"n\": 0.1}" {:n 0.1M}]
                                       ["a suffix" "application/vnd.api+json" "{\"a\": 1}" {:a 1}]
                                       ["a charset" "application/json; charset=utf-8" "{\"a\": \"ü\"}" {:a "ü"}]
                                       ["no JSON" "text/plain" "{\"a\": 1}" "{\"a\": 1}"]]]
      (testing what
        (is (= expected (edn (post-json server "/" text :type type))))))))

(deftest malformed-test
  (doseq [[what wrap] {"body" wrap-json-body "params" wrap-json-params}]
    (testing what
      (with-app [server (answering (wrap (fn [_] (edn-response :handled))))]
        (with-client [client server]
          (doseq [text ["{\"a\": 1" "{a: 1}" "nonsense" "{\"a\": [1, 2}"]]
            (testing (str text ", and the connection goes on")
              (raw/send! client (raw/post "/" text "Content-Type: application/json"))
              (is (= [400 "Malformed JSON in request body."] ((juxt :status :body) (raw/read-response client))))
              (raw/send! client (raw/post "/" "[]" "Content-Type: application/json"))
              (is (= :handled (edn (raw/read-response client)))))))))))

(deftest json-params-test
  (with-app [server (-> (answering (-> (fn [request] (edn-response (select-keys request [:params :json-params])))
                                       wrap-keyword-params
                                       wrap-json-params))
                        wrap-params)]
    (is (= {:params {:q "1" :a "json" :n {:m 2}} :json-params {"a" "json" "n" {"m" 2}}}
           (edn (post-json server "/?q=1&a=query" "{\"a\": \"json\", \"n\": {\"m\": 2}}"))))
    (is (= {:params {:q "1"}} (edn (post-json server "/?q=1" "[1, 2]"))) "an array has no parameters")))

(def ^:private echo
  (answering (-> (fn [{:keys [body]}] (response body)) wrap-json-body wrap-json-response)))

(deftest echo-test
  (testing "what goes through both is what it was"
    (let [value {"list" (vec (range 100)) "text" "Grüße \"quoted\" \\ \n 😀" "nested" {"a" [{"b" nil} true -1.5]}}
          text (json/generate-string value)]
      (with-app [server echo]
        (is (= value (json/parse-string (:body (post-json server "/" text)))))
        (when app/curl?
          (is (= value (json/parse-string (curl "--header" "Content-Type: application/json" "--data-binary" text (url server "/"))))))))))

(deftest large-echo-test
  (testing "two mebibytes of JSON"
    (let [value (vec (repeat 20000 {"key" (str/join (repeat 40 "ü")) "n" 1}))
          text (json/generate-string value)]
      (with-app [server echo {:blocking? true}]
        (is (= value (json/parse-string (:body (post-json server "/" text)))))))))
