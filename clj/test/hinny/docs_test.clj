(ns hinny.docs-test
  "The examples of README.md and docs/*.md run as they stand, one behind the other: each value behind a `;; =>` is that of the
  form before it. What is no Clojure to run has another language behind its backticks."
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.adapter :as adapter]
   [hinny.server :as server])
  (:import
   (clojure.lang LineNumberingPushbackReader)
   (java.io Closeable File StringReader)))

(set! *warn-on-reflection* true)

(def ^:private guard-ms
  "How long the examples of a document may take before that is a failure."
  120000)

(defn- ok [_] {:status 200 :body "ok"})

(def ^:private at-hand
  "What the reader of a document has already, and at least how many values it shows."
  {"README.md" {:things {'database-answers? (constantly true) 'new-handler ok} :values 3}
   "docs/json.md" {:values 3}
   "docs/middleware.md" {:things {'handler ok}}
   "docs/migration.md" {:things {'app ok 'show-user ok}}
   "docs/routing.md" {:values 9}
   "docs/stopping.md" {}})

(defn- documents
  "The paths of all documents that have Clojure in them."
  []
  (->> (.listFiles (io/file "docs"))
       (map #(str "docs/" (.getName ^File %)))
       (filter #(str/ends-with? % ".md"))
       (cons "README.md")
       (filter #(str/includes? (slurp %) "```clojure\n"))))

(defn- blocks [document]
  (map second (re-seq #"(?s)```clojure\n(.*?)```" (slurp document))))

(defn- forms
  "The forms of a text, each with the text of what it is said to be, if it is: in its last line, or in the next."
  [text]
  (let [lines (str/split-lines text)
        reader (LineNumberingPushbackReader. (StringReader. text))
        shown #(second (re-find % (get lines %2 "")))]
    (->> (repeatedly (fn []
                       (let [form (read {:eof ::end} reader)
                             line (.getLineNumber reader)]
                         [form (or (shown #" ;; => (.*)" (dec line)) (shown #"^;; => (.*)" line))])))
         (take-while #(not= ::end (first %)))
         vec)))

(defn- on-a-free-port
  "`run`, which starts a server, on a free port of 127.0.0.1. Adds the server to `started`, with the port that was meant."
  [run started]
  (fn
    ([handler] (throw (ex-info "an example without options" {:handler handler})))
    ([handler options]
     (let [running (run handler (merge {:host "127.0.0.1"} options {:port 0}))]
       (swap! started conj [(:port options) running])
       running))))

(defn- slurp-from
  "`slurp` that asks the servers in `started` at the ports that were meant."
  [started]
  (fn [source]
    (slurp (reduce (fn [source [port running]]
                     (str/replace source (str "127.0.0.1:" port "/") (str "127.0.0.1:" (server/server-port running) "/")))
                   source
                   @started))))

(defn- run-document
  "Runs the examples of a document in a namespace of their own; a vector of [form expected-text value] for each that shows one."
  [document started]
  (let [here (create-ns (symbol (str "hinny.docs-test." (str/replace document #"\W" "-"))))]
    (binding [*ns* here]
      (refer-clojure :exclude '[slurp])
      (intern here 'slurp (slurp-from started))
      (doseq [[thing value] (get-in at-hand [document :things])]
        (intern here thing value))
      (vec (for [block (blocks document)
                 [form expected] (forms block)
                 :let [value (eval form)]
                 :when expected]
             [form expected value])))))

(deftest examples-test
  (doseq [document (documents)]
    (testing document
      (let [started (atom [])]
        (try
          (with-redefs [server/run-server (on-a-free-port server/run-server started)
                        adapter/run-jetty (on-a-free-port adapter/run-jetty started)]
            (let [shown (deref (future (run-document document started)) guard-ms :hung)]
              (is (vector? shown) "the examples end")
              (doseq [[form expected value] shown]
                (is (= (read-string expected) value) (pr-str form)))
              (is (<= (get-in at-hand [document :values] 0) (count shown)) "as many values are compared as are shown")))
          (finally
            (run! #(.close ^Closeable (second %)) @started)))))))

(deftest every-document-test
  (is (= (set (keys at-hand)) (set (documents)))))
