(ns hinny.client-keys-test
  "What a client can do with names that it has chosen to have one hash: counted, not timed."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.json :as json]
   [hinny.middleware :as middleware])
  (:import
   (clojure.lang ExceptionInfo Keyword)
   (io.github.hinny ClientKeywords)
   (java.lang.ref Reference)
   (java.lang.reflect Field)
   (java.util.concurrent CountDownLatch ExecutorService Executors TimeUnit)))

(set! *warn-on-reflection* true)

(def ^:private most
  "Keywords of clients that may have one hash."
  64)

(defn- names-of-one-hash
  "2^13 names, whose String hash and whose keyword's hash in Clojure's table are the same. Another `prefix`, another hash."
  [prefix]
  (reduce (fn [names _] (into [] (mapcat #(vector (str % "Aa") (str % "BB"))) names)) [prefix] (range 13)))

(def ^:private ^java.util.Map keyword-table
  (let [^Field table (.getDeclaredField Keyword "table")]
    (.setAccessible table true)
    (.get table nil)))

(defn- table-count
  "How many entries of Clojure's table of keywords have the hash of the keyword `like`."
  [like]
  (let [hash-of #(.hashCode ^Object %)
        wanted (hash-of (symbol like))]
    (count (filter #(and (= wanted (hash-of %)) (.get ^Reference (.get keyword-table %))) (keys keyword-table)))))

(defn- refused?
  [f]
  (try
    (f)
    false
    (catch ExceptionInfo refusal
      (contains? #{:hashes :too-many-params} (:reason (ex-data refusal))))))

(defn- object
  [ks]
  (str "{" (str/join "," (map #(str (pr-str %) ":1") ks)) "}"))

(def ^:private keywords {:keywords? true})

(deftest keywords-of-one-object-test
  (let [ks (names-of-one-hash "object")]
    (is (refused? #(json/read-value (object ks) keywords)))
    (is (>= most (table-count (first ks))))))

(deftest keywords-of-many-objects-test
  (testing "each object has one of them"
    (let [ks (names-of-one-hash "objects")]
      (is (refused? #(json/read-value (str "[" (str/join "," (map (comp object list) ks)) "]") keywords)))
      (is (>= most (table-count (first ks))))))
  (testing "so do lazy ones, when they are walked"
    (let [ks (names-of-one-hash "lazy")
          objects (json/read-value (str "[" (str/join "," (map (comp object list) ks)) "]") (assoc keywords :lazy? true))]
      (is (thrown? RuntimeException (run! count objects)))
      (is (>= most (table-count (first ks)))))))

(deftest keywords-of-many-texts-test
  (testing "each text has a few, and all that were read are held"
    (let [ks (names-of-one-hash "texts")
          read #(try
                  (json/read-value (object %) keywords)
                  (catch ExceptionInfo _ :refused))
          values (mapv read (partition-all 8 ks))]
      (is (= (/ most 8) (count (remove #{:refused} values))))
      (is (= most (table-count (first ks))))
      (is (= (first values) (read (take 8 ks))) "those that are known stay so"))))

(deftest keywords-with-a-namespace-test
  (testing "the hash of Clojure's table is that of name and namespace together"
    (let [ks (map #(str "a/" %) (names-of-one-hash "space"))]
      (is (refused? #(json/read-value (object ks) keywords)))
      (is (>= most (table-count (first ks)))))))

(deftest keywords-of-the-application-test
  (testing "a name that is a keyword already is never refused"
    (let [ks (names-of-one-hash "application")
          own (mapv keyword (take 200 ks))]
      (is (= (zipmap (take 60 own) (repeat 1)) (json/read-value (object (take 60 ks)) keywords)))
      (is (= (map hash-map own (repeat 1))
             (json/read-value (str "[" (str/join "," (map (comp object list) (take 200 ks))) "]") keywords))))))

(deftest keywords-that-are-gone-test
  (testing "what the garbage collector has taken makes room"
    (let [ks (names-of-one-hash "gone")
          deadline (+ (System/nanoTime) (.toNanos TimeUnit/SECONDS 60))]
      (run! #(ClientKeywords/of %) (take most ks))
      (is (loop []
            (System/gc)
            (or (some? (ClientKeywords/of (peek ks)))
                (and (< (System/nanoTime) deadline)
                     (recur))))))))

(deftest keywords-of-many-threads-test
  (testing "threads that race do not make more"
    (let [ks (names-of-one-hash "threads")
          threads 4
          start (CountDownLatch. 1)
          ^ExecutorService pool (Executors/newFixedThreadPool threads)]
      (try
        (let [made (mapv (fn [_] (.submit pool ^Callable #(do (.await start) (into [] (keep (fn [k] (ClientKeywords/of k))) ks))))
                         (range threads))]
          (.countDown start)
          (let [all (mapv #(.get ^java.util.concurrent.Future % 60 TimeUnit/SECONDS) made)]
            (is (= most (count (set (apply concat all)))))
            (is (= most (table-count (first ks))))))
        (finally
          (.shutdownNow pool))))))

(defn- params
  [ks]
  {:params (zipmap ks (repeat "1"))})

(deftest keyword-params-test
  (let [ks (names-of-one-hash "params")]
    (testing "a flat map, and one in each of many"
      (is (refused? #(middleware/keyword-params-request (params ks))))
      (is (refused? #(middleware/keyword-params-request {:params {"a" (mapv (fn [k] {k "1"}) ks)}})))
      (is (>= most (table-count (first ks)))))
    (testing "is 400"
      (let [seen (volatile! 0)
            app (middleware/wrap-keyword-params (fn [_] (vswap! seen inc)))]
        (is (= 400 (:status (app (params ks)))))
        (is (= 400 (:status (let [answer (promise)]
                              ((middleware/wrap-keyword-params (fn [_ _ _] (vswap! seen inc))) (params ks) answer answer)
                              (deref answer 10000 nil)))))
        (is (zero? @seen))))))

(deftest nested-params-test
  (testing "names that differ in their hash, but not in the keys that meet in one map"
    (let [ks (names-of-one-hash "nested")
          flat (into {} (map-indexed (fn [n k] [(str "a[" k "][" n "]") "1"])) (take 1000 ks))]
      (is (refused? #(middleware/nested-params-request {:params flat})))
      (is (= 64 (count (get-in (middleware/nested-params-request {:params (into {} (filter (fn [[k _]] (some (set (take 64 ks)) (re-seq #"nested\w+" k)))) flat)})
                               [:params "a"])))))))

(deftest params-test
  (let [ks (names-of-one-hash "query")
        query #(str/join "&" (map (fn [k] (str k "=1")) %))]
    (testing "however many parameters may be"
      (is (refused? #(middleware/params-request {:query-string (query (concat (map str (range 4096)) ks))} {:max-params 100000}))))
    (testing "some are no harm"
      (is (= 64 (count (:params (middleware/params-request {:query-string (query (take 64 ks))}))))))))

(deftest cookies-test
  (let [ks (names-of-one-hash "cookie")
        request {:headers {"cookie" (str/join ";" (map #(str % "=1") (take 1000 ks)))}}]
    (is (refused? #(middleware/cookies-request request)))
    (is (refused? #(middleware/cookies-request request {:decoder identity})))))

(deftest multipart-test
  (let [ks (take 1000 (names-of-one-hash "part"))
        body (str (str/join (map #(str "--b\r\nContent-Disposition: form-data; name=\"" % "\"\r\n\r\n1\r\n") ks)) "--b--\r\n")
        request {:headers {"content-type" "multipart/form-data; boundary=b"}
                 :body (java.io.ByteArrayInputStream. (.getBytes body))}]
    (is (= :hashes (try
                     (middleware/multipart-params-request request)
                     (catch ExceptionInfo refusal
                       (:reason (ex-data refusal))))))))
