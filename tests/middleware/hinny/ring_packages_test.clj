(ns hinny.ring-packages-test
  "The middleware that these tests run is Debian's, unchanged, on the Clojure that Hinny brings. Runs in the root of the
  tree, as make test does."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing]])
  (:import
   (java.net URL)))

(set! *warn-on-reflection* true)

(defn- places
  "The URLs of all files of the class path that are called `path`."
  [path]
  (map str (enumeration-seq (.getResources (.getContextClassLoader (Thread/currentThread)) path))))

(deftest packages-test
  (testing "each library comes once, out of a jar of a package"
    (are [path jar] (let [[place & more] (places path)]
                      (and (nil? more)
                           (str/includes? (str place) (str "/target/ring-packages/tree/usr/share/java/" jar))))
      "ring/middleware/params.clj" "ring-core-1."
      "ring/middleware/defaults.clj" "ring-defaults-0."
      "ring/middleware/json.clj" "ring-json-0."
      "ring/middleware/anti_forgery.clj" "ring-anti-forgery-1."
      "compojure/core.clj" "compojure-1."
      "cheshire/core.clj" "cheshire-5.")))

(deftest clojure-test
  (testing "there is one Clojure, the one of pom.xml"
    (is (= 1 (count (places "clojure/core.clj"))))
    (is (= (second (re-find #"<clojure.version>(.*?)</clojure.version>" (slurp "pom.xml"))) (clojure-version)))))
