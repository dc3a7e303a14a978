(ns hinny.impl.route-response
  "Constant replies: `:response` in route data.

  * `encode` -- a Ring response as the native library keeps it, or an `ex-info`

  It is encoded once, as a handler's response is, so it means the same."
  (:require
   [hinny.impl.body :as body]
   [hinny.impl.route-data :as route-data])
  (:import
   (io.github.hinny InvalidResponseException JsonBody Outbox ResponseEncoder)
   (java.util Arrays)))

(set! *warn-on-reflection* true)

(def ^:private outbox-bytes 1024)

(def ^:private protocols-known
  "A delay: the encoder knows which bodies users extended a protocol to."
  (delay (body/install)))

(defn- whole?
  [response-body]
  (or (nil? response-body) (string? response-body) (bytes? response-body) (instance? JsonBody response-body)))

(defn encode
  "Returns the RESPONSE command of `response`, the `:response` of the route at `template`, for exchange 0.

  Throws `ex-info` of type `:hinny.error/route-invalid` for what is no response, or whose body is not there as a whole."
  ^bytes [template response]
  (when-not (or (not (map? response)) (whole? (:body response)))
    (throw (route-data/invalid template
                               (str "the :body of :response must be nil, a string, a byte array or hinny.json/body, is a "
                                    (.getName (class (:body response))) "; let a handler answer with it")
                               {:key :response})))
  @protocols-known
  (let [outbox (Outbox. outbox-bytes)
        unfinished (try
                     (.encode (ResponseEncoder.) response 0 false outbox)
                     (catch InvalidResponseException failure
                       (throw (route-data/invalid template
                                                  (str ":response cannot be sent: " (ex-message failure))
                                                  {:key :response}))))]
    (when unfinished
      (throw (route-data/invalid template
                                 (str "somebody has extended StreamableResponseBody to "
                                      (.getName (class (:body response))) ", so the :body of :response is written anew for "
                                      "each request; let a handler answer with it")
                                 {:key :response})))
    (Arrays/copyOf (.array outbox) (.position outbox))))
