(ns hinny.server-clock
  "Time that passes for a server when a test says so, and only then: a timeout of half a minute is over at once, and none
  is over because the machine had other things to do.

  * `run-server`  -- a server; one with such a clock if its options have `:turned-clock? true`
  * `close!`      -- stops it
  * `pass!`       -- lets time pass for it
  * `pass-until!` -- does so again and again until a condition holds

      (with-server [server handler {:turned-clock? true}]
        (with-client [client server]
          (send! client \"GET / HT\")
          (await-taken client)
          (pass! server 40000)
          (:status (read-response client))))
      ;; => 408

  What the JVM waits for (a health check, a handler that a stop has interrupted) goes by the system's clock."
  (:require
   [hinny.server :as server])
  (:import
   (io.github.hinny Engine EngineException Stoppable)
   (java.lang.reflect Field InvocationTargetException Method)
   (java.util.concurrent.locks LockSupport)))

(set! *warn-on-reflection* true)

(def ^:private switch
  "The property that gives the servers that are started while it is set such a clock."
  "hinny.test.clock")

(defn run-server
  "As `hinny.server/run-server`; with `:turned-clock? true` the server has a clock for `pass!`."
  ^Stoppable [handler {:keys [turned-clock?] :as options}]
  (let [options (dissoc options :turned-clock?)]
    (if turned-clock?
      (try
        (System/setProperty switch "true")
        (server/run-server handler options)
        (finally (System/clearProperty switch)))
      (server/run-server handler options))))

(def ^:private handle-field
  (delay (doto (.getDeclaredField Engine "handle") (.setAccessible true))))

(def ^:private ^Method pass-time
  (let [arguments (into-array Class [Long/TYPE Long/TYPE])]
    (doto (.getDeclaredMethod (Class/forName "io.github.hinny.Native") "passTime" arguments)
      (.setAccessible true))))

(defn- pass-time!
  "Lets so many milliseconds pass for `server`; nil, or why not, a keyword."
  [^Stoppable server ms]
  (let [handle (.getLong ^Field @handle-field (.engine server))]
    (try
      (.invoke pass-time nil (object-array [handle (long ms)]))
      nil
      (catch InvocationTargetException refused
        (let [^EngineException cause (.getCause refused)]
          (keyword (.kind cause)))))))

(defn pass!
  "Lets so many milliseconds pass for `server`, if it has not stopped."
  [server ms]
  (let [refusal (pass-time! server ms)]
    (when-not (contains? #{nil :stopped} refusal)
      (throw (ex-info "the server goes by the system's clock" {:refusal refusal})))))

(defn pass-until!
  "Lets so many milliseconds pass for `server`, as often as it takes until `condition` returns true; false if that takes
  longer than `guard-ms` of the test's own time. For what may begin to wait a little later than the test can see."
  [server ms guard-ms condition]
  (let [deadline (+ (System/nanoTime) (* 1000000 (long guard-ms)))]
    (loop []
      (cond
        (condition) true
        (neg? (- deadline (System/nanoTime))) false
        :else (do
                (pass! server ms)
                ;; The server looks at a clock that was turned every two milliseconds.
                (LockSupport/parkNanos 5000000)
                (recur))))))

(defn close!
  "Stops `server`; for what a stop waits time passes."
  [^Stoppable server guard-ms]
  (if (pass-time! server 0)
    (.close server)
    (let [closing (future (.close server))]
      (pass-until! server 100 guard-ms #(realized? closing))
      @closing)))
