(ns hinny.impl.reload
  "What lasts when a namespace is loaded again.

  * `once` -- a definition that is made the first time only

  A protocol that is defined again gets another interface, and types that implement it inline would be none of it any more.
  (What a user holds of Hinny's own types is known by an interface of Java: `Stoppable`, `RouterParts`.)")

(set! *warn-on-reflection* true)

(defmacro once
  "Defines what `definition`, a form like `(defprotocol Name …)`, does, unless its name is defined already."
  [definition]
  ;; Decided here, since a protocol's interface is made when its definition is expanded.
  (when (or *compile-files* (nil? (ns-resolve *ns* (second definition))))
    definition))
