(ns hinny.log-capture
  "What Hinny logs while a test runs, as data.

  * `with-log` -- runs a body with a queue of the events of Hinny's loggers
  * `events`   -- those that have come so far
  * `await-events` -- the same, when a number of them has come: answers go out before anything is logged
  * `await-event` -- the next one, nil if none comes

      (with-log [log]
        (answer server \"GET / HTTP/1.1\\r\\n\\r\\n\")
        (events log))
      ;; => [{:level :error :message \"handler threw for GET /\" :thread \"hinny-worker-0\" :throwable ...}]

  Events are in the queue before the call that logged them returns."
  (:require
   [hinny.impl.text :as text]
   [hinny.raw-client :as raw])
  (:import
   (ch.qos.logback.classic Level Logger)
   (ch.qos.logback.classic.spi ILoggingEvent ThrowableProxy)
   (ch.qos.logback.core AppenderBase)
   (java.util.concurrent BlockingQueue LinkedBlockingQueue TimeUnit)
   (java.util.concurrent.locks LockSupport)
   (org.slf4j LoggerFactory)))

(set! *warn-on-reflection* true)

(defn- event-map
  [^ILoggingEvent event]
  {:level (keyword (text/lower-case (str (.getLevel event))))
   :logger (.getLoggerName event)
   :message (.getFormattedMessage event)
   :thread (.getThreadName event)
   :throwable (some-> ^ThrowableProxy (.getThrowableProxy event) .getThrowable)})

(defn call-with-log
  "Calls `f` with a queue that gets the events of the loggers below `hinny` from `level` up."
  [level f]
  (let [^Logger logger (LoggerFactory/getLogger "hinny")
        old-level (.getLevel logger)
        queue (LinkedBlockingQueue.)
        appender (proxy [AppenderBase] []
                   (append [event]
                     (.add queue (event-map event))))]
    (.start ^AppenderBase appender)
    (.addAppender logger appender)
    (.setLevel logger level)
    (try
      (f queue)
      (finally
        (.setLevel logger old-level)
        (.detachAppender logger ^AppenderBase appender)))))

(defmacro with-log
  "Runs `body` with `log` bound to the queue of events from warnings up."
  [[log] & body]
  `(call-with-log Level/WARN (fn [~log] ~@body)))

(defn events
  "The events so far, in order; they stay in the queue."
  [log]
  (vec log))

(defn await-events
  "Waits until there are `n` events, and returns all of them as `events` does; those that there are if they do not come."
  [log n]
  (let [deadline (+ (System/nanoTime) (* 1000000 (long raw/guard-ms)))]
    (while (and (< (count log) (long n)) (neg? (- (System/nanoTime) deadline)))
      (LockSupport/parkNanos 1000000))
    (events log)))

(defn await-event
  "Takes the next event out of the queue, waits for it if there is none; nil if none comes."
  [^BlockingQueue log]
  (.poll log raw/guard-ms TimeUnit/MILLISECONDS))
