(ns hinny.unread-responses-test
  "Thousands of clients that ask for a large String and do not read cost a server with a small heap neither its memory nor
  its life: others have an answer meanwhile, and a good one when they have left."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.other-jvm :as other]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (java.io Closeable)
   (java.net InetSocketAddress)
   (java.nio ByteBuffer)
   (java.nio.channels SocketChannel)))

(set! *warn-on-reflection* true)

(def ^:private readers
  "How many clients do not read: together they ask for more than twice the heap."
  2000)

(def ^:private budget-kib (* 48 1024))

;;; There

(def ^:private running (atom nil))

(def ^:private large (str/join (repeat 300000 "x")))

(defn start
  "Starts a server; its port."
  [{:keys [handler-mode] :as options}]
  (let [respond-to (fn [{:keys [uri]}]
                     {:status 200 :body (if (= "/large" uri) large uri)})]
    (server/server-port
      (reset! running
              (server/run-server
                (if (= :async handler-mode)
                  (fn [request respond _] (respond (respond-to request)))
                  respond-to)
                (merge {:host "127.0.0.1" :port 0 :max-pending-response-bytes (* 1024 (long budget-kib))} options))))))

;;; Here

(defn- reader!
  ^SocketChannel [port]
  (let [channel (SocketChannel/open)]
    (.setReceiveBufferSize (.socket channel) 4096)
    (.connect channel (InetSocketAddress. "127.0.0.1" (int port)))
    (.write channel (ByteBuffer/wrap (raw/latin1 (raw/get-request "/large"))))
    channel))

(defn- answer [port]
  (with-open [client (raw/connect port)]
    (raw/send! client (raw/get-request "/small"))
    (:status (raw/read-response client))))

(deftest unread-strings-test
  (doseq [mode [:worker :inline :async]]
    (testing (str readers " clients that do not read 300 KB, 256 MiB of heap, " mode)
      (let [jvm (other/open {:flags ["-Xmx256m"]})]
        (try
          (let [port (other/call jvm `start {:handler-mode mode :event-loops 2})
                before (other/weigh jvm)
                channels (doall (repeatedly readers #(reader! port)))]
            (try
              (is (every? #{200 503} (repeatedly 20 #(answer port))) "others have an answer")
              (finally (run! #(.close ^Closeable %) channels)))
            (is (probe/await-that #(= 200 (answer port))) "and a good one when these have left")
            (let [grown (- (:peak-kib (other/weigh jvm)) (:peak-kib before))]
              (println (str "unread responses, " mode ": " (other/mib grown) " more at most"))
              (is (< grown (+ budget-kib (* 256 1024) other/growth-max-kib)))))
          (let [{:keys [output] :as end} (other/end jvm)]
            (is (forked/sound? end))
            (is (not (str/includes? output "OutOfMemoryError"))))
          (finally (.close ^Closeable jvm)))))))
