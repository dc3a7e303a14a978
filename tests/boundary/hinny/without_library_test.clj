(ns hinny.without-library-test
  "What works where the native library cannot be loaded, and how the rest fails: the same way each time."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.json :as json]
   [hinny.middleware :as middleware]
   [hinny.router :as router]
   [hinny.server :as server])
  (:import
   (clojure.lang ExceptionInfo)
   (java.io ByteArrayInputStream)))

(set! *warn-on-reflection* true)

(defn- outcome
  [f]
  (try
    (f)
    (catch ExceptionInfo e
      (assoc (select-keys (ex-data e) [:type :reason])
             :about-the-file? (boolean (re-find #"/nowhere/libhinny.so" (ex-message e)))
             :caused-by (some-> (ex-cause e) class .getSimpleName)))
    (catch Throwable e
      [(.getSimpleName (class e)) (ex-message e)])))

(def ^:private needless
  "What needs no native library: its outcome, and the function."
  [[{:type :hinny.error/json-malformed :reason :length :about-the-file? false :caused-by nil}
    #(json/read-value "12345" {:max-bytes 2})]
   [{:type :hinny.error/json-malformed :reason :surrogate :about-the-file? false :caused-by nil}
    #(json/read-value (str "\"" (char 0xD800) "\""))]
   [{:type :hinny.error/option-unknown :about-the-file? false :caused-by nil}
    #(json/read-value "1" {:keyword? true})]
   ["{\"a\":[1]}" #(json/write-value-as-string {:a [1]})]
   [{"a" "1"} #(:params (middleware/params-request {:query-string "a=1"}))]
   [{:a {:b "1"}} #(:params (-> {:params {"a[b]" "1"}}
                                middleware/nested-params-request
                                middleware/keyword-params-request))]
   [["a=1"] #(get-in (middleware/cookies-response {:status 200 :headers {} :cookies {"a" 1}}) [:headers "Set-Cookie"])]])

(defn- form
  []
  {:headers {"content-type" "multipart/form-data; boundary=b"}
   :body (ByteArrayInputStream. (.getBytes "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n"))})

(def ^:private needful
  "What needs it."
  {"read-value" #(json/read-value "1")
   "read-value of malformed text" #(json/read-value "]")
   "a body of JSON" #((middleware/wrap-json-body identity)
                      {:headers {"content-type" "application/json"} :body (ByteArrayInputStream. (.getBytes "{}"))})
   "a long query" #(middleware/params-request {:query-string "" :headers {"content-type" "application/x-www-form-urlencoded"}
                                               :body (ByteArrayInputStream. (.getBytes (str "a=" (.repeat "x" 1000))))})
   "cookies" #(middleware/cookies-request {:headers {"cookie" "a=1"}})
   "a multipart form" #(middleware/multipart-params-request (form))
   "a router" #(router/router ["/a" {:get identity}])
   "a server" #(server/run-server identity {:port 0 :join? false})})

(defn scene
  "The outcomes of what needs no library and of what does, in turn, twice."
  []
  (let [both #(vector (mapv (comp outcome second) needless) (update-vals needful outcome))]
    [(both) (both)]))

(deftest without-library-test
  (let [{:keys [value] :as ended} (forked/call 'hinny.without-library-test/scene
                                               {:flags ["-Dhinny.native.path=/nowhere/libhinny.so"]})
        failure {:type :hinny.error/native-library :about-the-file? true :caused-by "UnsatisfiedLinkError"}]
    (is (forked/sound? ended))
    (is (= 2 (count value)))
    (doseq [[works fails] value]
      (testing "what needs no library works"
        (is (= (mapv first needless) works)))
      (testing "what needs it says the same, each time"
        (is (= (update-vals needful (constantly failure)) fails))))))
