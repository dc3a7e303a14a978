(ns hinny.json-read-test
  "Reading JSON: sources, options, errors, limits, hostile texts."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing]]
   [hinny.json :as json])
  (:import
   (clojure.lang ExceptionInfo PersistentArrayMap PersistentHashMap PersistentVector)
   (io.github.hinny JsonReader)
   (java.io ByteArrayInputStream InputStream StringReader)
   (java.math BigDecimal)))

(set! *warn-on-reflection* true)

(defn- utf-8
  ^bytes [^String text]
  (.getBytes text "UTF-8"))

(defn- fault
  "Type, reason and position of what is thrown, nil if nothing is."
  [source options]
  (try
    (json/read-value source options)
    nil
    (catch ExceptionInfo e
      ((juxt :type :reason :position) (ex-data e)))))

(defn- malformed
  [reason position]
  [:hinny.error/json-malformed reason position])

(defn- nested
  [depth]
  (str (str/join (repeat depth "[")) (str/join (repeat depth "]"))))

(deftest sources-test
  (let [text "{\"a\":[1,\"\u00e9\ud83d\ude39\"]}"
        expected {"a" [1 "\u00e9\ud83d\ude39"]}]
    (testing "the same text from each kind of source is the same value"
      (are [source] (= expected (json/read-value source))
        (utf-8 text)
        text
        (ByteArrayInputStream. (utf-8 text))
        (StringReader. text)))
    (testing "a stream is read to its end, and not closed"
      (let [closed (atom false)
            stream (proxy [ByteArrayInputStream] [(utf-8 text)]
                     (close [] (reset! closed true)))]
        (is (= expected (json/read-value stream)))
        (is (= -1 (.read ^InputStream stream)))
        (is (false? @closed))))
    (testing "nothing else is a source"
      (is (= [:hinny.error/option-invalid nil nil] (fault 7 nil))))
    (testing "half a surrogate pair in a string is no text, wherever it stands"
      (is (= (malformed :surrogate 3) (fault "\"\u00e9\ud83d\"" nil)))
      (is (= (malformed :surrogate 1) (fault "\"\udc00\"" nil)))
      (is (= (malformed :surrogate 1) (fault (StringReader. "\"\ud83dx\"") nil))))))

(deftest part-of-an-array-test
  (let [text (utf-8 "{\"a\":[1,\"b\\n\",\"\u00e9\",12345678901234567890],\"long name of a key\":2.5}")
        expected (json/read-value text)]
    (doseq [lazy? [false true]
            before [0 1 2 7 8 9 64]
            after [0 1 7 8]
            :let [bytes (byte-array (concat (repeat before 34) text (repeat after 125)))
                  settings (json/read-settings {:lazy? lazy?})]]
      (is (= expected (JsonReader/read bytes before (alength text) false settings)))
      (is (= expected (JsonReader/read bytes before (alength text) true settings))))
    (testing "a range outside of the array is an error of the caller, not of the JVM"
      (doseq [[from length] [[-1 1] [0 1000] [1000 1] [Integer/MAX_VALUE 1]]]
        (is (thrown? RuntimeException (JsonReader/read text from length false (json/read-settings nil))))))))

(deftest empty-texts-test
  (doseq [source [nil "" " \n" (byte-array 0) (ByteArrayInputStream. (byte-array 0)) (StringReader. " ")]]
    (is (= :empty (second (fault source nil))))
    (is (nil? (json/read-value source {:eof-value nil})))
    (is (= ::none (json/read-value source {:eof-value ::none}))))
  (testing "a text that ends too early is not empty"
    (is (= (malformed :end 1) (fault "[" {:eof-value nil})))))

