(ns hinny.middleware-params-test
  "`wrap-params` without Ring on the class path: on requests of Hinny's own and on plain maps, sync and async."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [clojure.test.check.clojure-test :refer [defspec]]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [hinny.middleware :as middleware :refer [wrap-params]]
   [hinny.middleware-probe :refer [bad-request form latin1 outcome own-request plain-request requests]])
  (:import
   (io.github.hinny Params)
   (java.io ByteArrayInputStream InputStream)
   (java.net URLEncoder)
   (java.nio.charset Charset StandardCharsets UnsupportedCharsetException)))

(set! *warn-on-reflection* true)

(def ^:private rules
  "A query string or form, and its parameters."
  [["" {}]
   ["a" {}]
   ["a&b" {}]
   ["&&" {}]
   ["a=1" {"a" "1"}]
   ["a=1&b=2" {"a" "1" "b" "2"}]
   ["a=1&a=2&b=x&a=3" {"a" ["1" "2" "3"] "b" "x"}]
   ["&&a=1&&b=2&" {"a" "1" "b" "2"}]
   ["a&b=2" {"a" "" "b" "2"}]
   ["=1" {"" "1"}]
   ["=" {"" ""}]
   ["a=b=c" {"a" "b=c"}]
   ["a+b=c+d" {"a b" "c d"}]
   ["%61=%26%3D%2B%25" {"a" "&=+%"}]
   ["a=J%C3%BCrgen&b=%F0%9F%98%80" {"a" "Jürgen" "b" "😀"}]
   ["a=%FF&b=%C3" {"a" "\uFFFD" "b" "\uFFFD"}]
   ["a=%00" {"a" "\u0000"}]
   ["a=%&b=2" {"b" "2"}]
   ["a=%4&b=2" {"b" "2"}]
   ["%zz=1&b=2" {"b" "2"}]
   ["a=1;b=2" {"a" "1;b=2"}]
   ["a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9&a=10"
    {"a" ["1" "10"] "b" "2" "c" "3" "d" "4" "e" "5" "f" "6" "g" "7" "h" "8" "i" "9"}]])

