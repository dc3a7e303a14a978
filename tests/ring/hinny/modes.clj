(ns hinny.modes
  "One body of cases in every way that a handler can be called and can answer.

  * `each-mode`       -- runs a body once for each mode, or for those that a predicate takes
  * `with-handler`    -- a running server for a handler in a mode
  * `may-block?`, `may-outlive?`, `on-worker?` -- what a mode lets a handler do

      (each-mode [mode]
        (with-handler [server mode (fn [request] {:status 200 :body (:uri request)})]
          (raw/answer server (raw/get-request \"/a\"))))

  A case is written as a sync handler; the mode makes of it what it needs."
  (:require
   [clojure.test :refer [testing]]
   [hinny.raw-client :as raw])
  (:import
   (java.util.concurrent CompletableFuture)))

(set! *warn-on-reflection* true)

(def virtual-threads?
  "Whether this JVM has virtual threads."
  (<= 21 (.feature (Runtime/version))))

(defn on-thread
  "Calls `f` on a thread of its own."
  [f]
  (doto (Thread. ^Runnable f "hinny-test-answer")
    (.setDaemon true)
    (.start)))

(defn async
  "`handler` with three arguments, answering before it returns."
  [handler]
  (fn [request respond _]
    (respond (handler request))
    :ignored))

(defn async-on-thread
  "`handler` with three arguments, answering from another thread."
  [handler]
  (fn [request respond raise]
    (on-thread #(when-let [response (try
                                      [(handler request)]
                                      (catch Throwable thrown
                                        (raise thrown)
                                        nil))]
                  (respond (first response))))))

(defn stage-on-thread
  "`handler` whose response is a stage that another thread completes."
  [handler]
  (fn [request]
    (let [stage (CompletableFuture.)]
      (on-thread #(try
                    (.complete stage (handler request))
                    (catch Throwable thrown
                      (.completeExceptionally stage thrown))))
      stage)))

(defn done-stage
  "`handler` whose response is a stage that is complete."
  [handler]
  (fn [request]
    (CompletableFuture/completedFuture (handler request))))

(defn body-stage
  "`handler` whose response's body is a stage that another thread completes."
  [handler]
  (fn [request]
    (let [response (handler request)]
      (if (and (map? response) (contains? response :body))
        (let [stage (CompletableFuture.)]
          (on-thread #(.complete stage (:body response)))
          (assoc response :body stage))
        response))))

(def modes
  "Every mode: its `:name`, the server's `:options`, and `:adapt`, which makes its handler of a sync one. The case runs
  `:on` a worker, the loop, or a thread of its own."
  (cond->
    [{:name "worker" :options {:handler-mode :worker} :adapt identity :on :worker}
     {:name "inline" :options {:handler-mode :inline} :adapt identity :on :loop}
     {:name "async, answering on the loop" :options {:handler-mode :async} :adapt async :on :loop}
     {:name "async, answering on another thread" :options {:handler-mode :async} :adapt async-on-thread :on :thread}
     {:name "async on a worker" :options {:handler-mode :async-worker} :adapt async :on :worker}
     {:name "async on a worker, answering on another thread" :options {:handler-mode :async-worker} :adapt async-on-thread
      :on :thread}
     {:name "worker, returning a stage" :options {:handler-mode :worker} :adapt stage-on-thread :on :thread}
     {:name "worker, returning a complete stage" :options {:handler-mode :worker} :adapt done-stage :on :worker}
     {:name "worker, with a stage as body" :options {:handler-mode :worker} :adapt body-stage :on :worker}
     {:name "inline, returning a stage" :options {:handler-mode :inline} :adapt stage-on-thread :on :thread}
     {:name "inline, returning a complete stage" :options {:handler-mode :inline} :adapt done-stage :on :loop}]
    virtual-threads?
    (conj {:name "virtual threads" :options {:worker-threads :virtual} :adapt identity :on :worker})))

(defn may-block?
  "Whether the case may wait, for its request's body say."
  [{:keys [on]}]
  (not= :loop on))

(defn on-worker?
  "Whether the case runs, and answers, on a worker, in the course of a sync handler."
  [{:keys [on]}]
  (= :worker on))

(defn named
  "The mode with this name."
  [mode-name]
  (first (filter (comp #{mode-name} :name) modes)))

(defmacro each-mode
  "Runs `body` with each mode, or each that `allowed?` takes, bound to `mode`."
  [[mode allowed?] & body]
  `(doseq [~mode (filter ~(or allowed? `any?) modes)]
     (testing (:name ~mode)
       ~@body)))

(defmacro with-handler
  "Runs `body` with a server for the sync `handler` in `mode` bound to `server`."
  [[server mode handler options] & body]
  `(let [mode# ~mode]
     (raw/with-server [~server ((:adapt mode#) ~handler) (merge ~options (:options mode#))]
       ~@body)))
