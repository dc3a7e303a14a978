(ns hinny.probe
  "What the boundary tests see of a server from outside: outcomes, counters, threads, descriptors, memory and log
  events. Bytes go through `hinny.raw-client`.

  * `await-that` `await-metrics` -- wait for a condition, with a guard and for no fixed time
  * `outcome` `exchange` `ask` `ended?` -- how a request ended
  * `server-threads` `server-fds` -- what a stopped server must not leave behind
  * `rounds` `flat?` -- whether work adds to memory or global references
  * `with-log-events` `with-level` -- events of a logger, and its level
  * `native-call` `call-method` `field-value` `static-value` -- package-private members of the shim

      (with-server [server handler {:event-loops 1}]
        (ask server \"/\"))
      ;; => [200 \"hello\"]

  Every wait ends after `guard-ms` at the latest, with a failed assertion and not with a hanging build."
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [hinny.impl.text :as text]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (ch.qos.logback.classic Level Logger)
   (ch.qos.logback.classic.spi ILoggingEvent IThrowableProxy)
   (ch.qos.logback.core AppenderBase)
   (clojure.lang ExceptionInfo)
   (io.github.hinny NativeLibrary)
   (java.io Closeable IOException)
   (java.lang.management ManagementFactory)
   (java.lang.reflect Field InvocationTargetException Method)
   (java.net Socket SocketException)
   (java.nio.file Files Path)
   (java.util.concurrent.locks LockSupport)
   (javax.management ObjectName)
   (org.slf4j LoggerFactory)))

(set! *warn-on-reflection* true)

(def guard-ms
  "How long anything may take, milliseconds: a guard against hanging, far above what it takes."
  60000)

;;; Waiting

(defn await-that
  "Calls `condition` until it returns something true, and returns that; false after `guard-ms`. Rests in between, since
  what is looked at here costs the process it is looked at in."
  [condition]
  (let [deadline (+ (System/nanoTime) (* 1000000 (long guard-ms)))]
    (loop []
      (or (condition)
          (if (neg? (- (System/nanoTime) deadline))
            (do
              (LockSupport/parkNanos 1000000)
              (recur))
            false)))))

(defn await-metrics
  "Waits until the counters of `server` have the values of `expected`; returns what they have of its keys."
  [server expected]
  (let [seen #(select-keys (server/server-metrics server) (keys expected))]
    (await-that #(= expected (seen)))
    (seen)))

;;; Connections

(defn connect
  "A connection to `server`, for `with-open`."
  ^java.io.Closeable [server]
  (raw/connect (server/server-port server)))

(defn outcome
  "What comes next on `client`: `[status body]` of a whole response, `:ended` if the server closes or resets the
  connection before it, `:cut` if it does so in the middle."
  [client]
  (try
    (if-let [{:keys [status body]} (raw/read-response client)]
      [status body]
      :ended)
    (catch SocketException _ :ended)
    (catch ExceptionInfo _ :cut)))

(defn exchange
  "Sends `text` and gives the outcome."
  [client text]
  (raw/send! client text)
  (outcome client))

(defn ask
  "Sends a GET for `path` over a connection of its own; the outcome."
  [server path]
  (raw/with-client [client server]
    (exchange client (raw/get-request path))))

(defn ended?
  "Whether the server ends the connection without another byte."
  [client]
  (contains? #{:eof :reset} (raw/end-of client)))

(defn reset-connection
  "Ends a connection with a TCP reset."
  [client]
  (let [^Socket socket (:socket client)]
    (.setSoLinger socket true 0)
    (.close socket)))

(defn refused?
  "Whether `port` accepts no connection."
  [port]
  (try
    (.close ^Closeable (raw/connect port))
    false
    (catch IOException _ true)))

(defn ok
  "A Ring response of `body`."
  [body]
  {:status 200 :headers {"content-type" "text/plain"} :body body})

;;; The process

(defn server-threads
  "The names of the live threads that belong to servers."
  []
  (sort (filter #(str/starts-with? % "hinny-")
                (map #(.getName ^Thread %) (keys (Thread/getAllStackTraces))))))

(defn server-fds
  "How many sockets, epoll instances and event counters this process has open, as a map of kind to number."
  []
  (->> (.listFiles (io/file "/proc/self/fd"))
       (keep #(try
                (str (Files/readSymbolicLink (.toPath ^java.io.File %)))
                (catch IOException _ nil)))
       (keep #(re-find #"^socket:|^anon_inode:\[event.*" %))
       frequencies))

(defn- memory-kib
  "Resident memory of this process that is no file, KiB."
  []
  (->> (Files/readAllLines (Path/of "/proc/self/status" (make-array String 0)))
       (some #(second (re-find #"RssAnon:\s+(\d+) kB" %)))
       parse-long))

(defn global-references
  "How many global JNI references there are, weak ones left out."
  []
  (let [dump (.invoke (ManagementFactory/getPlatformMBeanServer)
                      (ObjectName. "com.sun.management:type=DiagnosticCommand")
                      "threadPrint"
                      (object-array [(make-array String 0)])
                      (into-array String ["[Ljava.lang.String;"]))]
    (parse-long (second (re-find #"JNI global refs: (\d+)" dump)))))

;;; Weight

(def steady-memory
  "Flags of a JVM whose own memory changes little: all of the Java heap is resident, and there is one compiler."
  ["-XX:+UseSerialGC" "-Xms96m" "-Xmx96m" "-XX:+AlwaysPreTouch" "-XX:TieredStopAtLevel=1"])

(def ^:private growth-max-kib
  "What a round may add and still count as flat: what the JVM itself may need, 20 bytes of 100,000 exchanges each, or
  20 KiB of 100 servers each."
  2000)

(def ^:private references-max
  "Global references that the JVM itself may make in a round."
  10)

(def ^:private rounds-max 6)

(defn flat?
  "Whether the process weighs as much in `after` as in `before`, as near as a JVM can tell."
  [before after]
  (and (< (- (:memory-kib after) (:memory-kib before)) growth-max-kib)
       (< (- (:global-references after) (:global-references before)) references-max)))

(defn- weigh
  []
  (System/gc)
  {:memory-kib (memory-kib)
   :global-references (global-references)
   :fds (server-fds)
   :threads (vec (server-threads))})

(defn rounds
  "Calls `work` and weighs the process before and after, until it is flat or `rounds-max` is reached: the JVM grows now
  and then, a leak in every round. Returns the last round's `:before` and `:after`, and the `:results` of all."
  [work]
  (loop [before (weigh)
         results []]
    (let [results (conj results (work))
          after (weigh)]
      (if (or (flat? before after) (= rounds-max (count results)))
        {:before before :after after :results results}
        (recur after results)))))

(defn change
  "A round's weights in words."
  [before after]
  (text/formatted "%,d -> %,d KiB, %d -> %d global references, descriptors %s -> %s, %d -> %d threads"
    (:memory-kib before) (:memory-kib after)
    (:global-references before) (:global-references after)
    (reduce + (vals (:fds before))) (reduce + (vals (:fds after)))
    (count (:threads before)) (count (:threads after))))

;;; Logging

(defn- event-map
  [^ILoggingEvent event]
  (let [^IThrowableProxy thrown (.getThrowableProxy event)]
    {:logger (.getLoggerName event)
     :level (keyword (text/lower-case (str (.getLevel event))))
     :message (.getFormattedMessage event)
     :thrown (when thrown (.getClassName thrown))
     :thrown-message (when thrown (.getMessage thrown))
     :frames (when thrown (mapv str (.getStackTraceElementProxyArray thrown)))}))

(defn collect-events
  "Calls `body` with an atom to which the events of the logger `logger-name` and those below it are added."
  [^String logger-name body]
  (let [events (atom [])
        ^Logger logger (LoggerFactory/getLogger logger-name)
        ^AppenderBase appender (proxy [AppenderBase] []
                                 (append [event] (swap! events conj (event-map event))))]
    (.start appender)
    (.addAppender logger appender)
    (try
      (body events)
      (finally (.detachAppender logger appender)))))

(defmacro with-log-events
  "Binds `events` to an atom that gathers the events of a logger while `body` runs: maps of `:logger :level
  :message :thrown :thrown-message :frames`."
  [[events logger-name] & body]
  `(collect-events ~logger-name (fn [~events] ~@body)))

(defn set-level
  "Sets the level of a logger: `:error` to `:trace`, nil for its parent's."
  [^String logger-name level]
  (let [^Logger logger (LoggerFactory/getLogger logger-name)]
    (.setLevel logger (when level (Level/toLevel (name level))))))

(defn call-with-level
  "Calls `f` while a logger has a level; then it has the one it had."
  [^String logger-name level f]
  (let [^Logger logger (LoggerFactory/getLogger logger-name)
        before (.getLevel logger)]
    (set-level logger-name level)
    (try
      (f)
      (finally (.setLevel logger before)))))

(defmacro with-level
  "Runs `body` while a logger has a level."
  [[logger-name level] & body]
  `(call-with-level ~logger-name ~level (fn [] ~@body)))

(defn await-event
  "Waits until `events` holds one whose message matches `pattern`; that event, false after the guard."
  [events pattern]
  (await-that (fn [] (some #(when (re-find pattern (:message %)) %) @events))))

(defn events-like
  "The events so far whose message matches `pattern`."
  [events pattern]
  (filterv #(re-find pattern (:message %)) @events))

;;; The shim's package-private members

(defn shim-class
  "The class `class-name` of the shim."
  ^Class [class-name]
  (Class/forName (str "io.github.hinny." class-name)))

(defn- accessible-field
  ^Field [^Class of field-name]
  (doto (.getDeclaredField of field-name)
    (.setAccessible true)))

(defn field-value
  "The value of a field of `object` that is not public."
  [object field-name]
  (.get (accessible-field (class object) field-name) object))

(defn static-value
  "The value of a static field of the shim's class `class-name`."
  [class-name field-name]
  (.get (accessible-field (shim-class class-name) field-name) nil))

(defn call-method
  "Calls the only method `method-name` of the shim's class `class-name`; `object` is nil for a static one.
  Throws what the method throws."
  [class-name object method-name & arguments]
  (let [^Method method (doto ^Method (first (filter #(= method-name (.getName ^Method %))
                                                    (.getDeclaredMethods (shim-class class-name))))
                         (.setAccessible true))]
    (try
      (.invoke method object (object-array arguments))
      (catch InvocationTargetException e
        (throw (.getCause e))))))

(defn native-call
  "Calls a native method."
  [method-name & arguments]
  (NativeLibrary/load)
  (apply call-method "Native" nil method-name arguments))

(defn loops
  "The event loops of `server`."
  [server]
  (vec (field-value (field-value server "engine") "loops")))
