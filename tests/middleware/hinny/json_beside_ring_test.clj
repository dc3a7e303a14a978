(ns hinny.json-beside-ring-test
  "`hinny.middleware`'s JSON middleware beside ring-json's, on the same requests and responses.

  What differs, each with its reason, is in `known-differences`, and in `docs/middleware.md`."
  (:require
   [cheshire.core :as cheshire]
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing]]
   [clojure.test.check.clojure-test :refer [defspec]]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [hinny.json :as json]
   [hinny.middleware :as hinny]
   [hinny.middleware-app :as app :refer [with-app]]
   [ring.middleware.json :as ring])
  (:import
   (java.io ByteArrayInputStream)
   (java.nio.charset StandardCharsets)))

(set! *warn-on-reflection* true)

(defn- request
  [content-type ^String text]
  {:headers (if content-type {"content-type" content-type} {})
   :params {"a" "mine" "z" "mine"}
   :body (when text (ByteArrayInputStream. (.getBytes text StandardCharsets/UTF_8)))})

(defn- seen
  "What a handler behind `wrap` sees of the request, or the response in its place; a stream as its text. ring-json's
  vectors are sequences at the top."
  [wrap options content-type text]
  (try
    (let [got ((wrap (fn [request] [:handled request]) options) (request content-type text))
          body (when (vector? got) (:body (second got)))]
      (cond
        (instance? ByteArrayInputStream body) (update-in got [1 :body] slurp)
        (seq? body) (update-in got [1 :body] vec)
        :else got))
    (catch Exception thrown
      [:threw (class thrown)])))

(defn- both
  [hinny-wrap ring-wrap options content-type text]
  [(seen hinny-wrap options content-type text) (seen ring-wrap options content-type text)])

(def ^:private options-table
  [{} {:keywords? true} {:bigdecimals? true} {:keywords? true :bigdecimals? true}
   {:malformed-response {:status 422 :headers {} :body "no"}}])

(def ^:private types
  ["application/json" "application/json; charset=utf-8" "application/vnd.api+json" "application/jsonp" "application/x" "text/json"
   "Application/JSON" "application/+json" "" nil])

(def ^:private texts
  ["{}" "[]" "{\"a\":1,\"b\":{\"c\":[1,2,3]}}" "[1,2.5,-0.25,1e3,1E-2,true,false,null,\"x\"]" "\"text\"" "12" "null" "true" ""
   "  \n\t{\"a\" : 1 }  " "{\"ü\":\"\\u00fc\\ud83d\\ude00 \\\"\\\\\\/\\b\\f\\n\\r\\t\"}" "{\"a/b\":1,\"c d\":2,\"\":3}"
   "12345678901234567890" "-9223372036854775808" "0.1" "1.7976931348623157e308" "{\"a\":1,\"a\":2}" "{\"a\":null}"
   ;; malformed, to both
   "{" "{\"a\"" "{\"a\":}" "{a:1}" "{'a':1}" "[1,]" "nul" "01" "+1" ".5" "1." "\"\\x\"" "NaN" "[1 2]" "{\"a\" 1}"])

