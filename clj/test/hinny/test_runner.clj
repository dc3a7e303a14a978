(ns hinny.test-runner
  "Runs the test namespaces below directories that are roots of the class path.

  * `-main` -- run every namespace that ends in `-test`, print what happened, exit 0 or 1

      java -cp tests/ring:… clojure.main -m hinny.test-runner tests/ring --only 'headers'
      ;;   12 passed    0 failed    0.34 s  hinny.ring.headers-test
      ;; 12 passed, 0 failed

  Counts are assertions; a namespace that does not load is one failure. No test at all is a failure
  too, so that a wrong directory cannot look like success."
  (:require
   [clojure.java.io :as io]
   [clojure.stacktrace :as stacktrace]
   [clojure.string :as str]
   [clojure.test :as test]
   [hinny.impl.text :as text])
  (:import
   (java.io File)
   (java.nio.file Path)))

(set! *warn-on-reflection* true)

(defn- namespace-of
  "The namespace that `file` below the class path root `root` declares, from their paths."
  [^File root ^File file]
  (let [^Path below (.relativize (.toPath root) (.toPath file))]
    (-> (str below)
        (str/replace #"\.cljc?$" "")
        (str/replace File/separator ".")
        (str/replace "_" "-")
        symbol)))

(defn- test-namespaces
  [roots]
  (sort (for [root roots
              ^File file (file-seq (io/file root))
              :when (re-find #"_test\.cljc?$" (.getName file))]
          (namespace-of (io/file root) file))))

(def ^:private print-event
  "What clojure.test itself prints for an event."
  test/report)

(defn- report
  "Counts as clojure.test does, but prints failures and errors only."
  [event]
  (case (:type event)
    :pass (test/inc-report-counter :pass)
    (:fail :error) (print-event event)
    nil))

(defn- print-load-failure
  [ns-name failure]
  (println "cannot load" ns-name)
  (doseq [^Throwable cause (take-while some? (iterate ex-cause failure))]
    (println " " (.getName (class cause)) (ex-message cause)))
  (stacktrace/print-stack-trace (stacktrace/root-cause failure) 12))

(defn- run-namespace
  "Loads and runs `ns-name`, prints its line, returns `[passed failed]`."
  [ns-name]
  (let [began (System/nanoTime)
        [passed failed] (try
                          (require ns-name)
                          (let [{:keys [pass fail error]} (binding [test/report report]
                                                            (test/test-ns ns-name))]
                            [pass (+ fail error)])
                          (catch Throwable failure
                            (print-load-failure ns-name failure)
                            [0 1]))]
    (println (text/formatted "%5d passed %4d failed %8.2f s  %s"
               passed
               failed
               (/ (- (System/nanoTime) began) 1e9)
               ns-name))
    (flush)
    [passed failed]))

(defn- parse-arguments
  "`[roots only]` of the command line."
  [arguments]
  (loop [[argument & more] arguments
         roots []
         only #""]
    (case argument
      nil [roots only]
      "--only" (recur (rest more) roots (re-pattern (first more)))
      (recur more (conj roots argument) only))))

(defn -main
  "Runs the namespaces below the directories in `arguments`; `--only REGEX` keeps those it matches."
  [& arguments]
  (let [[roots only] (parse-arguments arguments)
        namespaces (filter #(re-find only (str %)) (test-namespaces roots))
        counts (binding [test/*test-out* *out*]
                 (mapv run-namespace namespaces))
        passed (reduce + (map first counts))
        failed (reduce + (map second counts))
        nothing? (zero? (+ passed failed))]
    (when nothing?
      (println "no test found below" (str/join ", " roots)))
    (println (text/formatted "%d passed, %d failed" passed failed))
    (flush)
    (System/exit (if (or nothing? (pos? failed)) 1 0))))
