(ns hinny.server
  "Ring-compatible HTTP server with a native core.

  * `run-server`     -- start a server for a handler, return a `Server`
  * `stop-server`    -- let it finish what it has begun, then stop it
  * `server-port`    -- the port it listens on
  * `server-status`  -- `:running`, `:stopping` or `:stopped`
  * `server-metrics` -- its counters
  * `on-close`       -- a function to call when a client leaves
  * `options`        -- what options there are
  * `routes`         -- its routes, as data
  * `swap-routes!`   -- give it other routes while it serves

      (with-open [server (run-server (fn [request] {:status 200 :headers {} :body (:uri request)}) {:port 0})]
        (slurp (str \"http://127.0.0.1:\" (server-port server) \"/hello\")))
      ;; => \"/hello\"

  Failures to start throw `ex-info` whose `:type` is a keyword of `hinny.impl.error`."
  (:require
   [hinny.impl.body :as body]
   [hinny.impl.error :as error]
   [hinny.impl.foreign :as foreign]
   [hinny.impl.handler-timeout :as handler-timeout]
   [hinny.impl.health :as health]
   [hinny.impl.lenient-headers :as lenient-headers]
   [hinny.impl.options :as options]
   [hinny.router :as router])
  (:import
   (clojure.lang Keyword)
   (io.github.hinny Engine Engine$Mode Engine$Settings Engine$State EngineException Lifeline RingRequest RouteTable Stoppable)
   (java.io Writer)))

(set! *warn-on-reflection* true)

(defn- stop-engine
  [^Engine engine settings opts]
  (.stop engine (long (options/drain-timeout-ms settings opts)))
  nil)

(deftype Server [^Engine engine settings metadata]
  clojure.lang.IObj
  (meta [_] metadata)
  (withMeta [_ new-metadata] (Server. engine settings new-metadata))

  Stoppable
  (engine [_] engine)
  (settings [_] settings)
  (close [_] (stop-engine engine settings nil))
  (stop [_] (stop-engine engine settings nil))
  (join [_] (.join engine))

  clojure.lang.IFn
  (invoke [_] (stop-engine engine settings nil))
  (invoke [_ opts] (stop-engine engine settings opts))
  (invoke [_ option value] (stop-engine engine settings {option value}))
  (applyTo [this arguments] (clojure.lang.AFn/applyToHelper this arguments))
  (call [this] (.invoke this))
  (run [this] (.invoke this)))

(defn- held
  "`server`, which must be what `run-server` returned; of before a reload too."
  ^Stoppable [server]
  (if (instance? Stoppable server)
    server
    (throw (IllegalArgumentException. (str "needs a server, as run-server returns it, not " (pr-str server))))))

(defn server-port
  "Returns the port that `server` listens on (or listened on), a positive int."
  {:added "0.1"}
  ^long [server]
  (.port (.engine (held server))))

(defn server-status
  "Returns `:running`, `:stopping` (it finishes what it has begun) or `:stopped`."
  {:added "0.1"}
  ^Keyword [server]
  (condp = (.state (.engine (held server)))
    Engine$State/RUNNING :running
    Engine$State/STOPPING :stopping
    :stopped))

(defn server-metrics
  "Returns the counters of `server` since its start, a map of keyword to long; empty when it has stopped.

  `:connections-accepted :connections-open :requests :exchanges-open :core-responses :errors-answered :exchanges-cut
  :replies-stale :panics :accept-failures :loops-reopened`

  And of its workers now `:workers-busy`, of these `:workers-streaming` (with a streamed body) and `:workers-stuck` (at
  anything else for a second or longer), `:exchanges-queued` (they wait for a worker); since its start `:exchanges-refused`
  (answered 503 because no worker had room)."
  {:added "0.1"}
  [server]
  (update-keys (into {} (.metrics (.engine (held server)))) keyword))

(defmethod print-method Server
  [server ^Writer writer]
  (.write writer (str "#<hinny.server.Server port " (server-port server) " " (server-status server) ">")))

(defn- start-failure
  [^EngineException exception {:keys [host port]}]
  (let [kind (.kind exception)]
    (if (contains? #{"port-in-use" "bind-failed" "option-invalid"} kind)
      (error/failure kind (.getMessage exception) {:host host :port port} exception)
      (error/failure "internal" (str "cannot start: " (.getMessage exception)) {:kind kind} exception))))

(defn- compile-routes
  "Returns the `RouteTable` of `source`, route data or a router, with the server's health endpoints."
  ^RouteTable [source {:keys [handler health] :as settings}]
  (router/server-table source {:fallback? (some? handler)
                               :trailing-slash (:trailing-slash settings)
                               :options settings
                               :wrap (when (:lenient-headers? settings) lenient-headers/wrap)
                               :more (health/routes health)}))

(defn- engine-settings
  [{:keys [handler host event-loops handler-mode worker-threads stream-threads worker-queue-depth exchange-buffer-bytes
           drain-delay-ms on-drained on-error]}
   route-table]
  (Engine$Settings. handler
                    route-table
                    (int event-loops)
                    (case handler-mode
                      :worker Engine$Mode/WORKER
                      :inline Engine$Mode/INLINE
                      :async Engine$Mode/ASYNC
                      :async-worker Engine$Mode/ASYNC_WORKER)
                    (int (if (= :virtual worker-threads) 0 worker-threads))
                    (int stream-threads)
                    (int worker-queue-depth)
                    (int exchange-buffer-bytes)
                    host
                    (long drain-delay-ms)
                    on-drained
                    on-error))

(defn- tie-to-jvm
  [^Engine engine {:keys [daemon? shutdown-hook? drain-timeout-ms]}]
  (when-not daemon?
    (Lifeline/keepAlive engine))
  (when shutdown-hook?
    (Lifeline/stopAtShutdown engine (long drain-timeout-ms))))

(defn- serve
  ^Stoppable [^Engine engine {:keys [join? drain-timeout-ms health] :as settings}]
  (try
    (handler-timeout/stop-with engine settings)
    (when health
      (health/start engine health))
    (tie-to-jvm engine settings)
    (catch Throwable failure
      (.stop engine 0)
      (throw failure)))
  (when join?
    (Lifeline/join engine (long drain-timeout-ms)))
  (->Server engine settings {:local-port (.port engine)}))

(defn- check-handler
  [handler {:keys [routes]}]
  (when-not (or (ifn? handler) (and (nil? handler) routes))
    (throw (error/failure "handler-invalid"
                          (str "handler must be a function" (when routes " or nil") ", is " (pr-str handler))
                          {}))))

(defn options
  "Returns the options of `run-server`, sorted by name: maps of `:name`, `:type`, `:default` (on this machine) and `:doc`,
  with `:unit`, `:min`, `:max` and `:choices` where they apply; `:route?` is whether a route may have another value.

      (map :name (options))
      ;; => (:body-read-timeout-ms :daemon? …)

  Throws `ex-info` of `:hinny.error/native-library`."
  {:added "0.1"}
  []
  (options/described))

(defn ^:no-doc start
  "Starts a server as `run-server` does, with the options of `function`, `:run-server` or `:run-jetty`."
  ^Stoppable [function handler opts]
  (let [{:keys [routes] :as resolved} (foreign/resolve-options function opts)
        _ (check-handler handler resolved)
        {:keys [health] :as settings} (-> (assoc resolved :handler handler)
                                          lenient-headers/settings
                                          handler-timeout/settings
                                          (update :health health/resolve-options))
        route-table (when (or routes health) (compile-routes routes settings))]
    (body/install)
    (try
      (serve (Engine/start (engine-settings settings route-table) (options/encode (dissoc settings :handler ::handler-timeout/timer)))
             settings)
      (catch EngineException exception
        (throw (start-failure exception settings)))
      (catch UnsupportedOperationException unsupported
        (throw (error/failure "option-invalid"
                              (str ":worker-threads :virtual: " (.getMessage unsupported))
                              {:option :worker-threads :value :virtual}
                              unsupported))))))

(defn run-server
  "Starts an HTTP server for a Ring handler and returns a `Server`.

  `handler` is a function of a Ring request (or a var of one: redefinitions are followed), called by many threads at
  once; with `:handler-mode :async` or `:async-worker` a function of request, respond and raise. With `:routes` it answers what no route does,
  and may be nil. Its response must be a map as the Ring
  SPEC 1.5.1 defines it, with a body that is nil, a String (sent in the charset of Content-Type, UTF-8 without one), a
  byte array, a sequence (flushed after each element), a File, an InputStream, or anything that satisfies
  `ring.core.protocols/StreamableResponseBody` or `hinny.protocols/StreamableResponseBody`. Response and body may each
  be a `java.util.concurrent.CompletionStage`. Anything else is a logged 500.

  `opts` is a map of the options in `docs/options.md`; the most used:

      key                  meaning                                                        default
      :host                address to listen on, \"::\" for every one                      \"::\"
      :port                port to listen on, 0 for a free one                            8080
      :handler-mode        :worker, :async-worker (handlers may block), :inline or :async  :worker
      :worker-threads      most handlers that run at once, or :virtual (JDK 21+)          64
      :max-body-bytes      largest request body, beyond it 413                            8388608
      :drain-timeout-ms    from stop until unfinished exchanges are cut                   30000
      :on-drained          function to call then, to close what handlers use              nil
      :on-error            function of request and Throwable, beside the log              nil
      :routes              route data, see `docs/routing.md`                              nil
      :health              whether the core answers /live, /ready and /startup, or a map  nil
      :join?               whether to return only when the server has stopped             false
      :daemon?             whether the JVM may end while the server runs                  false
      :shutdown-hook?      whether the end of the JVM stops the server, with its drain    true

  http-kit's names (`:ip`, `:thread`, `:max-body` …) and `:async?` are taken too, see `docs/migration.md`.

  The server is `Closeable` (for `with-open`), a function that stops it (with `:timeout ms` or `{:timeout ms}` for another
  drain timeout), has `.stop` and `.join`, and the metadata `{:local-port n}`.

  Throws `ex-info`: `:hinny.error/option-unknown`, `:hinny.error/option-invalid`, `:hinny.error/option-unsupported`,
  `:hinny.error/option-conflict`, `:hinny.error/handler-invalid` and the errors of `hinny.router/router` before a socket is
  bound;
  `:hinny.error/port-in-use`, `:hinny.error/bind-failed`, `:hinny.error/native-library`."
  {:added "0.1"}
  (^Stoppable [handler] (run-server handler nil))
  (^Stoppable [handler opts] (start :run-server handler opts)))

(defn on-close
  "Calls `f` when the client of `request` has left before its response was complete, or is no longer waited for: once,
  on a worker, with `:disconnected` or `:timed-out` (`:handler-timeout-ms`). If that has happened already, soon; if the
  response becomes complete, never. A later call replaces `f`. What is thrown is logged.

  A client that ends its side of the connection (`nc -N`) may have left or may wait for the response. A request on which
  this was called takes it for left; one on which it was not is answered, with `Connection: close`.

  `request` is the map that the handler was given, or one made of it with `assoc`, `dissoc`, `merge` into it and the
  like. Throws `IllegalArgumentException` for any other map, `IllegalStateException` in a handler of `:handler-mode
  :inline`, which has answered before its client can leave."
  {:added "0.1"}
  [request f]
  (when-not (instance? RingRequest request)
    (throw (IllegalArgumentException. "on-close needs the request that the handler was given")))
  (.onClose ^RingRequest request f))

(defn stop-server
  "Stops `server`: it accepts nothing new, exchanges that have begun may finish for `:drain-timeout-ms` (as `run-server`
  was told), then it returns. Stopping twice does no harm; a handler that stops its own server does not wait.

  Of nil, a server that was never started, there is nothing to stop.

  `opts` may have another `:drain-timeout-ms`, milliseconds, which may be called `:timeout` too. Throws `ex-info` of
  `:hinny.error/option-unknown`, `:hinny.error/option-invalid` or `:hinny.error/option-conflict`; the server runs on then."
  {:added "0.1"}
  ([server] (stop-server server nil))
  ([server opts]
   (when (some? server)
     (let [stoppable (held server)]
       (stop-engine (.engine stoppable) (.settings stoppable) opts)))))

(defn routes
  "Returns the routes of `server` as `hinny.router/routes` does, `[template data]` each; nil if it has none."
  {:added "0.1"}
  [server]
  (some-> (.routes (.engine (held server))) .routes))

(defn swap-routes!
  "Gives `server` other routes, route data or a `hinny.router/router`, and returns nil. When it returns, every request that
  the server takes is matched with them; requests that were matched before go on with what they were matched with, and none
  is lost. Called on an event loop (by an inline or async handler) it returns at once, and they count soon.

  Throws as `hinny.router/router` does, and then nothing has changed; `IllegalStateException` if the server is stopped."
  {:added "0.1"}
  [server routes]
  (let [stoppable (held server)
        route-table (compile-routes routes (.settings stoppable))]
    (try
      (.setRoutes (.engine stoppable) route-table)
      (catch EngineException stopped
        (throw (IllegalStateException. (.getMessage stopped) stopped)))))
  nil)