(deftest same-requests-test
  (doseq [[hinny-wrap ring-wrap] [[hinny/wrap-json-body ring/wrap-json-body] [hinny/wrap-json-params ring/wrap-json-params]]
          options options-table
          content-type types
          text texts
          ;; ring-json reads arrays lazily, and throws when somebody looks at what is malformed in them.
          :when (not (contains? #{"[1,]" "[1 2]"} text))
          :let [[ours rings] (both hinny-wrap ring-wrap options content-type text)]]
    (testing (pr-str options content-type text)
      (is (= rings ours)))))

(def known-differences
  "What, the text, what ring-json gives as `:body` (nil: it throws), what Hinny gives (nil: 400), and why."
  [["behind the value" "{\"a\":1} x" {"a" 1} nil "ring-json reads the first value and ignores the rest"]
   ["two values" "1 2" 1 nil "the same"]
   ["an array that breaks off" "[1," nil nil "ring-json hands the handler a lazy sequence, which throws there"]
   ["an array that is wrong" "[1 2]" nil nil "the same"]
   ["a number too large for a double" "1e400" ##Inf nil "infinity is not what the client sent"]
   ["a control character in a string" "\"\u0001\"" "\u0001" nil "RFC 8259 section 7 wants it escaped"]
   ["half a surrogate pair" "\"\\ud800\"" "\ud800" nil "it is no Unicode, and no UTF-8 can be made of it"]])

(deftest known-differences-test
  (doseq [[what text rings ours] known-differences]
    (testing what
      (let [[hinny-got ring-got] (both hinny/wrap-json-body ring/wrap-json-body {} "application/json" text)
            value #(when (= :handled (first %)) (:body (second %)))]
        (when (some? rings)
          (is (= rings (value ring-got))))
        (is (nil? ours))
        (is (= 400 (:status hinny-got)))))))

(deftest arrays-are-vectors-test
  (testing "an array at the top is a vector, where ring-json has a lazy sequence"
    (is (vector? (:body (second (seen hinny/wrap-json-body {} "application/json" "[1]")))))))

(def ^:private gen-json
  (gen/resize
    40
    (gen/recursive-gen
      (fn [inner] (gen/one-of [(gen/vector inner 0 5) (gen/map (gen/one-of [gen/string gen/string-ascii]) inner {:max-elements 12})]))
      (gen/one-of [gen/large-integer (gen/double* {:infinite? false :NaN? false}) gen/boolean (gen/return nil) gen/string gen/string-ascii]))))

(defn- without-surrogates?
  "Generated strings may have halves of surrogate pairs, which no UTF-8 has."
  [^String text]
  (not-any? #(Character/isSurrogate %) text))

(defspec generated-values-test 100
  (prop/for-all [value (gen/map gen/string-ascii gen-json)
                 options (gen/elements options-table)
                 pretty? gen/boolean]
    (let [text (cheshire/generate-string value {:pretty pretty?})]
      (or (not (without-surrogates? text))
          (let [[ours rings] (both hinny/wrap-json-params ring/wrap-json-params options "application/json" text)]
            (= rings ours))))))

(defspec changed-texts-test 300
  (prop/for-all [value (gen/map gen/string-alphanumeric gen-json {:max-elements 3})
                 place (gen/choose 0 9999)
                 text (gen/elements ["" "," ":" "\"" "{" "}" "[" "]" "\\" "1" "e" "." "-" " " "\n" "x" "null"])]
    (let [whole (cheshire/generate-string value)
          at (quot (* place (count whole)) 10000)
          changed (str (subs whole 0 at) text (subs whole (min (count whole) (inc at))))
          [ours rings] (both hinny/wrap-json-params ring/wrap-json-params {} "application/json" changed)]
      ;; What ring-json refuses is refused; what both take is the same.
      (or (not (without-surrogates? changed))
          (if (= :handled (first ours))
            (= rings ours)
            (or (= rings ours)
                ;; Ours is stricter: something behind the value.
                (= :handled (first rings))))))))

;;; Responses

(defn- answered
  [wrap options response]
  ((wrap (constantly response) options) {}))

(deftest same-responses-test
  (doseq [options [{} {:escape-non-ascii true}]
          response [{:status 200 :headers {} :body {:a 1 :b [true nil 2.5 "x"]}}
                    {:status 200 :headers {} :body [1 {:b "\"\\\n\u0001\u007f"}]}
                    {:status 201 :headers {"Content-Type" "application/problem+json"} :body {"a/b" :c/d}}
                    {:status 200 :headers {} :body '(1 2)}
                    {:status 200 :headers {} :body #{1}}
                    {:status 200 :headers {} :body (map inc [1 2])}
                    {:status 200 :headers {} :body {"grüß" "😀" :ns/k 'sym 1 2}}
                    {:status 200 :headers {} :body {:u #uuid "9f1c2a4e-6f0b-4d53-9a55-0c2b7b1c7a10" :r 1/2 :n 12345678901234567890N :d 1.50M}}
                    {:status 200 :headers {} :body "text"}
                    {:status 200 :headers {} :body nil}
                    {:status 200 :headers {} :body {}}
                    {:status 200 :body {:a 1}}]]
    (testing (pr-str options response)
      (is (= (answered ring/wrap-json-response options response)
             (answered hinny/wrap-json-response options response))))))

(deftest response-differences-test
  (testing "a java.util.Date has milliseconds"
    (are [wrap text] (= text (:body (answered wrap {} {:status 200 :headers {} :body [#inst "2026-01-02T03:04:05.678Z"]})))
      ring/wrap-json-response "[\"2026-01-02T03:04:05Z\"]"
      hinny/wrap-json-response "[\"2026-01-02T03:04:05.678Z\"]"))
  (testing "nothing is no response"
    (is (nil? (answered hinny/wrap-json-response {} nil)))))

(defspec generated-responses-test 100
  (prop/for-all [value (gen/map gen/keyword-ns gen-json)
                 escape? gen/boolean]
    (let [response {:status 200 :headers {} :body value}
          [ours rings] (map #(:body (answered % {:escape-non-ascii escape?} response)) [hinny/wrap-json-response ring/wrap-json-response])]
      (= (json/read-value rings) (json/read-value ours)))))

(deftest own-request-test
  (testing "on a server, where the body is read from the bytes that came"
    (with-app [server (app/answering (-> (fn [{:keys [body]}] {:status 200 :headers {} :body {:got body}})
                                         hinny/wrap-json-body
                                         hinny/wrap-json-response))]
      (are [text status answer] (= [status answer]
                                   ((juxt :status :body)
                                    (app/fetch server "/" :method "POST" :body text :headers {"Content-Type" "application/json"})))
        "{\"a\":[1,\"ü\"]}" 200 "{\"got\":{\"a\":[1,\"ü\"]}}"
        "" 200 "{\"got\":null}"
        "[1" 400 "Malformed JSON in request body."
        (str "[" (str/join "," (repeat 100000 "1")) "]") 200 (str "{\"got\":[" (str/join "," (repeat 100000 "1")) "]}")))))

(deftest asynchronous-test
  (testing "all three have Ring's asynchronous arity"
    (let [handled (promise)
          app (-> (fn [request respond _] (respond {:status 200 :headers {} :body (:json-params request)}))
                  hinny/wrap-json-params
                  hinny/wrap-json-response)]
      (app (request "application/json" "{\"a\":[1]}") #(deliver handled %) identity)
      (is (= "{\"a\":[1]}" (:body @handled))))
    (let [handled (promise)]
      ((hinny/wrap-json-body (fn [_ _ _] (throw (Exception. "not called")))) (request "application/json" "{") #(deliver handled %) identity)
      (is (= 400 (:status @handled))))))
