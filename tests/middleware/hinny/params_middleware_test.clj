(ns hinny.params-middleware-test
  "`wrap-params`, `wrap-keyword-params` and `wrap-nested-params`: query strings and forms."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.middleware-app :refer [answering edn edn-response fetch post-form with-app]]
   [hinny.raw-client :as raw]
   [ring.middleware.keyword-params :refer [wrap-keyword-params]]
   [ring.middleware.nested-params :refer [wrap-nested-params]]
   [ring.middleware.params :refer [wrap-params]]))

(set! *warn-on-reflection* true)

(def ^:private tell-params
  (answering #(edn-response (select-keys % [:query-params :form-params :params]))))

(def ^:private query-table
  "What is tried, the target, and its query parameters."
  [["no query" "/" {}]
   ["an empty query" "/?" {}]
   ["one" "/?a=1" {"a" "1"}]
   ["two" "/?a=1&b=2" {"a" "1" "b" "2"}]
   ["a repeated key, in order" "/?a=1&b=x&a=2&a=3" {"a" ["1" "2" "3"] "b" "x"}]
   ["an empty value" "/?a=&b=2" {"a" "" "b" "2"}]
   ["plus and percent" "/?a=x+y%20z%2B&b%20c=%26%3D" {"a" "x y z+" "b c" "&="}]
   ["UTF-8" "/?name=J%C3%BCrgen&smile=%F0%9F%98%80" {"name" "Jürgen" "smile" "😀"}]
   ["a question mark and slashes" "/?a=/x/?y" {"a" "/x/?y"}]])

(deftest query-params-test
  (with-app [server (wrap-params tell-params)]
    (doseq [[what target expected] query-table]
      (testing what
        (is (= {:query-params expected :form-params {} :params expected}
               (edn (raw/answer server (raw/get-request target)))))))))

(deftest form-params-test
  (with-app [server (wrap-params tell-params)]
    (testing "a form, repeated keys in order"
      (is (= {:query-params {} :form-params {"a" ["1" "2"] "b" "x y"} :params {"a" ["1" "2"] "b" "x y"}}
             (edn (post-form server "/" "a=1&b=x+y&a=2")))))
    (testing "a form and a query: each by itself, and the query wins in :params"
      (is (= {:query-params {"a" "query" "q" "1"} :form-params {"a" "form" "f" "2"} :params {"a" "query" "q" "1" "f" "2"}}
             (edn (post-form server "/?a=query&q=1" "a=form&f=2")))))
    (testing "an empty form"
      (is (= {:query-params {} :form-params {} :params {}} (edn (post-form server "/" "")))))
    (testing "chunked"
      (is (= {"a" "12" "b" "3"}
             (:form-params (edn (raw/answer server (str (raw/head "POST / HTTP/1.1" "Host: x" "Transfer-Encoding: chunked"
                                                                  "Content-Type: application/x-www-form-urlencoded")
                                                        (raw/chunked "a=1" "2&b" "=3"))))))))))

(deftest form-charset-test
  (with-app [server (wrap-params tell-params)]
    (doseq [[what type body] [["UTF-8 by default" "" "name=J%C3%BCrgen"]
                              ["UTF-8, named" "; charset=UTF-8" "name=J%C3%BCrgen"]
                              ["Latin-1" "; charset=ISO-8859-1" "name=J%FCrgen"]
                              ["Latin-1, quoted" "; charset=\"iso-8859-1\"" "name=J%FCrgen"]
                              ["Latin-1 bytes that are not encoded" "; charset=ISO-8859-1" "name=J\u00FCrgen"]
                              ["UTF-8 bytes that are not encoded" "; charset=utf-8" "name=J\u00C3\u00BCrgen"]]]
      (testing what
        (is (= {"name" "Jürgen"}
               (:form-params (edn (raw/answer server (raw/post "/" body (str "Content-Type: application/x-www-form-urlencoded" type)))))))))))

(deftest encoding-option-test
  (with-app [server (wrap-params tell-params {:encoding "ISO-8859-1"})]
    (is (= {"name" "Jürgen"} (:query-params (edn (fetch server "/?name=J%FCrgen")))))
    (is (= {"name" "Jürgen"} (:form-params (edn (post-form server "/" "name=J%FCrgen")))))))

(deftest large-form-test
  (testing "a form of a mebibyte is read as it comes"
    (with-app [server (wrap-params (answering #(edn-response (update-vals (:form-params %) count)))) {:blocking? true}]
      (is (= {"a" 1048576 "b" 1} (edn (post-form server "/" (str "a=" (str/join (repeat 1048576 \x)) "&b=y"))))))))

(deftest other-bodies-are-left-alone-test
  (testing "what is no form is there for the handler to read"
    (with-app [server (wrap-params (answering (fn [{:keys [body params]}] (edn-response [params (slurp body)]))))]
      (is (= [{"a" "1"} "b=2"]
             (edn (fetch server "/?a=1" :method "POST" :body "b=2" :headers {"Content-Type" "text/plain"})))))))

(deftest keyword-and-nested-params-test
  (with-app [server (-> (answering #(edn-response (:params %))) wrap-keyword-params wrap-nested-params wrap-params)]
    (doseq [[what form expected] [["keywords" "a=1&b-c=2" {:a "1" :b-c "2"}]
                                  ["what is no keyword stays a string" "1a=1&x%20y=2" {"1a" "1" "x y" "2"}]
                                  ["a map" "user%5Bname%5D=x&user%5Baddress%5D%5Bcity%5D=y" {:user {:name "x" :address {:city "y"}}}]
                                  ["a list" "tags%5B%5D=b&tags%5B%5D=a" {:tags ["b" "a"]}]
                                  ["a list of a map" "u%5Bt%5D%5B%5D=1&u%5Bt%5D%5B%5D=2" {:u {:t ["1" "2"]}}]]]
      (testing what
        (is (= expected (edn (post-form server "/" form))))
        (is (= expected (edn (fetch server (str "/?" form)))))))))
