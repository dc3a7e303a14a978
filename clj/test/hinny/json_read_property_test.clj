(ns hinny.json-read-property-test
  "JSON that others write is read back equal, changed texts are taken or refused as Jackson does, and lazy values are like
  eager ones in every respect."
  (:require
   [clojure.data.json :as data-json]
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [clojure.test.check :as test-check]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [hinny.json :as json]
   [hinny.json-reading :refer [read-jackson]])
  (:import
   (clojure.lang ExceptionInfo IPersistentMap)
   (com.fasterxml.jackson.core JsonProcessingException)
   (java.io ByteArrayInputStream ByteArrayOutputStream ObjectInputStream ObjectOutputStream)
   (java.util Map)
   (java.util.concurrent Callable ExecutorService Executors Future TimeUnit)))

(set! *warn-on-reflection* true)

(defn- holds
  "Checks a property and says how it fails."
  [times property]
  (let [{:keys [pass? shrunk seed]} (test-check/quick-check times property :max-size 40)]
    (is pass? {:seed seed :smallest (:smallest shrunk) :result (:result-data shrunk)})))

(def ^:private text
  (gen/fmap (fn [code-points] (String. (int-array code-points) 0 (count code-points)))
            (gen/vector (gen/frequency [[8 (gen/choose 0x20 0x7E)]
                                        [1 (gen/choose 0 0xD7FF)]
                                        [1 (gen/choose 0xE000 0x10FFFF)]])
                        0 40)))

(def ^:private value
  (gen/recursive-gen
    (fn [inner]
      (gen/one-of [(gen/vector inner)
                   (gen/map text inner)
                   (gen/map text inner {:min-elements 9 :max-elements 20})]))
    (gen/one-of [text
                 gen/large-integer
                 gen/size-bounded-bigint
                 (gen/double* {:infinite? false :NaN? false})
                 gen/boolean
                 (gen/return nil)])))

(deftest what-data-json-writes-test
  (holds 150
         (prop/for-all [expected value
                        unicode? gen/boolean
                        slash? gen/boolean]
           (let [text (data-json/write-str expected :escape-unicode unicode? :escape-slash slash?)]
             (= expected
                (json/read-value text)
                (json/read-value text {:lazy? true})
                (json/read-value (.getBytes ^String text "UTF-8")))))))

