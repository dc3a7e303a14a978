(ns hinny.impl.health
  "Health endpoints: the core answers them with what the last look at the checks found, so they answer whatever the handlers
  do.

  * `resolve-options` -- the `:health` option with its defaults, or an `ex-info`
  * `routes`  -- route data of the endpoints
  * `start`   -- runs the checks until the server stops

  Each check runs on a daemon thread of its own (`hinny-health-N`), again and again with `:interval-ms` between two runs;
  one that takes longer than `:timeout-ms` counts as failed until it returns. What is told of a check is its name and
  whether it is well, never why not: that is logged, once for each change."
  (:require
   [hinny.impl.error :as error]
   [hinny.impl.options :as options]
   [hinny.impl.route-response :as route-response]
   [hinny.json :as json])
  (:import
   (io.github.hinny Engine SafeLogger)
   (java.util.concurrent ScheduledThreadPoolExecutor ThreadFactory TimeUnit)
   (java.util.concurrent.atomic AtomicBoolean AtomicInteger)
   (java.util.function IntConsumer)))

(set! *warn-on-reflection* true)

(def ^:private ^SafeLogger log (SafeLogger/named "hinny.server"))

(def ^:private probes
  "Each probe, which is the number of its reply, the default of its path, and the option with its checks."
  [{:probe :live :path "/live" :checks :live-checks}
   {:probe :ready :path "/ready" :checks :checks}
   {:probe :startup :path "/startup" :checks :startup-checks}])

(def ^:private default-options
  (into {:interval-ms 5000 :timeout-ms 2000}
        (mapcat (fn [{:keys [probe path checks]}] [[probe path] [checks {}]]))
        probes))

(defn- refuse
  [option expected value]
  (throw (error/failure "option-invalid" (str ":health " option " must be " expected ", is " (pr-str value))
                        {:option :health :key option :value value})))

(defn resolve-options
  "Returns the `:health` option (nil or false: no endpoints; true: all, without checks; a map) with its defaults, nil for
  none.

  Throws `ex-info` of type `:hinny.error/option-unknown` or `:hinny.error/option-invalid`."
  [health]
  (when health
    (let [given (if (true? health) {} health)]
      (when-not (map? given)
        (refuse "" "true or a map" given))
      (options/refuse-unknown given (set (keys default-options)) "docs/routing.md")
      (let [{:keys [interval-ms timeout-ms] :as resolved} (into default-options given)]
        (doseq [[option value] {:interval-ms interval-ms :timeout-ms timeout-ms}]
          (when-not (and (int? value) (<= 1 value 3600000))
            (refuse option "an integer from 1 to 3600000" value)))
        (doseq [{:keys [probe checks]} probes
                [check-name check] (resolved checks)]
          (when-not (and (instance? clojure.lang.Named check-name) (ifn? check))
            (refuse checks "a map from keywords to functions of no arguments" (resolved checks)))
          (when-not (resolved probe)
            (refuse checks (str "empty, since there is no " probe) (resolved checks))))
        resolved))))

(defn routes
  "Returns route data of the endpoints of `health`, resolved; nil for none."
  [health]
  (when health
    (vec (for [[number {:keys [probe]}] (map-indexed vector probes)
               :let [path (health probe)]
               :when path]
           [path {:get {:hinny.impl/reply number}}]))))

;;; The state: for each probe the checks by name, each :up, :down, :timed-out or :unknown

