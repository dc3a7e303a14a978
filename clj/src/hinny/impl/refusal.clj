(ns hinny.impl.refusal
  "Requests that middleware cannot read.

  * `refuse`         -- throws that it cannot
  * `unless-refused` -- a function that returns nil where another one refuses a request
  * `bad-request`    -- what is answered then

  A request that is refused is its client's fault, so it is answered with 400, and its handler never sees it."
  (:require
   [hinny.impl.error :as error])
  (:import
   (clojure.lang ExceptionInfo)))

(set! *warn-on-reflection* true)

(defn refuse
  "Throws that the request cannot be read, for `reason`, a keyword."
  [reason message data]
  (throw (error/failure "request-malformed" message (assoc data :reason reason))))

(def bad-request
  "The response to a request that is refused."
  {:status 400 :headers {"Content-Type" "text/plain"} :body "Bad Request"})

(defn unless-refused
  "Returns a function of a request: what `change` makes of it, nil if it refuses it."
  [change]
  (fn [request]
    (try
      (change request)
      (catch ExceptionInfo failure
        (when-not (= :hinny.error/request-malformed (:type (ex-data failure)))
          (throw failure))))))
