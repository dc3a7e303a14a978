(ns hinny-bench.app
  "The tests without a database, written as a user would write them: public API only.

  * `handler` -- `/plaintext` and `/json`, 404 otherwise; never blocks, so it fits every handler mode
  * `-main`   -- start it and say where it listens

      clojure -M -m hinny-bench.app inline 2 8080
      ;; prints: listening on 127.0.0.1:8080

  The JSON object of `/json` is a new map for each request, and each is walked and serialised: nothing is
  kept. Threads: everything here is a pure function but `-main`."
  (:require
   [hinny-bench.start :as start]
   [hinny.json :as json]))

(set! *warn-on-reflection* true)

(defn- greeting
  "The object that `/json` answers, a new one at each call."
  [text]
  {:message text})

(defn handler
  "Answers one Ring request."
  [request]
  (case (:uri request)
    "/plaintext" {:status 200
                  :headers {"Content-Type" "text/plain"}
                  :body "Hello, World!"}
    "/json" {:status 200
             :headers {"Content-Type" "application/json"}
             :body (json/body (greeting "Hello, World!"))}
    {:status 404 :headers {} :body nil}))

(defn -main
  "Serves on 127.0.0.1, or on the address in the environment's HOST, until the process ends. `mode` is `inline`,
  `worker` or `virtual`, `loops` the number of event loops, `port` 0 for a free one; `engine`, the HTTP/1.1 engine, is
  `auto` or `hyper`."
  ([mode loops port]
   (-main mode loops port "auto"))
  ([mode loops port engine]
   (start/serve handler
                mode
                {:port (parse-long port)
                 :event-loops (parse-long loops)
                 :http1-engine (keyword engine)})))
