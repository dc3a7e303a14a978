(ns hinny.impl.handler-timeout
  "`:timeout-handler`: what answers when an async handler took too long.

  * `settings`  -- a server's settings with its handler timed
  * `stop-with` -- ends the threads when the server has stopped

  The time is kept here, and the core's `:handler-timeout-ms` is longer: its 503 comes if nobody has answered even then. At most
  four timeout handlers run at once, on daemon threads `hinny-timeout-N`."
  (:require
   [hinny.impl.options :as options])
  (:import
   (io.github.hinny Engine)
   (java.util.concurrent ScheduledThreadPoolExecutor ThreadFactory TimeUnit)
   (java.util.concurrent.atomic AtomicInteger)))

(set! *warn-on-reflection* true)

(def ^:private threads 4)

(def ^:private grace-ms
  "How long a timeout handler has to answer. It comes earlier by this where the time is the longest that the core knows."
  5000)

(defn- executor
  ^ScheduledThreadPoolExecutor []
  (let [number (AtomicInteger.)
        factory (reify ThreadFactory
                  (newThread [_ task]
                    (doto (Thread. task (str "hinny-timeout-" (.getAndIncrement number)))
                      (.setDaemon true))))]
    (doto (ScheduledThreadPoolExecutor. (int threads) factory)
      (.setRemoveOnCancelPolicy true))))

(defn- timed
  "`handler`, in whose place `timeout-handler` answers after `ms`. An exchange is answered once: what comes later is dropped."
  [handler timeout-handler ms ^ScheduledThreadPoolExecutor timer]
  (fn [request respond raise]
    (let [late (.schedule timer
                          ^Runnable #(try
                                       (timeout-handler request respond raise)
                                       (catch Throwable thrown
                                         (raise thrown)))
                          (long ms)
                          TimeUnit/MILLISECONDS)
          in-time (fn [answer]
                    (fn [value]
                      (.cancel late false)
                      (answer value)))]
      (try
        (handler request (in-time respond) (in-time raise))
        (catch Throwable thrown
          (.cancel late false)
          (throw thrown))))))

(defn settings
  "Returns `settings`, resolved options with a `:handler`; if they have a `:timeout-handler` for it, with the handler timed and
  `::timer`, the threads."
  [{:keys [handler handler-mode timeout-handler handler-timeout-ms] :as settings}]
  (if (and handler timeout-handler (#{:async :async-worker} handler-mode) (pos? (long handler-timeout-ms)))
    (let [timer (executor)
          core-ms (min (+ (long handler-timeout-ms) (long grace-ms))
                       (long (:max (@options/specs :handler-timeout-ms))))]
      (assoc settings
        ::timer timer
        :handler (timed handler timeout-handler (- core-ms (long grace-ms)) timer)
        :handler-timeout-ms core-ms))
    settings))

(defn stop-with
  "Ends the threads of `settings` when `engine` has stopped."
  [^Engine engine settings]
  (when-let [^ScheduledThreadPoolExecutor timer (::timer settings)]
    (.whenStopped engine #(.shutdownNow timer))))
