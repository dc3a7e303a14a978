(ns hinny.large-body-test
  "Bodies that are larger than the server's heap, both ways: every byte arrives, and the server's memory stays where it
  is. The server runs in a JVM of its own with 64 MiB of heap; the client is in this one."
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.impl.text :as text]
   [hinny.other-jvm :as other]
   [hinny.probe :as probe]
   [hinny.server :as server])
  (:import
   (clojure.lang SeqEnumeration)
   (java.io ByteArrayInputStream File InputStream SequenceInputStream)
   (java.net URI)
   (java.net.http HttpClient HttpRequest HttpRequest$BodyPublishers HttpResponse HttpResponse$BodyHandlers)
   (java.nio.charset StandardCharsets)
   (java.security MessageDigest)
   (java.util HexFormat)
   (java.util.function Supplier)))

(set! *warn-on-reflection* true)

(def ^:private body-mib
  "How large each body is."
  1024)

(def ^:private warm-up-mib
  "After a body of this size of each kind the server weighs what it weighs."
  128)

;;; The content

(def ^:private block-bytes (* 64 1024))

(def ^:private tail
  "What all blocks have behind their number."
  (str/join (take (- block-bytes 16) (map #(char (+ 33 (mod (* % % 7) 90))) (range)))))

(defn- block
  "Part `n` of the content: no two are alike."
  ^String [n]
  (str (text/formatted "%016x" n) tail))

(defn- blocks
  "The parts of a body of so many MiB."
  [mib]
  (map block (range (* mib (quot (* 1024 1024) block-bytes)))))

(defn- stream
  ^InputStream [mib]
  (SequenceInputStream.
    (SeqEnumeration. (map #(ByteArrayInputStream. (.getBytes ^String % StandardCharsets/ISO_8859_1)) (blocks mib)))))

(defn- digest
  "The SHA-256 of all that is to be read, in hexadecimal."
  [^InputStream in]
  (let [digest (MessageDigest/getInstance "SHA-256")
        buffer (byte-array block-bytes)]
    (loop []
      (let [length (.read in buffer)]
        (when-not (neg? length)
          (.update digest buffer 0 length)
          (recur))))
    (.formatHex (HexFormat/of) (.digest digest))))

;;; In the server's JVM

(defn- handler
  [file]
  (fn [{:keys [uri query-string body]}]
    (let [mib (some-> query-string parse-long)]
      (probe/ok (case uri
                  "/stream" (stream mib)
                  "/seq" (blocks mib)
                  "/file" (io/file (str file "." mib))
                  "/upload" (digest body))))))

(defn start
  "Starts a server; its port. `file` is the path of the files before their size."
  [file]
  (server/server-port
    (server/run-server (handler file) {:host "127.0.0.1" :port 0 :max-body-bytes (bit-shift-left 1 40)
                                       :routes (for [mib [warm-up-mib body-mib]]
                                                 [(str "/static/" mib) {:file (str file "." mib)}])})))

;;; Clients

(def ^:private client
  (delay (HttpClient/newHttpClient)))

(defn- ask
  "The body of the response, an InputStream."
  ^InputStream [port path publisher]
  (let [request (-> (HttpRequest/newBuilder (URI/create (str "http://127.0.0.1:" port path)))
                    (.method (if publisher "POST" "GET") (or publisher (HttpRequest$BodyPublishers/noBody)))
                    .build)
        ^HttpResponse response (.send ^HttpClient @client request (HttpResponse$BodyHandlers/ofInputStream))]
    (assert (= 200 (.statusCode response)))
    (.body response)))

(defn- download
  "The digest of what comes from `path`."
  [path]
  (fn [port mib]
    (with-open [in (ask port (str path "?" mib) nil)]
      (digest in))))

(defn- static-file
  "The digest of what the core sends by itself."
  [port mib]
  (with-open [in (ask port (str "/static/" mib) nil)]
    (digest in)))

(defn- upload
  "The digest that the server has of what it was sent."
  [sized?]
  (fn [port mib]
    (let [publisher (HttpRequest$BodyPublishers/ofInputStream (reify Supplier (get [_] (stream mib))))]
      (slurp (ask port
                  "/upload"
                  (if sized?
                    (HttpRequest$BodyPublishers/fromPublisher publisher (* mib 1024 1024))
                    publisher))))))

(def ^:private ways
  [["download, InputStream" (download "/stream")]
   ["download, sequence" (download "/seq")]
   ["download, File" (download "/file")]
   ["download, static file" static-file]
   ["upload, Content-Length" (upload true)]
   ["upload, chunked" (upload false)]])

(defn- with-files
  "Calls `f` with the path of two files of the two sizes, without the size at its end."
  [f]
  (let [path (str (doto (File/createTempFile "hinny-large-" "") .delete))
        files (mapv #(io/file (str path "." %)) (distinct [warm-up-mib body-mib]))]
    (try
      (doseq [[file mib] (map vector files [warm-up-mib body-mib])]
        (with-open [in (stream mib)]
          (io/copy in ^File file :buffer-size block-bytes)))
      (f path)
      (finally (run! #(.delete ^File %) files)))))

(deftest large-body-test
  (with-files
    (fn [path]
      (with-open [jvm (other/open {:flags ["-XX:+UseSerialGC" "-Xms64m" "-Xmx64m" "-XX:+AlwaysPreTouch"]})]
        (let [port (other/call jvm `start path)
              warm-up-digest (digest (stream warm-up-mib))
              body-digest (digest (stream body-mib))
              send-all (fn [mib expected]
                         (doseq [[way-name send] ways]
                           (testing (str way-name ", " mib " MiB")
                             (is (= expected (send port mib))))))
              _ (send-all warm-up-mib warm-up-digest)
              before (other/weigh jvm)
              began (System/nanoTime)
              _ (send-all body-mib body-digest)
              seconds (/ (- (System/nanoTime) began) 1e9)
              after (other/weigh jvm)]
          (testing "the server's memory stays as it was, and did not grow in between: an eighth of a body would be seen"
            (is (< (- (:rss-kib after) (:rss-kib before)) other/growth-max-kib) [before after])
            (is (< (- (:peak-kib after) (:peak-kib before)) other/growth-max-kib) [before after]))
          (println (text/formatted "      %d x %d MiB in %.1f s, resident %s -> %s, peak %s -> %s"
                     (count ways) body-mib seconds
                     (other/mib (:rss-kib before)) (other/mib (:rss-kib after))
                     (other/mib (:peak-kib before)) (other/mib (:peak-kib after))))
          (is (forked/sound? (other/end jvm))))))))
