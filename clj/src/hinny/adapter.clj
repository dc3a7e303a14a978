(ns hinny.adapter
  "Hinny in the place of ring-jetty-adapter.

  * `run-jetty` -- start a server for a handler with ring-jetty-adapter's option names

      (run-jetty (fn [request] {:status 200 :headers {} :body (:uri request)}) {:port 8080 :join? false})
      ;; => #<hinny.server.Server port 8080 :running>

  Failures to start throw `ex-info` whose `:type` is a keyword of `hinny.impl.error`."
  (:require
   [hinny.server :as server])
  (:import
   (io.github.hinny Stoppable)))

(set! *warn-on-reflection* true)

(defn run-jetty
  "Starts a server for a Ring handler as `ring.adapter.jetty/run-jetty` does, and returns a `hinny.server.Server`, which
  has `.stop` and `.join`.

  `handler` is as for `hinny.server/run-server`; with `:async? true` a function of request, respond and raise.

  `opts` is a map of ring-jetty-adapter's options (1.15) and of those in `docs/options.md`. The most used:

      key                    meaning                                                          default
      :port                  port to listen on, 0 for a free one                              80
      :host                  address to listen on, nil for every one                          nil
      :join?                 whether to return only when the server has stopped               true
      :daemon?               whether the JVM may end while the server runs                    false
      :async?                whether the handler has three arguments; it may block            false
      :async-timeout         from request to response, milliseconds, 0 for ever               300000
      :async-timeout-handler what answers then, a function of request, respond and raise      nil
      :max-threads           most handlers that run at once                                   64
      :max-queued-requests   requests that may wait for a thread, beyond it 503               16384
      :request-header-size   largest request line with header fields, beyond it 431           32768
      :max-idle-time         idle connection, milliseconds                                    75000
      :send-server-version?  whether responses have a Server header                           true
      :max-body-bytes        largest request body: Hinny's option, Jetty has none             1099511627776

  The default of `:max-body-bytes` is as much as there may be, for an application that relies on Jetty's having no limit:
  give one that fits yours. `docs/migration.md` tells of the other options, and which are refused for what reason.

  Throws what `hinny.server/run-server` throws."
  {:added "0.1"}
  ^Stoppable [handler opts]
  (server/start :run-jetty handler opts))
