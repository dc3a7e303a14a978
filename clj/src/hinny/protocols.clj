(ns hinny.protocols
  "What response bodies of other types can be made to do.

  * `StreamableResponseBody` -- the same as Ring's protocol of that name, for programs without Ring

  Where `ring.core.protocols` is on the class path its protocol is honoured too. An extension of either wins over what
  Hinny does with nil, String, byte[], ISeq, InputStream, File and CompletionStage; one to Object is for the types that Hinny
  makes nothing of."
  (:require
   [hinny.impl.reload :refer [once]]))

(set! *warn-on-reflection* true)

(once
  (defprotocol StreamableResponseBody
    "A body that writes itself."
    (write-body-to-stream [body response output-stream]
      "Writes `body` to `output-stream` (`java.io.OutputStream`) and closes that when done; `response` is the whole Ring
      response. After an exception the stream must be left open. Called on a worker; what is not flushed may wait until
      the stream is closed. With an async handler another thread may go on with the stream after this has returned; with
      a sync handler the response ends when it returns. Every write throws `java.io.IOException` when the client is gone.")))
