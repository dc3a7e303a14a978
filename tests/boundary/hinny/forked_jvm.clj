(ns hinny.forked-jvm
  "Runs tests that may kill the JVM, or need one of their own, in another JVM.

  * `start`  -- a JVM that calls a function of a test namespace
  * `await-line` `terminate` -- wait for what it prints, send it SIGTERM
  * `finish` -- wait for its end: what the function returned, how the JVM ended, what it printed
  * `call`   -- both
  * `sound?` -- it ended well: no crash log, nothing that -Xcheck:jni complained about

      (call 'hinny.fault-test/scene {:flags [\"-Xmx64m\"]} 1 2)
      ;; => {:value …, :exit 0, :output \"…\", :crash-log nil}

  The other JVM has the class path, the JDK and the flags of this one, so it is checked as this one is. What the
  function returns must survive `pr-str` and `read-string`."
  (:require
   [clojure.edn :as edn]
   [clojure.java.io :as io]
   [clojure.string :as str])
  (:import
   (java.io File)
   (java.lang.management ManagementFactory)
   (java.util.concurrent TimeUnit)
   (java.util.concurrent.locks LockSupport)))

(set! *warn-on-reflection* true)

(def ^:private marker
  "Stands before the value in the output."
  "the-value-is: ")

(def ^:private guard-seconds
  "A JVM that runs longer hangs."
  300)

(defn- inherited-flags
  "What this JVM was started with, but for debuggers and agents, which cannot be in two JVMs."
  []
  (remove #(re-find #"^-agent|^-javaagent|^-Xdebug|^-Xrunjdwp" %)
          (.getInputArguments (ManagementFactory/getRuntimeMXBean))))

(defn- class-path
  "This JVM's, but for what the regular expression `without` finds in it."
  [without]
  (->> (str/split (System/getProperty "java.class.path") (re-pattern File/pathSeparator))
       (remove #(and without (re-find without %)))
       (str/join File/pathSeparator)))

(defn start
  "Starts a JVM that calls the function named by the symbol `function` with `arguments`.

  `:flags` are JVM flags behind those of this JVM, `:environment` variables beside those of this process. With `:exit? false` its main thread returns as a program's does,
  where it else ends the JVM. What the regular expression `:without` finds is not on its class path. `:descriptors` is how
  many files it may have open. Returns what `finish` takes."
  [function {:keys [flags environment descriptors exit? without] :or {exit? true}} & arguments]
  (let [crash-log (doto (File/createTempFile "hinny-crash-" ".log") .delete)
        output (File/createTempFile "hinny-forked-" ".out")
        form `(do
                (require '~(symbol (namespace function)))
                (let [value# (~function ~@(map #(list 'quote %) arguments))]
                  (println)
                  (println (str ~marker (pr-str value#)))
                  (flush)
                  (when ~exit?
                    (System/exit 0))))
        command (concat (when descriptors
                          ["sh" "-c" (str "ulimit -n " descriptors " && exec \"$@\"") "sh"])
                        [(str (io/file (System/getProperty "java.home") "bin" "java"))]
                        (inherited-flags)
                        flags
                        [(str "-XX:ErrorFile=" crash-log)
                         "-XX:-CreateCoredumpOnCrash"
                         "-cp" (class-path without)
                         "clojure.main" "-e" (pr-str form)])]
    {:crash-log crash-log
     :output output
     :process (let [builder (doto (ProcessBuilder. ^java.util.List command)
                              (.redirectErrorStream true)
                              (.redirectOutput output))]
                (.putAll (.environment builder) (or environment {}))
                (.start builder))}))

(defn await-line
  "Waits until a JVM of `start` has printed a line that `pattern` matches; the match, nil if none comes."
  [{:keys [^Process process ^File output]} pattern]
  (let [found #(some (partial re-find pattern) (str/split-lines (slurp output)))
        deadline (+ (System/nanoTime) (* 1000000000 (long guard-seconds)))]
    (loop []
      (or (found)
          (cond
            (not (.isAlive process)) (found)
            (neg? (- (System/nanoTime) deadline)) (do
                                                    (LockSupport/parkNanos 1000000)
                                                    (recur)))))))

(defn terminate
  "Sends SIGTERM to a JVM of `start`."
  [{:keys [^Process process]}]
  (.destroy process))

(defn finish
  "Waits for a JVM of `start`. Returns `:value`, `:exit` (the JVM's status, `:hung` if it had to be killed),
  `:output` and `:crash-log` (the text, nil if there is none)."
  [{:keys [^Process process ^File output ^File crash-log]}]
  (let [ended? (.waitFor process guard-seconds TimeUnit/SECONDS)]
    (when-not ended?
      (.waitFor (.destroyForcibly process)))
    (let [text (slurp output)
          value (some #(when (str/starts-with? % marker) (subs % (count marker))) (str/split-lines text))
          crash (when (.exists crash-log) (slurp crash-log))]
      (.delete output)
      (.delete crash-log)
      {:value (some-> value edn/read-string)
       :exit (if ended? (.exitValue process) :hung)
       :output text
       :crash-log crash})))

(defn call
  "Calls a function in a JVM of its own; see `start` and `finish`."
  [function options & arguments]
  (finish (apply start function options arguments)))

(defn sound?
  "Whether a JVM of `finish` ended well. Prints what it said if not."
  [{:keys [exit output crash-log]}]
  (let [sound (and (= 0 exit)
                   (nil? crash-log)
                   (not (re-find #"(FATAL ERROR|WARNING) in native method" output)))]
    (when-not sound
      (println "the forked JVM ended with" exit)
      (println output)
      (some-> crash-log println))
    (boolean sound)))
