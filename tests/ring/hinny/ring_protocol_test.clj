(ns hinny.ring-protocol-test
  "Ring's own StreamableResponseBody, and extensions of either protocol to the types that Hinny knows itself.

  Such extensions hold for the whole JVM, so each scene runs in one of its own. Where Ring is not on the class path, a
  source directory with its protocol, as Ring has it, stands in for it."
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.json :as json]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.protocols :as protocols]
   [hinny.raw-client :as raw]
   [hinny.raw-stream :as stream])
  (:import
   (clojure.lang ISeq)
   (java.io ByteArrayInputStream File InputStream OutputStream)
   (java.nio.file Files)
   (java.nio.file.attribute FileAttribute)
   (java.util.concurrent CompletableFuture)))

(set! *warn-on-reflection* true)

(def ^:private ring-source
  "The part of ring.core.protocols that matters here: the protocol, and Ring's own extensions."
  '[(ns ring.core.protocols
      (:import (java.io OutputStream)))
    (defprotocol StreamableResponseBody
      (write-body-to-stream [body response output-stream]))
    (extend-protocol StreamableResponseBody
      String
      (write-body-to-stream [body _ out]
        (.write ^OutputStream out (.getBytes (str "Ring's " body)))
        (.close ^OutputStream out))
      clojure.lang.ISeq
      (write-body-to-stream [body _ out]
        (.write ^OutputStream out (.getBytes "Ring's seq"))
        (.close ^OutputStream out))
      java.io.InputStream
      (write-body-to-stream [body _ out]
        (.write ^OutputStream out (.getBytes "Ring's stream"))
        (.close ^OutputStream out))
      java.io.File
      (write-body-to-stream [body _ out]
        (.write ^OutputStream out (.getBytes "Ring's file"))
        (.close ^OutputStream out))
      nil
      (write-body-to-stream [_ _ out]
        (.close ^OutputStream out)))])

(defn- write-ring!
  "Writes the stand-in below a new directory, and returns that."
  ^File []
  (let [root (.toFile (Files/createTempDirectory "hinny-ring" (make-array FileAttribute 0)))
        file (io/file root "ring" "core" "protocols.clj")]
    (io/make-parents file)
    (spit file (str/join "\n" (map pr-str ring-source)))
    root))

(defn- in-class-path
  "Makes the forked JVM load from these directories first."
  [directory]
  (doto (clojure.lang.DynamicClassLoader. (.getContextClassLoader (Thread/currentThread)))
    (.addURL (.toURL (.toURI ^File directory)))))

(defn- say [text]
  (fn [_ _ out]
    (.write ^OutputStream out (raw/latin1 text))
    (.close ^OutputStream out)))