(deftest query-params-test
  (doseq [[query expected] rules
          [sort make] (requests {:query-string query})]
    (testing (str query " " sort)
      (is (= {:query-params expected :form-params {} :params expected}
             (outcome wrap-params make #(select-keys % [:query-params :form-params :params])))))))

(deftest form-params-test
  (doseq [[body expected] rules
          [sort make] (requests (form body))]
    (testing (str body " " sort)
      (is (= [{:query-params {} :form-params expected :params expected} ""]
             (outcome wrap-params make (juxt #(select-keys % [:query-params :form-params :params]) #(slurp (:body %)))))
          "and the body is read to its end"))))

(deftest order-of-a-small-map-test
  (doseq [[_ make] (requests {:query-string "z=1&y=2&x=3&z=4&w=5"})]
    (is (= ["z" "y" "x" "w"] (keys (outcome wrap-params make :params))))))

(deftest both-test
  (doseq [[sort make] (requests (assoc (form "a=form&f=2") :query-string "a=query&q=1"))]
    (testing (str "a form and a query: each by itself, and the query wins in :params " sort)
      (is (= {:query-params {"a" "query" "q" "1"} :form-params {"a" "form" "f" "2"} :params {"a" "query" "f" "2" "q" "1"}}
             (outcome wrap-params make #(select-keys % [:query-params :form-params :params])))))))

(deftest charset-test
  (doseq [[what parameters body expected]
          [["UTF-8 without a charset" "" "a=J%C3%BCrgen" "Jürgen"]
           ["UTF-8, named" "; charset=UTF-8" "a=J%C3%BCrgen" "Jürgen"]
           ["UTF-8, not escaped" "; charset=utf-8" "a=J\u00C3\u00BCrgen" "Jürgen"]
           ["UTF-8, a character half escaped" "" "a=\u00C3%BC" "\uFFFD\uFFFD"]
           ["Latin-1" "; charset=ISO-8859-1" "a=J%FCrgen" "Jürgen"]
           ["Latin-1, quoted" "; charset=\"iso-8859-1\"" "a=J%FCrgen" "Jürgen"]
           ["Latin-1, not escaped" "; charset=ISO-8859-1" "a=J\u00FCrgen" "Jürgen"]
           ["ASCII" "; charset=US-ASCII" "a=%FC" "\uFFFD"]
           ["ASCII, not escaped" "; charset=US-ASCII" "a=\u00FC" "\uFFFD"]
           ["windows-1252" "; charset=windows-1252" "a=%80" "€"]
           ["UTF-16" "; charset=UTF-16LE" (str/join (map #(str % \u0000) "a=%FC%00")) "ü"]
           ["Shift_JIS" "; charset=Shift_JIS" "a=%83%41" "ア"]]
          [sort make] (requests (form body parameters))]
    (testing (str what " " sort)
      (is (= {"a" expected} (outcome wrap-params make :form-params))))))

(deftest encoding-option-test
  (doseq [[_ make] (requests (assoc (form "a=%FC" "; charset=UTF-8") :query-string "b=%FC"))]
    (is (= {"a" "ü" "b" "ü"} (outcome #(wrap-params % {:encoding "ISO-8859-1"}) make :params))))
  (is (thrown? UnsupportedCharsetException (wrap-params identity {:encoding "none"})) "at once, not with a request"))

(deftest unknown-charset-test
  (testing "of a form: refused"
    (doseq [[_ make] (requests (form "a=1" "; charset=none"))]
      (is (= bad-request (outcome wrap-params make :params)))))
  (testing "of no form: there are no parameters"
    (doseq [[_ make] (requests {:query-string "a=1" :headers {"content-type" "text/plain; charset=none"}})]
      (is (= {} (outcome wrap-params make :params))))))

(deftest what-is-no-form-is-left-alone-test
  (doseq [[_ make] (requests {:query-string "a=1" :headers {"content-type" "text/plain"} :body "b=2"})]
    (is (= [{"a" "1"} "b=2"] (outcome wrap-params make (juxt :params #(slurp (:body %))))))))

(deftest too-many-test
  (let [many (fn [n] (str/join "&" (map #(str "k" % "=v") (range n))))]
    (doseq [[_ make] (requests {:query-string (many 1024)})]
      (is (= 1024 (count (outcome wrap-params make :params)))))
    (doseq [[_ make] (concat (requests {:query-string (many 1025)})
                             (requests (form (many 1025)))
                             (requests (form (str/join "&" (repeat 1025 "a=1")))))]
      (is (= bad-request (outcome wrap-params make :params))))
    (testing "no parameters at all, and ones that cannot be read, do not count"
      (doseq [[_ make] (requests (form (str "a=1&" (str/join "&" (repeat 2000 "%=1")))))]
        (is (= {"a" "1"} (outcome wrap-params make :params))))
      (doseq [[_ make] (requests (form (str/join "&" (repeat 2000 "a"))))]
        (is (= {} (outcome wrap-params make :params)))))
    (testing "the option"
      (doseq [[_ make] (requests {:query-string (many 3)})]
        (is (= 3 (count (outcome #(wrap-params % {:max-params 3}) make :params))))
        (is (= bad-request (outcome #(wrap-params % {:max-params 2}) make :params))))
      (doseq [wrong [0 -1 1.5 "1" nil 3000000000]]
        (is (thrown? IllegalArgumentException (wrap-params identity {:max-params wrong})))))
    (testing "the functions throw"
      (is (= {:type :hinny.error/request-malformed :reason :too-many-params :max-params 1024}
             (try
               (middleware/params-request (own-request {:query-string (many 1025)}))
               (catch clojure.lang.ExceptionInfo refused (ex-data refused))))))
    (testing "what a handler throws is not taken for a refusal"
      (let [failure (ex-info "own" {:type :hinny.error/request-malformed})
            app (wrap-params (fn ([_] (throw failure)) ([_ _ _] (throw failure))))]
        (is (identical? failure (try (app {}) (catch Exception thrown thrown))))
        (is (identical? failure (try (app {} identity identity) (catch Exception thrown thrown))))))))

(deftest there-already-test
  (testing "parameters that somebody has added stay"
    (doseq [[_ make] (requests (assoc (form "a=1") :query-string "b=2"))]
      (is (= [{"f" "x"} {"b" "2"} {"b" "2"} "a=1"]
             (outcome wrap-params #(assoc (make) :form-params {"f" "x"}) (juxt :form-params :query-params :params (comp slurp :body)))))
      (is (= [{"a" "1"} {"q" "x"} {"a" "1"}]
             (outcome wrap-params #(assoc (make) :query-params {"q" "x"}) (juxt :form-params :query-params :params))))
      (is (= {:k "v" "a" "1" "b" "2"} (outcome wrap-params #(assoc (make) :params {:k "v"}) :params)))))
  (testing "the single functions merge"
    (is (= {:query-params {"a" "0" "b" "2"} :params {"c" "3" "b" "2"}}
           (select-keys (middleware/assoc-query-params {:query-string "b=2" :query-params {"a" "0"} :params {"c" "3"}} "UTF-8")
                        [:query-params :params])))))

(deftest bodies-test
  (testing "a body that somebody has begun to read: the rest"
    (let [make #(let [request (own-request (form "a=1&b=2"))]
                  (.skip ^InputStream (:body request) 4)
                  request)]
      (is (= {"b" "2"} (outcome wrap-params make :params)))))
  (testing "a body of another kind"
    (doseq [body [(latin1 "a=1") "a=1" (ByteArrayInputStream. (latin1 "a=1"))]]
      (is (= {"a" "1"} (:params (middleware/params-request (assoc (plain-request (form "")) :body body)))))))
  (testing "a stream is closed"
    (let [closed (atom 0)
          body (proxy [ByteArrayInputStream] [(latin1 "a=1")] (close [] (swap! closed inc)))]
      (is (= {"a" "1"} (:params (middleware/params-request (assoc (own-request (form "")) :body body)))))
      (is (= 1 @closed))))
  (testing "no body"
    (is (= {} (:params (middleware/params-request {:headers {"content-type" "application/x-www-form-urlencoded"}}))))))

;;; The three decoders are one

(def ^:private gen-piece
  (gen/frequency [[6 (gen/elements ["a" "b" "=" "&" "+" "%41" "%C3%BC" "%3D" "long-enough-to-be-cut-by-vectors"])]
                  [1 (gen/elements ["%" "%4" "%zz" "%+1" "%\u00FC1" "\u00FC" "\u00C3%BC" "%C3\u00BC" "\u0000" " "])]]))

(def ^:private gen-text
  (gen/fmap str/join (gen/vector gen-piece 0 40)))

(def ^:private padding
  "What makes a form a long one, and means nothing."
  (str/join (repeat 2000 \&)))

(defspec every-decoder-gives-the-same 500
  (prop/for-all [text gen-text
                 ^Charset charset (gen/elements [StandardCharsets/UTF_8 StandardCharsets/ISO_8859_1 StandardCharsets/US_ASCII])
                 most (gen/choose 1 12)]
    (let [of-bytes (fn [^String text]
                     (let [bytes (latin1 (str "before" text "behind"))]
                       (Params/ofForm bytes 6 (.length text) charset (int most))))
          expected (Params/ofForm (String. (latin1 text) charset) charset (int most))]
      (= expected (of-bytes text) (of-bytes (str padding text))))))

(defspec what-is-encoded-is-decoded 100
  (prop/for-all [params (gen/map (gen/not-empty gen/string) gen/string {:max-elements 12})
                 charset (gen/elements ["UTF-8" "UTF-16" "UTF-16BE"])]
    (let [query (str/join "&" (map (fn [[k v]] (str (URLEncoder/encode ^String k ^String charset) "="
                                                    (URLEncoder/encode ^String v ^String charset)))
                                   params))
          [own plain] (map #(:params (middleware/params-request (% {:query-string query}) {:encoding charset}))
                           [own-request plain-request])]
      (= params own plain))))

(defn- names-with-one-hash
  "2 to the power of `n` names."
  [n]
  (reduce (fn [names _] (for [n names two ["Aa" "BB"]] (str n two))) [""] (range n)))

(deftest names-with-one-hash-test
  (let [query (fn [names] (str/join "&" (map #(str % "=1") names)))]
    (testing "a few: all there"
      (let [names (names-with-one-hash 5)]
        (is (= 1 (count (set (map hash names)))))
        (doseq [[_ make] (requests {:query-string (query names)})]
          (is (= (zipmap names (repeat "1")) (outcome wrap-params make :params))))))
    (testing "many: refused, whichever decoder reads them"
      (let [names (names-with-one-hash 9)]
        (doseq [[_ make] (concat (requests {:query-string (query names)})
                                 (requests (form (query names)))
                                 (requests (form (query (concat (map str (range 100)) names))))
                                 (requests (form (str "x=\u00FC&" (query names)))))]
          (is (= bad-request (outcome wrap-params make :params))))))
    (testing "many that are one"
      (doseq [[_ make] (requests (form (query (repeat 1000 "AaBB"))))]
        (is (= {"AaBB" (vec (repeat 1000 "1"))} (outcome wrap-params make :params)))))))
