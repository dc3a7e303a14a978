(ns hinny.middleware-cookies-test
  "`wrap-cookies` without Ring on the class path: what is parsed and what is written."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.middleware :as middleware :refer [wrap-cookies]]
   [hinny.middleware-probe :refer [bad-request outcome own-request requests]])
  (:import
   (java.time Duration ZoneId ZonedDateTime)))

(set! *warn-on-reflection* true)

(deftest request-test
  (doseq [[header expected] [[nil {}]
                             ["" {}]
                             ["a" {}]
                             ["a=1" {"a" "1"}]
                             ["a=1; b=2,c=3 d=4" {"a" "1" "b" "2" "c" "3" "d" "4"}]
                             ["a=1; a=2" {"a" "2"}]
                             ["a=\"1\"; b=\"\"; c=\"2; d=3" {"a" "1" "b" "" "c" "" "d" "3"}]
                             ["a=J%C3%BCrgen; b=x+y%3B" {"a" "Jürgen" "b" "x y;"}]
                             ["a=%; b=2" {"b" "2"}]
                             ["a=b=c==" {"a" "b=c=="}]
                             ["z=1; y=2; x=3; w=4; v=5; u=6; t=7; s=8; r=9; z=0"
                              {"z" "0" "y" "2" "x" "3" "w" "4" "v" "5" "u" "6" "t" "7" "s" "8" "r" "9"}]]
          [sort make] (requests (when header {:headers {"cookie" header}}))]
    (testing (str header " " sort)
      (is (= (update-vals expected #(hash-map :value %)) (outcome wrap-cookies make :cookies))))))

(deftest text-beyond-latin1-test
  (is (= {"a" {:value ""} "b" {:value "1"}}
         (:cookies (middleware/cookies-request {:headers {"cookie" "a=€x; €b=1"}})))))

(deftest decoder-test
  (doseq [[_ make] (requests {:headers {"cookie" "a=%41; b=\"drop\"; c=%; a=2"}})]
    (is (= {"a" {:value "<2>"} "c" {:value "<%>"}}
           (outcome #(wrap-cookies % {:decoder (fn [text] (when-not (= "drop" text) (str "<" text ">")))}) make :cookies)))))

(deftest too-many-test
  (let [many (fn [n] (str/join ";" (map #(str "k" % "=v") (range n))))]
    (doseq [options [{} {:decoder identity}]
            [_ make] (requests {:headers {"cookie" (many 1025)}})]
      (is (= bad-request (outcome #(wrap-cookies % options) make :cookies)))
      (is (= 1025 (count (outcome #(wrap-cookies % (assoc options :max-params 1025)) make :cookies)))))))

(deftest names-with-one-hash-test
  (let [names (reduce (fn [names _] (for [n names two ["Aa" "BB"]] (str n two))) [""] (range 8))]
    (doseq [[_ make] (requests {:headers {"cookie" (str/join ";" (map #(str % "=1") names))}})]
      (is (= bad-request (outcome wrap-cookies make :cookies))))))

(deftest there-already-test
  (is (= {:own 1} (outcome wrap-cookies #(assoc (own-request {:headers {"cookie" "a=1"}}) :cookies {:own 1}) :cookies))))

(def ^:private expiry
  (ZonedDateTime/of 2031 2 3 4 5 6 0 (ZoneId/of "Europe/Berlin")))

(deftest response-test
  (doseq [[cookie value expected]
          [["a" "1" "a=1"]
           [:a 1 "a=1"]
           ["ü b" "ü; \"x\"" "%C3%BC+b=%C3%BC%3B+%22x%22"]
           ["a" nil "a="]
           ["a" ["1" "2 3"] "a=1&a=2+3"]
           ["a" #{"2" "1"} "a=1&a=2"]
           ["a" {:value "1"} "a=1"]
           ["a" {:value "1" :path "/x"} "a=1;Path=/x"]
           ["a" (array-map :domain "example.org" :value "1" :max-age 60 :secure true :http-only true)
            "a=1;Domain=example.org;Max-Age=60;Secure;HttpOnly"]
           ["a" {:value "1" :secure false} "a=1"]
           ["a" {:value "1" :max-age (Duration/ofMinutes 2)} "a=1;Max-Age=120"]
           ["a" {:value "1" :expires "Mon, 03 Feb 2031 04:05:06 GMT"} "a=1;Expires=Mon, 03 Feb 2031 04:05:06 GMT"]
           ["a" {:value "1" :expires expiry} "a=1;Expires=Mon, 03 Feb 2031 03:05:06 +0000"]
           ["a" {:value "1" :same-site :strict} "a=1;SameSite=Strict"]
           ["a" {:value "1" :same-site :none} "a=1;SameSite=None"]
           ["a" (array-map :value "1" :secure true :partitioned true) "a=1;Secure;Partitioned"]
           ["a" {:value "1" :partitioned false} "a=1"]]]
    (is (= {:status 200 :headers {"Set-Cookie" [expected]}}
           (middleware/cookies-response {:status 200 :headers {} :cookies {cookie value}})))))

(deftest response-headers-test
  (testing "after what the handler wrote"
    (doseq [written ["own=1" ["own=1"] '("own=1")]]
      (is (= {"Set-Cookie" ["own=1" "a=1" "b=2"]}
             (:headers (middleware/cookies-response {:headers {"Set-Cookie" written} :cookies (array-map "a" "1" "b" "2")}))))))
  (testing "no cookies"
    (is (= {:status 200} (middleware/cookies-response {:status 200})))
    (is (nil? (middleware/cookies-response nil))))
  (testing "an encoder"
    (is (= ["<{\"a\" \"1\"}>;Path=/"]
           (get-in (middleware/cookies-response {:cookies {"a" {:value "1" :path "/"}}} {:encoder #(str "<" (pr-str %) ">")})
                   [:headers "Set-Cookie"])))))

(deftest invalid-attributes-test
  (doseq [attributes [{:path "/;x"} {:unknown 1} {:max-age "1"} {:max-age 1.5} {:expires 1} {:same-site :other} {:domain "a;b"}]]
    (is (thrown? IllegalArgumentException
                 (middleware/cookies-response {:cookies {"a" (assoc attributes :value "1")}}))
        attributes)))

(deftest both-ways-test
  (let [app (wrap-cookies (fn
                            ([request] {:status 200 :cookies (update-vals (:cookies request) :value)})
                            ([request respond _] (respond {:status 200 :cookies (update-vals (:cookies request) :value)}))))
        request (own-request {:headers {"cookie" "a=1"}})
        expected {:status 200 :headers {"Set-Cookie" ["a=1"]}}]
    (is (= expected (app request)))
    (is (= expected (let [response (promise)]
                      (app request #(deliver response %) #(deliver response %))
                      (deref response 0 :none))))))
