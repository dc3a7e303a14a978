(ns jetty-peer.start
  "What the programs here have in common: they serve one handler for as long as they live, by ring-jetty-adapter.

  * `serve` -- start Jetty and say where it listens

  The adapter's own defaults hold: 8 to 50 threads, selectors and acceptors as Jetty reckons them by the processors that
  the JVM sees (`-XX:ActiveProcessorCount`), `Date` and `Server` in every answer. Only the backlog is as the other rivals
  have it."
  (:require
   [ring.adapter.jetty :as jetty])
  (:import
   (org.eclipse.jetty.server Server ServerConnector)))

(set! *warn-on-reflection* true)

(def ^:private backlog
  "Connections that wait to be accepted; as many as for the hyper server."
  4096)

(defn- connector
  ^ServerConnector [^Server server]
  (first (.getConnectors server)))

(defn serve
  "Serves `handler` on 127.0.0.1 until the process ends; `port` is a number, 0 for a free one."
  [handler port]
  (let [server (jetty/run-jetty handler {:host "127.0.0.1"
                                         :port port
                                         :join? false
                                         :configurator #(.setAcceptQueueSize (connector %) backlog)})]
    (println (str "listening on 127.0.0.1:" (.getLocalPort (connector server))))
    (flush)
    (.join ^Server server)))
