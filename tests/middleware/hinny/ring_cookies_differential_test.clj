(ns hinny.ring-cookies-differential-test
  "Hinny's `wrap-cookies` beside Ring's: the same headers and responses, the same results, but for what is listed last."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [clojure.test.check.clojure-test :refer [defspec]]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [hinny.impl.text :as text]
   [hinny.middleware :as hinny]
   [hinny.record-writer :as record]
   [ring.middleware.cookies :as ring])
  (:import
   (io.github.hinny RingRequest)
   (java.time Duration ZoneOffset ZonedDateTime)))

(set! *warn-on-reflection* true)

(defn- own
  [header]
  (RingRequest/of (record/request-record {:headers [["cookie" header]]})))

(defn- plain
  [header]
  {:headers {"cookie" header}})

(defn- agree?
  [header options]
  (= (:cookies (ring/cookies-request (plain header) options))
     (:cookies (hinny/cookies-request (own header) options))
     (:cookies (hinny/cookies-request (plain header) options))))

(def ^:private decoders
  [{} {:decoder identity} {:decoder #(when-not (str/includes? % "a") (text/upper-case %))}])

(deftest headers-test
  (doseq [header ["" " " "a" "=" "a=" "a=1" "a=1;b=2" "a=1; b=2" "a=1, b=2" "a=1 b=2" " a=1" "a =1" "a= 1" "a=1;a=2" "a==1"
                  "a=\"1\"" "a=\"\"" "a=\"" "a=\"1" "a=1\"" "a=\"1\"2" "a=\"1\"b=2" "a=\"1 2\"" "a=\"1;2\"" "a=\"b=c\"" "a=\"x y=z\""
                  "a=%20" "a=%" "a=%zz;b=1" "a=+" "a=%C3%BC" "%61=1" "a=b\\c" "@a=1" "a@b=1" "a/b=1" "a=(b)" "ü=1" "a=ü" "aü=1;b=2"
                  "$Version=1; a=\"1\"; $Path=/" "a=1;\tb=2" "a=1\u000Bb=2" "a={\"x\":1}; b=2" "\"a\"=1" "a=1;;;;b=2" ";a=1"
                  "foo; bar=1; baz" "a=b=c=d" "a=1,2,3"]
          options decoders]
    (is (agree? header options) (pr-str header))))

(def ^:private gen-header
  (gen/fmap str/join
            (gen/vector (gen/frequency [[8 (gen/elements ["a" "b" "=" "=" ";" "; " "," " " "\"" "%41" "+" "%C3%BC"])]
                                        [2 (gen/elements ["%" "%4" "\t" "\\" "ü" "(" "/" "@" "a=1; " "b=\"2\"; "])]
                                        [1 (gen/fmap str (gen/fmap char (gen/choose 0 255)))]])
                        0 30)))

(defspec generated-headers 2000
  (prop/for-all [header (gen/such-that #(not (re-find #"%[+-]" %)) gen-header)]
    (every? #(agree? header %) decoders)))

(defspec headers-of-any-text 300
  (prop/for-all [header (gen/fmap #(str "a=1;" % "=2") gen/string)]
    (= (:cookies (ring/cookies-request (plain header)))
       (:cookies (hinny/cookies-request (plain header))))))

(deftest no-header-test
  (doseq [request [{} {:headers {}} {:headers {"cookie" nil}} {:cookies {"a" 1} :headers {"cookie" "b=2"}}]]
    (is (= (ring/cookies-request request) (hinny/cookies-request request)))))

(def ^:private cookies
  [nil
   {}
   {"a" "1"}
   {"a" "1" :b 2 'c nil}
   {"ü b" "ü; \"x\" \u0000\n€😀"}
   {"a" ["1" "2"]}
   {"a" '("1" "2")}
   {"a" #{"2" "1"}}
   {"a" :b}
   {"a" {:value "1"}}
   {"a" {:value nil}}
   {"a" {}}
   {"a" {:value {"b" "c d"}}}
   {"a" {:value ["1" "2"]}}
   {"a" (array-map :value "1" :path "/x y" :domain "example.org" :max-age 60 :secure true :http-only true :same-site :lax)}
   {"a" {:value "1" :secure false :http-only false}}
   {"a" {:value "1" :secure "yes"}}
   {"a" {:value "1" :path nil}}
   {"a" {:value "1" :max-age (Duration/ofHours 1)}}
   {"a" {:value "1" :max-age -1N}}
   {"a" {:value "1" :expires (ZonedDateTime/of 2031 12 24 23 59 58 0 (ZoneOffset/ofHours 3))}}
   {"a" {:value "1" :expires "soon"}}
   {"a" {:value "1" :domain (Duration/ofHours 1)}}
   {"a" {:value "1" :same-site :strict} "b" {:value "2" :same-site :none}}])

(deftest responses-test
  (doseq [set cookies
          headers [nil {} {"X" "y"} {"Set-Cookie" ["own=1" "own=2"]} {"Set-Cookie" '("own=1")} {"Set-Cookie" []}]
          options [{} {:encoder #(str/join "|" (map pr-str (first %)))}]
          :let [response (cond-> {:status 200 :cookies set} headers (assoc :headers headers))]]
    (is (= (ring/cookies-response response options) (hinny/cookies-response response options)) (pr-str response)))
  (is (= (ring/cookies-response {:status 200}) (hinny/cookies-response {:status 200})))
  (is (= (ring/cookies-response nil) (hinny/cookies-response nil))))

(defspec generated-cookies 300
  (prop/for-all [cookies (gen/map gen/string (gen/one-of [gen/string gen/small-integer (gen/vector gen/string 0 3)]) {:max-elements 6})]
    (= (ring/cookies-response {:cookies cookies}) (hinny/cookies-response {:cookies cookies}))))

(defrecord Weeks [n])

(defrecord NewYear [year])

(deftest extended-attributes-test
  (testing "what users, or Ring for Joda-Time, extend Ring's protocols of attributes to"
    (extend-protocol ring/CookieInterval
      Weeks
      (->seconds [weeks] (* 604800 (:n weeks))))
    (extend-protocol ring/CookieDateTime
      NewYear
      (rfc822-format [new-year] (str "Tue, 01 Jan " (:year new-year) " 00:00:00 GMT")))
    (doseq [attributes [{:max-age (->Weeks 2)} {:expires (->NewYear 2030)}]
            :let [response {:cookies {"a" (assoc attributes :value "1")}}]]
      (is (= (ring/cookies-response response) (hinny/cookies-response response)) (pr-str attributes)))))

;;; What differs

(deftest differences-test
  (testing "an attribute that is none: an exception, not an error of the JVM"
    (doseq [attribute [{:path "/;x"} {:unknown 1} {:max-age "1"} {:expires 1} {:same-site :other}]
            :let [response {:cookies {"a" (assoc attribute :value "1")}}]]
      (is (thrown? AssertionError (ring/cookies-response response)))
      (is (thrown? IllegalArgumentException (hinny/cookies-response response)))))
  (testing "a header that the handler wrote as a String stays; Ring makes characters of it"
    (let [response {:headers {"Set-Cookie" "own"} :cookies {"a" "1"}}]
      (is (= [\o \w \n "a=1"] (get-in (ring/cookies-response response) [:headers "Set-Cookie"])))
      (is (= ["own" "a=1"] (get-in (hinny/cookies-response response) [:headers "Set-Cookie"])))))
  (testing "a sign is no hexadecimal digit; Ring does as the JDK does"
    (is (contains? #{{} {"a" {:value "\u0001"}}} (:cookies (ring/cookies-request (plain "a=%+1")))))
    (is (= {} (:cookies (hinny/cookies-request (plain "a=%+1")))))))
