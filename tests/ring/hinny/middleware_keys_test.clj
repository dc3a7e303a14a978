(ns hinny.middleware-keys-test
  "`wrap-keyword-params` and `wrap-nested-params` without Ring on the class path."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.middleware :as middleware :refer [wrap-keyword-params wrap-nested-params wrap-params]]
   [hinny.middleware-probe :refer [bad-request outcome requests]]))

(set! *warn-on-reflection* true)

(defn- keywords
  [params options]
  (outcome #(wrap-keyword-params % options) (constantly {:params params}) :params))

(defn- nested
  ([params] (nested params nil))
  ([params options] (outcome #(wrap-nested-params % options) (constantly {:params params}) :params)))

(deftest keyword-params-test
  (doseq [[params expected]
          [[nil nil]
           [{} {}]
           [{"a" "1" "b-c" "2" "d9" "3" "*+!_?-" "4"} {:a "1" :b-c "2" :d9 "3" :*+!_?- "4"}]
           [{"9a" "1" "x y" "2" "" "3" "a.b" "4" "a/b" "5" "a:b" "6"} {"9a" "1" "x y" "2" "" "3" "a.b" "4" "a/b" "5" "a:b" "6"}]
           [{"ü" "1" "日本" "2" "𐐀" "3" "a😀" "4" "a٣" "5"} {:ü "1" :日本 "2" :𐐀 "3" "a😀" "4" "a٣" "5"}]
           [(array-map "a" "1" nil "2" :a "3") {:a "3" nil "2"}]
           [{"a" (vec (repeat 40 {"b" "1"}))} {:a (vec (repeat 40 {:b "1"}))}]
           [(zipmap (map #(str "k" %) (range 20)) (range)) (zipmap (map #(keyword (str "k" %)) (range 20)) (range))]
           [{"a" {"b" [{"c" "1"} "d" ["e" {"f" "2"}]]} :g '({"h" 1})} {:a {:b [{:c "1"} "d" ["e" {:f "2"}]]} :g '({"h" 1})}]]]
    (is (= expected (keywords params nil)))
    (is (= expected (keywords params {:parse-namespaces? false})))))

(deftest namespaces-test
  (is (= {:a/b "1" :a.b/c "2" :d "3" "a/b/c" "4" "/a" "5" "a/" "6" "a/1" "7" "a/b.c" "8" "1a/b" "9" "." "10"}
         (keywords {"a/b" "1" "a.b/c" "2" "d" "3" "a/b/c" "4" "/a" "5" "a/" "6" "a/1" "7" "a/b.c" "8" "1a/b" "9" "." "10"}
                   {:parse-namespaces? true}))))

(deftest parse-nested-keys-test
  (doseq [[text expected] [["a" ["a"]]
                           ["" [""]]
                           ["a[b]" ["a" "b"]]
                           ["a[]" ["a" ""]]
                           ["foo[bar][][baz]" ["foo" "bar" "" "baz"]]
                           ["[a]" ["" "a"]]
                           ["a[b" ["a[b"]]
                           ["a]" ["a]"]]
                           ["]" ["]"]]
                           ["a[b]c" ["a[b]c"]]
                           ["a[b]c[d]" ["a" "b" "d"]]
                           ["a[[b]" ["a" "[b"]]
                           ["a[b]]" ["a" "b"]]
                           ["a\n[b]" ["a\n" "b"]]
                           ["a[b\nc][d]" ["a" "d"]]
                           ["a[b\n[c][d]" ["a" "c" "d"]]
                           [:a ["a"]]]]
    (is (= expected (middleware/parse-nested-keys text)) text)))

(deftest nested-params-test
  (doseq [[params expected]
          [[nil {}]
           [{} {}]
           [{"a" "1"} {"a" "1"}]
           [{"a[b]" "1"} {"a" {"b" "1"}}]
           [{"a[]" "1"} {"a" ["1"]}]
           [{"a[]" ["1" "2"]} {"a" ["1" "2"]}]
           [{"a" ["1" "2"]} {"a" ["1" "2"]}]
           [{"a" ["1"]} {"a" "1"}]
           [{"a" []} {}]
           [{"a[][b]" ["1" "2"]} {"a" [{"b" "1"} {"b" "2"}]}]
           [(array-map "a[b]" "1" "a[c][d]" "2") {"a" {"b" "1" "c" {"d" "2"}}}]
           [(array-map "a" "1" "a[]" "2") {"a" ["1" "2"]}]
           [(array-map "a" "1" "a[b]" "2") {"a" {"b" "2"}}]
           [(array-map "a[b]" "1" "a" "2") {"a" [{"b" "1"} "2"]}]
           [{"a" {"x" "y"}} {"a" {"x" "y"}}]
           [{"a" [{"x" "y"}]} {"a" [{"x" "y"}]}]
           [{:a "1"} {"a" "1"}]]]
    (is (= expected (nested params)) params)))

(deftest key-parser-test
  (is (= {"a" {"b" "1"}} (nested {"a.b" "1"} {:key-parser #(str/split % #"\.")}))))

(deftest refused-test
  (testing "a value where there must be a map"
    (doseq [params [(array-map "a" "1" "a[b][c]" "2")
                    (array-map "a" "1" "a[b][]" "2")
                    (array-map "a[]" "1" "a[b][c]" "2")]]
      (is (= bad-request (nested params)) params)))
  (testing "depth"
    (let [deep (fn [n] {(str "a" (str/join (repeat (dec n) "[a]"))) "1"})]
      (is (= 100 (count (take-while map? (iterate #(get % "a") (nested (deep 100)))))))
      (is (= bad-request (nested (deep 101))))
      (is (= bad-request (nested (deep 100000))))
      (is (= {"a" {"a" "1"}} (nested (deep 2) {:max-depth 2})))
      (is (= bad-request (nested (deep 3) {:max-depth 2}))))))

(deftest hostile-names-test
  (testing "brackets without end take no time"
    (doseq [text [(str "a" (str/join (repeat 200000 "[")) "]")
                  (str "a" (str/join (repeat 200000 "[\n")) "]")
                  (str "a" (str/join (repeat 100000 "[b")) "\n]")]]
      (is (map? (nested {text "1"}))))))

(deftest all-together-test
  (doseq [[_ make] (requests {:query-string "user%5Bname%5D=x&user%5Btags%5D%5B%5D=1&user%5Btags%5D%5B%5D=2&page=3"})]
    (is (= {:user {:name "x" :tags ["1" "2"]} :page "3"}
           (outcome (comp wrap-params wrap-nested-params wrap-keyword-params) make :params)))))
