(ns hinny.no-log-backend
  "A scene of `hinny.log-safety-test` for a JVM without a logging backend, and so without `hinny.probe`, which needs one."
  (:require
   [hinny.raw-client :as raw]
   [hinny.server :as server]))

(set! *warn-on-reflection* true)

(defn throw-once
  "Serves a request whose handler throws; the status of its answer."
  []
  (with-open [server (server/run-server (fn [_] (throw (ex-info "the reason why" {}))) {:host "127.0.0.1" :port 0})]
    (:status (raw/answer server (raw/get-request "/thrown")))))
