(ns routes-app
  "The Hinny side of the benches of routes, written as a user would write it. One server in each process:

  * `routes LOOPS`       -- a constant response, and a handler with and without a path parameter; 404 by the core
  * `files LOOPS ROOT`   -- the files of a directory
  * `bare LOOPS`         -- the same handler, without routes
  * `health LOOPS`       -- health endpoints, and a handler that keeps its few workers busy
  * `tables LOOPS COUNT` -- so many routes; what the start of such a server and a swap of them take, on request

  Prints where it listens. Handlers are inline but in `health` and where `tables` starts servers and swaps."
  (:require
   [hinny.impl.text :as text]
   [hinny.server :as server]))

(set! *warn-on-reflection* true)

(def ^:private block-ms 100)
(def ^:private health-workers 4)
(def ^:private health-queue-depth 16)

(defn- text
  [body]
  {:status 200
   :headers {"Content-Type" "text/plain"}
   :body body})

(defn- greet
  [_]
  (text "Hello, World!"))

(defn- block
  [_]
  (Thread/sleep (long block-ms))
  (text "done"))

(def ^:private site
  [["/constant" {:response (text "Hello, World!")}]
   ["/plaintext" {:get greet}]
   ["/plaintext/:id" {:get greet}]])

;;; Large tables

(defn- routes
  "So many routes, of three kinds; their answers begin with `version`."
  [count version]
  (let [show (fn [{{:keys [id part]} :path-params}] (text (str version id part)))]
    (vec (for [number (range count)
               :let [resource (str "/v1/r" (quot number 3))]]
           [(str resource (case (long (mod number 3))
                            0 ""
                            1 "/:id"
                            2 "/:id/parts/:part"))
            {:get show}]))))

(defn- timed-ms
  "What `f` took; it runs first."
  [f]
  (let [before (System/nanoTime)]
    (f)
    (/ (- (System/nanoTime) before) 1e6)))

(defn- start-ms
  "What a start of a server with these routes takes, until it listens."
  [opts data]
  (let [started (volatile! nil)
        took (timed-ms #(vreset! started (server/run-server nil (assoc opts :routes data))))]
    (.close ^java.io.Closeable @started)
    took))

(defn- on-worker
  "An endpoint that answers the number that `f` returns."
  [f]
  {:handler-mode :worker
   :get (fn [request] (text (text/formatted "%.3f" (double (f request)))))})

(defn- tables
  "Starts a server with `count` routes and some of its own, which answer times in ms: `/first` what its own start took,
  `/start/:count` what the start of another server takes, `/swap` what it takes to give this one as many other routes."
  [opts count]
  (let [running (promise)
        first-ms (promise)
        versions (atom (cycle ["b" "a"]))]
    (letfn [(site-of [version]
              (into (routes count version)
                    [["/first" (on-worker (fn [_] @first-ms))]
                     ["/start/:count" (on-worker #(start-ms opts (routes (parse-long (:count (:path-params %))) "a")))]
                     ["/swap" (on-worker (fn [_] (swap)))]]))
            (swap []
              (let [other (site-of (first @versions))]
                (swap! versions rest)
                (timed-ms #(server/swap-routes! @running other))))]
      (let [own (site-of "a")]
        (deliver first-ms (timed-ms #(deliver running (server/run-server nil (assoc opts :routes own)))))))
    @running))

(defn- start
  [kind opts argument]
  (case kind
    "routes" (server/run-server nil (assoc opts :routes site))
    "files" (server/run-server nil (assoc opts :routes [["/files/*path" {:files argument}]]))
    "bare" (server/run-server greet opts)
    "health" (server/run-server block (assoc opts
                                             :handler-mode :worker
                                             :worker-threads health-workers
                                             :worker-queue-depth health-queue-depth
                                             :health true))
    "tables" (tables opts (parse-long argument))))

(let [[kind loops argument] *command-line-args*
      opts {:host "127.0.0.1" :port 0 :event-loops (parse-long loops) :handler-mode :inline}
      running (start kind opts argument)]
  (println (str "listening on 127.0.0.1:" (server/server-port running)))
  (flush)
  @(promise))
