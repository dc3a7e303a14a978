(ns slow-readers
  "The server of slow_readers.py: `/endless` never ends, anything else is a short text. Prints where it listens."
  (:require
   [hinny.server :as server]))

(def ^:private piece
  (apply str (repeat 4096 "x")))

(defn- handler
  [{:keys [uri]}]
  {:status 200
   :headers {"Content-Type" "text/plain"}
   :body (if (= "/endless" uri) (repeat piece) "Hello, World!")})

(let [running (server/run-server handler {:host "127.0.0.1" :port 0 :worker-threads 1000 :response-write-timeout-ms 3600000})]
  (println (str "listening on 127.0.0.1:" (server/server-port running)))
  (.join running))
