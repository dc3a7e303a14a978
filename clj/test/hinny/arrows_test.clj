(ns hinny.arrows-test
  "Who uses whom in native/, read from the paths in its sources: crates only what docs/architecture.md allows them, and no
  files of a crate each other in a circle. Runs in the root of the tree, as make test does."
  (:require
   [clojure.java.io :as io]
   [clojure.set :as set]
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]])
  (:import
   (java.io File)))

(set! *warn-on-reflection* true)

(defn- code
  "Rust text without comments, text in quotes and the tests at its end."
  [text]
  (-> text
      (str/replace #"'(?:\\[^']+|[^'\\])'" "''")
      (str/replace #"(?m)//.*$" "")
      (str/replace #"\"(?:[^\"\\]|\\.)*\"" "\"\"")
      (str/replace #"(?s)#\[cfg\(test\)\]\s+(?:pub\(crate\) )?mod \w+ \{.*" "")))

(defn- module
  "The path of the module in a file below `root`: [\"files\" \"look\"] for files/look.rs."
  [^File root ^File file]
  (let [path (-> (.relativize (.toPath root) (.toPath file)) str (str/replace #"\.rs$" ""))]
    (if (= "lib" path) [] (str/split path #"/"))))

(defn- modules
  "The code of each module of a crate, by the module's path; tests are none."
  [crate]
  (let [root (io/file "native" crate "src")]
    (into {}
          (for [^File file (file-seq root)
                :when (str/ends-with? (.getName file) ".rs")
                :let [path (module root file)]
                :when (not-any? #{"tests"} path)]
            [path (code (slurp file))]))))

(defn- expanded
  "The single paths that a path with braces stands for."
  [path]
  (if-let [[_ before inner after] (re-matches #"(?s)(.*?)\{([^{}]*)\}(.*)" path)]
    (mapcat #(expanded (str before (str/trim %) after)) (str/split inner #","))
    [path]))

(defn- paths
  "The paths in code, each a vector of words; those of braces one by one, the innermost first."
  [text]
  (let [used (map second (re-seq #"(?s)\buse\s+([^;]+);" text))
        flat (fn [path]
               (if (re-find #"\{[^{}]*\{" path)
                 (recur (str/replace path #"(?s)([\w:]+::)\{([^{}]*)\}"
                                     (fn [[_ before inner]] (str/join "," (map #(str before (str/trim %)) (str/split inner #","))))))
                 path))
        others (re-seq #"\b\w+(?:::\w+)+" (str/replace text #"(?s)\buse\s+[^;]+;" ""))]
    (for [path (concat (mapcat (comp expanded flat) used) others)]
      (str/split (str/replace path #"\s+as\s+\w+|\s" "") #"::"))))

(defn- absolute
  "A path from the root of its crate, nil if it leads out of the crate. `children` are the modules that `here` declares."
  [here children [head & more :as path]]
  (cond
    (= "crate" head) more
    (= "self" head) (concat here more)
    (= "super" head) (recur (vec (butlast here)) #{} (if (= "super" (first more)) more (cons "self" more)))
    (children head) (concat here path)
    :else nil))

(defn- target
  "The module that an absolute path leads to: the longest beginning of it that is one."
  [modules path]
  (first (filter modules (map #(vec (take % path)) (range (count path) -1 -1)))))

(defn- arrows
  "For each module the modules of its crate that it uses."
  [modules]
  (into {}
        (for [[here text] modules
              :let [children (set (map second (re-seq #"\bmod (\w+);" text)))]]
          [here (disj (into #{}
                            (keep #(some->> (absolute here children %) (target modules)))
                            (paths text))
                      here)])))

(defn- in-circles
  "The nodes that lead back to themselves."
  [arrows]
  (letfn [(reached [from]
            (loop [seen #{} [node & more] (arrows from)]
              (cond
                (nil? node) seen
                (seen node) (recur seen more)
                :else (recur (conj seen node) (concat (arrows node) more)))))]
    (set (filter #(contains? (reached %) %) (keys arrows)))))

(deftest reader-test
  (testing "paths are found wherever they stand, and what is text or a test is none"
    (is (= {["a"] #{["b"] ["c"] ["c" "d"]} ["b"] #{} ["c"] #{["c" "d"]} ["c" "d"] #{["a"]} [] #{["a"] ["b"]}}
           (arrows
             (update-vals
               {["a"] "use crate::{b::{self, x}, c::d::Y};\nuse std::io;\nfn f() { super::c::z() }"
                ["b"] "// crate::a\nconst T: &str = \"crate::a\"; #[cfg(test)]\nmod tests { use crate::a; }"
                ["c"] "mod d;\nuse d::Y;"
                ["c" "d"] "use super::super::a;"
                [] "mod a;\nmod b;\nmod c;\npub use a::X as Z;\npub use self::b::x;"}
               code)))))
  (testing "a circle is found, and what only leads to it is not in it"
    (is (= #{1 2 3} (in-circles {0 #{1} 1 #{2} 2 #{3} 3 #{1 4} 4 #{}})))))

(def ^:private crates
  ["core" "codec" "router" "server" "jni"])

(defn- allowed
  "The crates that each crate may use, of the table of rooms in docs/architecture.md."
  []
  (into {}
        (for [[_ crate uses] (re-seq #"(?m)^\| `native/(\w+)` \|[^|]*\| ([^|]*) \|$" (slurp "docs/architecture.md"))]
          [crate (set (re-seq #"\w+" uses))])))

(deftest crates-test
  (let [allowed (allowed)]
    (is (= (set crates) (set (keys allowed))))
    (doseq [crate crates
            :let [used (into #{} (mapcat #(map second (re-seq #"\bhinny_(\w+)::" %))) (vals (modules crate)))]]
      (testing crate
        (is (= #{} (set/difference used (allowed crate)))
            "it uses a crate that docs/architecture.md does not allow it")))))

(deftest circles-test
  (doseq [crate ["codec" "router" "jni"]]
    (testing crate
      (is (= #{} (in-circles (arrows (modules crate))))
          "these files use each other in a circle"))))
