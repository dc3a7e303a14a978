(ns hinny.json-writer-property-test
  "What the JSON writer writes is read back equal by data.json and by Jackson, wherever it stands in a buffer and whoever
  else writes at the same time."
  (:require
   [clojure.data.json :as data-json]
   [clojure.test :refer [deftest is testing]]
   [clojure.test.check :as test-check]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [clojure.walk :as walk]
   [hinny.impl.json-writer :as json]
   [hinny.json-reading :refer [read-jackson]])
  (:import
   (io.github.hinny JsonSettings JsonText JsonUnwritableException Outbox)
   (java.io ByteArrayOutputStream)
   (java.util Arrays Random)
   (java.util.concurrent CountDownLatch ExecutorService Executors Future TimeUnit)))

(set! *warn-on-reflection* true)

(defn- holds
  "Checks a property and says how it fails."
  [times property]
  (let [{:keys [pass? shrunk seed]} (test-check/quick-check times property)]
    (is pass? {:seed seed :smallest (:smallest shrunk) :result (:result-data shrunk)})))

(defn- well-formed
  "The string with U+FFFD for each half of a surrogate pair."
  ^String [^String text]
  (String. (int-array (map (fn [^long code-point] (if (<= 0xD800 code-point 0xDFFF) 0xFFFD code-point))
                           (iterator-seq (.iterator (.codePoints text)))))
           0
           (.codePointCount text 0 (.length text))))

(def ^:private text
  (gen/fmap (fn [chars] (apply str chars))
            (gen/vector (gen/frequency [[8 gen/char-alphanumeric]
                                        [2 gen/char]
                                        [1 (gen/elements "\"\\/\b\t\n\f\r\u0000\u001f\u007f\u0080")]
                                        [1 (gen/fmap char (gen/choose 0 0xFFFF))]])
                        0 80)))

(def ^:private number
  (gen/one-of [gen/large-integer
               gen/size-bounded-bigint
               (gen/double* {:infinite? false :NaN? false})
               (gen/fmap (fn [^long bits]
                           (let [value (Double/longBitsToDouble bits)]
                             (if (Double/isFinite value) value 0.5)))
                         (gen/fmap (fn [[a b]] (bit-xor (bit-shift-left a 32) b))
                                   (gen/tuple gen/large-integer gen/large-integer)))]))

(def ^:private value
  (gen/recursive-gen
    (fn [inner]
      (gen/one-of [(gen/vector inner)
                   (gen/list inner)
                   (gen/map gen/keyword inner)
                   (gen/map text inner)
                   (gen/map gen/keyword-ns inner {:min-elements 9 :max-elements 12})]))
    (gen/one-of [text number gen/boolean (gen/return nil) gen/keyword gen/uuid])))

(defn- plain
  "What a reader makes of the JSON of a generated value."
  [generated]
  (walk/postwalk
    (fn [form]
      (cond
        (keyword? form) (subs (str form) 1)
        (string? form) (well-formed form)
        (uuid? form) (str form)
        (map-entry? form) form
        (sequential? form) (vec form)
        :else form))
    generated))

