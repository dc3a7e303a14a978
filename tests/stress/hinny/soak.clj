(ns hinny.soak
  "Load of all sorts on a server for some minutes: whether it grows, and whether all answers are right.

  * `-main` -- soak for so many minutes; exit status 0 if nothing grew and nothing was wrong

  The servers are in a JVM of their own. After each window of load the clients rest until nothing is open, and that JVM
  is weighed: then what it has is what it keeps. At the end the last window is compared with an early one."
  (:require
   [clojure.string :as str]
   [hinny.forked-jvm :as forked]
   [hinny.other-jvm :as other]
   [hinny.probe :as probe]
   [hinny.soak-load :as load]
   [hinny.soak-server :as soak-server])
  (:import
   (java.util.concurrent CountDownLatch TimeUnit)))

(set! *warn-on-reflection* true)

(def ^:private server-flags
  ["-XX:+UseSerialGC" "-Xms128m" "-Xmx128m" "-XX:+AlwaysPreTouch"])

(def ^:private growth-max
  "What may be more in the last window than in the early one: what a JVM itself may add in some minutes (compiled code,
  the allocator's arenas), and a few threads that were needed for the first time."
  {:rss-kib (* 12 1024)
   :heap-kib (* 4 1024)
   :fds 2
   :threads 6
   :global-references 10})

(defn- windows
  "Seconds of each window, and how many there are: minutes, or quarters of one if there are few."
  [minutes]
  (if (< minutes 4)
    [15 (* 4 minutes)]
    [60 minutes]))

(defn- await-rest
  "Waits until nothing is open on the servers; whether that came."
  [jvm]
  (probe/await-that #(= [0 0] ((juxt :connections-open :exchanges-open) (other/call jvm `soak-server/metrics)))))

(defn- soak-window
  "One window of load, and what the servers' JVM weighs after it."
  [jvm ports seconds]
  (let [result (load/with-load ports #(.await (CountDownLatch. 1) seconds TimeUnit/SECONDS))
        rest? (await-rest jvm)]
    (cond-> (merge result (other/weigh jvm) (other/call jvm `soak-server/metrics))
      (not rest?) (update :wrong conj [:never-at-rest]))))

(defn- print-window
  [n {:keys [rss-kib trimmed-kib heap-kib fds threads global-references played requests errors-answered replies-stale panics wrong]}]
  (println (format "%3d  rss %s (trimmed %s)  heap %s  fds %d  threads %d  global references %d  scenes %,d  requests %,d  errors %,d  stale %,d  panics %d  wrong %d"
                   n (other/mib rss-kib) (other/mib trimmed-kib) (other/mib heap-kib) fds threads global-references
                   played requests errors-answered replies-stale panics (count wrong)))
  (doseq [[what n] (take 10 (frequencies wrong))]
    (println "     wrong," n "times:" what))
  (flush))

(defn- grown
  "What grew beyond its tolerance from one window to another."
  [early late]
  (for [[what most] growth-max
        :let [growth (- (what late) (what early))]
        :when (< most growth)]
    (format "%s grew by %,d, from %,d to %,d; %,d are tolerated" (name what) growth (what early) (what late) most)))

(defn- faults
  [results jvm-end]
  (let [early (nth results (min 2 (dec (count results))))
        late (peek results)]
    (concat (grown early late)
            (when-let [wrong (seq (mapcat :wrong results))]
              [(str (count wrong) " answers were wrong")])
            (when-not (zero? (:panics late))
              [(str (:panics late) " panics")])
            (when-not (forked/sound? jvm-end)
              ["the servers' JVM did not end well"]))))

(defn -main
  "Soaks for `minutes`."
  [minutes]
  (let [[seconds n] (windows (parse-long minutes))
        jvm (other/open {:flags server-flags})
        ports (other/call jvm `soak-server/start)
        results (reduce (fn [results i]
                          (let [result (soak-window jvm ports seconds)]
                            (print-window (inc i) result)
                            (conj results result)))
                        []
                        (range n))
        found (faults results (other/end jvm))]
    (println (str n " windows of " seconds " s; compared: number " (min 3 n) " and the last"))
    (if (seq found)
      (println (str "FAILED\n  " (str/join "\n  " found)))
      (println "nothing grew, nothing was wrong"))
    (flush)
    (System/exit (if (seq found) 1 0))))