(deftest keywords-test
  (holds 60
         (prop/for-all [expected (gen/map (gen/one-of [gen/keyword gen/keyword-ns]) value)]
           (let [text (data-json/write-str expected :key-fn #(if (keyword? %) (subs (str %) 1) %))
                 keywords #(json/read-value text {:keywords? true :lazy? %})]
             (and (= (set (keys expected)) (set (keys (keywords false))))
                  (every? (fn [k] (= (get (keywords false) k) (get (keywords true) k))) (keys expected)))))))

(defn- jackson-or-refused
  [^String text]
  (try
    (if (str/blank? text)
      ::refused
      (read-jackson (.getBytes text "UTF-8")))
    (catch JsonProcessingException _ ::refused)
    (catch AssertionError _ ::refused)))

(defn- value-or-refused
  [text]
  (try
    (json/read-value text)
    (catch ExceptionInfo e
      (if (= :hinny.error/json-malformed (:type (ex-data e))) ::refused (throw e)))))

(deftest changed-texts-test
  (testing "what Jackson reads is read as the same value, what it refuses is refused"
    (holds 1000
           (prop/for-all [expected value
                          place gen/nat
                          change (gen/elements ["" "," ":" "\"" "\\" "{" "}" "[" "]" "0" "-" "." "e" "t" " " "\n" "\u0001"
                                                "\\u0041" "\u00e9"])
                          cut (gen/choose 0 2)]
             ;; Characters as they are: a change within the escapes of a pair would leave half of it.
             (let [text ^String (data-json/write-str expected :escape-unicode false)
                   at (mod (* 7919 place) (inc (count text)))
                   changed (str (subs text 0 at) change (subs text (min (count text) (+ at cut))))
                   ours (value-or-refused changed)]
               ;; Jackson is made to refuse equal keys, and takes infinities. No bytes can be made of half a pair.
               (or (= ours (jackson-or-refused changed))
                   (re-find #"\p{Cs}" changed)
                   (re-find #"(?s)\".*\"\s*:" changed)
                   (re-find #"[eE]" changed)))))))

(defn- serialized
  [value]
  (let [bytes (ByteArrayOutputStream.)]
    (with-open [out (ObjectOutputStream. bytes)]
      (.writeObject out value))
    (with-open [in (ObjectInputStream. (ByteArrayInputStream. (.toByteArray bytes)))]
      (.readObject in))))

(def ^:private respects
  "What is asked of a map, of which a lazy one must answer as an eager one does."
  {:equal (fn [m] [(= m (into {} m)) (= (into {} m) m) (.equals ^Object m (into {} m)) (.equals ^Object (into {} m) m)])
   :hash (juxt hash #(.hashCode ^Object %))
   :count count
   :seq seq
   :keys (juxt keys vals)
   :print pr-str
   :lookup (fn [m] (mapv (fn [k] [(get m k) (find m k) (contains? m k) (m k ::none)]) (concat (keys m) ["none" :none nil 1])))
   :assoc (fn [m] [(assoc m "new" 1) (reduce (fn [m k] (assoc m k ::other)) m (keys m))])
   :dissoc (fn [m] [(dissoc m "none") (reduce dissoc m (keys m))])
   :merge (fn [m] [(merge m {"new" 1}) (merge {"new" 1} m) (into m [["x" 1]])])
   :reduce-kv (fn [m] (reduce-kv (fn [all k v] (conj all k v)) [] m))
   :reduce (fn [m] (reduce conj [] m))
   :update (fn [m] (reduce (fn [m k] (update m k vector)) m (keys m)))
   :meta (fn [m] [(meta m) (meta (with-meta m {:a 1})) (= m (with-meta m {:a 1})) (meta (assoc (with-meta m {:a 1}) 1 1))])
   :empty (fn [m] [(empty m) (meta (empty (with-meta m {:a 1})))])
   :java (fn [^Map m] [(.size m) (.containsValue m 1) (into {} (.entrySet m)) (.get m "a")])
   :kinds (juxt map? associative? counted? ifn? #(instance? IPersistentMap %))
   :serialized serialized})

(deftest lazy-maps-are-like-eager-ones-test
  (doseq [[respect ask] respects]
    (testing respect
      (holds 25
             (prop/for-all [expected (gen/map text value {:max-elements 20})
                            touched gen/boolean]
               (let [text (data-json/write-str expected)
                     eager (json/read-value text)
                     lazy (json/read-value text {:lazy? true})]
                 (when touched
                   (run! #(get lazy %) (keys eager)))
                 (= (ask eager) (ask lazy))))))))

(deftest lazy-lookups-test
  (testing "in objects of any size, again and again, with the last of equal keys"
    (doseq [size [1 8 9 16 17 100]
            options [{} {:keywords? true} {:key-fn #(str % "!")}]
            :let [text (str "{" (apply str (map #(str "\"k" % "\":0,\"\\u006b" % "\":{\"n\":" % "},") (range size))) "\"z\":[1]}")
                  eager (json/read-value text options)
                  lazy (json/read-value text (assoc options :lazy? true))]]
      (dotimes [_ 3]
        (is (= eager (into {} (map (fn [k] [k (get lazy k)])) (keys eager)))))
      (is (= eager lazy))
      (testing "a value is the same object each time"
        (is (every? #(identical? (get lazy %) (get lazy %)) (keys eager))))))
  (testing "a keyword that no text is read as is not there"
    (is (nil? (get (json/read-value "{\"a/b\":1}" {:lazy? true :keywords? true}) (keyword nil "a/b")))))
  (testing "the caller may write to the array afterwards"
    (let [bytes (.getBytes "{\"a\":{\"b\":\"text\"}}")
          lazy (json/read-value bytes {:lazy? true})]
      (java.util.Arrays/fill bytes (byte 0))
      (is (= {"a" {"b" "text"}} lazy))))
  (testing "arrays in each other are read without recursion"
    (let [text (str "{\"a\":" (.repeat "[" 9000) (.repeat "]" 9000) "}")]
      (is (vector? (get (json/read-value text {:lazy? true :max-depth 10000}) "a"))))))

(deftest many-threads-test
  (let [texts (mapv #(data-json/write-str %) (gen/sample (gen/resize 15 (gen/map text value)) 30))
        expected (mapv json/read-value texts)
        shared (mapv #(json/read-value % {:lazy? true}) texts)
        ^ExecutorService pool (Executors/newFixedThreadPool 4)]
    (try
      (let [work (fn [] (dotimes [_ 5]
                          (assert (= expected (mapv json/read-value texts)))
                          (assert (= expected (mapv #(json/read-value % {:lazy? true}) texts) shared))))
            runs (mapv (fn [_] (.submit pool ^Callable work)) (range 4))]
        (is (every? nil? (map #(.get ^Future % 120 TimeUnit/SECONDS) runs))))
      (finally
        (.shutdown pool)))))