(deftest keys-test
  (let [text "{\"a\":1,\"b/c\":2,\"\":3,\"d e\":4,\"\u00e9\":5,\"f\\n\":6}"]
    (is (= {"a" 1 "b/c" 2 "" 3 "d e" 4 "\u00e9" 5 "f\n" 6} (json/read-value text)))
    (testing "keywords are what keyword makes of the strings"
      (is (= (update-keys (json/read-value text) keyword) (json/read-value text {:keywords? true})))
      (is (= "b" (namespace (some #(when (= 2 (val %)) (key %)) (json/read-value text {:keywords? true})))))
      (is (= (json/read-value text {:keywords? true}) (json/read-value text {:key-fn keyword}))))
    (testing "a function of each key"
      (is (= {[:k "a"] {[:k "b"] 1}} (json/read-value "{\"a\":{\"b\":1}}" {:key-fn #(vector :k %)}))))
    (testing "what the function throws is thrown as it is"
      (is (thrown? ArithmeticException (json/read-value text {:key-fn (fn [_] (/ 1 0))}))))
    (testing "keys of each length, and those that differ in one place only"
      (doseq [length (concat (range 0 70) [254 255 256 1000])
              at (distinct [0 (quot length 2) (dec length)])
              :when (<= 0 at)
              :let [one (.repeat "k" length)
                    other (if (zero? length) "x" (str (subs one 0 at) "x" (subs one (inc at))))]]
        (is (= {one 1 other 2} (json/read-value (str "{\"" one "\":1,\"" other "\":2}"))))
        (is (= {(keyword one) 1 (keyword other) 2}
               (json/read-value (str "{\"" one "\":1,\"" other "\":2}") {:keywords? true})))))))

(deftest equal-keys-test
  (testing "the last value wins, at the place of the first"
    (is (= [["a" 3] ["b" 2]] (seq (json/read-value "{\"a\":1,\"b\":2,\"\\u0061\":3}"))))
    (is (= {"k" 999} (json/read-value (str "{" (str/join "," (map #(str "\"k\":" %) (range 1000))) "}"))))
    (is (= {:same 2} (json/read-value "{\"a\":1,\"b\":2}" {:key-fn (constantly :same)})))))

(deftest classes-test
  (let [object #(str "{" (str/join "," (map (fn [n] (str "\"k" n "\":" n)) (range %))) "}")]
    (are [class text] (= class (type (json/read-value text)))
      PersistentArrayMap "{}"
      PersistentArrayMap (object 8)
      PersistentHashMap (object 9)
      PersistentVector "[]"
      PersistentVector (str "[" (str/join "," (range 33)) "]")
      Long "1"
      Long "-9223372036854775808"
      clojure.lang.BigInt "9223372036854775808"
      Double "1.0"
      Double "1e2"
      String "\"a\""
      Boolean "true"))
  (testing "vectors of any length have what they should"
    (doseq [length [0 1 31 32 33 64 1024 1056 1057 40000]]
      (is (= (vec (range length)) (json/read-value (str "[" (str/join "," (range length)) "]")))))))

(deftest numbers-test
  (are [expected text] (= expected (json/read-value text))
    36028797018963967 "36028797018963967"
    36028797018963968 "36028797018963968"
    -36028797018963969 "-36028797018963969"
    Long/MAX_VALUE "9223372036854775807"
    1.7976931348623157E308 "1.7976931348623157e308"
    4.9E-324 "5e-324"
    9007199254740992.0 "9007199254740993.0"
    0.1 "0.1")
  (testing "BigDecimals keep their scale"
    (are [expected text] (= (BigDecimal. ^String expected) (json/read-value text {:bigdecimals? true}))
      "1.50" "1.50"
      "-0.0" "-0.0"
      "1E+400" "1e400"
      "1E-9999" "1e-9999")
    (is (= 7 (json/read-value "7" {:bigdecimals? true})))))

(deftest limits-test
  (testing "depth"
    (is (some? (json/read-value (nested 512))))
    (is (= (malformed :depth 512) (fault (nested 513) nil)))
    (is (= (malformed :depth 1) (fault "[[]]" {:max-depth 1})))
    (is (vector? (json/read-value (nested 10000) {:max-depth 10000}))))
  (testing "bytes"
    (doseq [source [#(do "[123]") #(utf-8 "[123]") #(ByteArrayInputStream. (utf-8 "[123]")) #(StringReader. "[123]")]]
      (is (= [123] (json/read-value (source) {:max-bytes 5})))
      (is (= (malformed :length 4) (fault (source) {:max-bytes 4}))))
    (testing "an endless stream is not read to its end"
      (is (= (malformed :length 1000)
             (fault (proxy [InputStream] []
                      (read
                        ([] 91)
                        ([buffer from length]
                         (if (zero? length)
                           0
                           (do (aset ^bytes buffer from (byte 91)) 1)))))
                    {:max-bytes 1000})))))
  (testing "digits"
    (is (some? (json/read-value (str/join (repeat 1000 "7")))))
    (is (= (malformed :digits 1) (fault (str "[" (.repeat "7" 1000000) "]") nil)))
    (is (= (malformed :digits 0) (fault (str "0." (.repeat "7" 1000000)) {:bigdecimals? true})))
    (is (= (malformed :range 0) (fault "1e10000" {:bigdecimals? true})))))

(deftest options-test
  (is (= {:id 7} (json/read-value "{\"id\":7}" (json/read-settings {:keywords? true}))))
  (are [type options] (= type (first (fault "1" options)))
    :hinny.error/option-unknown {:keyword? true}
    :hinny.error/option-invalid {:keywords? 1}
    :hinny.error/option-invalid {:max-depth 0}
    :hinny.error/option-invalid {:max-depth 10001}
    :hinny.error/option-invalid {:max-bytes 0}
    :hinny.error/option-invalid {:key-fn "f"}
    :hinny.error/option-invalid [:keywords? true]
    :hinny.error/option-conflict {:keywords? true :key-fn identity})
  (is (= :keywords? (try
                      (json/read-value "1" {:keyword? true})
                      (catch ExceptionInfo e
                        (:nearest (ex-data e)))))))

(defn- equal-hashes
  "So many strings, of one hash."
  [n]
  (let [twice (fn [texts] (into [] (mapcat #(vector (str % "Aa") (str % "BB"))) texts))]
    (take n (first (drop-while #(< (count %) n) (iterate twice [""]))))))

(deftest hostile-texts-test
  (testing "a million different keys, of an object and of many"
    (let [entries (map #(str "\"key" % "\":" %) (range 1000000))]
      (is (= 1000000 (count (json/read-value (str "{" (str/join "," entries) "}")))))
      (is (= 100000 (count (json/read-value (str "[{" (str/join "},{" (take 100000 entries)) "}]") {:keywords? true}))))))
  (testing "many keys of one hash are refused, few are not"
    (let [object #(str "{" (str/join "," (map (fn [k] (str "\"" k "\":1")) %)) "}")]
      (is (= 1 (count (set (map hash (equal-hashes 64))))))
      (is (= (zipmap (equal-hashes 64) (repeat 1)) (json/read-value (object (equal-hashes 64)))))
      (is (= :hashes (second (fault (object (equal-hashes 65)) nil))))
      (is (= :hashes (second (fault (object (equal-hashes 1000000)) nil))))
      (testing "so are groups of them no burden"
        (is (= 64000 (count (json/read-value (object (for [n (range 1000)
                                                           k (equal-hashes 64)]
                                                       (str n k))))))))
      (testing "nor one of them many times"
        (is (= 1 (count (json/read-value (object (repeat 100000 "k")))))))))
  (testing "a million small arrays, and a string that no word of the tape has room for"
    (is (= 1000000 (count (json/read-value (str "[" (str/join "," (repeat 1000000 "[]")) "]")))))
    (is (= 17000000 (count (json/read-value (str \" (.repeat "s" 17000000) \")))))))
