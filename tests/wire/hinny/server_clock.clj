(ns hinny.server-clock
  "Time that passes for a server when a test says so: a timeout of half a minute is over at once, and no hiccup of the
  machine is one.

  * `run-server`  -- a server; one with such a clock if its options have `:turned-clock? true`
  * `pass!`       -- lets time pass for it, as if the machine had slept
  * `pass-until!` -- does so again and again until a condition holds

      (with-server [server handler {:turned-clock? true}]
        (with-client [client server]
          (send! client \"GET / HT\")
          (await-taken client)
          (pass! server 40000)
          (:status (read-response client))))
      ;; => 408

  Its clock goes on as the system's does besides. What the JVM waits for (a drain's end, a health check) has the system's."
  (:require
   [hinny.server :as server])
  (:import
   (io.github.hinny Engine Stoppable)
   (java.lang.reflect InvocationTargetException Method)
   (java.util.concurrent.locks LockSupport)))

(set! *warn-on-reflection* true)

(def ^:private switch
  "The property that arms the tests' faults, and the clock, of servers that are started while it is set."
  "hinny.test.faults")

(defn run-server
  "As `hinny.server/run-server`; with `:turned-clock? true` the server has a clock for `pass!`."
  ^Stoppable [handler {:keys [turned-clock?] :as options}]
  (let [options (dissoc options :turned-clock?)
        before (System/getProperty switch)]
    (if (or before (not turned-clock?))
      (server/run-server handler options)
      (try
        (System/setProperty switch "true")
        (server/run-server handler options)
        (finally (System/clearProperty switch))))))

(def ^:private handle-field
  (delay (doto (.getDeclaredField Engine "handle") (.setAccessible true))))

(def ^:private ^Method pass-time
  (let [arguments (into-array Class [Long/TYPE Long/TYPE])]
    (doto (.getDeclaredMethod (Class/forName "io.github.hinny.Native") "passTime" arguments)
      (.setAccessible true))))

(defn pass!
  "Lets so many milliseconds pass for `server`."
  [^Stoppable server ms]
  (let [handle (.getLong ^java.lang.reflect.Field @handle-field (.engine server))]
    (try
      (.invoke pass-time nil (object-array [handle (long ms)]))
      (catch InvocationTargetException refused
        (throw (.getCause refused)))))
  nil)

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
