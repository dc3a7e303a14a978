(ns hinny.rolling-restart-test
  "Rolling restarts with `:reuse-port?`: the next server listens on the port before the last one stops, and no client
  notices. Each server is in a JVM of its own; the clients are in this one, some on connections that they keep, some
  with a connection for each request."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.impl.text :as text]
   [hinny.other-jvm :as other]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (java.util.concurrent.atomic AtomicLong)
   (java.util.concurrent.locks LockSupport)))

(set! *warn-on-reflection* true)

;;; In the servers' JVMs

(def ^:private running (atom nil))

(defn start
  "Starts a server on `port` that shares it; its port."
  [port]
  (server/server-port
    (reset! running (server/run-server (fn [{:keys [uri body]}] (probe/ok (str uri (some-> body slurp))))
                                       {:host "127.0.0.1" :port port :reuse-port? true :event-loops 2}))))

(defn stop
  "Stops it; the counters that tell of harm."
  []
  (let [metrics (server/server-metrics @running)]
    (server/stop-server @running)
    (select-keys metrics [:requests :panics :errors-answered :accept-failures])))

;;; Clients

(defn- last?
  "Reads the answer to a request for `path`; whether it is the connection's last."
  [client path]
  (let [{:keys [status body] :as response} (raw/read-response client)]
    (when-not (and (= 200 status) (= path body))
      (throw (ex-info "wrong answer" {:path path :response response})))
    (= "close" (raw/header response "connection"))))

(defn- get-last?
  [client path & lines]
  (raw/send! client (apply raw/get-request path lines))
  (last? client path))

(defn- post-last?
  "The same with a body, which comes a little later than its head."
  [client path]
  (raw/send! client (raw/head "POST / HTTP/1.1" "host: x" (str "content-length: " (dec (count path)))))
  (LockSupport/parkNanos 100000)
  (raw/send! client (subs path 1))
  (last? client path))

(defn- keeping-client
  "Requests on a connection until the server says that it closes, then on the next."
  [port next-path stopped?]
  (with-open [client (raw/connect port)]
    (loop []
      (when-not (or (get-last? client (next-path)) (post-last? client (next-path)) (stopped?))
        (LockSupport/parkNanos 200000)
        (recur)))))

(defn- new-client
  [port next-path _]
  (with-open [client (raw/connect port)]
    (get-last? client (next-path) "Connection: close"))
  (LockSupport/parkNanos 1000000))

(defn- run-client
  "Does `work` again and again until `stopped?`; a future of how often that went wrong, and how."
  [work port ^AtomicLong requests stopped?]
  (let [next-path #(str "/" (.incrementAndGet requests))]
    (future
      (loop [failures []]
        (if (stopped?)
          failures
          (recur (try
                   (work port next-path stopped?)
                   failures
                   (catch Exception e (conj failures (str e))))))))))

(defn- under-load
  "Calls `f` while clients are at work on `port`, with a function that waits until all kinds of them have got further;
  how many requests there were, and what went wrong."
  [port f]
  (let [stopped (atom false)
        kept (AtomicLong.)
        new (AtomicLong.)
        counts #(vector (.get kept) (.get new))
        flow (fn []
               (let [before (counts)]
                 (probe/await-that #(every? (fn [n] (< 100 n)) (map - (counts) before)))))
        start (fn [work requests] (run-client work port requests (fn [] @stopped)))
        clients (into (vec (repeatedly 8 #(start keeping-client kept))) (repeatedly 8 #(start new-client new)))]
    (try
      (flow)
      (f flow)
      (flow)
      (finally (reset! stopped true)))
    {:failures (into [] (mapcat #(deref % probe/guard-ms ["a client hangs"])) clients)
     :kept (.get kept)
     :new (.get new)}))

(defn- hand-over
  "The server of `to` takes the port over from that of `from`."
  [from to port]
  (other/call to `start port)
  (other/call from `stop))

(def ^:private restarts 20)

(deftest rolling-restart-test
  (with-open [a (other/open {})
              b (other/open {})]
    (let [port (other/call a `start 0)
          harm (atom [])
          {:keys [failures kept new]} (under-load port
                                                  (fn [flow]
                                                    (doseq [[from to] (take restarts (cycle [[a b] [b a]]))]
                                                      (swap! harm conj (hand-over from to port))
                                                      (flow))))]
      (testing (str restarts " servers one after the other on a port, two at a time")
        (is (= [] failures) "no request without its answer, no connection refused or reset")
        (is (= restarts (count @harm)))
        (is (every? #(= [0 0 0] ((juxt :panics :errors-answered :accept-failures) %)) @harm)))
      (println (text/formatted "      %d restarts, %,d requests on kept connections, %,d on new ones, %d failures"
                 restarts kept new (count failures))))
    (testing "the JVMs end well"
      (is (forked/sound? (other/end a)))
      (is (forked/sound? (other/end b))))))

(deftest next-jvm-test
  (testing "JVMs one after the other: the last one ends, with System/exit, when the next one serves"
    (let [first-jvm (other/open {})
          port (other/call first-jvm `start 0)
          ended (atom [])
          {:keys [failures kept new]} (under-load port
                                                  (fn [flow]
                                                    (loop [jvm first-jvm
                                                           left 2]
                                                      (if (zero? left)
                                                        (swap! ended conj jvm)
                                                        (let [next-jvm (other/open {})]
                                                          (hand-over jvm next-jvm port)
                                                          (swap! ended conj jvm)
                                                          (other/end jvm)
                                                          (flow)
                                                          (recur next-jvm (dec left)))))))]
      (is (= [] failures))
      (is (every? forked/sound? (map other/end @ended)))
      (println (text/formatted "      2 JVMs replaced, %,d requests on kept connections, %,d on new ones, %d failures"
                 kept new (count failures))))))
