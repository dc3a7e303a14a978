(ns hinny-load.server
  "Hinny's side of the rows of the load benches that are not TechEmpower's, as a user would write it: public API only.

  * `handler` -- `/order` and `/service`, and what the TechEmpower application has; never blocks
  * `-main`   -- start it and say where it listens

      java … clojure.main -m hinny-load.server worker 2 0 auto
      ;; prints: listening on 127.0.0.1:41231

  `/order` answers one field of the JSON object that it is sent. Query and body are parsed by the core. Threads: all is
  pure but `-main`."
  (:require
   [hinny-bench.app :as app]
   [hinny-bench.start :as start]
   [hinny-load.service :as service]))

(set! *warn-on-reflection* true)

(defn handler
  "Answers one Ring request."
  [request]
  (case (:uri request)
    "/order" {:status 200
              :headers {"Content-Type" "text/plain"}
              :body (get-in (:json-params request) ["customer" "email"])}
    "/service" (service/handler request)
    (app/handler request)))

(defn -main
  "Serves on 127.0.0.1 until the process ends. `mode` is `inline`, `worker` or `virtual`, `loops` the number of event
  loops, `port` 0 for a free one; `engine`, the HTTP/1.1 engine, is `auto` or `hyper`."
  [mode loops port engine]
  (start/serve handler
               mode
               {:port (parse-long port)
                :event-loops (parse-long loops)
                :http1-engine (keyword engine)
                :parse #{:query :json}}))
