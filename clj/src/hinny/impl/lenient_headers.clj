(ns hinny.impl.lenient-headers
  "`:lenient-headers?`: header values of responses that the Ring SPEC does not know, for programs that come from servers which
  do not mind them.

  * `wrap`     -- a handler whose responses can be sent
  * `settings` -- a server's settings with its handler wrapped

  nil is left out; a number, a keyword or whatever else is sent as its `str`, as are elements of sequences."
  (:import
   (clojure.lang IPersistentMap)
   (java.util.concurrent CompletionStage)
   (java.util.function Function)))

(set! *warn-on-reflection* true)

(defn- with-text
  "`headers` with one value, as text, in place of another."
  [headers header value]
  (cond
    (string? value) headers
    (nil? value) (dissoc headers header)
    (sequential? value) (if (every? string? value)
                          headers
                          (assoc headers header (into [] (comp (remove nil?) (map str)) value)))
    :else (assoc headers header (str value))))

(defn- sendable
  [response]
  (if (instance? CompletionStage response)
    (.thenApply ^CompletionStage response
                (reify Function
                  (apply [_ made] (sendable made))))
    (let [headers (when (instance? IPersistentMap response)
                    (:headers response))]
      (if (instance? IPersistentMap headers)
        (let [texts (reduce-kv with-text headers headers)]
          (if (identical? headers texts)
            response
            (assoc response :headers texts)))
        response))))

(defn wrap
  "Returns `handler`, of either arity, with responses whose headers can be sent."
  [handler]
  (fn
    ([request]
     (sendable (handler request)))
    ([request respond raise]
     (handler request #(respond (sendable %)) raise))))

(defn settings
  "Returns `settings`, resolved options with a `:handler`, with that wrapped if they say so."
  [{:keys [handler lenient-headers?] :as settings}]
  (if (and handler lenient-headers?)
    (assoc settings :handler (wrap handler))
    settings))
