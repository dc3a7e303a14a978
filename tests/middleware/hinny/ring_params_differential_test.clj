(ns hinny.ring-params-differential-test
  "Hinny's middleware for parameters beside Ring's: the same requests, the same results, but for what `differences` lists."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [clojure.test.check.clojure-test :refer [defspec]]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [hinny.middleware :as hinny]
   [hinny.record-writer :as record]
   [ring.middleware.keyword-params :as ring-keywords]
   [ring.middleware.nested-params :as ring-nested]
   [ring.middleware.params :as ring-params])
  (:import
   (io.github.hinny RingRequest)
   (java.io ByteArrayInputStream File)))

(set! *warn-on-reflection* true)

(defn- latin1
  ^bytes [^String text]
  (.getBytes text "ISO-8859-1"))

(defn- own
  "A request of Hinny's."
  [{:keys [query-string headers body]}]
  (RingRequest/of (record/request-record {:query-string query-string :headers (vec headers) :body (some-> body latin1)})))

(defn- plain
  [{:keys [query-string headers body]}]
  (cond-> {:headers (or headers {})}
    query-string (assoc :query-string query-string)
    body (assoc :body (ByteArrayInputStream. (latin1 body)))))

(defn- attempt
  "What `f` returns; what it throws as `[:thrown class]`, for a refusal `[:refused reason]`."
  [f]
  (try
    (f)
    (catch Throwable thrown
      (if-let [reason (:reason (ex-data thrown))]
        [:refused reason]
        [:thrown (.getSimpleName (class thrown))]))))

