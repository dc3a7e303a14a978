(ns hinny.racy-fields-test
  "Fields that change in classes that any thread may use, without a lock: each is marked, so that whoever adds one reads the
  rules in `package-info.java`."
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]])
  (:import
   (java.io File)))

(set! *warn-on-reflection* true)

(def ^:private sources
  (delay (into {}
               (for [^File file (file-seq (io/file "java-shim/src/main/java"))
                     :when (str/ends-with? (.getName file) ".java")]
                 [(.getName file) (slurp file)]))))

(defn- for-any-thread?
  [source]
  (re-find #"(?i)any thread may use it" source))

(defn- changing-fields
  "Lines that declare a field that is neither final nor volatile."
  [source]
  (remove #(re-find #"^[^;]*\b(final|volatile|return|throw|abstract)\b" %)
          (re-seq #"(?m)^    (?:private |protected |public |static |transient )*[A-Z][\w<>\[\]?, ]* \w+(?: = [^;]*)?;.*$|^    (?:private |protected |public |static |transient )*(?:boolean|int|long|byte|char|double)(?:\[\])* \w+(?: = [^;]*)?;.*$"
                  source)))

(deftest racy-fields-test
  (let [fields (into {} (for [[file source] @sources
                              :when (for-any-thread? source)]
                          [file (changing-fields source)]))]
    (testing "the scan finds them"
      (is (<= 4 (count (get fields "ParsedContent.java"))))
      (is (<= 9 (count (get fields "RequestRecord.java")))))
    (doseq [[file lines] fields
            line lines]
      (is (re-find #"// Racy" line) (str file ": " (str/trim line))))
    (testing "a racy field is read once in a method: what is returned is the local variable"
      (doseq [[file lines] fields
              line lines
              :let [[_ field] (re-find #"(\w+)(?: = [^;]*)?;" line)]
              :when (not (#{"body" "exchange" "searches"} field))]
        (is (not (re-find (re-pattern (str "return " field ";")) (get @sources file))) (str file ": " field))))))
