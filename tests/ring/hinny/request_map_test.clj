(ns hinny.request-map-test
  "The lazy request map and the lazy headers against plain maps with the same entries.

  Every property makes one request twice, as a `RingRequest` over a record and as a Clojure map, does the same to both,
  and lets `differences` look for anything that a Ring user could tell them apart by."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing]]
   [clojure.test.check.clojure-test :refer [defspec]]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [clojure.test.check.results :as results]
   [clojure.walk :as walk]
   [hinny.impl.body]
   [hinny.json :as json]
   [hinny.record-writer :as writer])
  (:import
   (clojure.lang ILookup)
   (com.sun.management ThreadMXBean)
   (io.github.hinny Headers LazyJsonMap RingRequest)
   (java.io ByteArrayInputStream ByteArrayOutputStream InputStream ObjectInputStream ObjectOutputStream)
   (java.lang.management ManagementFactory)
   (java.util HashMap Map NoSuchElementException)))

(set! *warn-on-reflection* true)

(def core-keys
  [:uri :request-method :headers :query-string :body :scheme :server-name :server-port :remote-addr :protocol
   :content-type :content-length :character-encoding])

(defn- request ^RingRequest [description]
  (RingRequest/of (writer/request-record description)))

(defn- pair
  "The same request as `[lazy plain]`, sharing one body stream."
  [description]
  (let [lazy (request description)]
    [lazy (writer/ring-request description (:body lazy))]))

;; Generators

(def gen-latin1
  (gen/fmap str/join (gen/vector (gen/fmap char (gen/one-of [(gen/choose 0x20 0x7E) (gen/choose 0xA0 0xFF)])) 0 12)))

(def gen-token
  (gen/fmap str/join (gen/vector (gen/elements "abcdefghijklmnopqrstuvwxyz0123456789-") 1 10)))

(def gen-content-type
  (gen/elements ["text/plain" "text/html; charset=utf-8" "text/html;charset=\"ISO-8859-1\"" "a/b; q=1; Charset=x"]))

(def gen-header
  (gen/one-of
    [(gen/tuple (gen/elements ["host" "accept" "cookie" "user-agent" "x-forwarded-for"]) gen-latin1)
     (gen/tuple (gen/elements ["host" "accept"]) gen-latin1 (gen/return :literal))
     (gen/tuple gen-token gen-latin1)
     (gen/tuple (gen/return "content-length") (gen/fmap str gen/nat))
     (gen/tuple (gen/return "content-type") gen-content-type)]))

(def gen-headers
  (gen/fmap (fn [headers] (vec (vals (into {} (map (juxt first identity)) headers)))) (gen/vector gen-header 0 14)))

