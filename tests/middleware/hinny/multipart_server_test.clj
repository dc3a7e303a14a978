(ns hinny.multipart-server-test
  "Hinny's `wrap-multipart-params` on a running server: uploads by curl and the JDK's client, sized and chunked, one byte
  after the other, cut, and too large; in each mode. No file is left behind by those that fail."
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.middleware :refer [byte-array-store temp-file-store wrap-multipart-params]]
   [hinny.middleware-app :as app :refer [answering curl edn edn-response fetch multipart random-bytes sha256 url with-app with-directory write-file!]]
   [hinny.raw-client :as raw :refer [with-client]])
  (:import
   (io.github.hinny TempFiles)
   (java.io ByteArrayInputStream File)
   (java.lang.reflect Field)
   (java.net.http HttpRequest$BodyPublishers)
   (java.nio.file Files)
   (java.util.function Supplier)))

(set! *warn-on-reflection* true)

(def ^:private stores
  {"byte array" byte-array-store
   "temporary file" temp-file-store})

(def ^:private large (random-bytes 1600000 2))

(def ^:private parts
  [{:name "title" :content "Füße & more"}
   {:name "files" :filename "small.txt" :content-type "text/plain" :content "--\r\n--AaB03x\r\nsmall\r\n"}
   {:name "tag" :content "b"}
   {:name "files" :filename "Bild ü.bin" :content-type "application/octet-stream" :content large}
   {:name "tag" :content "a"}])

(def ^:private form-bytes (multipart "AaB03x-of-the-form" parts))

(def ^:private multipart-type "multipart/form-data; boundary=AaB03x-of-the-form")

(defn- facts
  "What a handler tells of a stored file; a temporary file is deleted."
  [{:keys [filename content-type bytes ^File tempfile]}]
  (let [content (or bytes (Files/readAllBytes (.toPath tempfile)))]
    (when tempfile (io/delete-file tempfile))
    [filename content-type (sha256 content)]))

(def ^:private expected
  {"title" "Füße & more"
   "tag" ["b" "a"]
   "files" [["small.txt" "text/plain" (sha256 (.getBytes ^String (:content (second parts)) "UTF-8"))]
            ["Bild ü.bin" "application/octet-stream" (sha256 large)]]})

(defn- upload-app
  [options]
  (wrap-multipart-params
    (answering (fn [{:keys [multipart-params]}]
                 (edn-response (update-vals multipart-params
                                            (fn [value]
                                              (cond
                                                (map? value) (facts value)
                                                (and (vector? value) (map? (first value))) (mapv facts value)
                                                :else value))))))
    options))

