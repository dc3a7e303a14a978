(ns hinny.route-regex-test
  "Regular expressions as paths: their text, their groups, and what is refused."
  (:require
   [clojure.test :refer [are deftest is testing]]
   [hinny.impl.route-regex :as route-regex]
   [hinny.route-failure :refer [failure]])
  (:import
   (java.util.regex Pattern)))

(set! *warn-on-reflection* true)

(deftest groups-test
  (are [regex groups] (= groups (route-regex/groups regex))
    "/a" []
    "/(a)" [:param0]
    "/(a)/(b(c))" [:param0 :param1 :param2]
    "/(?<year>\\d+)/(\\d+)" [:year :param1]
    "/(\\d+)/(?P<day>\\d+)" [:param0 :day]
    "/(?:a|b)/(c)" [:param0]
    "/(?i:a)/(?i)(c)" [:param0]
    "/\\(a\\)/(b)" [:param0]
    "/[(]/(a)" [:param0]
    "/[]()]/(a)" [:param0]
    "/[^](]/(a)" [:param0]
    "/[a[(]]/(a)" [:param0]
    "/[\\](]/(a)" [:param0]
    "/\\\\(a)" [:param0]))

(deftest text-test
  (is (= "/a(.*)" (route-regex/text #"/a(.*)")))
  (is (= "/a(.*)" (route-regex/text "/a(.*)")))
  (is (= "(?i)/a" (route-regex/text (Pattern/compile "/a" Pattern/CASE_INSENSITIVE))))
  (testing "flags that the text sets itself are there already"
    (is (= "(?i)/a" (route-regex/text #"(?i)/a")))
    (is (= "/a(?xs)b" (route-regex/text #"/a(?xs)b")))))

(deftest quoted-test
  (testing "literal text matches itself only"
    (are [literal] (and (re-matches (re-pattern (route-regex/quoted literal)) literal)
                        (nil? (re-matches (re-pattern (route-regex/quoted literal)) (str literal "x"))))
      "/a.b" "/a+b" "/(a)" "/$a^" "/%C3%A9" "/a-b_c~d" "/@:!&=,;'*")
    (is (nil? (re-matches (re-pattern (route-regex/quoted "/a.b")) "/axb")))))

(deftest regex-failure-test
  (are [regex pattern] (let [{:keys [type message]} (failure (route-regex/groups (route-regex/text regex)))]
                         (and (= :hinny.error/route-pattern type) (re-find pattern message)))
    "/(?=a)" #"has \(\?=: looking around and atomic groups are not supported"
    "/(?!a)" #"looking around"
    "/(?<=a)" #"looking around"
    "/(?<!a)" #"looking around"
    "/(?>a)" #"atomic"
    "/(a)\\1" #"has \\1: back references and quoting are not supported"
    "/(?<a>a)\\k<a>" #"back references"
    "/\\Qa\\E" #"quoting"
    "/(?<a>x)(?<a>y)" #"two groups of one name: :a :a"
    (Pattern/compile "/a" Pattern/DOTALL) #"flags other than CASE_INSENSITIVE \(32\); write them into it"))