(defn- well?
  "Whether a probe is well. Startup stays well once it was; a server of which event loops are down is not well otherwise."
  [{:keys [stopping? started? loops-down]} probe checks]
  (case probe
    :startup (boolean started?)
    :ready (and started? (not stopping?) (zero? loops-down) (every? #{:up} (vals checks)))
    :live (and (zero? loops-down) (every? #{:up :unknown} (vals checks)))))

(defn- response
  [{:keys [stopping?] :as state} probe]
  (let [checks (get-in state [:checks probe])
        up? (well? state probe checks)]
    {:status (if up? 200 503)
     :headers {"Content-Type" "application/json" "Cache-Control" "no-store"}
     :body (json/write-value-as-string
             (cond-> {:status (cond up? "up" (and stopping? (= :ready probe)) "stopping" :else "down")}
               (seq checks) (assoc :checks (update-vals checks #(if (= :up %) "up" "down")))))}))

(defn- publish
  "Gives the engine what `state` means for each probe that is served."
  [^Engine engine health state]
  (doseq [[number {:keys [probe]}] (map-indexed vector probes)
          :when (health probe)]
    (.setReply engine (int number) (route-response/encode (health probe) (response state probe)))))

(defn- started
  "The state, with startup noted if all its checks are well."
  [{:keys [checks] :as state}]
  (cond-> state
    (every? #{:up} (vals (:startup checks))) (assoc :started? true)))

(defn- change
  "Changes the state and publishes it, if it is another one then."
  [{:keys [engine health state]} f & arguments]
  ;; Under one lock, so that the engine has the newest one last.
  (locking state
    (let [before @state
          after (started (apply f before arguments))]
      (when (not= before after)
        (reset! state after)
        (publish engine health after)))))

(defn- tell
  "Logs that a check is well again, or no longer: outside of the lock, for a logger may take its time."
  [check-name {:keys [before result ^Throwable thrown silent?]}]
  (cond
    (or silent? (= before result)) nil
    (not= :up result) (.warn log (str "health check " check-name
                                      (if (= :timed-out result) " takes too long" " failed"))
                             ^Object thrown)
    (not= :unknown before) (.info log "health check {} is well again" check-name)))

(defn- note
  "Changes the state of a check; what `tell` is to tell of it."
  [{:keys [state] :as running} probe check-name result thrown]
  (let [{:keys [stopping? checks]} @state]
    (change running assoc-in [:checks probe check-name] result)
    {:before (get-in checks [probe check-name]) :result result :thrown thrown :silent? stopping?}))

(defmacro ^:private fenced
  "Runs `body` and logs what it throws: an executor would not run it again."
  [& body]
  `(try
     ~@body
     (catch Throwable thrown#
       (.warn log "a look at a health check failed" ^Object thrown#))))

(defn- run-check
  [{:keys [^ScheduledThreadPoolExecutor timer health state] :as running} probe check-name check]
  (fenced
    (let [returned (AtomicBoolean.)
          late (.schedule timer
                          ^Runnable #(fenced
                                       (some->> (locking state
                                                  (when-not (.get returned)
                                                    (note running probe check-name :timed-out nil)))
                                                (tell check-name)))
                          (long (:timeout-ms health))
                          TimeUnit/MILLISECONDS)
          [result thrown] (try
                            [(if (check) :up :down) nil]
                            (catch Throwable thrown
                              [:down thrown]))]
      (.cancel late false)
      (tell check-name
            (locking state
              (.set returned true)
              (note running probe check-name result thrown))))))

(defn- executor
  "A timer with so many daemon threads."
  ^ScheduledThreadPoolExecutor [threads]
  (let [number (AtomicInteger.)
        factory (reify ThreadFactory
                  (newThread [_ task]
                    (doto (Thread. task (str "hinny-health-" (.getAndIncrement number)))
                      (.setDaemon true))))]
    (doto (ScheduledThreadPoolExecutor. (int threads) factory)
      (.setRemoveOnCancelPolicy true))))

(defn start
  "Runs the checks of `health`, resolved, until `engine` stops. When this returns, the endpoints have replies: startup is
  well if it has no checks, and no check of readiness has been seen well yet."
  [^Engine engine health]
  (let [all (for [{:keys [probe checks]} probes
                  [check-name check] (health checks)]
              [probe check-name check])
        timer (executor 1)
        workers (executor (max 1 (count all)))
        unknown (reduce (fn [checks [probe check-name]] (assoc-in checks [probe check-name] :unknown)) {} all)
        running {:engine engine :health health :timer timer :state (atom nil)}]
    (change running (constantly {:checks unknown :loops-down 0}))
    (doseq [[probe check-name check] all]
      (.scheduleWithFixedDelay workers ^Runnable #(run-check running probe check-name check)
                               0 (long (:interval-ms health)) TimeUnit/MILLISECONDS))
    (.whenLoopsDown engine (reify IntConsumer
                             (accept [_ down] (change running assoc :loops-down down))))
    (.whenStopping engine #(change running assoc :stopping? true))
    (.whenStopped engine #(run! (fn [^ScheduledThreadPoolExecutor e] (.shutdownNow e)) [workers timer]))))
