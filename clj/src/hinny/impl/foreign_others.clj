(ns hinny.impl.foreign-others
  "Options of servers whose names Hinny does not take: what they are called here, or why there is nothing like them.

  * `table` -- rows as in `hinny.impl.foreign/table`, of aleph 0.9 (`aleph.http/start-server`) and ring-undertow-adapter 1.4
    (`ring.adapter.undertow/run-undertow`)")

(set! *warn-on-reflection* true)

(defn- refused
  "A row of an option that asks for nothing by one of `values`, and is refused for `reason` otherwise."
  ([reason] (refused #{nil} reason))
  ([values reason] {:accept values :refuse reason}))

(def ^:private no-tls "there is no TLS yet; let a proxy in front of Hinny end it")
(def ^:private no-netty "there is no Netty pipeline")
(def ^:private no-http2 "there is no HTTP/2 yet")
(def ^:private no-compression "there is no compression yet; leave it to a proxy in front of Hinny, or to middleware")
(def ^:private no-sessions "sessions are middleware's, ring.middleware.session for one")
(def ^:private own-workers
  "handlers run on Hinny's own workers; give :worker-threads (a number or :virtual) and :worker-queue-depth")
(def ^:private always-streamed "a body over :inline-body-bytes is streamed")

(def table
  "Source -> option -> row."
  {:aleph
   {:socket-address (refused "give :host and :port")
    :listen-socket (refused "Hinny opens its own sockets; give :host and :port")
    :bootstrap-transform (refused no-netty)
    :pipeline-transform (refused no-netty)
    :initial-pipeline-transform (refused no-netty)
    :http1-pipeline-transform (refused no-netty)
    :http-versions (refused #{[:http1]} no-http2)
    :use-h2c? (refused #{nil false} no-http2)
    :conn-go-away-handler (refused no-http2)
    :stream-go-away-handler (refused no-http2)
    :reset-stream-handler (refused no-http2)
    :ssl-context (refused no-tls)
    :manual-ssl? (refused #{nil false} no-tls)
    :executor (refused own-workers)
    :shutdown-executor? (refused #{nil true} own-workers)
    :request-buffer-size (refused always-streamed)
    :raw-stream? (refused #{nil false} "a body is an InputStream; there is no stream of Netty's buffers")
    :rejected-handler (refused "more than :worker-queue-depth requests that wait are answered 503")
    :max-request-body-size {:to :max-body-bytes}
    :validate-headers (refused #{nil true} "header fields are always validated")
    :transport (refused #{nil :epoll} "Hinny's event loops use epoll")
    :epoll? (refused #{nil true} "Hinny's event loops use epoll")
    :compression? (refused #{nil false} no-compression)
    :compression-options (refused no-compression)
    :compression-level (refused no-compression)
    :idle-timeout {:to :keep-alive-timeout-ms}
    :continue-handler (refused "100 Continue is sent when a handler reads the body")
    :continue-executor (refused own-workers)
    :shutdown-timeout {:to :drain-timeout-ms}
    :allow-duplicate-content-lengths (refused #{nil false} "such a request is answered 400: two readers could frame it apart")
    :max-initial-line-length {:to :max-uri-bytes}
    :max-header-size {:to :max-head-bytes}
    :max-chunk-size (refused always-streamed)
    :initial-buffer-size (refused "buffers are made as they are needed")}

   :undertow
   {:http2? (refused #{nil false} no-http2)
    :key-managers (refused no-tls)
    :trust-managers (refused no-tls)
    :io-threads {:to :event-loops}
    :buffer-size {:to :exchange-buffer-bytes}
    :direct-buffers? (refused #{nil true} "buffers are outside the JVM heap always")
    :dispatch? (refused #{nil true} "give :handler-mode :inline for handlers on the event loop")
    :websocket? (refused #{nil false} "there are no WebSockets yet")
    :handler-proxy (refused "there is no Undertow handler to wrap; give middleware")
    :max-entity-size {:to :max-body-bytes}
    :session-manager? (refused #{nil false} no-sessions)
    :custom-manager (refused no-sessions)
    :max-sessions (refused no-sessions)
    :server-name (refused no-sessions)
    :graceful-shutdown-timeout {:to :drain-timeout-ms}}})
