(ns hinny.other-jvm
  "A JVM that does what this one tells it: for a server and its clients in processes of their own.

  * `open`  -- start such a JVM, for `with-open`
  * `call`  -- call a function there; its value
  * `weigh` -- memory and more of that JVM
  * `end`   -- let it end; how it ended, as `hinny.forked-jvm/finish` tells
  * `growth-max-kib` -- what it may come to weigh more on its own

      (with-open [jvm (open {:flags [\"-Xmx64m\"]})]
        (call jvm `start-server {:port 0}))
      ;; => 49213

  Functions are named by symbols; arguments and values must survive `pr-str` and `read-string`. The other JVM ends when
  this one does."
  (:require
   [clojure.edn :as edn]
   [clojure.java.io :as io]
   [clojure.string :as str]
   [hinny.forked-jvm :as forked]
   [hinny.impl.text :as text]
   [hinny.probe :as probe])
  (:import
   (java.io BufferedReader Closeable PrintWriter PushbackReader)
   (java.lang.management ManagementFactory)
   (java.net InetAddress ServerSocket Socket)
   (java.nio.file Files Path)
   (javax.management ObjectName ReflectionException)))

(set! *warn-on-reflection* true)

;;; There

(defn- call-here
  [[function arguments]]
  (try
    {:value (apply (requiring-resolve function) arguments)}
    (catch Throwable t
      (.printStackTrace t)
      {:thrown (str t)})))

(defn take-calls
  "Does what comes over a connection to `port`, until it ends. What the other JVM runs."
  [port]
  (with-open [socket (Socket. (InetAddress/getLoopbackAddress) (int port))
              in (PushbackReader. (io/reader socket))
              out (PrintWriter. (io/writer socket))]
    (loop []
      (when-let [message (edn/read {:eof nil} in)]
        (.println out (pr-str (call-here message)))
        (.flush out)
        (recur)))))

(defn- status-kib
  "A size in the kernel's account of this process."
  [field]
  (parse-long (some #(second (re-find (re-pattern (str field ":\\s+(\\d+) kB")) %))
                    (Files/readAllLines (Path/of "/proc/self/status" (make-array String 0))))))

(defn- trim
  "Gives back to the system what the C library's allocator keeps for later, where the JDK can do that (17.0.9, 21)."
  []
  (try
    (.invoke (ManagementFactory/getPlatformMBeanServer)
             (ObjectName. "com.sun.management:type=DiagnosticCommand")
             "systemTrimNativeHeap"
             (object-array 0)
             (make-array String 0))
    (catch ReflectionException _ nil)))

(defn- thread-count
  "How many threads there are besides workers, which come and go as they are needed."
  []
  (count (remove #(str/starts-with? (.getName ^Thread %) "hinny-worker") (keys (Thread/getAllStackTraces)))))

(defn process-weight
  "What this JVM weighs: resident memory in KiB, its peak, and what is left of it when the allocator has given back what
  it keeps; the used heap after a collection in KiB; descriptors, threads besides workers, and global JNI references."
  []
  (System/gc)
  (let [runtime (Runtime/getRuntime)
        resident (status-kib "VmRSS")
        peak (status-kib "VmHWM")]
    (trim)
    {:rss-kib resident
     :peak-kib peak
     :trimmed-kib (status-kib "VmRSS")
     :heap-kib (quot (- (.totalMemory runtime) (.freeMemory runtime)) 1024)
     :fds (count (.list (io/file "/proc/self/fd")))
     :threads (thread-count)
     :global-references (probe/global-references)}))

;;; Here

(def growth-max-kib
  "What a JVM may come to weigh more in a test, in KiB, besides what the test is about: compiled code and the compiler's
  memory, arenas of malloc, and threads add from five to fifteen MiB, and not the same in each run."
  (* 32 1024))

(defrecord OtherJvm [process ^Socket socket ^BufferedReader in ^PrintWriter out ended]
  Closeable
  (close [_]
    (.close socket)
    (force ended)))

(defn open
  "Starts a JVM with `:flags` behind those of this JVM."
  ^Closeable [options]
  (with-open [listener (ServerSocket. 0 1 (InetAddress/getLoopbackAddress))]
    (.setSoTimeout listener probe/guard-ms)
    (let [process (forked/start `take-calls options (.getLocalPort listener))
          socket (.accept listener)]
      (->OtherJvm process
                  socket
                  (io/reader socket)
                  (PrintWriter. (io/writer socket))
                  (delay (forked/finish process))))))

(defn call
  "Calls the function named by the symbol `function` in `jvm` with `arguments`; its value. One call at a time."
  [{:keys [^BufferedReader in ^PrintWriter out] :as jvm} function & arguments]
  (.println out (pr-str [function (vec arguments)]))
  (.flush out)
  (let [line (.readLine in)
        {:keys [value thrown]} (when line (edn/read-string line))]
    (when (or (nil? line) thrown)
      (throw (ex-info (str function ": " (or thrown "the JVM has ended")) {:output (when-not line (:output @(:ended jvm)))})))
    value))

(defn weigh
  "The `process-weight` of `jvm`."
  [jvm]
  (call jvm `process-weight))

(defn end
  "Lets `jvm` end; see `hinny.forked-jvm/finish`."
  [jvm]
  (.close ^Closeable jvm)
  @(:ended jvm))

(defn mib
  "KiB as MiB, for a line of output."
  [kib]
  (str/replace (text/formatted "%.1f MiB" (/ kib 1024.0)) "," "."))