(defn- params-of
  "What `params-request`, Hinny's or Ring's, adds to the request that `make` makes."
  [params-request make request options]
  (attempt #(-> (make request) (params-request options) (select-keys [:query-params :form-params :params]))))

(defn- agree?
  "Whether Hinny does with a request what Ring does, whoever made it."
  [request options]
  (let [expected (params-of ring-params/params-request plain request options)]
    (and (= expected (params-of hinny/params-request own request options))
         (= expected (params-of hinny/params-request plain request options))
         (= expected (params-of ring-params/params-request own request options)))))

(defn- form
  [body parameters]
  {:headers {"content-type" (str "application/x-www-form-urlencoded" parameters)} :body body})

(def ^:private texts
  ["" "a" "=" "&" "&&=&&" "a=1" "a=1&b" "b&a=1" "a&b&c" "a=b=c" "=1&=2" "a=&a=&a" "a+b=+&+=c" "%61%62=%63" "%=1" "a=%&b=1"
   "a=%4&b=1" "a=%4" "a=%4g&b=1" "a=%g4&b=1" "a=%%&b=1" "a=%%41&b=1" "a=%u0041" "a=%C3%BC" "a=%C3&b=%BC" "a=%C3+%BC" "a=%FC"
   "a=%F0%9F%98%80" "a=%ED%A0%80" "a=%C0%80" "a=%00" "a=1;b=2" "a[b]=1" "a=1#b=2" "a=\u00FC" "a=\u00C3\u00BC" "a=\u00C3%BC"
   "a=%C3\u00BC" "\u00FC=1&%FC=2" "a= b" "a=\tb\r\n" "a=1&a=2&a=3" "a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9&a=0" "a=%E2%82%AC"
   "a=%2525" "a=\u007F" "?a=1" "a=1&amp;b=2"])

(deftest texts-test
  (doseq [text texts
          options [nil {} {:encoding "UTF-8"} {:encoding "ISO-8859-1"} {:encoding "US-ASCII"} {:encoding "UTF-16"} {:encoding "Shift_JIS"}]]
    (is (agree? {:query-string text} options) (pr-str text options))
    (is (agree? (form text "") options) (pr-str text options)))
  (doseq [text texts
          charset ["UTF-8" "utf-8" "ISO-8859-1" "\"ISO-8859-1\"" "US-ASCII" "windows-1252" "UTF-16LE" "Shift_JIS"]]
    (is (agree? (form text (str "; charset=" charset)) nil) (pr-str text charset))))

(deftest requests-test
  (doseq [request [{}
                   {:query-string nil :headers {"content-type" "application/x-www-form-urlencoded"}}
                   (assoc (form "a=1&b=2" "") :query-string "b=3&c=4")
                   {:headers {"content-type" "application/x-www-form-urlencodedness"} :body "a=1"}
                   {:headers {"content-type" "Application/X-www-form-urlencoded"} :body "a=1"}
                   {:headers {"content-type" " application/x-www-form-urlencoded"} :body "a=1"}
                   {:headers {"content-type" "text/plain"} :body "a=1"}
                   {:headers {"content-type" "text/plain; charset=none"} :query-string "a=1" :body "a=1"}
                   {:headers {"content-type" "text/plain; charset=ISO-8859-1"} :query-string "a=%FC"}
                   {:headers {"content-type" "text/plain; a=b; charset=ISO-8859-1"} :query-string "a=%FC"}
                   {:headers {"content-type" "text/plain; charset="} :query-string "a=%FC"}]]
    (is (agree? request nil) (pr-str request))))

(deftest present-test
  (doseq [present [{:params {"a" "0" :k 1}}
                   {:params nil}
                   {:query-params {"x" "y"}}
                   {:form-params {"x" "y"}}
                   {:query-params {} :form-params {}}]
          make [own plain]
          f [[hinny/params-request ring-params/params-request nil]
             [hinny/assoc-query-params ring-params/assoc-query-params "UTF-8"]
             [hinny/assoc-form-params ring-params/assoc-form-params "UTF-8"]]
          :let [[ours rings argument] f
                request #(into (make (assoc (form "a=1&b=2" "") :query-string "b=3&c=4")) present)
                added #(select-keys % [:query-params :form-params :params])]]
    (is (= (added (rings (request) argument)) (added (ours (request) argument))) (pr-str present))))

(deftest bodies-test
  (let [file (doto (File/createTempFile "hinny" ".form") (.deleteOnExit) (spit "a=1&b=%C3%BC"))
        headers {"content-type" "application/x-www-form-urlencoded"}]
    (doseq [body [(latin1 "a=1") file]]
      (is (= (:params (ring-params/params-request {:headers headers :body body}))
             (:params (hinny/params-request {:headers headers :body body})))))))

(def ^:private gen-text
  (gen/fmap str/join
            (gen/vector (gen/frequency [[8 (gen/elements ["a" "b" "=" "=" "&" "+" "%41" "%3D" "%C3%BC" "%E2%82%AC" "[" "]"])]
                                        [2 (gen/elements ["%" "%f" "%G0" "%80" "\u00FC" "\u00C3" "%BC" "a long text without escapes"])]
                                        [1 (gen/fmap str (gen/fmap char (gen/choose 0 255)))]])
                        0 30)))

(defn- sign-in-escape?
  "Whether there is an escape that only the JDK takes for one, see `differences`."
  [text]
  (re-find #"%[+-]" text))

(defspec generated-texts 600
  (prop/for-all [text (gen/such-that (complement sign-in-escape?) gen-text)
                 charset (gen/elements ["UTF-8" "ISO-8859-1" "US-ASCII" "UTF-16BE" "windows-1252" "EUC-JP"])]
    (and (agree? {:query-string text} {:encoding charset})
         (agree? (form text (str ";charset=" charset)) nil)
         (agree? (form (str (str/join (repeat 1000 \&)) text) (str ";charset=" charset)) nil))))

;;; Keys

(def ^:private gen-key
  (gen/fmap str/join
            (gen/vector (gen/frequency [[9 (gen/elements ["a" "b" "[" "]" "[]" "[a]" "-" "1" "/" "."])]
                                        [1 (gen/elements ["\n" "\r" "\u0085" "\u2028" "ü" "😀" "𐐀" "٣" " " "\ud800" ":" "$" "*" "+" "!" "_" "?"])]])
                        0 8)))

(def ^:private gen-flat
  (gen/map gen-key (gen/one-of [(gen/elements ["1" "2" ""]) (gen/vector (gen/elements ["1" "2"]) 0 3)]) {:max-elements 12}))

(defn- conflict?
  "Whether two outcomes are Ring's failure in the middle of a conflict and Hinny's refusal of it."
  [ring hinny]
  (and (= :thrown (first ring)) (= [:refused :params-conflict] hinny)))

(defspec generated-keys 2000
  (prop/for-all [params gen-flat
                 namespaces? gen/boolean]
    (let [nested (fn [nested-request] (attempt #(:params (nested-request {:params params}))))
          ring (nested ring-nested/nested-params-request)
          ours (nested hinny/nested-params-request)
          keywords (fn [keyword-request params] (:params (keyword-request {:params params} {:parse-namespaces? namespaces?})))]
      (and (or (= ring ours) (conflict? ring ours))
           (= (keywords ring-keywords/keyword-params-request params)
              (keywords hinny/keyword-params-request params))
           (= (keywords ring-keywords/keyword-params-request {:deep [ring]})
              (keywords hinny/keyword-params-request {:deep [ring]}))
           (every? #(= (ring-nested/parse-nested-keys %) (hinny/parse-nested-keys %)) (keys params))))))

(deftest other-params-test
  (doseq [params [nil {} {:a "1"} {"a" nil} {"a" []} {"a" [nil]} {"a" ["1"]} {"a" '("1" "2")} {"a" #{"1"}} {"a" [["1"]]}
                  {"a" {"b[c]" "1"}} {"a[]" [{"b" "1"}]} {"a" [{"b" "1"} {"b" "2"}]} {'a/b "1"} {"a" 1} {1 {"a" "1"}}
                  (sorted-map "b[x]" "1" "a" "2") {"a" false "a[]" "1"}]
          [ours rings] [[hinny/keyword-params-request ring-keywords/keyword-params-request]
                        [hinny/nested-params-request ring-nested/nested-params-request]]]
    (is (= (attempt #(rings {:params params})) (attempt #(ours {:params params}))) (pr-str params)))
  (is (= (ring-nested/nested-params-request {:params {"a.b" "1" "a.c." "2"}} {:key-parser #(str/split % #"\.")})
         (hinny/nested-params-request {:params {"a.b" "1" "a.c." "2"}} {:key-parser #(str/split % #"\.")}))))

;;; What differs

(def ^:private many
  (str/join "&" (map #(str "k" % "=v") (range 1025))))

(def differences
  "What Hinny does otherwise than Ring: why, the request, what Ring adds or does, and what Hinny does."
  [["hostile names of one hash would take quadratic time"
    {:query-string many} 1025 [:refused :too-many-params]]
   ["a client's mistake is no failure of the server's"
    (form "a=1" "; charset=none") [:thrown "UnsupportedEncodingException"] [:refused :charset]]
   ["a charset ends at the space behind it, as for :character-encoding of the request"
    (form "a=%FC" "; charset=ISO-8859-1 x") {"a" "\uFFFD"} {"a" "ü"}]])

(deftest differences-test
  (doseq [[reason request ring hinny] differences]
    (testing reason
      (let [params (fn [params-request make]
                     (let [outcome (params-of params-request make request nil)
                           params (:params outcome outcome)]
                       (if (number? ring)
                         (if (map? params) (count params) params)
                         params)))]
        (is (= ring (params ring-params/params-request plain)))
        (doseq [make [own plain]]
          (is (= hinny (params hinny/params-request make))))))))

(deftest sign-test
  (testing "a sign is no hexadecimal digit; Ring does as the JDK does, of which older ones take it for one"
    (let [request {:query-string "a=%+1&b=%-0"}
          params (fn [params-request make] (:params (params-request (make request))))]
      (is (contains? #{{} {"a" "\u0001" "b" "\u0000"}} (params ring-params/params-request plain)))
      (is (= {} (params hinny/params-request plain) (params hinny/params-request own))))))

(deftest string-body-test
  (testing "a String as body is the form; Ring takes it for the name of a file"
    (let [request {:headers {"content-type" "application/x-www-form-urlencoded"} :body "a=1"}]
      (is (= [:thrown "FileNotFoundException"] (attempt #(ring-params/params-request request))))
      (is (= {"a" "1"} (:params (hinny/params-request request)))))))

(deftest deep-names-test
  (testing "as deep as Ring allows, up to the limit"
    (let [deep (fn [n] {:params {(str "a" (str/join (repeat (dec n) "[b]"))) "1"}})]
      (is (= (ring-nested/nested-params-request (deep 100)) (hinny/nested-params-request (deep 100))))
      (is (= [:refused :params-too-deep] (attempt #(hinny/nested-params-request (deep 101))))))))
