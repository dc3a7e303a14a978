(ns hinny.soak
  "Load of all sorts on a server for some minutes: whether it grows, and whether all answers are right.

  * `-main` -- soak for so many minutes; exit status 0 if nothing grew and nothing was wrong

  The servers are in a JVM of their own. After each window of load the clients rest until nothing is open, and that JVM
  is weighed: then what it has is what it keeps. At the end the last window is compared with the early ones."
  (:require
   [clojure.string :as str]
   [hinny.forked-jvm :as forked]
   [hinny.impl.text :as text]
   [hinny.other-jvm :as other]
   [hinny.probe :as probe]
   [hinny.soak-load :as load]
   [hinny.soak-server :as soak-server])
  (:import
   (java.util.concurrent CountDownLatch TimeUnit)))

(set! *warn-on-reflection* true)

(def ^:private server-flags
  ["-XX:+UseSerialGC" "-Xms128m" "-Xmx128m" "-XX:+AlwaysPreTouch"])

(def ^:private early-windows
  "In these the server takes what it needs."
  3)

(def ^:private growth-max
  "What the last window may have more than the early ones had at most: what a JVM itself may add in some minutes
  (compiled code), the buffers of workers that were not needed before, and a few threads."
  {:rss-kib (* 16 1024)
   :trimmed-kib (* 12 1024)
   :heap-kib (* 6 1024)
   :fds 2
   :threads 3
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
  (println (text/formatted "%3d  rss %s (trimmed %s)  heap %s  fds %d  threads %d  global references %d  scenes %,d  requests %,d  errors %,d  stale %,d  panics %d  wrong %d"
             n (other/mib rss-kib) (other/mib trimmed-kib) (other/mib heap-kib) fds threads global-references
             played requests errors-answered replies-stale panics (count wrong)))
  (doseq [[what n] (take 10 (frequencies wrong))]
    (println "     wrong," n "times:" what))
  (flush))

(defn- grown
  "What grew beyond its tolerance."
  [results]
  (for [[what most] growth-max
        :let [early (apply max (map what (take early-windows results)))
              late (what (peek results))]
        :when (< most (- late early))]
    (text/formatted "%s grew by %,d, from %,d to %,d; %,d are tolerated" (name what) (- late early) early late most)))

(defn- faults
  [results jvm-end]
  (let [late (peek results)]
    (concat (grown results)
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
    (println (str n " windows of " seconds " s; the last compared with the first " early-windows))
    (if (seq found)
      (println (str "FAILED\n  " (str/join "\n  " found)))
      (println "nothing grew, nothing was wrong"))
    (flush)
    (System/exit (if (seq found) 1 0))))
