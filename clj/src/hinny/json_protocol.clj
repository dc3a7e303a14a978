(ns hinny.json-protocol
  "What values of other types are in JSON.

  * `JsonValue` -- extend it to types that JSON does not have, or that are to be written in another way"
  (:require
   [hinny.impl.reload :refer [once]]))

(set! *warn-on-reflection* true)

(once
  (defprotocol JsonValue
    "A value that is written as another one."
    (json-value [value]
      "Returns what is written in place of `value`: a map, vector, string, number, anything that can be written.

      What is returned is written as its own type is, so an extension may return what another one makes simpler. If it is
      of the same class as `value` it is written as if there were no extension. An extension wins over what Hinny makes of
      a type, but for nil; one to Object is for types that Hinny makes nothing of. Keys of maps are not asked: see the
      option `:key-fn`. Extensions to String, Long, Double, Boolean, Keyword or Clojure's own maps and vectors are
      honoured too, and make everything slower.")))
