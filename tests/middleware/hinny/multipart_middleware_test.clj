(ns hinny.multipart-middleware-test
  "`wrap-multipart-params`: uploads of several files under one name, into memory and into files; and what is too large."
  (:require
   [clojure.java.io :as io]
   [clojure.test :refer [deftest is testing]]
   [hinny.middleware-app :as app :refer [answering curl edn edn-response fetch multipart random-bytes sha256 url with-app with-directory write-file!]]
   [hinny.raw-client :as raw :refer [with-client]]
   [ring.middleware.keyword-params :refer [wrap-keyword-params]]
   [ring.middleware.multipart-params :refer [wrap-multipart-params]]
   [ring.middleware.multipart-params.byte-array :refer [byte-array-store]]
   [ring.middleware.multipart-params.temp-file :refer [temp-file-store]]
   [ring.middleware.params :refer [wrap-params]])
  (:import
   (java.io ByteArrayInputStream File)
   (java.net.http HttpRequest$BodyPublishers)
   (java.nio.file Files)
   (java.util.function Supplier)))

(set! *warn-on-reflection* true)

(def ^:private stores
  {"byte array" byte-array-store
   "temporary file" #(temp-file-store {})})

(def ^:private files
  "Small, beyond 64 KiB and beyond 1 MiB; every byte occurs, line ends and boundaries' hyphens too."
  [{:filename "small.txt" :content-type "text/plain" :bytes (.getBytes "--\r\n--AaB03x\r\nsmall\r\n" "UTF-8")}
   {:filename "Bild ü.png" :content-type "image/png" :bytes (random-bytes 70000 1)}
   {:filename "large.bin" :content-type "application/octet-stream" :bytes (random-bytes 1600000 2)}])

(defn- facts
  "What a handler tells of a stored file; a temporary file is deleted."
  [{:keys [filename content-type bytes ^File tempfile size]}]
  (let [content (or bytes (Files/readAllBytes (.toPath tempfile)))]
    (when tempfile (io/delete-file tempfile))
    (cond-> {:filename filename :content-type content-type :sha256 (sha256 content)}
      size (assoc :length-is-right? (= size (alength ^bytes content))))))

(def ^:private expected-files
  (for [{:keys [bytes] :as file} files]
    (-> file (dissoc :bytes) (assoc :sha256 (sha256 bytes)))))

(defn- upload-app [store]
  (-> (answering (fn [{:keys [params multipart-params]}]
                   (edn-response {:names (set (keys multipart-params))
                                  :fields (select-keys params [:title :tag :q])
                                  :files (mapv facts (:files params))})))
      wrap-keyword-params
      (wrap-multipart-params {:store store})
      wrap-params))

(def ^:private form
  (concat [{:name "title" :content "Füße & more"} {:name "tag" :content "b"}]
          (for [file files]
            {:name "files" :filename (:filename file) :content-type (:content-type file) :content (:bytes file)})
          [{:name "tag" :content "a"}]))

(defn- expected [store-name]
  {:names #{"title" "tag" "files"}
   :fields {:title "Füße & more" :tag ["b" "a"] :q "1"}
   :files (for [file expected-files]
            (cond-> file (= "temporary file" store-name) (assoc :length-is-right? true)))})

(def ^:private multipart-type "multipart/form-data; boundary=AaB03x-of-the-form")

(def ^:private form-bytes (multipart "AaB03x-of-the-form" form))

(deftest upload-test
  (doseq [[store-name store] stores]
    (testing store-name
      (with-app [server (upload-app (store)) {:blocking? true}]
        (testing "sized"
          (is (= (expected store-name)
                 (edn (fetch server "/?q=1" :method "POST" :headers {"Content-Type" multipart-type} :body form-bytes)))))
        (testing "chunked"
          (let [body (HttpRequest$BodyPublishers/ofInputStream
                       (reify Supplier (get [_] (ByteArrayInputStream. form-bytes))))]
            (is (= (expected store-name)
                   (edn (fetch server "/?q=1" :method "POST" :headers {"Content-Type" multipart-type} :body body))))))))))

(deftest curl-upload-test
  (when app/curl?
    (with-directory [directory]
      (doseq [{:keys [filename bytes]} files]
        (write-file! directory filename bytes))
      (doseq [[store-name store] stores]
        (testing store-name
          (with-app [server (upload-app (store)) {:blocking? true}]
            (is (= (expected store-name)
                   (edn {:status 200
                         :bytes (.getBytes
                                  ^String (apply curl "--form" "title=Füße & more" "--form" "tag=b" "--form" "tag=a" (url server "/?q=1")
                                                 (mapcat (fn [{:keys [filename content-type]}]
                                                           ["--form" (str "files=@" directory "/" filename ";type=" content-type)])
                                                         files))
                                  "UTF-8")})))))))))

(deftest uploads-in-parallel-test
  (testing "many uploads at once do not mix"
    (with-app [server (upload-app (byte-array-store)) {:blocking? true}]
      (let [uploads (doall (for [seed (range 8)]
                             (let [bytes (random-bytes (+ 100000 (* 1000 seed)) seed)
                                   parts (repeat 3 {:name "files" :filename "f" :content-type "a/b" :content bytes})]
                               [(sha256 bytes)
                                (future (edn (fetch server "/" :method "POST" :headers {"Content-Type" multipart-type}
                                                    :body (multipart "AaB03x-of-the-form" parts))))])))]
        (doseq [[sha256 upload] uploads]
          (is (= (repeat 3 sha256) (map :sha256 (:files (deref upload raw/guard-ms nil))))))))))

(deftest small-form-test
  (testing "a form without files, in every mode"
    (with-app [server (upload-app (byte-array-store))]
      (is (= {:names #{"title" "tag"} :fields {:title "x" :tag "y" :q "1"} :files []}
             (edn (fetch server "/?q=1" :method "POST" :headers {"Content-Type" "multipart/form-data; boundary=b"}
                         :body (multipart "b" [{:name "title" :content "x"} {:name "tag" :content "y"}]))))))))

(deftest field-charset-test
  (with-app [server (wrap-multipart-params (answering #(edn-response (:multipart-params %))))]
    (testing "a field may name its charset, or all of them with _charset_"
      (doseq [[parts expected] [[[{:name "a" :content "\u00C3\u00BC"}] {"a" "ü"}]
                                [[{:name "a" :content-type "text/plain; charset=ISO-8859-1" :content "\u00FC"}] {"a" "ü"}]
                                [[{:name "_charset_" :content "ISO-8859-1"} {:name "a" :content "\u00FC"}] {"_charset_" "ISO-8859-1" "a" "ü"}]]]
        (let [body (String. (multipart "b" (map #(update % :content raw/latin1) parts)) "ISO-8859-1")]
          (is (= expected (edn (raw/answer server (raw/post "/" body "Content-Type: multipart/form-data; boundary=b"))))))))))

;; Limits

(deftest limit-of-the-server-test
  (testing "an upload beyond :max-body-bytes is answered 413, said beforehand or found out, and the app never sees it whole"
    (let [seen (atom [])]
      (with-app [server (-> (answering (fn [{:keys [multipart-params]}]
                                         (swap! seen conj (keys multipart-params))
                                         (edn-response :stored)))
                            (wrap-multipart-params {:store (byte-array-store)}))
                 {:blocking? true :max-body-bytes 100000}]
        (let [type (str "Content-Type: " multipart-type)
              sized (raw/head "POST / HTTP/1.1" "Host: x" type (str "Content-Length: " (count form-bytes)))
              chunked (raw/head "POST / HTTP/1.1" "Host: x" type "Transfer-Encoding: chunked")
              chunk (str "186A1\r\n" (raw/text (byte-array 100001)) "\r\n")]
          (doseq [[what request] [["said by Content-Length, none of it sent" sized]
                                  ["the first chunk is too large" (str chunked chunk)]]]
            (testing what
              (with-client [client server]
                (raw/send! client request)
                (let [response (raw/read-response client)]
                  (is (= 413 (:status response)))
                  (is (= "close" (raw/header response "connection")))))))
          (when app/curl?
            (testing "curl asks before it sends"
              (with-directory [directory]
                (let [file (write-file! directory "large.bin" (:bytes (last files)))]
                  (is (= "413" (curl "--form" (str "files=@" file) "--output" "/dev/null" "--write-out" "%{http_code}" (url server "/"))))))))
          (is (= [] @seen))
          (testing "a smaller one is stored by the same server"
            (is (= :stored (edn (fetch server "/" :method "POST" :headers {"Content-Type" multipart-type}
                                       :body (multipart "AaB03x-of-the-form" [(nth form 3)])))))
            (is (= [["files"]] @seen))
            (reset! seen [])))))))

(defn- wrap-upload-limit
  "Answers 413 as soon as more than `limit` bytes of an upload have come."
  [handler limit]
  (let [too-large {:status 413 :headers {"Content-Type" "text/plain"} :body "that is too much"}
        limited (wrap-multipart-params
                  handler
                  {:store (byte-array-store)
                   :progress-fn (fn [_ bytes-read _ _]
                                  (when (< limit bytes-read) (throw (ex-info "too large" {:bytes bytes-read}))))})]
    (fn
      ([request]
       (try
         (limited request)
         (catch clojure.lang.ExceptionInfo _ too-large)))
      ([request respond raise]
       (try
         (limited request respond raise)
         (catch clojure.lang.ExceptionInfo _ (respond too-large)))))))

(deftest limit-of-the-app-test
  (testing "an app that gives up in the middle of an upload: its answer comes, and the connection goes on"
    (with-app [server (wrap-upload-limit (answering (fn [_] (edn-response :stored))) 100000) {:blocking? true}]
      (with-client [client server]
        (dotimes [_ 3]
          (let [bytes (multipart "b" [{:name "a" :filename "a" :content (random-bytes 300000 3)}])]
            (raw/send! client (raw/post "/" (raw/text bytes) "Content-Type: multipart/form-data; boundary=b"))
            (is (= [413 "that is too much"] ((juxt :status :body) (raw/read-response client)))))
          (let [bytes (multipart "b" [{:name "a" :filename "a" :content (random-bytes 50000 4)}])]
            (raw/send! client (raw/post "/" (raw/text bytes) "Content-Type: multipart/form-data; boundary=b"))
            (is (= :stored (edn (raw/read-response client))))))))))

(deftest cut-upload-test
  (testing "a client that leaves in the middle of an upload: nothing is stored, and the server goes on"
    (let [stored (atom 0)]
      (with-app [server (-> (answering (fn [_] (swap! stored inc) (edn-response :stored)))
                            (wrap-multipart-params {:store (byte-array-store)}))
                 {:blocking? true}]
        (with-client [client server]
          (raw/send! client (raw/head "POST / HTTP/1.1" "Host: x" (str "Content-Type: " multipart-type)
                                      (str "Content-Length: " (count form-bytes))))
          (raw/send! client (subs (raw/text form-bytes) 0 90000))
          (is (raw/await-taken client)))
        (is (= :stored (edn (fetch server "/" :method "POST" :headers {"Content-Type" multipart-type}
                                   :body (multipart "AaB03x-of-the-form" [(nth form 2)])))))
        (is (= 1 @stored))
        (reset! stored 0)))))
