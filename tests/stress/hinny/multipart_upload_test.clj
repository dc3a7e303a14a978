(ns hinny.multipart-upload-test
  "A file of a multipart form that is larger than the server's heap: every byte arrives in the store, and the server's
  memory stays where it is. The server runs in a JVM of its own with 64 MiB of heap; the client is in this one."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.impl.text :as text]
   [hinny.middleware :as middleware]
   [hinny.other-jvm :as other]
   [hinny.probe :as probe]
   [hinny.server :as server])
  (:import
   (clojure.lang SeqEnumeration)
   (java.io ByteArrayInputStream File FileInputStream InputStream SequenceInputStream)
   (java.net URI)
   (java.net.http HttpClient HttpRequest HttpRequest$BodyPublishers HttpResponse HttpResponse$BodyHandlers)
   (java.security MessageDigest)
   (java.util HexFormat Random)
   (java.util.function Supplier)))

(set! *warn-on-reflection* true)

(def ^:private file-mib
  "How large the file is."
  100)

(def ^:private mebibyte
  "What the file consists of: random, with what looks like a delimiter in it."
  (let [bytes (byte-array (* 1024 1024))]
    (.nextBytes (Random. 1) bytes)
    (System/arraycopy (.getBytes "\r\n--not-the-boundary\r\n--AaB03") 0 bytes 65500 29)
    bytes))

(defn- stream
  ^InputStream [parts]
  (SequenceInputStream. (SeqEnumeration. (map #(ByteArrayInputStream. %) parts))))

(defn- digest
  "The SHA-256 of all that is to be read, in hexadecimal."
  [^InputStream in]
  (let [digest (MessageDigest/getInstance "SHA-256")
        buffer (byte-array 65536)]
    (loop []
      (let [length (.read in buffer)]
        (when-not (neg? length)
          (.update digest buffer 0 length)
          (recur))))
    (.formatHex (HexFormat/of) (.digest digest))))

;;; In the server's JVM

(defn- digest-of-file
  [{{{:keys [^File tempfile]} "file"} :params}]
  (try
    (with-open [in (FileInputStream. tempfile)]
      (probe/ok (digest in)))
    (finally (.delete tempfile))))

(defn start
  "Starts a server whose handler digests a temporary file, or whose store digests what it gets; its port."
  [stored?]
  (server/server-port
    (server/run-server (if stored?
                         (middleware/wrap-multipart-params digest-of-file)
                         (middleware/wrap-multipart-params (fn [request] (probe/ok (get (:params request) "file")))
                                                           {:store (comp digest :stream)}))
                       {:host "127.0.0.1" :port 0 :max-body-bytes (bit-shift-left 1 40)})))

;;; Here

(defn- upload
  "The digest that the server has of a file that it was sent."
  [port]
  (let [form (concat [(.getBytes "--AaB03x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n")]
                     (repeat file-mib mebibyte)
                     [(.getBytes "\r\n--AaB03x--\r\n")])
        request (-> (HttpRequest/newBuilder (URI/create (str "http://127.0.0.1:" port "/")))
                    (.header "Content-Type" "multipart/form-data; boundary=AaB03x")
                    (.POST (HttpRequest$BodyPublishers/ofInputStream (reify Supplier (get [_] (stream form)))))
                    .build)
        ^HttpResponse response (.send (HttpClient/newHttpClient) request (HttpResponse$BodyHandlers/ofString))]
    (assert (= 200 (.statusCode response)))
    (.body response)))

(deftest multipart-upload-test
  (let [expected (digest (stream (repeat file-mib mebibyte)))]
    (doseq [stored? [true false]]
      (testing (if stored? "to a temporary file" "to a store of the application's")
        (with-open [jvm (other/open {:flags ["-XX:+UseSerialGC" "-Xms64m" "-Xmx64m" "-XX:+AlwaysPreTouch"]})]
          (let [port (other/call jvm `start stored?)
                _ (is (= expected (upload port)))
                before (other/weigh jvm)
                began (System/nanoTime)
                _ (dotimes [_ 3] (is (= expected (upload port))))
                seconds (/ (- (System/nanoTime) began) 1e9)
                after (other/weigh jvm)]
            (is (< (- (:rss-kib after) (:rss-kib before)) other/growth-max-kib) [before after])
            (is (< (- (:peak-kib after) (:peak-kib before)) other/growth-max-kib) [before after])
            (println (text/formatted "      3 x %d MiB in %.1f s, resident %s -> %s, peak %s -> %s"
                       file-mib seconds
                       (other/mib (:rss-kib before)) (other/mib (:rss-kib after))
                       (other/mib (:peak-kib before)) (other/mib (:peak-kib after))))
            (is (forked/sound? (other/end jvm)))))))))