(defn- bodies
  "What arrives for each of the functions that make a body, in every mode; one text if all modes agree."
  [makers]
  (into {}
        (for [[what make] makers]
          [what (let [seen (atom #{})]
                  (each-mode [mode]
                    (with-handler [server mode (fn [_] {:status 200 :body (make)})]
                      (swap! seen conj (:body (stream/ask server (raw/get-request "/"))))))
                  (if (= 1 (count @seen)) (first @seen) @seen))])))

(def ^:private known-types
  {:nil (constantly nil)
   :string (constantly "text")
   :bytes #(raw/latin1 "bytes")
   :seq #(list "s" "eq")
   :stream #(ByteArrayInputStream. (raw/latin1 "stream"))
   :file #(doto (File/createTempFile "hinny" ".txt") (spit "file") .deleteOnExit)})

(def ^:private plain
  {:nil "" :string "text" :bytes "bytes" :seq "seq" :stream "stream" :file "file"})

(defn extend-known-types
  "Scene: what arrives before and after the protocol of Hinny is extended to each type that Hinny knows."
  []
  (let [before (bodies known-types)]
    (extend nil protocols/StreamableResponseBody {:write-body-to-stream (say "own nil")})
    (extend String protocols/StreamableResponseBody {:write-body-to-stream (say "own string")})
    (extend (Class/forName "[B") protocols/StreamableResponseBody {:write-body-to-stream (say "own bytes")})
    (extend ISeq protocols/StreamableResponseBody {:write-body-to-stream (say "own seq")})
    (extend InputStream protocols/StreamableResponseBody {:write-body-to-stream (say "own stream")})
    (extend File protocols/StreamableResponseBody {:write-body-to-stream (say "own file")})
    [before (bodies known-types)]))

(defn extend-one-type
  "Scene: the protocol is extended to String alone, while a server runs that has sent one."
  []
  (with-handler [server (first modes/modes) (fn [_] {:status 200 :body "text"})]
    (let [before (:body (stream/ask server (raw/get-request "/")))]
      (extend String protocols/StreamableResponseBody {:write-body-to-stream (say "own string")})
      [before (:body (stream/ask server (raw/get-request "/")))])))

(deftest extension-while-a-server-runs-test
  (testing "S an extension holds from the next response on"
    (let [{:keys [value] :as ended} (forked/call `extend-one-type {})]
      (is (forked/sound? ended))
      (is (= ["text" "own string"] value)))))

(deftest extensions-of-known-types-test
  (testing "S a user's extension wins over what Hinny does itself, in a server that runs already too"
    (let [{:keys [value] :as ended} (forked/call `extend-known-types {})]
      (is (forked/sound? ended))
      (is (= [plain
              {:nil "own nil" :string "own string" :bytes "own bytes" :seq "own seq" :stream "own stream" :file "own file"}]
             value)))))

(def ^:private all-known
  (assoc known-types
         :json #(json/body {:a 1})
         :stage #(CompletableFuture/completedFuture "stage")))

(deftype Other [])

(defn extend-object
  "Scene: Hinny's protocol is extended to Object, then to Number, then to String with the same functions."
  []
  (let [whatever {:write-body-to-stream (say "whatever")}]
    (extend Object protocols/StreamableResponseBody whatever)
    (let [seen (bodies (assoc all-known :other ->Other :map (constantly {})))]
      (extend Number protocols/StreamableResponseBody {:write-body-to-stream (say "number")})
      (extend String protocols/StreamableResponseBody whatever)
      [seen (bodies {:number (constantly 1) :string (:string known-types) :bytes (:bytes known-types) :other ->Other})])))

(defn extend-object-with-ring
  "Scene: Ring's protocol is extended to Object."
  [ring-directory]
  (.setContextClassLoader (Thread/currentThread) (in-class-path (io/file ring-directory)))
  (with-bindings {clojure.lang.Compiler/LOADER (.getContextClassLoader (Thread/currentThread))}
    (require 'ring.core.protocols)
    (extend Object (deref (resolve 'ring.core.protocols/StreamableResponseBody)) {:write-body-to-stream (say "whatever")})
    (bodies (assoc all-known :other ->Other))))

(deftest extension-of-object-test
  (let [known (assoc plain :json "{\"a\":1}" :stage "stage")]
    (testing "S it is for what nobody knows, the types that Hinny knows stay its own; one of their own wins"
      (let [{:keys [value] :as ended} (forked/call `extend-object {})]
        (is (forked/sound? ended))
        (is (= [(assoc known :other "whatever" :map "whatever")
                {:number "number" :string "whatever" :bytes "bytes" :other "whatever"}]
               value))))
    (testing "S so with Ring's protocol"
      (let [directory (write-ring!)]
        (try
          (let [{:keys [value] :as ended} (forked/call `extend-object-with-ring {} (str directory))]
            (is (forked/sound? ended))
            (is (= (assoc known :other "whatever") value)))
          (finally (run! #(.delete ^File %) (reverse (file-seq directory)))))))))

(deftype Own [])
(deftype Later [])

(defn use-ring
  "Scene: Ring's protocol with its own extensions, with a user's, and with one that comes when a server runs."
  [ring-directory]
  (.setContextClassLoader (Thread/currentThread) (in-class-path (io/file ring-directory)))
  (with-bindings {clojure.lang.Compiler/LOADER (.getContextClassLoader (Thread/currentThread))}
    (require 'ring.core.protocols)
    (let [protocol (deref (resolve 'ring.core.protocols/StreamableResponseBody))
          write (resolve 'ring.core.protocols/write-body-to-stream)
          rings-own (bodies known-types)]
      (extend Own protocol {:write-body-to-stream (say "own type")})
      (let [own (bodies {:own ->Own})
            later (with-handler [server (first modes/modes) (fn [_] {:status 200 :body (->Later)})]
                    [(:status (stream/ask server (raw/get-request "/")))
                     (do (extend Later protocol {:write-body-to-stream (say "later type")})
                         (:body (stream/ask server (raw/get-request "/"))))])]
        (extend String protocol {:write-body-to-stream (say "own string")})
        (extend java.io.ByteArrayInputStream protocol {:write-body-to-stream (say "own stream")})
        {:rings-own rings-own
         :own own
         :later later
         :string (bodies (select-keys known-types [:string :stream :file]))
         :known (some? write)}))))

(deftest rings-protocol-test
  (let [directory (write-ring!)]
    (try
      (let [{:keys [value] :as ended} (forked/call `use-ring {} (str directory))]
        (is (forked/sound? ended))
        (testing "S what Ring itself extends its protocol to, Hinny does its own way"
          (is (= plain (:rings-own value))))
        (testing "S what users extend it to is honoured"
          (is (= {:own "own type"} (:own value))))
        (testing "S at once, in a server that runs"
          (is (= [500 "later type"] (:later value))))
        (testing "S also for types that Ring and Hinny know, and for their subclasses"
          (is (= {:string "own string" :stream "own stream" :file "file"} (:string value)))))
      (finally (run! #(.delete ^File %) (reverse (file-seq directory)))))))
