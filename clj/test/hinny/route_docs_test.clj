(ns hinny.route-docs-test
  "The examples of docs/routing.md: each value behind a `;; =>` is that of the form before it."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is]])
  (:import
   (clojure.lang LineNumberingPushbackReader)
   (java.io StringReader)))

(set! *warn-on-reflection* true)

(defn- forms
  "The forms of a text, each with the text of what it is said to be, if it is."
  [text]
  (let [lines (str/split-lines text)
        reader (LineNumberingPushbackReader. (StringReader. text))]
    (->> (repeatedly (fn []
                       (let [form (read {:eof ::end} reader)]
                         [form (second (re-matches #";; => (.*)" (get lines (.getLineNumber reader) "")))])))
         (take-while #(not= ::end (first %)))
         vec)))

(deftest examples-test
  (let [blocks (map second (re-seq #"(?s)```clojure\n(.*?)```" (slurp "docs/routing.md")))
        here (create-ns 'hinny.route-docs-examples)
        compared (atom 0)]
    (binding [*ns* here]
      (refer-clojure)
      (doseq [block blocks
              [form expected] (forms block)
              :let [value (eval form)]
              :when expected]
        (swap! compared inc)
        (is (= (read-string expected) value) (pr-str form))))
    (is (<= 9 @compared))))