(defn- uploads
  "The temporary files that this JVM has made, and that there still are."
  []
  (let [^Field field (doto (.getDeclaredField TempFiles "ALL") (.setAccessible true))]
    (set (filter #(.exists ^File %) (.get field nil)))))

(deftest upload-test
  (doseq [[store-name store] stores]
    (testing store-name
      (with-app [server (upload-app {:store (store)}) {:blocking? true}]
        (testing "sized"
          (is (= expected (edn (fetch server "/" :method "POST" :headers {"Content-Type" multipart-type} :body form-bytes)))))
        (testing "chunked"
          (let [body (HttpRequest$BodyPublishers/ofInputStream
                       (reify Supplier (get [_] (ByteArrayInputStream. form-bytes))))]
            (is (= expected (edn (fetch server "/" :method "POST" :headers {"Content-Type" multipart-type} :body body))))))))))

(deftest small-form-test
  (testing "a form that comes whole is read where no thread may wait, too"
    (with-app [server (upload-app {:store (byte-array-store)})]
      (is (= {"a" "1" "f" ["f" "a/b" (sha256 (byte-array 3000))]}
             (edn (fetch server "/" :method "POST" :headers {"Content-Type" "multipart/form-data; boundary=b"}
                         :body (multipart "b" [{:name "a" :content "1"} {:name "f" :filename "f" :content-type "a/b" :content (byte-array 3000)}])))))))
  (testing "and in chunks of a byte"
    (with-app [server (upload-app {:store (byte-array-store)}) {:blocking? true}]
      (let [text (raw/text (multipart "b" [{:name "a" :content "1"} {:name "f" :filename "f" :content-type "a/b" :content "\r\n--\r\n"}]))
            chunks (str/join (map #(str "1\r\n" % "\r\n") text))]
        (is (= {"a" "1" "f" ["f" "a/b" (sha256 (.getBytes "\r\n--\r\n"))]}
               (edn (raw/answer server (str (raw/head "POST / HTTP/1.1" "Host: x" "Connection: close" "Transfer-Encoding: chunked"
                                                      "Content-Type: multipart/form-data; boundary=b")
                                            chunks "0\r\n\r\n")))))))))

(deftest curl-upload-test
  (when app/curl?
    (with-directory [directory]
      (let [file (write-file! directory "Bild ü.bin" large)
            awkward (write-file! directory "a \"quoted\"; name=x.txt" "small")]
        (doseq [[store-name store] stores]
          (testing store-name
            (with-app [server (upload-app {:store (store)}) {:blocking? true}]
              (let [send (fn [& arguments]
                           (edn {:status 200 :bytes (.getBytes ^String (apply curl arguments) "UTF-8")}))]
                (is (= (assoc expected "files" (second (get expected "files")))
                       (send "--form" "title=Füße & more" "--form" "tag=b" "--form" "tag=a"
                             "--form" (str "files=@" file) (url server "/"))))
                (testing "a name that needs quoting comes as curl writes it"
                  (let [[filename type digest] (get (send "--form" (str "f=@\"" (str/replace (str awkward) "\"" "\\\"") "\"") (url server "/")) "f")]
                    (is (contains? #{"a \\\"quoted\\\"; name=x.txt" "a %22quoted%22; name=x.txt"} filename))
                    (is (= ["text/plain" (sha256 (.getBytes "small"))] [type digest]))))))))))))

(defn- post
  [bytes]
  (raw/post "/" (raw/text bytes) "Content-Type: multipart/form-data; boundary=b"))

(deftest failures-test
  (let [before (uploads)
        file (fn [size] {:name "f" :filename "f" :content (random-bytes size size)})]
    (with-app [server (upload-app {:max-file-size 100000 :max-file-count 2}) {:blocking? true}]
      (with-client [client server]
        (dotimes [_ 2]
          (doseq [[what status bytes] [["a file that is too large, behind one that is not" 413 (multipart "b" [(file 90000) (file 300000)])]
                                       ["too many files" 413 (multipart "b" (repeat 3 (file 9000)))]
                                       ["no last boundary" 400 (byte-array (drop-last 4 (multipart "b" [(file 9000)])))]
                                       ["another boundary than it says, in a header field" 400 (multipart "bb" [(file 9000)])]]]
            (testing what
              (raw/send! client (post bytes))
              (is (= status (:status (raw/read-response client))))
              (is (= before (uploads)))))
          (testing "the connection goes on"
            (raw/send! client (post (multipart "b" [(file 100000)])))
            (is (= {"f" ["f" nil (sha256 (random-bytes 100000 100000))]} (edn (raw/read-response client))))))))))

(deftest cut-upload-test
  (testing "a client that leaves in the middle of an upload leaves no file behind"
    (let [before (uploads)
          begun (atom nil)
          ended (atom nil)
          app (upload-app {:progress-fn (fn [_ _ _ parts] (when (= 4 parts) (deliver @begun true)))})
          watched (fn ([request] (try (app request) (finally (deliver @ended true))))
                    ([request respond raise] (try (app request respond raise) (finally (deliver @ended true)))))]
      (with-app [server watched {:blocking? true}]
        (run! #(reset! % (promise)) [begun ended])
        (with-client [client server]
          (raw/send! client (raw/head "POST / HTTP/1.1" "Host: x" (str "Content-Type: " multipart-type)
                                      (str "Content-Length: " (count form-bytes))))
          (raw/send! client (subs (raw/text form-bytes) 0 900000))
          (is (deref @begun raw/guard-ms false)))
        (is (deref @ended raw/guard-ms false))
        (is (= before (uploads)))))))
