(ns hinny.descriptors-test
  "A server that runs out of file descriptors gives up connections that wait for a request, the oldest first, so that new
  clients are served; and says so once, not for each of them."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.other-jvm :as other]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (ch.qos.logback.classic Level Logger)
   (ch.qos.logback.classic.spi ILoggingEvent)
   (ch.qos.logback.core AppenderBase)
   (hinny.raw_client Client)
   (java.io Closeable InputStream)
   (java.net Socket SocketException SocketTimeoutException)
   (org.slf4j LoggerFactory)))

(set! *warn-on-reflection* true)

(def ^:private descriptors
  "What the other JVM may have open."
  256)

(def ^:private clients
  "More than that."
  500)

;;; There

(def ^:private running (atom nil))

(def ^:private lines (atom 0))

(defn- count-lines
  "Counts the warnings of the native side."
  []
  (.addAppender ^Logger (LoggerFactory/getLogger "hinny.native")
                (doto (proxy [AppenderBase] []
                        (append [event]
                          (when (= Level/WARN (.getLevel ^ILoggingEvent event))
                            (swap! lines inc))))
                  .start)))

(defn start
  "Starts a server; its port."
  [options]
  (count-lines)
  (server/server-port
    (reset! running (server/run-server (fn [{:keys [uri]}] (probe/ok uri)) (merge {:host "127.0.0.1" :port 0} options)))))

(defn accept-failures
  "How often the server could not accept a connection, and how many lines about it were logged."
  []
  [(:accept-failures (server/server-metrics @running)) @lines])

;;; Here

(defn- ended?
  "Whether the server has closed a connection; one that it keeps is not waited for."
  [^Client client]
  (try
    (.setSoTimeout ^Socket (.-socket client) 1)
    (neg? (.read ^InputStream (.-in client)))
    (catch SocketTimeoutException _ false)
    (catch SocketException _ true)))

(defn- ask-and-stay
  "A client that has had its answer and keeps its connection; with `:served?`."
  [port]
  (let [client (raw/connect port)]
    (raw/send! client (raw/get-request "/a"))
    (assoc client :served? (= [200 "/a"] ((juxt :status :body) (raw/read-response client))))))

(deftest idle-connections-make-room-test
  (doseq [loops [1 2]]
    (testing (str clients " clients that keep their connection, " descriptors " descriptors, " loops " event loops")
      (let [jvm (other/open {:descriptors descriptors})]
        (try
          (let [port (other/call jvm `start {:event-loops loops})
                kept (vec (repeatedly clients #(ask-and-stay port)))]
            (try
              (is (= clients (count (filter :served? kept))) "each is served, though those before it are idle")
              (is (true? (ended? (first kept))) "the oldest was closed for the newest")
              (is (false? (ended? (peek kept))))
              (let [[failures logged] (other/call jvm `accept-failures)]
                (is (< 5 failures))
                (is (<= 1 logged (/ failures 3)) "it is logged now and then"))
              (finally (run! #(.close ^Closeable %) kept))))
          (is (forked/sound? (other/end jvm)))
          (finally (.close ^Closeable jvm)))))))
