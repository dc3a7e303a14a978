(ns consumer.main
  "A stranger's whole program: one handler, no Hinny setting. Prints `port N` when it listens, then
  runs until its process is ended.

      java -cp … clojure.main -m consumer.main
      ;; port 49213"
  (:require
   [hinny.server :as server]))

(set! *warn-on-reflection* true)

(defn- handler [request]
  {:status 200
   :headers {"Content-Type" "text/plain"}
   :body (str "consumer " (:uri request))})

(defn -main
  "Starts the server on a free port and waits for ever."
  [& _]
  (let [running (server/run-server handler {:port 0 :host "127.0.0.1"})]
    (println "port" (server/server-port running))
    (flush)
    @(promise)))
