(ns jetty-peer.app
  "A rival of the load benches: Ring on Jetty, with what Debian packages of it, as a Clojure team has it today.

  * `handler` -- `/plaintext`, `/json` and `/service`, 404 otherwise
  * `-main`   -- start it and say where it listens

      java … clojure.main -m jetty-peer.app 8080
      ;; prints: listening on 127.0.0.1:8080

  The JSON object of `/json` is a new map for each request, which cheshire serialises. Middleware is only where it is
  needed. Threads: all is pure but `-main`."
  (:require
   [cheshire.core :as cheshire]
   [jetty-peer.service :as service]
   [jetty-peer.start :as start]))

(set! *warn-on-reflection* true)

(defn- answer
  [request]
  (case (:uri request)
    "/plaintext" {:status 200
                  :headers {"Content-Type" "text/plain"}
                  :body "Hello, World!"}
    "/json" {:status 200
             :headers {"Content-Type" "application/json"}
             :body (cheshire/generate-string {:message "Hello, World!"})}
    "/service" (service/handler request)
    {:status 404 :headers {} :body nil}))

(defn- text->bytes
  "The adapter sends text in chunks, but an array with Content-Length and in one write."
  [body]
  (if (string? body)
    (.getBytes ^String body "UTF-8")
    body))

(defn handler
  "Answers one Ring request."
  [request]
  (update (answer request) :body text->bytes))

(defn -main
  "Serves on 127.0.0.1 until the process ends; `port` is 0 for a free one."
  [port]
  (start/serve handler (Long/parseLong port)))
