(ns hinny.locale-lint-test
  "The lint against code that depends on the default locale: it finds what it must, and nothing in this tree. Runs in the
  root of the tree, as make test does."
  (:require
   [clojure.java.io :as io]
   [clojure.java.shell :refer [sh]]
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]])
  (:import
   (java.io File)))

(set! *warn-on-reflection* true)

(defn- found
  "The numbers of the lines that the lint finds in a file that ends in `extension` and has `lines`, and its status."
  [extension lines]
  (let [file (File/createTempFile "hinny-lint" extension)]
    (try
      (spit file (str/join "\n" lines))
      (let [{:keys [exit out]} (sh "scripts/lint-locale.py" (str file))]
        {:exit exit :lines (mapv parse-long (map second (re-seq #"(?m):(\d+): depends on" out)))})
      (finally (io/delete-file file)))))

;; Taken apart, or the lint would find them here.
(def ^:private bad
  {".clj" [(str "(str" "/lower-case s)")
           (str "(map str" "/capitalize xs)")
           (str "(clojure.string" "/upper-case s)")
           (str "(form" "at \"%d\" 1)")
           (str "(print" "f \"%d\" 1)")
           (str "(apply form" "at xs)")
           (str "(.toUpper" "Case s)")
           (str "(String/form" "at \"%d\" xs)")
           (str "(DateTimeFormatter/of" "Pattern \"EEE\")")]
   ".java" [(str "s.toLower" "Case()")
            (str "map(String::toUpper" "Case)")
            (str "String.form" "at(\"%d\", 1)")
            (str "String.form" "at(\n  \"%d\", 1)")
            (str "out.print" "f(\"%d\", 1)")
            (str "\"%d\".format" "ted(1)")
            (str "DateTimeFormatter.of" "Pattern(\"EEE\")")]})

(def ^:private good
  {".clj" ["(text/lower-case s)" "(text/formatted \"%d\" 1)" "(.toUpperCase s Locale/ROOT)" "(String/format Locale/ROOT \"%d\" xs)"
           "; in the format of RFC 9110" "(.format (DateTimeFormatter/ofPattern \"EEE\" Locale/US) now)"]
   ".java" ["s.toLowerCase(Locale.ROOT)" "String.format(Locale.ROOT, \"%d\", 1)" "String.format(\n  Locale.ROOT, \"%d\", 1)"
            "Character.toUpperCase(c)" "DateTimeFormatter.ofPattern(\"EEE\", Locale.US)"]})

(deftest lint-test
  (doseq [[extension lines] bad
          line lines]
    (testing line
      (is (= {:exit 1 :lines [2]} (found extension ["" line ""])))))
  (doseq [[extension lines] good
          line lines]
    (testing line
      (is (= {:exit 0 :lines []} (found extension [line]))))))

(deftest tree-test
  (let [{:keys [exit out err]} (sh "scripts/lint-locale.py")]
    (is (= [0 "" ""] [exit out err]))))
