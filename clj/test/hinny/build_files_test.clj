(ns hinny.build-files-test
  "What two build files say twice is the same in both, and the jar holds what it must and no more.
  Runs in the root of the tree, as make test does."
  (:require
   [clojure.edn :as edn]
   [clojure.java.io :as io]
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing]])
  (:import
   (java.io File)
   (java.util.jar JarEntry JarFile)))

(set! *warn-on-reflection* true)

(defn- pom-property
  [property]
  (second (re-find (re-pattern (str "<" property ">(.*?)</" property ">")) (slurp "pom.xml"))))

(deftest deps-edn-test
  (let [deps (edn/read-string (slurp "deps.edn"))]
    (testing "versions are those of pom.xml"
      (are [property path] (= (pom-property property) (get-in deps (conj path :mvn/version)))
        "clojure.version" [:deps 'org.clojure/clojure]
        "slf4j.version" [:deps 'org.slf4j/slf4j-api]
        "slf4j.version" [:aliases :dev :extra-deps 'org.slf4j/slf4j-simple]
        "test.check.version" [:aliases :test :extra-deps 'org.clojure/test.check]
        "data.json.version" [:aliases :test :extra-deps 'org.clojure/data.json]
        "jackson.version" [:aliases :test :extra-deps 'com.fasterxml.jackson.core/jackson-core]
        "logback.version" [:aliases :test :extra-deps 'ch.qos.logback/logback-classic]))
    (testing "every path is a directory of the tree"
      (doseq [path (concat (:paths deps) (mapcat :extra-paths (vals (:aliases deps))))]
        (is (.isDirectory (io/file path)) path)))
    (testing "every alias that starts a JVM lets it load the library without a warning"
      (is (every? #(= ["--enable-native-access=ALL-UNNAMED"] (:jvm-opts %)) (vals (:aliases deps)))))))

(defn- jar-file
  "The jar of the class path."
  ^JarFile []
  (let [class-path (str/split (System/getProperty "java.class.path") (re-pattern File/pathSeparator))]
    (JarFile. ^String (first (filter #(re-find #"/hinny-[^/]*\.jar$" %) class-path)))))

(deftest jar-test
  (with-open [jar (jar-file)]
    (let [entries (into #{} (map #(.getName ^JarEntry %)) (enumeration-seq (.entries jar)))]
      (testing "the classes, the sources, the library and the licence are in the jar"
        (are [entry] (contains? entries entry)
          "io/github/hinny/NativeLibrary.class"
          "hinny/server.clj"
          "native/linux-x86_64/libhinny.so"
          "META-INF/LICENSE"))
      (testing "no namespace is compiled ahead of time, no test is packed"
        (is (not-any? #(re-find #"^hinny/.*\.class$|_test\.clj$" %) entries)))
      (testing "the manifest"
        (are [attribute value] (= value (.getValue (.getMainAttributes (.getManifest jar)) ^String attribute))
          "Automatic-Module-Name" "io.github.hinny"
          "Enable-Native-Access" "ALL-UNNAMED"
          "Implementation-Version" (pom-property "version"))))))

(deftest published-pom-test
  (let [pom (slurp "clj/target/published.pom")]
    (testing "the published POM names neither the parent nor the shim"
      (is (not (re-find #"<parent>|hinny-parent|hinny-shim" pom))))))
