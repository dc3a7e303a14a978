(ns hinny-bench.start
  "What the programs here have in common: they serve one handler for as long as they live.

  * `serve` -- start a server and say where it listens"
  (:require
   [hinny.server :as server]))

(set! *warn-on-reflection* true)

(def ^:private modes
  {"inline" {:handler-mode :inline}
   "worker" {:handler-mode :worker}
   "virtual" {:handler-mode :worker :worker-threads :virtual}})

(defn serve
  "Serves `handler` with `options` of `hinny.server/run-server` until the process ends. `mode` is where it is called:
  `inline`, `worker` or `virtual` (JDK 21+). The address is 127.0.0.1, or the environment's HOST."
  [handler mode options]
  (let [host (or (System/getenv "HOST") "127.0.0.1")
        mode-options (or (modes mode)
                         (throw (ex-info (str "mode must be inline, worker or virtual, is " (pr-str mode)) {})))
        server (server/run-server handler (merge {:host host} mode-options options))]
    (println (str "listening on " host ":" (server/server-port server)))
    (flush)
    @(promise)))