(defn- same?
  "Equal, with 5 and 5N the same, and 0.0 not the same as -0.0."
  [a b]
  (and (= a b)
       (= (map #(Double/doubleToRawLongBits %) (filter double? (tree-seq coll? seq a)))
          (map #(Double/doubleToRawLongBits %) (filter double? (tree-seq coll? seq b))))))

(defn- distinct-keys?
  "Whether no two keys of a map have the same text."
  [generated]
  (every? (fn [form] (or (not (map? form)) (= (count form) (count (into #{} (map plain) (keys form))))))
          (tree-seq coll? seq generated)))

(deftest read-back-test
  (holds 200 (prop/for-all [generated (gen/such-that distinct-keys? value)]
               (let [json (json/write-value-as-bytes generated)
                     expected (plain generated)]
                 (and (same? expected (read-jackson json))
                      (same? expected (data-json/read-str (String. json "UTF-8"))))))))

(deftest option-test
  (testing "whatever the options, the value is the same"
    (holds 150 (prop/for-all [generated (gen/such-that distinct-keys? value)
                              options (gen/map (gen/elements [:pretty? :escape-slash? :escape-unicode? :escape-html?])
                                               gen/boolean)]
                 (let [json (json/write-value-as-bytes generated options)
                       ;; Jackson does not read escaped pairs in keys.
                       read (if (:escape-unicode? options) #(data-json/read-str (String. ^bytes % "UTF-8")) read-jackson)]
                   (and (same? (plain generated) (read json))
                        (or (not (:escape-unicode? options)) (every? #(<= 0 %) json))
                        (or (not (:escape-html? options)) (not-any? (set "<>&\u2028\u2029") (String. json "UTF-8"))))))))
  (testing "pretty is compact with white space between"
    (holds 100 (prop/for-all [generated (gen/fmap #(walk/postwalk (fn [form] (if (string? form) "s" form)) %) value)]
                 (= (json/write-value-as-string generated)
                    (.replaceAll (json/write-value-as-string generated {:pretty? true}) "\\s" ""))))))

(deftest destination-test
  (testing "parts for a stream or a writer make the same text"
    (holds 50 (prop/for-all [generated (gen/scale #(* 3 %) value)
                             pretty? gen/boolean]
                (let [values (vec (repeat 50 generated))
                      stream (ByteArrayOutputStream.)
                      writer (java.io.StringWriter.)
                      expected (json/write-value-as-bytes values {:pretty? pretty?})]
                  (json/write-value stream values {:pretty? pretty?})
                  (json/write-value writer values {:pretty? pretty?})
                  (and (Arrays/equals expected (.toByteArray stream))
                       (= (String. expected "UTF-8") (str writer))))))))

(deftest double-test
  (testing "doubles are read back the same, and are no longer than the JDK's"
    (let [random (Random. 42)
          exact? (<= 19 (.feature (Runtime/version)))]
      (dotimes [i 100000]
        (let [value (case (rem i 4)
                      0 (Double/longBitsToDouble (.nextLong random))
                      1 (/ (double (.nextInt random 100000000)) 1000.0)
                      2 (* (.nextDouble random) 1e7)
                      (double (bit-shift-right (.nextLong random) (.nextInt random 64))))]
          (when (Double/isFinite value)
            (let [text (json/write-value-as-string value)]
              (when-not (and (= (Double/doubleToRawLongBits value)
                                (Double/doubleToRawLongBits (Double/parseDouble text)))
                             (if exact?
                               (= text (Double/toString value))
                               (<= (count text) (count (Double/toString value)))))
                (is (= (Double/toString value) text))))))))))

(deftest position-test
  (testing "strings of every length to 70 with something special at every place"
    (doseq [special ["\"" "\\" "\n" "\u0000" "\u001f" "\u007f" "\u0080" "é" "\u07ff" "\u0800" "\u20ac" "\ud83d\ude00"
                     "\ud83d" "\ude00" "\u0122" "\u2022" "\uff5c"]
            length (range 0 71)
            at (range 0 (inc length))
            :let [text (str (.repeat "a" (int at)) special (.repeat "z" (int (- length at))))
                  read (read-jackson (json/write-value-as-bytes text))]]
      (when-not (= (well-formed text) read)
        (is (= (well-formed text) read)))))
  (testing "long strings, around the parts that are encoded at once and the ends of arrays"
    (doseq [special ["\"" "é" "\ud83d\ude00" "\ud83d"]
            length [500 510 511 512 513 1023 1024 1025 8150 8180 8190 8192 8200 100000]
            from [0 250 505 509 510 511 512 513]
            :when (<= from length)
            :let [text (str (.repeat "a" (int from)) special (.repeat "z" (int (- length from))) special)
                  expected (well-formed text)
                  stream (ByteArrayOutputStream.)]]
      (json/write-value stream text)
      (when-not (= expected
                   (read-jackson (json/write-value-as-bytes text))
                   (read-jackson (.toByteArray stream)))
        (is (= [length from special] "read back"))))))

(deftest outbox-test
  (testing "the text stands at the position, what is before it stays, and a failure leaves the outbox as it was"
    (let [expected (json/write-value-as-bytes {:a ["é" 1.5]})]
      (doseq [room (range 0 60)]
        (let [outbox (Outbox. 40)
              before (byte-array (range room))]
          (JsonText/append (String. before "US-ASCII") JsonSettings/DEFAULT outbox)
          (let [start (.position outbox)
                kept (Arrays/copyOf (.array outbox) start)]
            (is (= (alength expected) (JsonText/append {:a ["é" 1.5]} JsonSettings/DEFAULT outbox)))
            (is (Arrays/equals expected (Arrays/copyOfRange (.array outbox) start (.position outbox))))
            (let [end (.position outbox)]
              (is (thrown? JsonUnwritableException
                           (JsonText/append [(range 100) (Object.)] JsonSettings/DEFAULT outbox)))
              (is (= end (.position outbox))))
            (is (Arrays/equals kept (Arrays/copyOf (.array outbox) start)))))))))

(defn- virtual-threads
  "An executor of virtual threads, nil where there are none."
  ^ExecutorService []
  (try
    (clojure.lang.Reflector/invokeStaticMethod "java.util.concurrent.Executors" "newVirtualThreadPerTaskExecutor"
                                               (object-array 0))
    (catch IllegalArgumentException _ nil)))

(deftest concurrency-test
  (testing "many threads at once, writers within writers, and failures between"
    (doseq [^ExecutorService executor (remove nil? [(Executors/newFixedThreadPool 16) (virtual-threads)])]
      (let [began (CountDownLatch. 64)
            task (fn [n]
                   (.countDown began)
                   (assert (.await began 120 TimeUnit/SECONDS))
                   (dotimes [i 200]
                     (let [inner (str n "-" i "é")
                           value {:n n :lazy (map (fn [x] (json/write-value-as-string [x inner])) [i])}]
                       (try
                         (json/write-value-as-bytes {:a [value (Object.)]})
                         (catch clojure.lang.ExceptionInfo _))
                       (assert (= {"n" n "lazy" [(str "[" i ",\"" inner "\"]")]}
                                  (read-jackson (json/write-value-as-bytes value))))))
                   :done)]
        (with-open [_ (reify java.io.Closeable (close [_] (.shutdown executor)))]
          (let [threads (if (instance? java.util.concurrent.ThreadPoolExecutor executor) 16 64)]
            (dotimes [_ (- 64 threads)] (.countDown began))
            (is (every? #(= :done (.get ^Future % 120 TimeUnit/SECONDS))
                        (mapv (fn [n] (.submit executor ^Callable (fn [] (task n)))) (range threads))))))))))
