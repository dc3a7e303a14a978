(ns hinny.soak-server
  "The servers of the soak, in a JVM of their own: one with workers, one with an async handler, and one whose workers
  have a short queue, so that it refuses what is too much.

  * `start`   -- start them; their ports
  * `metrics` -- the sums of their counters"
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [hinny.probe :as probe]
   [hinny.server :as server])
  (:import
   (java.io ByteArrayInputStream File)
   (java.util.concurrent Executors ScheduledExecutorService ThreadFactory TimeUnit)
   (java.util.concurrent.locks LockSupport)))

(set! *warn-on-reflection* true)

(defonce ^:private running (atom []))

(def ^:private file
  (delay (doto (File/createTempFile "hinny-soak-" ".txt")
           (.deleteOnExit)
           (spit (str/join (repeat 100000 "0123456789"))))))

(defn- length-of
  [{:keys [query-string]}]
  (parse-long query-string))

(defn- content
  "So many bytes, each told by its place."
  ^bytes [length]
  (let [bytes (byte-array length)]
    (dotimes [i length]
      (aset bytes i (byte (+ 48 (mod i 10)))))
    bytes))

(defn- handler
  [{:keys [uri body] :as request}]
  (case uri
    "/plain" (probe/ok "plain")
    "/bytes" (probe/ok (content (length-of request)))
    "/stream" (probe/ok (ByteArrayInputStream. (content (length-of request))))
    "/seq" (probe/ok (map str (range (length-of request))))
    "/file" (probe/ok (io/file @file))
    "/echo" (probe/ok body)
    "/count" (probe/ok (str (alength (.readAllBytes ^java.io.InputStream body))))
    "/unread" (probe/ok "unread")
    "/slow" (do
              (LockSupport/parkNanos 10000000)
              (probe/ok "slow"))
    "/throw" (throw (ex-info "thrown on purpose" {}))
    "/invalid" {:status 200 :headers {"X" "a\nb"}}))

(defonce ^:private ^ScheduledExecutorService later
  (Executors/newSingleThreadScheduledExecutor
    (reify ThreadFactory
      (newThread [_ task]
        (doto (Thread. task "soak-later") (.setDaemon true))))))

(defn- async-handler
  "Answers at once, or `/slow` a little later on another thread."
  [{:keys [uri] :as request} respond raise]
  (cond
    (= "/slow" uri) (.schedule later ^Runnable #(respond (probe/ok "slow")) 10 TimeUnit/MILLISECONDS)
    (= "/throw" uri) (raise (ex-info "raised on purpose" {}))
    :else (respond (handler request))))

(def ^:private options
  {:host "127.0.0.1"
   :port 0
   :event-loops 2
   :worker-threads 32
   :keep-alive-timeout-ms 5000
   :header-read-timeout-ms 5000
   :body-read-timeout-ms 5000
   :response-write-timeout-ms 5000
   :max-body-bytes 33554432})

(defn start
  "Starts the servers; their ports by kind."
  []
  (let [servers {:workers (server/run-server handler options)
                 :async (server/run-server async-handler (assoc options :handler-mode :async))
                 :short-queue (server/run-server handler (assoc options :worker-threads 8 :worker-queue-depth 16))}]
    (reset! running (vals servers))
    (update-vals servers server/server-port)))

(defn metrics
  "The sums of the servers' counters."
  []
  (apply merge-with + (map server/server-metrics @running)))
