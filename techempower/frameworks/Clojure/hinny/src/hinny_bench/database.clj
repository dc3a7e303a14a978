(ns hinny-bench.database
  "The database tests on Hinny: handlers that block, on threads where they may.

  * `-main` -- start them on the database that the environment's DATABASE_URL names, and say where they listen

      DATABASE_URL='jdbc:postgresql://127.0.0.1:5432/hello_world?user=…&password=…' \\
        clojure -M -m hinny-bench.database worker 2 8080
      ;; prints: listening on 127.0.0.1:8080"
  (:require
   [hinny-bench.database.handlers :as handlers]
   [hinny-bench.database.pool :as pool]
   [hinny-bench.start :as start]))

(set! *warn-on-reflection* true)

(defn -main
  "Serves on 127.0.0.1, or on the address in the environment's HOST, until the process ends. `mode` is `worker` or
  `virtual`, `loops` the number of event loops, `port` 0 for a free one."
  [mode loops port]
  (let [jdbc-url (or (System/getenv "DATABASE_URL")
                     (throw (ex-info "DATABASE_URL is not set: a JDBC URL with user and password" {})))]
    (start/serve (handlers/handler (pool/data-source jdbc-url))
                 mode
                 {:event-loops (parse-long loops)
                  :port (parse-long port)
                  :parse #{:query}})))
