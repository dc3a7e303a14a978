(ns hinny.json-writer-options-test
  "What the JSON writer refuses, its limits, options and destinations, and the protocol for other types."
  (:require
   [clojure.test :refer [are deftest is testing]]
   [hinny.impl.json-writer :as json]
   [hinny.impl.text :as text]
   [hinny.json-protocol :as json-protocol])
  (:import
   (io.github.hinny JsonSettings)
   (java.io ByteArrayOutputStream IOException OutputStream StringWriter)
   (java.util ArrayList LinkedHashMap)))

(set! *warn-on-reflection* true)

(defn- written
  ([value] (json/write-value-as-string value))
  ([value options] (json/write-value-as-string value options)))

(defn- refusal
  "The data and message of what writing throws."
  ([value] (refusal value nil))
  ([value options]
   (try
     (written value options)
     nil
     (catch clojure.lang.ExceptionInfo e
       (assoc (ex-data e) :message (ex-message e))))))

(defrecord Point [x y])

(deftest refused-test
  (testing "the message names the class and the path"
    (is (= {:type :hinny.error/json-unwritable
            :path [:users 3 :socket]
            :class Thread
            :message "not writable as JSON: a java.lang.Thread has no JSON, at [:users 3 :socket]"}
           (refusal {:users [1 2 '() {:socket (Thread/currentThread)}]}))))
  (are [value path class pattern]
       (let [data (refusal value)]
         (and (= :hinny.error/json-unwritable (:type data))
              (= path (:path data))
              (= class (:class data))
              (re-find pattern (:message data))))
       (Object.) [] Object #"a java.lang.Object has no JSON$"
       ##NaN [] Double #"JSON has no NaN"
       {:a ##Inf} [:a] Double #"JSON has no Infinity, at \[:a\]"
       [Float/NEGATIVE_INFINITY] [0] Float #"JSON has no -Infinity"
       {nil 1} [nil] nil #"nil cannot be a key"
       {[1] 2} [[1]] clojure.lang.PersistentVector #"PersistentVector cannot be a key"
       {##Inf 2} [##Inf] Double #"JSON has no Infinity"
       (atom 1) [] clojure.lang.Atom #"Atom"
       (list 0 (map identity [0 inc])) [1 1] (class inc) #"at \[1 1\]"
       (ArrayList. ^java.util.Collection (vector 0 (Object.))) [1] Object #"at"
       (object-array [0 0 (Object.)]) [2] Object #"at"
       (subvec [0 1 (Object.)] 1) [1] Object #"at"
       (->Point 0 (Object.)) [:y] Object #"at"
       (LinkedHashMap. ^java.util.Map (hash-map "k" (Object.))) ["k"] Object #"at \[\"k\"\]"
       (object-array [(transient [])]) [0] clojure.lang.PersistentVector$TransientVector #"at"
       (seq [1 (Object.)]) [1] Object #"at"))

(deftest depth-test
  (let [nested (fn [n] (nth (iterate vector 1) n))]
    (is (= (str (apply str (repeat 512 "[")) 1 (apply str (repeat 512 "]"))) (written (nested 512))))
    (is (re-find #":max-depth 512, at \[0 0 0 .* 0 …\]$" (:message (refusal (nested 513)))))
    (is (= 512 (count (:path (refusal (nested 100000))))))
    (is (= "[[1]]" (written [[1]] {:max-depth 2})))
    (is (= [0] (:path (refusal [[1]] {:max-depth 1}))))
    (testing "also where maps and sequences lie in each other"
      (is (some? (written (nth (iterate #(hash-map :a (list %)) 1) 256))))
      (is (some? (refusal (nth (iterate #(hash-map :a (list %)) 1) 257))))))
  (testing "data that contains itself"
    (let [cycle (ArrayList.)]
      (.add cycle {:again cycle})
      (is (= :hinny.error/json-unwritable (:type (refusal cycle))))))
  (testing "a stack that is too small for the depth that was asked for"
    (let [result (promise)
          deep (nth (iterate list 1) 10000)]
      (doto (Thread. nil #(deliver result (refusal [deep] {:max-depth 10000})) "small-stack" 131072) .start .join)
      (is (= :hinny.error/json-unwritable (:type @result)))))
  (testing "the next value is written as if nothing had been"
    (is (= "[1]" (written [1])))))

(deftest length-test
  (is (= "[1,2]" (written [1 2] {:max-bytes 5})))
  (is (re-find #"longer than :max-bytes 4" (:message (refusal [1 2] {:max-bytes 4}))))
  (testing "an endless sequence ends"
    (is (re-find #":max-bytes 100000" (:message (refusal {:all (range)} {:max-bytes 100000}))))
    (is (= :hinny.error/json-unwritable
           (try
             (json/write-value (OutputStream/nullOutputStream) (repeat "x") {:max-bytes 100000})
             (catch clojure.lang.ExceptionInfo e
               (:type (ex-data e))))))))

(deftest option-test
  (are [value options text] (= text (written value options))
    ["a/b<c>&é\u2028\uD83D\uDE00"] {} "[\"a/b<c>&é\u2028\uD83D\uDE00\"]"
    ["a/b"] {:escape-slash? true} "[\"a\\/b\"]"
    ["aé\u2028\uD83D\uDE00"] {:escape-unicode? true} "[\"a\\u00E9\\u2028\\uD83D\\uDE00\"]"
    ["</b>&é\u2028\u2029"] {:escape-html? true} "[\"\\u003C/b\\u003E\\u0026é\\u2028\\u2029\"]"
    {:a/b 1} {:escape-slash? true} "{\"a\\/b\":1}"
    {:a/b 1 "é" 2} {:escape-slash? false :escape-unicode? true} "{\"a/b\":1,\"\\u00E9\":2}"
    {:a/b {:c 1}} {:key-fn name} "{\"b\":{\"c\":1}}"
    {[1 2] 1} {:key-fn str} "{\"[1 2]\":1}"
    {:a 1} {:key-fn nil} "{\"a\":1}"
    {:a 1} {:pretty? false} "{\"a\":1}"
    (array-map :a [1 {} []] :b {:c "x"}) {:pretty? true}
    "{\n  \"a\": [\n    1,\n    {},\n    []\n  ],\n  \"b\": {\n    \"c\": \"x\"\n  }\n}"
    {"k" 1} {:pretty? true} "{\n  \"k\": 1\n}")
  (testing "settings made once are taken for options"
    (let [settings (json/settings {:pretty? true})]
      (is (= "[\n  1\n]" (written [1] settings)))
      (is (identical? settings (json/settings settings)))
      (is (identical? JsonSettings/DEFAULT (json/settings nil)))))
  (are [options type pattern] (let [data (refusal 1 options)]
                                (and (= type (:type data)) (re-find pattern (:message data))))
    {:prety? true} :hinny.error/option-unknown #"did you mean :pretty\?\? See docs/json\.md\.$"
    {"pretty?" true} :hinny.error/option-unknown #"unknown option \"pretty"
    {:pretty? nil} :hinny.error/option-invalid #":pretty\? must be true or false, is nil"
    {:escape-slash? 1} :hinny.error/option-invalid #":escape-slash\?"
    {:escape-unicode? 1} :hinny.error/option-invalid #":escape-unicode\?"
    {:escape-html? 1} :hinny.error/option-invalid #":escape-html\?"
    {:key-fn 1} :hinny.error/option-invalid #":key-fn must be a function or nil, is 1"
    {:max-depth 0} :hinny.error/option-invalid #"from 1 to 10000"
    {:max-depth 10001} :hinny.error/option-invalid #"from 1 to 10000"
    {:max-bytes 0} :hinny.error/option-invalid #"from 1 to"
    [] :hinny.error/option-invalid #"must be a map"))

(deftest destination-test
  (let [value {:a (vec (repeat 20000 "é"))}
        stream (ByteArrayOutputStream.)
        characters (StringWriter.)]
    (is (nil? (json/write-value stream value)))
    (is (nil? (json/write-value characters value)))
    (is (= (written value) (.toString stream "UTF-8") (str characters) (String. (json/write-value-as-bytes value) "UTF-8"))))
  (testing "what the destination throws is thrown"
    (let [broken (proxy [OutputStream] [] (write [_ _ _] (throw (IOException. "gone"))))]
      (is (thrown-with-msg? IOException #"^gone$" (json/write-value broken [1])))))
  (testing "what the data throws is thrown"
    (is (thrown-with-msg? IllegalStateException #"^lazy$"
                          (written [(map (fn [_] (throw (IllegalStateException. "lazy"))) [1])]))))
  (is (thrown-with-msg? IllegalArgumentException #"must be a java.io.OutputStream" (json/write-value "file" 1))))

(defrecord Secret [shown hidden])

(deftype Money [amount])

(deftype Nothing [])

(deftype Endless [])

(defrecord Itself [x]
  json-protocol/JsonValue
  (json-value [this] (assoc this :seen true)))

(deftest extension-test
  (is (= Money (:class (refusal (->Money 1)))))
  (extend-protocol json-protocol/JsonValue
    Money
    (json-value [money] {:amount (.-amount ^Money money)})
    Secret
    (json-value [secret] (into {} (dissoc secret :hidden)))
    Endless
    (json-value [_] [(Endless.)])
    Nothing
    (json-value [_] nil))
  (are [value text] (= text (written value))
    [(->Money 5)] "[{\"amount\":5}]"
    (->Money (->Money 5)) "{\"amount\":{\"amount\":5}}"
    (->Secret 1 2) "{\"shown\":1}"
    (->Itself 1) "{\"x\":1,\"seen\":true}"
    {:a (->Nothing)} "{\"a\":null}")
  (is (= :hinny.error/json-unwritable (:type (refusal (Endless.))))))

(defn- extended-for-now
  "Calls `f` while the protocol is extended to `type`."
  [type json-value f]
  (let [before json-protocol/JsonValue]
    (extend type json-protocol/JsonValue {:json-value json-value})
    (try
      (f)
      (finally
        (alter-var-root #'json-protocol/JsonValue (constantly before))
        (-reset-methods before)))))

(deftest general-extension-test
  (testing "to Object: for what has no JSON otherwise"
    (extended-for-now Object
                      (fn [value] (str "a " (.getName (class value))))
                      #(is (= "[\"a java.lang.Thread\",1,\"s\",{\"x\":1,\"y\":2}]"
                              (written [(Thread/currentThread) 1 "s" (->Point 1 2)])))))
  (testing "to an interface"
    (extended-for-now java.util.Map
                      (fn [m] (vec (keys m)))
                      #(is (= "[[\"a\"],[\"b\"]]" (written [{:a 1} (LinkedHashMap. ^java.util.Map (hash-map :b 1))])))))
  (testing "to a class that the writer knows by itself"
    (extended-for-now String
                      (fn [^String s] (if (= s "1") 1 (text/upper-case s)))
                      #(is (= "{\"k\":[\"TEXT\",1]}" (written {"k" ["text" "1"]})))))
  (testing "all that is over"
    (is (= "[{\"a\":\"text\"}]" (written [{:a "text"}])))
    (is (= Thread (:class (refusal (Thread/currentThread)))))))
