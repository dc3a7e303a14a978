(ns hinny.layout-test
  "Java and Rust agree on every number, name and descriptor of the boundary; in both directions, so that neither
  side can grow alone."
  (:require
   [clojure.set :as set]
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.impl.options :as options]
   [hinny.impl.text :as text]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (io.github.hinny HeaderNames JsonMalformedException Records Results)
   (java.lang.invoke MethodType)
   (java.lang.reflect Field Method Modifier)))

(set! *warn-on-reflection* true)

(def ^:private layout
  "A delay of what Rust says, as a map of kind (\"const\") to a vector of the words behind it."
  (delay
    (let [lines (map #(str/split % #" ") (str/split-lines (probe/native-call "layout")))]
      (update-vals (group-by first lines) #(mapv (comp vec rest) %)))))

(defn- of-kind
  [kind]
  (get @layout kind))

(defn- int-constants
  "The int constants of a class by name."
  [^Class class]
  (into {}
        (for [^Field field (.getDeclaredFields class)
              :when (and (= Integer/TYPE (.getType field)) (Modifier/isStatic (.getModifiers field)))]
          [(.getName field) (.getInt (doto field (.setAccessible true)) nil)])))

(deftest layout-text-test
  (testing "the layout has these kinds of lines and no other"
    (is (= #{"const" "result" "json-reason" "method" "header" "metric" "worker-metric" "native"} (set (keys @layout)))))
  (testing "no name stands twice"
    (doseq [[kind lines] @layout]
      (is (apply distinct? (map first lines)) kind))))

(deftest constants-test
  (doseq [[kind ^Class class at-least] [["const" Records 40] ["result" Results 10]]
          :let [rust (into {} (map (fn [[constant value]] [constant (unchecked-int (parse-long value))])) (of-kind kind))
                java (int-constants class)]]
    (testing "there are constants to compare"
      (is (< at-least (count rust))))
    (testing "the class has every constant of Rust, with its value"
      (doseq [[constant value] rust]
        (is (= value (get java constant)) constant)))
    (testing "Rust has every constant of the class"
      (is (= #{} (set/difference (set (keys java)) (set (keys rust))))))
    (testing "every constant is public, so that code outside the package need not repeat it"
      (is (every? #(Modifier/isPublic (.getModifiers (.getDeclaredField class %))) (keys java))))))

(deftest json-reasons-test
  (doseq [[number word & _] (of-kind "json-reason")
          :let [malformed (JsonMalformedException. 0 (parse-long number))]]
    (is (= word (.reason malformed)))
    (is (= (str "malformed JSON: " (second (re-find (re-pattern (str "(?m)^json-reason " number " \\S+ (.*)$")) (probe/native-call "layout")))
                ", at byte 0")
           (ex-message malformed)))))

(deftest abi-version-test
  (is (= Records/ABI_VERSION (probe/native-call "abiVersion"))))

(deftest methods-test
  (testing "method ids are positions in the table, from 1"
    (is (= (mapv first (of-kind "method"))
           (mapv #(HeaderNames/method %) (range 1 (inc (HeaderNames/methodCount)))))))
  (testing "as Ring names them"
    (is (= (mapv #(keyword (text/lower-case (first %))) (of-kind "method"))
           (mapv #(HeaderNames/methodKeyword %) (range 1 (inc (HeaderNames/methodCount))))))))

(deftest header-names-test
  (let [rust (mapv first (of-kind "header"))]
    (testing "header ids are positions in the table, from 1"
      (is (= rust (mapv #(HeaderNames/name %) (range 1 (inc (HeaderNames/count)))))))
    (testing "each name is found by its id, in any case"
      (doseq [[id header-name] (map-indexed vector rust)]
        (is (= (inc id) (HeaderNames/id header-name)) header-name)
        (is (= (inc id) (HeaderNames/id (text/upper-case header-name))) header-name)))))

(defn- descriptor
  [^Method method]
  (.toMethodDescriptorString (MethodType/methodType (.getReturnType method) (.getParameterTypes method))))

(deftest native-methods-test
  (let [declared (filter #(Modifier/isNative (.getModifiers ^Method %))
                         (.getDeclaredMethods (probe/shim-class "Native")))]
    (testing "the table that binds the native methods is the list of their declarations"
      (is (= (sort (map (fn [^Method method] [(.getName method) (descriptor method)]) declared))
             (sort (of-kind "native")))))
    (testing "all are static: the functions take the class"
      (is (every? #(Modifier/isStatic (.getModifiers ^Method %)) declared)))
    (testing "no other class declares a native method"
      (doseq [class-name ["NativeLibrary" "NativeLog" "Engine" "EventLoop" "Exchange" "Records" "RingRequest"]]
        (is (not-any? #(Modifier/isNative (.getModifiers ^Method %))
                      (.getDeclaredMethods (probe/shim-class class-name)))
            class-name)))))

(deftest metrics-test
  (let [names (mapv (comp keyword first) (concat (of-kind "metric") (of-kind "worker-metric")))]
    (testing "a server has every counter of the layout and no other"
      (raw/with-server [server (constantly (probe/ok "")) {}]
        (is (= (set names) (set (keys (server/server-metrics server)))))))
    (testing "the documentation lists them"
      (doseq [metric names]
        (is (str/includes? (:doc (meta #'server/server-metrics)) (str metric)))))))

(deftest options-test
  (testing "each default of the table passes the table's own check, and Rust accepts them all together"
    (let [resolved (assoc (options/resolve-options nil) :host "127.0.0.1" :port 0)
          handle (probe/native-call "start" (options/encode resolved))]
      (is (pos? (probe/native-call "port" handle)))
      (probe/native-call "drain" handle 0)
      (probe/native-call "stop" handle))))