(def gen-description
  (gen/hash-map
    :exchange gen/large-integer
    :method (gen/elements ["GET" "HEAD" "POST" "PUT" "DELETE" "OPTIONS" "PATCH" "TRACE" "CONNECT" "PROPFIND" "get" "M-S"])
    :uri (gen/fmap #(str "/" %) gen-latin1)
    :query-string (gen/one-of [(gen/return nil) (gen/return "") gen-latin1])
    :server-name gen-token
    :server-port (gen/choose 1 65535)
    :remote-addr (gen/elements ["127.0.0.1" "::1" "2001:db8::ff00:42:8329"])
    :http-10? gen/boolean
    :https? gen/boolean
    :headers gen-headers
    :body (gen/one-of [(gen/return nil) gen/bytes])))

(def gen-key
  (gen/one-of
    [(gen/elements core-keys)
     (gen/elements [:params :route-params :hinny/x "uri" 'uri nil 1 [:uri]])]))

(def gen-value
  (gen/one-of [gen/small-integer gen/string-ascii gen/keyword gen/boolean (gen/return nil) (gen/return {:a 1})]))

(def gen-operation
  (gen/one-of
    [(gen/tuple (gen/return :assoc) gen-key gen-value)
     (gen/tuple (gen/return :dissoc) gen-key)
     (gen/tuple (gen/elements [:conj-entry :conj-vector]) gen-key gen-value)
     (gen/tuple (gen/elements [:merge :merge-under]) (gen/map gen-key gen-value {:max-elements 5}))
     (gen/tuple (gen/elements [:assoc-same :update :assoc-in :with-meta]) gen-key)]))

(defn- apply-operation [m [operation a b]]
  (case operation
    :assoc (assoc m a b)
    :dissoc (dissoc m a)
    :conj-entry (conj m (first {a b}))
    :conj-vector (conj m [a b])
    :merge (merge m a)
    :merge-under (merge a m)
    :assoc-same (if (contains? m a) (assoc m a (get m a)) m)
    :update (update m a (fn [value] [value]))
    :assoc-in (assoc-in m [::nested a] a)
    :with-meta (with-meta m {:key a})))

;; Comparison

(defn- java-map-facts [^Map m]
  {:entry-set (into #{} (map (fn [^java.util.Map$Entry e] [(.getKey e) (.getValue e)])) (.entrySet m))
   :key-set (set (.keySet m))
   :values (frequencies (.values m))
   :size (.size m)
   :empty (.isEmpty m)
   :copy (HashMap. m)
   :iterated (count (iterator-seq (.iterator ^Iterable m)))})

(defn- facts
  "Everything about `m` that does not depend on the order of its entries; `ks` are the keys to ask for."
  [m ks]
  {:get (mapv #(get m % ::absent) ks)
   :invoke (mapv #(m %) ks)
   :contains (mapv #(contains? m %) ks)
   :find (mapv #(find m %) ks)
   :java-get (mapv #(.get ^Map m %) ks)
   :java-contains-key (mapv #(.containsKey ^Map m %) ks)
   :select-keys (mapv #(select-keys m (take-nth % ks)) [1 2 3])
   :count (count m)
   :hash (hash m)
   :hash-code (.hashCode ^Object m)
   :seq (set (seq m))
   :empty-seq (nil? (seq m))
   :keys (set (keys m))
   :vals (frequencies (vals m))
   :reduce (reduce (fn [acc [k v]] (assoc acc k v)) {} m)
   :reduce-kv (reduce-kv assoc {} m)
   :reduced-kv (reduce-kv (fn [_ _ _] (reduced 1)) 0 m)
   :into (into {} m)
   :into-itself (into m [[(first ks) 1] [::other 2]])
   :transient (persistent! (reduce (fn [t k] (dissoc! (assoc! t [k] (get t k)) k)) (transient m) (take-nth 2 ks)))
   :transient-looks (let [t (assoc! (transient m) ::other 2)]
                      [(count t) (mapv #(get t % ::absent) ks) (mapv #(contains? t %) ks) (meta (persistent! t))])
   :empty (empty m)
   :empty-meta (meta (empty m))
   :meta (meta m)
   :every (every? map-entry? m)
   :walked (walk/postwalk identity m)
   :destructured (let [{:keys [uri request-method params] {:strs [host]} :headers :or {params 7} :as all} m]
                   [uri request-method params host (= all m)])
   :printed-entries (set (map pr-str m))
   :java (java-map-facts m)})

(defn- differences
  "Returns the facts in which `lazy` differs from `plain`, nil if there are none."
  [lazy plain ks]
  (let [expected (facts plain ks)
        actual (facts lazy ks)
        in-order (apply array-map (mapcat identity (seq lazy)))]
    (not-empty
      (cond-> (into {} (remove (fn [[fact value]] (= value (expected fact)))) actual)
        (not= lazy plain) (assoc := [lazy plain])
        (not= plain lazy) (assoc :=-reversed [plain lazy])
        (not (.equals ^Object lazy plain)) (assoc :equals false)
        (not (.equals ^Object plain lazy)) (assoc :equals-reversed false)
        (not (map? lazy)) (assoc :map? false)
        (not= (pr-str in-order) (pr-str lazy)) (assoc :pr-str (pr-str lazy))
        (not= (str in-order) (str lazy)) (assoc :str (str lazy))
        (not= (map vector (keys lazy) (vals lazy)) (or (seq lazy) ())) (assoc :order false)))))

(defn- alike
  "A property's result: passes if `lazy-plain-pairs` have no differences, else shows the first."
  [lazy-plain-pairs ks]
  (let [difference (some (fn [[lazy plain]] (differences lazy plain ks)) lazy-plain-pairs)]
    (reify results/Result
      (pass? [_] (nil? difference))
      (result-data [_] difference))))

(defn- histories
  "Returns `[lazy plain]` after none, one, two … of `operations`."
  [lazy plain operations]
  (reductions (fn [[l p] operation] [(apply-operation l operation) (apply-operation p operation)])
    [lazy plain]
    operations))

;; Properties

(defspec request-equals-plain-map-test 300
  (prop/for-all [description gen-description]
    (alike [(pair description)] (conj core-keys :absent "uri" nil))))

(defspec exchange-survives-changes-test 100
  (prop/for-all [description gen-description
                 k gen-key]
    (= (:exchange description) (.exchange ^RingRequest (assoc (request description) k 1)))))

(defspec request-stays-equal-under-operations-test 300
  (prop/for-all [description gen-description
                 operations (gen/vector gen-operation 1 12)]
    (let [[lazy plain] (pair description)
          ks (into (conj core-keys ::nested :params "uri" nil) (filter some?) (map second operations))]
      (alike (histories lazy plain operations) ks))))

(defspec request-is-persistent-test 100
  (prop/for-all [description gen-description
                 operations (gen/vector gen-operation 1 12)]
    (let [[lazy plain] (pair description)]
      (reduce apply-operation lazy operations)
      (alike [[lazy plain]] core-keys))))

(def gen-header-key
  (gen/one-of [(gen/elements ["host" "accept" "content-type" "x-new" "Host" :host nil]) gen-token]))

(def gen-header-operation
  (gen/one-of
    [(gen/tuple (gen/return :assoc) gen-header-key gen-value)
     (gen/tuple (gen/return :dissoc) gen-header-key)
     (gen/tuple (gen/elements [:merge :merge-under]) (gen/map gen-header-key gen-value {:max-elements 3}))
     (gen/tuple (gen/elements [:assoc-same :update :with-meta]) gen-header-key)]))

(defspec headers-equal-plain-map-under-operations-test 300
  (prop/for-all [headers gen-headers
                 operations (gen/vector gen-header-operation 0 6)]
    (let [[lazy plain] (map :headers (pair {:headers headers}))
          ks (-> ["host" "content-type" "absent" "" :host nil] (into (map first) headers) (into (map second) operations))]
      (alike (histories lazy plain operations) ks))))

;; Examples

(deftest core-values-test
  (testing "each core key has the value and the type that the Ring SPEC asks for"
    (are [k expected description] (= expected (get (request description) k ::absent))
      :uri "/%41/ü" {:uri "/%41/ü"}
      :uri "*" {:uri "*"}
      :query-string ::absent {}
      :query-string "" {:query-string ""}
      :query-string "a=1&b=%20" {:query-string "a=1&b=%20"}
      :request-method :options {:method "OPTIONS"}
      :request-method :propfind {:method "PROPFIND"}
      :scheme :http {}
      :scheme :https {:https? true}
      :protocol "HTTP/1.1" {}
      :protocol "HTTP/1.0" {:http-10? true}
      :server-name "::1" {:server-name "::1"}
      :server-port 65535 {:server-port 65535}
      :remote-addr "10.0.0.1" {:remote-addr "10.0.0.1"}
      :headers {} {}
      :body ::absent {}
      :content-type ::absent {}
      :content-type "text/plain" {:headers [["content-type" "text/plain"]]}
      :content-length 12 {:headers [["content-length" "12"]]}
      :content-length ::absent {:headers [["content-length" "+12"]]}
      :content-length ::absent {:headers [["content-length" ""]]}
      :content-length ::absent {:headers [["content-length" "9999999999999999999"]]}
      :character-encoding ::absent {:headers [["content-type" "text/plain"]]}
      :character-encoding "utf-8" {:headers [["content-type" "a/b; CHARSET=utf-8"]]}
      :character-encoding "utf-8" {:headers [["content-type" "a/b;charset=\"utf-8\""]]}
      :character-encoding "z" {:headers [["content-type" "a/b; x=\"; charset=y\"; charset=z"]]}
      :character-encoding "z" {:headers [["content-type" "a/b; ;x;charset=z ; y=1"]]}
      :character-encoding ::absent {:headers [["content-type" "a/b; charset="]]}
      :character-encoding ::absent {:headers [["content-type" "a/b; charset=\""]]}
      :character-encoding ::absent {:headers [["content-type" "a/b; charset"]]}
      :character-encoding ::absent {:headers [["content-type" "a/b; xcharset=z; c=\"\\"]]}))
  (testing "the port is an Integer, the length a Long"
    (is (instance? Integer (:server-port (request {}))))
    (is (instance? Long (:content-length (request {:headers [["content-length" "0"]]}))))))

(deftest body-test
  (testing "all copies of a request share one stream over exactly the body's bytes"
    (let [lazy (request {:uri "/long" :headers [["host" "h"] ["x-y" "z"]] :body (.getBytes "hello")})
          ^InputStream body (:body lazy)]
      (is (identical? body (:body (assoc lazy :a 1))))
      (is (identical? body (:body (with-meta (dissoc lazy :uri) {:a 1}))))
      (is (every? #(identical? body %) (pmap (fn [_] (:body lazy)) (range 100))))
      (is (= "hello" (slurp body)))
      (is (= -1 (.read body)))))
  (testing "an empty body is a stream, no body is no key"
    (is (= "" (slurp (:body (request {:body (byte-array 0)})))))
    (is (not (contains? (request {}) :body)))))

(deftest unchanged-map-is-same-object-test
  (testing "an operation that changes nothing returns the same object"
    (let [lazy (request {:headers [["host" "h"]]})
          extended (assoc lazy :a 1)
          headers (:headers lazy)]
      (is (identical? lazy (assoc lazy :uri (:uri lazy))))
      (is (identical? lazy (dissoc lazy :absent)))
      (is (identical? lazy (dissoc lazy :query-string)))
      (is (identical? lazy (with-meta lazy nil)))
      (is (identical? extended (assoc extended :a 1)))
      (is (identical? extended (dissoc extended :b)))
      (is (identical? headers (assoc headers "host" (headers "host"))))
      (is (identical? headers (dissoc headers "absent")))
      (is (instance? Headers headers))
      (is (identical? headers (:headers extended))))))

(deftest plain-map-contract-test
  (testing "what a Clojure map refuses or allows is the same here"
    (let [lazy (request {:headers [["host" "h"]]})]
      (is (thrown? UnsupportedOperationException (.put ^Map lazy :a 1)))
      (is (thrown? RuntimeException (.assocEx lazy :uri 1)))
      (is (= 1 (:a (.assocEx lazy :a 1))))
      (is (thrown? IllegalArgumentException (conj lazy [1])))
      (is (identical? lazy (conj lazy nil)))
      (is (thrown? NoSuchElementException (.next (.iterator ^Iterable (reduce dissoc lazy core-keys)))))
      (is (= {} (reduce dissoc lazy core-keys)))
      (is (nil? (seq (reduce dissoc lazy core-keys))))
      (is (= {:a nil} (assoc (empty lazy) :a nil)))
      (is (contains? (assoc lazy :query-string nil) :query-string))
      (is (nil? (get (assoc lazy :uri nil) :uri 1)))
      (is (= 1 ((assoc lazy :n 1) :n)))
      (is (= 2 (lazy :absent 2)))
      (is (= "h" (get-in lazy [:headers "host"])))
      (is (= lazy (read-string (pr-str lazy))))
      (is (= 1 (count (hash-set lazy (into {} lazy))))))))

(deftest transient-test
  (let [lazy (request {:headers [["host" "h"]] :body (.getBytes "x")})]
    (testing "a request that was changed in bulk is the same request still, with its metadata"
      (let [changed (into (with-meta lazy {:key 1}) [[:a 1] [:uri "/b"]])]
        (is (instance? RingRequest changed))
        (is (= {:key 1} (meta changed)))
        (is (= [1 "/b" (:body lazy)] ((juxt :a :uri :body) changed)))
        (is (instance? RingRequest (persistent! (dissoc! (transient lazy) :headers))))))
    (testing "and is not changed itself"
      (is (= "/" (:uri lazy)))
      (is (not (contains? lazy :a))))
    (testing "it is of no use after persistent!"
      (let [changing (transient lazy)]
        (persistent! changing)
        (is (thrown? IllegalAccessError (assoc! changing :a 1)))
        (is (thrown? IllegalAccessError (get changing :uri)))
        (is (thrown? IllegalAccessError (persistent! changing)))))))

(defn- printed-dup [value]
  (binding [*print-dup* true]
    (pr-str value)))

(deftest print-dup-test
  (let [lazy (request {:headers [["host" "h"] ["x-a" "b"]]})
        with-body (request {:headers [["host" "h"]] :body (.getBytes "x")})]
    (testing "can be read again, as a plain map"
      (doseq [value [lazy (assoc lazy :a #{1}) (:headers lazy) (json/read-value "{\"a\":{\"b\":[1,{}]}}" {:lazy? true})]]
        (let [again (read-string (printed-dup value))]
          (is (= value again))
          (is (not-any? #(instance? % again) [RingRequest Headers LazyJsonMap])))))
    (testing "a body cannot"
      (is (thrown-with-msg? IllegalArgumentException #"dissoc :body" (printed-dup with-body)))
      (is (= (dissoc with-body :body) (read-string (printed-dup (dissoc with-body :body))))))))

(deftest serialization-gives-a-plain-map-test
  (let [lazy (request {:headers [["host" "h"]]})
        bytes (ByteArrayOutputStream.)]
    (.writeObject (ObjectOutputStream. bytes) lazy)
    (let [copy (.readObject (ObjectInputStream. (ByteArrayInputStream. (.toByteArray bytes))))]
      (is (= lazy copy))
      (is (not (instance? RingRequest copy))))))

;; Garbage

(defn- allocated-bytes-per-call [f]
  (let [^ThreadMXBean threads (ManagementFactory/getThreadMXBean)
        calls 20000
        measure (fn []
                  (let [before (.getCurrentThreadAllocatedBytes threads)]
                    (dotimes [_ calls] (f))
                    (/ (double (- (.getCurrentThreadAllocatedBytes threads) before)) calls)))]
    (measure)
    (apply min (repeatedly 3 measure))))

(deftest garbage-per-request-test
  (let [record (writer/request-record {:uri "/plaintext" :headers [["host" "h"] ["accept" "*/*"] ["x-a" "b"]]})
        lazy (RingRequest/of record)
        ^ILookup headers (:headers lazy)]
    (testing "a header that is absent, and a key that was read before, cost nothing"
      (is (> 1 (allocated-bytes-per-call #(.valAt headers "x-forwarded-for"))))
      (is (> 1 (allocated-bytes-per-call #(.valAt headers "x-b"))))
      (is (> 1 (allocated-bytes-per-call #(.valAt lazy :uri))))
      (is (> 1 (allocated-bytes-per-call #(.valAt lazy :params)))))
    (testing "a request of which path and method are read makes at most 160 bytes"
      (is (>= 160
              (allocated-bytes-per-call
                (fn []
                  (let [lazy (RingRequest/of record)]
                    (.valAt lazy :request-method)
                    (.valAt lazy :uri)))))))))
