(ns hinny.impl.body
  "Which response bodies users extended a protocol to: `hinny.protocols/StreamableResponseBody` or Ring's.

  * `install` -- tells the shim, now and whenever a protocol is extended

  And that the body of a request cannot be printed to be read again.

  Ring extends its protocol to String, byte[], ISeq, InputStream, File and nil itself. Those are no user's extensions:
  the shim does the same without the protocol, faster. They are known by the namespace that their functions come from,
  so an extension of String, say, by anybody else is honoured. An extension of Object is for the types that Hinny makes
  nothing of by itself: it says what is left over."
  (:require
   [clojure.string :as str]
   [hinny.protocols :as protocols])
  (:import
   (io.github.hinny BodyTypes RequestBody WholeBody)))

(set! *warn-on-reflection* true)

(def ^:private ring-prefix "ring.core.protocols$")

(defn- ring-protocol
  "The var of Ring's protocol; nil without Ring."
  []
  (try
    (requiring-resolve 'ring.core.protocols/StreamableResponseBody)
    (catch java.io.FileNotFoundException _ nil)))

(defn- implements-interface?
  [protocol body]
  (instance? (:on-interface protocol) body))

(defn- for-what-is-left-over?
  "Whether the protocol is extended to `body`'s class through Object alone, and Hinny knows what to do with it."
  [protocol body]
  (and (some? body)
       (BodyTypes/isKnown body)
       (not-any? (fn [^Class extended]
                   (and (some? extended) (not= Object extended) (instance? extended body)))
                 (keys (:impls protocol)))))

(defn- extension
  "The var of a protocol's function, if somebody but Ring extended the protocol to `body`'s class; else nil. The var,
  since each extension gives it another function, and that after the protocol's watches were called."
  [protocol function-var body]
  (if (implements-interface? protocol body)
    function-var
    (when-let [method (find-protocol-method protocol :write-body-to-stream body)]
      (when-not (or (str/starts-with? (.getName (class method)) ring-prefix)
                    (for-what-is-left-over? protocol body))
        function-var))))

(defn- writer-of
  "A function of a body that returns the function to write it with, nil if nobody extended a protocol to it."
  [ring-var]
  (let [ring-function-var (when ring-var
                            (resolve 'ring.core.protocols/write-body-to-stream))]
    (fn [body]
      (or (extension protocols/StreamableResponseBody #'protocols/write-body-to-stream body)
          (when ring-var
            (extension @ring-var ring-function-var body))))))

(defn install
  "Makes the shim honour the protocols' extensions of now and later. May be called again, for a Ring that came later."
  []
  (let [ring-var (ring-protocol)]
    (BodyTypes/setWriterOf (writer-of ring-var))
    (doseq [protocol-var (remove nil? [#'protocols/StreamableResponseBody ring-var])]
      (add-watch protocol-var ::changed (fn [& _] (BodyTypes/changed))))))

(doseq [request-body [WholeBody RequestBody]]
  (defmethod print-dup request-body
    [_ _]
    (throw (IllegalArgumentException.
             "the body of a request is a stream, which cannot be printed with *print-dup*: dissoc :body first"))))
