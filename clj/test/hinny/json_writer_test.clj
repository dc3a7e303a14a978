(ns hinny.json-writer-test
  "What becomes of each type in JSON, as a value and as a key."
  (:require
   [clojure.test :refer [are deftest is testing]]
   [hinny.impl.json-writer :as json])
  (:import
   (java.time DayOfWeek Duration Instant LocalDate ZonedDateTime)
   (java.util ArrayList Arrays Date LinkedHashMap UUID)
   (java.util.concurrent.atomic AtomicLong)))

(set! *warn-on-reflection* true)

(defn- written
  ([value] (json/write-value-as-string value))
  ([value options] (json/write-value-as-string value options)))

(defrecord Point [x y])

(deftype OnlyPersistent [entries]
  clojure.lang.IPersistentMap
  (assoc [_ _ _] nil)
  (assocEx [_ _ _] nil)
  (without [_ _] nil)
  (containsKey [_ _] false)
  (entryAt [_ _] nil)
  (count [_] (count entries))
  (cons [_ _] nil)
  (empty [_] nil)
  (equiv [_ _] false)
  (seq [_] (seq entries))
  (valAt [_ _] nil)
  (valAt [_ _ _] nil)
  (iterator [_] (.iterator ^Iterable entries)))

(deftest scalar-test
  (are [value text] (= text (written value))
    nil "null"
    true "true"
    false "false"
    (Boolean. "true") "true"
    0 "0"
    -1 "-1"
    9 "9"
    10 "10"
    99 "99"
    100 "100"
    12345 "12345"
    2147483648 "2147483648"
    -9007199254740993 "-9007199254740993"
    999999999999999999 "999999999999999999"
    1000000000000000000 "1000000000000000000"
    Long/MAX_VALUE "9223372036854775807"
    Long/MIN_VALUE "-9223372036854775808"
    (int 7) "7"
    (short -7) "-7"
    (byte 7) "7"
    7N "7"
    123456789012345678901234567890N "123456789012345678901234567890"
    (biginteger 5) "5"
    1.50M "1.50"
    1E+30M "1E+30"
    0E-10M "0E-10"
    1/2 "0.5"
    1/3 "0.3333333333333333"
    (float 1.1) "1.1"
    (AtomicLong. 3) "3"
    :a "\"a\""
    :a/b "\"a/b\""
    'a "\"a\""
    'a/b "\"a/b\""
    \x "\"x\""
    \" "\"\\\"\""
    "" "\"\""
    "text" "\"text\""
    (StringBuilder. "built") "\"built\""
    (char-array "ab") "\"ab\""
    (byte-array [1 2 3]) "\"AQID\""
    DayOfWeek/MONDAY "\"MONDAY\""
    (java.net.URI. "http://a/b?c") "\"http://a/b?c\""
    #uuid "01234567-89ab-cdef-fedc-ba9876543210" "\"01234567-89ab-cdef-fedc-ba9876543210\""))

(deftest double-test
  (are [value text] (= text (written value))
    0.0 "0.0"
    -0.0 "-0.0"
    1.0 "1.0"
    -1.5 "-1.5"
    0.1 "0.1"
    0.29 "0.29"
    0.001 "0.001"
    9.99E-4 "9.99E-4"
    1.0E-5 "1.0E-5"
    123.456 "123.456"
    30.238372 "30.238372"
    9999999.99 "9999999.99"
    9999999.999999998 "9999999.999999998"
    1.0E7 "1.0E7"
    1.23456789012E8 "1.23456789012E8"
    2.0E-3 "0.002"
    1.0E23 "1.0E23"
    4.35 "4.35"
    0.1234567 "0.1234567"
    3.141592653589793 "3.141592653589793"
    9.007199254740993E15 "9.007199254740992E15"
    Double/MAX_VALUE "1.7976931348623157E308"
    Double/MIN_VALUE "4.9E-324"
    9.9E-324 "9.9E-324"
    1.5E-323 "1.5E-323"
    2.2250738585072014E-308 "2.2250738585072014E-308"
    2.225073858507201E-308 "2.225073858507201E-308"))

(deftest time-test
  (are [value text] (= (str \" text \") (written value))
    (Date. 0) "1970-01-01T00:00:00.000Z"
    (Date. -1) "1969-12-31T23:59:59.999Z"
    #inst "2024-02-29T23:59:59.120" "2024-02-29T23:59:59.120Z"
    #inst "2000-12-31" "2000-12-31T00:00:00.000Z"
    (java.sql.Timestamp. 1500) "1970-01-01T00:00:01.500Z"
    (Instant/parse "0001-01-01T00:00:00Z") "0001-01-01T00:00:00.000Z"
    (Instant/parse "9999-12-31T23:59:59.999Z") "9999-12-31T23:59:59.999Z"
    (Instant/parse "2024-03-01T01:02:03.004005Z") "2024-03-01T01:02:03.004005Z"
    (Instant/parse "2024-03-01T01:02:03.000000007Z") "2024-03-01T01:02:03.000000007Z"
    (Instant/parse "+10000-01-01T00:00:00Z") "+10000-01-01T00:00:00.000Z"
    (Instant/parse "-0001-01-01T00:00:00.5Z") "-0001-01-01T00:00:00.500Z"
    Instant/MAX (str Instant/MAX)
    (LocalDate/of 2024 2 29) "2024-02-29"
    (Duration/ofSeconds 90) "PT1M30S"
    (ZonedDateTime/parse "2024-03-01T01:02:03+01:00[Europe/Paris]") "2024-03-01T01:02:03+01:00")
  (testing "every day of four centuries, as the JDK has it"
    (is (every? (fn [^long day]
                  (= (str \" (LocalDate/ofEpochDay day) "T00:00:00.000Z\"")
                     (written (Date. (* day 86400000)))))
                (range -25567 120530)))))

(deftest collection-test
  (are [value text] (= text (written value))
    {} "{}"
    {:a 1} "{\"a\":1}"
    (array-map :a 1 "b" {:c nil} :d/e []) "{\"a\":1,\"b\":{\"c\":null},\"d/e\":[]}"
    (sorted-map 2 :b 1 :a) "{\"1\":\"a\",\"2\":\"b\"}"
    (hash-map :a 1) "{\"a\":1}"
    (->Point 1 2) "{\"x\":1,\"y\":2}"
    (assoc (->Point 1 2) :z 3) "{\"x\":1,\"y\":2,\"z\":3}"
    (OnlyPersistent. {:a 1}) "{\"a\":1}"
    (doto (LinkedHashMap.) (.put "b" 1) (.put "a" (ArrayList. ^java.util.Collection (vector 1)))) "{\"b\":1,\"a\":[1]}"
    [] "[]"
    [1 [2 [] {}]] "[1,[2,[],{}]]"
    '() "[]"
    '(1 2) "[1,2]"
    (list* 1 2 [3]) "[1,2,3]"
    (map inc [1 2]) "[2,3]"
    (lazy-seq nil) "[]"
    (concat [1] [2] '(3)) "[1,2,3]"
    (eduction (map inc) [1 2]) "[2,3]"
    (range 3) "[0,1,2]"
    (subvec [1 2 3] 1) "[2,3]"
    (first {:a 1}) "[\"a\",1]"
    (vector-of :long 1 2) "[1,2]"
    (conj clojure.lang.PersistentQueue/EMPTY 1) "[1]"
    #{} "[]"
    #{1} "[1]"
    (sorted-set 2 1) "[1,2]"
    (seq {:a 1}) "[[\"a\",1]]"
    (Arrays/asList (object-array [1 nil])) "[1,null]"
    (java.util.HashSet. [1]) "[1]"
    (object-array [1 "a" nil]) "[1,\"a\",null]"
    (int-array [1 2]) "[1,2]"
    (double-array [0.5]) "[0.5]"
    (boolean-array [true]) "[true]"
    (make-array String 0) "[]")
  (testing "as many elements as fill parts of a vector, and of a map of each kind"
    (doseq [n [31 32 33 63 64 65 1023 1024 1025 1056 1057 40000]]
      (is (= (str "[" (apply str (interpose "," (range n))) "]") (written (vec (range n))) (written (range n))) n))
    (doseq [n [8 9 16 17 300]
            :let [m (zipmap (map #(keyword (str "k" %)) (range n)) (range))]]
      (is (= (str "{" (apply str (interpose "," (map (fn [[k v]] (str \" (name k) "\":" v)) m))) "}") (written m)) n))))

(deftest key-test
  (are [k text] (= (str "{" text ":1}") (written {k 1}))
    "a" "\"a\""
    "é\"" "\"é\\\"\""
    :a.b/c "\"a.b/c\""
    'a/b "\"a/b\""
    1 "\"1\""
    -2.5 "\"-2.5\""
    10N "\"10\""
    true "\"true\""
    \a "\"a\""
    (keyword "a\nb") "\"a\\nb\""
    (keyword (apply str (repeat 200 "long"))) (str \" (apply str (repeat 200 "long")) \")
    (UUID. 0 1) "\"00000000-0000-0000-0000-000000000001\""
    (Date. 0) "\"1970-01-01T00:00:00.000Z\""
    DayOfWeek/FRIDAY "\"FRIDAY\"")
  (testing "two keys of the same text are both written"
    (is (= "{\"a\":1,\"a\":2}" (written (array-map :a 1 "a" 2)))))
  (testing "more keywords than are kept, twice, with escapes and without"
    (doseq [options [nil nil {:escape-unicode? true}]
            n (range 6000)
            :let [k (keyword (str "key-é" n))]]
      (when-not (= (str "{\"key-" (if options "\\u00E9" "é") n "\":0}") (written {k 0} options))
        (is (= k options))))))
