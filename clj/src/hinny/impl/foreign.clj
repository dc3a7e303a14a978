(ns hinny.impl.foreign
  "The options of http-kit and ring-jetty-adapter, in terms of Hinny's own.

  * `table`  -- what each of their options means here
  * `resolve-options` -- options of both kinds as resolved options of Hinny's, or an `ex-info`

      (select-keys (resolve-options :run-server {:ip \"::1\" :thread 8}) [:host :worker-threads])
      ;; => {:host \"::1\", :worker-threads 8}

  Nothing is ignored without a word: a value is carried over, or asks for nothing (what Hinny does anyway), or is refused, or
  is only about names and is ignored with a warning."
  (:require
   [clojure.string :as str]
   [hinny.impl.error :as error]
   [hinny.impl.foreign-others :as foreign-others]
   [hinny.impl.options :as options])
  (:import
   (io.github.hinny SafeLogger)))

(set! *warn-on-reflection* true)

(def ^:private ^SafeLogger log (SafeLogger/named "hinny.server"))

(defn- refused
  "A row that accepts `values` only, by default nil, for `reason`."
  ([reason] (refused #{nil} reason))
  ([values reason] {:accept values :refuse reason}))

(def ^:private no-tls "there is no TLS yet; let a proxy in front of Hinny end it")
(def ^:private no-websocket "there are no WebSockets yet")
(def ^:private no-unix-socket "Hinny listens on TCP; give :host and :port")
(def ^:private own-workers
  "handlers run on Hinny's own workers; give :worker-threads (a number or :virtual) and :worker-queue-depth")
(def ^:private own-names {:ignore "workers are called hinny-worker-N"})
(def ^:private logs-by-slf4j "Hinny logs through SLF4J, see README.md; its counters are hinny.server/server-metrics")

(defn- target-within
  "The limit of a request's target where that of its head is `max-head-bytes`."
  [max-head-bytes]
  {:max-uri-bytes (min max-head-bytes (:max (@options/specs :max-uri-bytes)))})

(def table
  "Source -> option -> row. What a row may have:

      :accept  values that ask for nothing: a set, or a predicate with its words in :accepts
      :to      the option of Hinny's that takes the value
      :also    a function of that value: options of Hinny's that get a default by it
      :values  value -> options of Hinny's
      :pool?   whether http-kit's :pool-opts may have it too
      :refuse  why other values are refused, and what to do instead
      :ignore  why any value but nil makes no difference, which is logged as a warning
      :note    more about it, for docs/migration.md

  http-kit 2.9 (`org.httpkit.server/run-server` and `new-worker`), ring-jetty-adapter 1.15."
  (let [async {:values {true {:handler-mode :async-worker} false {:handler-mode :worker}}
               :note "Where the handler may block, as there; beside `:handler-mode :async` it runs on the event loop."}
        floor {:accept pos-int? :accepts "a positive integer" :note "Workers are made when work waits."}]
    {:http-kit
     {:ip {:to :host :note "The default is every address, IPv6 and IPv4, as there; \"0.0.0.0\" is IPv4 alone."}
      :port {:to :port :note "The default is 8080, there 8090."}
      :thread {:to :worker-threads :pool? true
               :note "On JDK 21+ http-kit takes no notice of it unless `:allow-virtual?` is false."}
      :n-threads {:to :worker-threads :pool? true}
      :n-max-threads {:to :worker-threads :pool? true}
      :n-min-threads (assoc floor :pool? true)
      :queue-size {:to :worker-queue-depth :pool? true}
      :queue-type {:accept #{:array :linked} :pool? true :note "The queue is bounded either way."}
      :allow-virtual? {:accept #{nil true false} :pool? true
                       :note "Workers are platform threads unless `:worker-threads` is `:virtual`."}
      :prefix (assoc own-names :pool? true)
      :worker-name-prefix (assoc own-names :pool? true)
      :worker-pool (refused own-workers)
      :pool-opts {:accept #{nil} :accepts "a map of worker options, or nil"
                  :note "The map's options are taken as if they stood beside it."}
      :max-body {:to :max-body-bytes :note "The same default, 8 MiB."}
      :max-line {:to :max-uri-bytes
                 :also (fn [bytes] {:max-head-bytes (max 65536 bytes)})
                 :note "Limits the request target; a single header field is limited with its head only, by
                       `:max-head-bytes`, which becomes the greater of 65536 (as there) and this."}
      :max-ws (refused no-websocket)
      :proxy-protocol (refused #{:disable} "the PROXY protocol is not read")
      :server-header {:to :server-header :note "The default is \"hinny\"."}
      :ring-async? async
      :error-logger (refused logs-by-slf4j)
      :warn-logger (refused logs-by-slf4j)
      :event-logger (refused logs-by-slf4j)
      :event-names (refused logs-by-slf4j)
      :legacy-return-value? {:accept #{true false} :note "The server is a function that stops it either way."}
      :legacy-unsafe-remote-addr?
      (refused #{false} ":remote-addr is the socket's peer; read x-forwarded-for where you trust the proxy that set it")
      :legacy-content-length?
      (refused #{false} "a response to HEAD keeps the Content-Length that the handler set")
      :address-finder (refused no-unix-socket)
      :channel-factory (refused no-unix-socket)}

     :jetty
     {:configurator (refused "there is no Jetty server to configure")
      :async? async
      :async-timeout {:to :handler-timeout-ms :note "Of every handler, async or not; 0 is none. The default is 300000."}
      :async-timeout-handler {:to :timeout-handler :note "Without it a handler that takes too long is answered 503."}
      :port {:to :port :note "The default is 80, as there."}
      :host {:to :host :accept #{nil} :note "`nil`, the default, is every address, IPv6 and IPv4, as there."}
      :unix-socket (refused no-unix-socket)
      :join? {:to :join? :note "The default is `true`, as there."}
      :daemon? {:to :daemon?}
      :http? (refused #{true} no-tls)
      :ssl? (refused #{nil false} no-tls)
      :ssl-port (refused no-tls)
      :ssl-context (refused no-tls)
      :sni-host-check? (refused #{true} no-tls)
      :exclude-ciphers (refused no-tls)
      :exclude-protocols (refused no-tls)
      :replace-exclude-ciphers? (refused #{nil false} no-tls)
      :replace-exclude-protocols? (refused #{nil false} no-tls)
      :keystore (refused no-tls)
      :keystore-type (refused no-tls)
      :key-password (refused no-tls)
      :keystore-scan-interval (refused no-tls)
      :truststore (refused no-tls)
      :trust-password (refused no-tls)
      :client-auth (refused #{nil :none} no-tls)
      :thread-pool (refused own-workers)
      :acceptor-threads (refused #{-1 0} "each event loop accepts its own connections; give :event-loops")
      :selector-threads {:to :event-loops :accept #{-1 0} :note "One per processor by default."}
      :max-threads {:to :worker-threads :note "The default is 64, there 50; threads for I/O are not among them."}
      :min-threads floor
      :max-queued-requests {:to :worker-queue-depth :note "The default is 16384; more are answered 503."}
      :thread-idle-timeout {:accept pos-int? :accepts "a positive integer" :note "Idle workers end after 30 s."}
      :max-idle-time {:to :keep-alive-timeout-ms
                      :also (fn [ms] {:body-read-timeout-ms ms :response-write-timeout-ms ms})
                      :note "And the defaults of `:body-read-timeout-ms` and `:response-write-timeout-ms`. Without it they
                            are 75, 30 and 60 s. A request's head has its own limit, `:header-read-timeout-ms`."}
      :send-date-header? (refused #{true} "every response has a Date, as RFC 9110 asks for")
      :output-buffer-size
      (refused #{32768} "responses are not gathered in a buffer; for streamed ones give :exchange-buffer-bytes")
      :request-header-size {:to :max-head-bytes :also target-within
                            :note "And the default of `:max-uri-bytes`, as far as that goes. Without it they are 32768
                                  and 8192."}
      :response-header-size {:accept pos-int? :accepts "a positive integer" :note "Response headers are not limited."}
      :send-server-version? {:values {true {} false {:server-header nil}}
                             :note "`true` sends \"hinny\", as `:server-header` says."}
      :ws-idle-timeout (refused no-websocket)
      :ws-max-binary-size (refused no-websocket)
      :ws-max-text-size (refused no-websocket)}}))

(def ^:private accepted
  "What a function that starts a server accepts beside Hinny's own options."
  {:run-server (into (:http-kit table) (select-keys (:jetty table) [:async? :async-timeout :async-timeout-handler]))
   :run-jetty (:jetty table)})

(def all-tables
  "The same with those of servers whose names are not taken."
  (merge foreign-others/table table))

(def ^:private explained
  "Options of any server that are called nothing here: whatever function is given one, it says why."
  (into {}
        (remove (fn [[option {:keys [to values]}]] (or to values (= :pool-opts option))))
        (mapcat all-tables [:undertow :aleph :jetty :http-kit])))

(defn- defaults
  "Where the function's defaults are not those of Hinny's table."
  [function specs]
  (case function
    :run-server {}
    :run-jetty {:port 80 :join? true :max-body-bytes (:max (specs :max-body-bytes))}))

(defn- meant
  "What another server's option is called here, nil if it is not called anything."
  [option]
  (some #(get-in % [option :to]) (vals all-tables)))

(defn- accepts?
  [accept value]
  (cond
    (set? accept) (contains? accept value)
    accept (accept value)))

(defn- accepted-text
  "What values a row that stands for no single option accepts, in words."
  [{:keys [accept accepts values]}]
  (or accepts
      (str/join " or " (sort (map pr-str (concat accept (keys values)))))))

(defn- carried-over
  "What `option` stands for: the options of Hinny's that it `:says`, and those it only gives a default, `:hints`."
  [specs {:keys [accept to also values refuse ignore] :as row} option value]
  (cond
    (accepts? accept value) nil
    ignore (when (some? value)
             (.warn log "option {} {} is ignored: {}" (object-array [option (pr-str value) ignore])))
    to (do
         (options/check option (specs to) value)
         {:option option :says {to value} :hints (when also (also value))})
    (contains? values value) {:option option :says (values value)}
    refuse (throw (error/failure "option-unsupported"
                                 (str option " " (pr-str value) " is not supported: " refuse)
                                 {:option option :value value :reason refuse}))
    :else (throw (error/failure "option-invalid"
                                (str option " must be " (accepted-text row) ", is " (pr-str value))
                                {:option option :value value}))))

(defn- beside
  "Pairs of option and value: those of `options`, and those in http-kit's `:pool-opts`."
  [rows {:keys [pool-opts] :as options}]
  (if (and (map? pool-opts) (contains? rows :pool-opts))
    (let [known (set (for [[option row] rows :when (:pool? row)] option))]
      (doseq [option (keys pool-opts)
              :when (not (known option))]
        (throw (options/unknown option {:known known :place " in :pool-opts" :see "docs/migration.md"})))
      (concat (dissoc options :pool-opts) pool-opts))
    options))

(defn- agree?
  "Whether two names of `native` say the same. `:async?` says that a handler has three arguments, and leaves it to
  `:handler-mode` where such a one runs."
  [native value other-value]
  (or (= value other-value)
      (and (= :handler-mode native) (= #{:async :async-worker} (hash-set value other-value)))))

(defn- say
  "Adds to `said` (option of Hinny's -> the user's name for it and the value) what one option says."
  [said {:keys [option says]}]
  (reduce-kv
    (fn [said native value]
      (let [[other other-value] (said native)]
        (when (and other (not (agree? native value other-value)))
          (throw (error/failure "option-conflict"
                                (str option " and " other " both stand for " native ", with different values: "
                                     (pr-str value) " and " (pr-str other-value))
                                {:option option :other other :value value})))
        (assoc said native [option (if (= :async other-value) other-value value)])))
    said
    says))

(defn- translate
  [rows specs options]
  (let [carried (mapv (fn [[option value]] (carried-over specs (rows option {:to option}) option value))
                      (beside rows options))]
    (into (into {} (map :hints) carried)
          (update-vals (reduce say {} carried) second))))

(defn resolve-options
  "Returns `options` (a map or nil, as `function`, `:run-server` or `:run-jetty`, is given it) as Hinny's own, with the
  default of every option that is absent.

  Throws `ex-info` of type `:hinny.error/option-unknown`, `:hinny.error/option-invalid`, `:hinny.error/option-unsupported`
  or `:hinny.error/option-conflict`, all with `:option`."
  [function options]
  (options/refuse-no-map options)
  (let [own (accepted function)
        specs @options/specs
        rows (merge (apply dissoc explained (keys specs)) own)]
    (doseq [option (keys options)
            :when (not (or (specs option) (rows option)))]
      (throw (options/unknown option {:known (distinct (concat (keys own) (map :name @options/table)))
                                      :meant (meant option)
                                      :see options/all-options})))
    (options/resolve-options (merge (defaults function specs) (translate rows specs options)))))
