(ns hinny.response-body-test
  "Response bodies of Ring's types in every mode: nil, String, byte[], ISeq, File. InputStreams are in
  `hinny.input-stream-body-test`, what users extend the protocol to in `hinny.streamable-body-test`."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.log-capture :as log :refer [with-log]]
   [hinny.modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client]]
   [hinny.raw-stream :as stream])
  (:import
   (java.io File RandomAccessFile)
   (java.nio.file Files)
   (java.nio.file.attribute FileAttribute)
   (java.util Random)))

(set! *warn-on-reflection* true)

(defn- bytes-of
  "`length` bytes that differ with it."
  ^bytes [length]
  (let [data (byte-array length)]
    (.nextBytes (Random. length) data)
    data))

(defn- text-in [charset content-type]
  {:status 200 :headers {"Content-Type" content-type} :body "a\u00e9\u20ac \ud83d\ude00" ::charset charset})

(def ^:private charset-table
  "Content-Type and the charset that a String, or an element of a seq, is written in."
  [["text/plain" "UTF-8"]
   ["text/plain; charset=utf-8" "UTF-8"]
   ["text/plain; charset=ISO-8859-1" "ISO-8859-1"]
   ["text/plain;CHARSET=\"iso-8859-15\"" "ISO-8859-15"]
   ["text/plain; format=flowed; charset=UTF-16BE" "UTF-16BE"]
   ["text/html; charset=US-ASCII" "US-ASCII"]])

(deftest charset-test
  (each-mode [mode]
    (doseq [[content-type charset] charset-table]
      (testing (str "S a text is written in the charset of " content-type)
        (let [{:keys [body] :as response} (text-in charset content-type)
              expected (raw/text (String/.getBytes body ^String charset))]
          (with-handler [server mode (fn [{:keys [uri]}]
                                       (if (= "/seq" uri)
                                         (update response :body #(map str (list (subs % 0 3) (subs % 3))))
                                         response))]
            (is (= expected (:body (raw/answer server (raw/get-request "/")))))
            (is (= expected (:body (stream/ask server (raw/get-request "/seq")))))))))))

(defn- lines
  "A lazy sequence of `n` lines, one realized at a time."
  [n]
  ((fn step [i]
     (lazy-seq
       (when (< i n)
         (cons (str i "\n") (step (inc i))))))
   0))

(def ^:private body-table
  "What it is, a function that makes it, and the body on the wire."
  [["nil" (constantly nil) ""]
   ["empty String" (constantly "") ""]
   ["String" (constantly "text") "text"]
   ["empty byte[]" #(byte-array 0) ""]
   ["byte[]" #(byte-array [0 -1 10 13]) "\u0000\u00ff\n\r"]
   ["large byte[]" #(bytes-of 1000000) (raw/text (bytes-of 1000000))]
   ["empty list" (constantly ()) ""]
   ["empty lazy seq" #(lazy-seq nil) ""]
   ["list" #(list "a" "b") "ab"]
   ["seq of a vector" #(seq ["a" "b"]) "ab"]
   ["lazy seq" #(lines 1000) (str/join (lines 1000))]
   ["chunked seq" #(map str (range 1000)) (str/join (range 1000))]
   ["seq of what is no String" #(list 1 :a 'b 1.5 \c [2]) "1:ab1.5c[2]"]
   ["seq with nil and empty elements" #(list nil "a" "" nil "b") "ab"]
   ["seq of nothing but nil" #(list nil nil) ""]
   ["seq with a large element" #(list "a" (stream/text-of 200000) "b") (str "a" (stream/text-of 200000) "b")]])

(deftest body-test
  (each-mode [mode]
    (doseq [[what make expected] body-table]
      (testing (str "S " what)
        (with-handler [server mode (fn [_] {:status 200 :body (make)})]
          (with-client [client server]
            (dotimes [_ 2]
              (raw/send! client (raw/get-request "/"))
              (let [{:keys [status body cut?]} (stream/read-any client)]
                (is (= [200 false] [status cut?]))
                (is (= expected body)))
              (testing "HEAD tells the same and nothing of it follows"
                (raw/send! client (raw/head "HEAD / HTTP/1.1" "Host: x"))
                (is (= 200 (:status (stream/read-any client {:head? true}))))))))))))

(deftest seq-that-throws-test
  (each-mode [mode]
    (testing "M18 while its first element is realized: 500, and the connection goes on"
      (with-log [events]
        (with-handler [server mode (fn [{:keys [uri]}]
                                     {:status 200
                                      :body (if (= "/throw" uri)
                                              (map (fn [_] (throw (ex-info "secret" {}))) [1])
                                              "ok")})]
          (with-client [client server]
            (raw/send! client (raw/get-request "/throw"))
            (is (= [500 "Internal Server Error"] ((juxt :status :body) (stream/read-any client))))
            (raw/send! client (raw/get-request "/"))
            (is (= "ok" (:body (raw/read-response client)))))
          (is (= "secret" (ex-message (:throwable (log/await-event events)))))
          (is (= [] (log/events events))))))
    (testing "M18 behind its first element: cut, so that nobody takes it for the whole"
      (with-log [events]
        (with-handler [server mode (fn [_]
                                     {:status 200
                                      :body (lazy-seq (cons "first" (lazy-seq (throw (ex-info "secret" {})))))})]
          (with-client [client server]
            (raw/send! client (raw/get-request "/"))
            (let [response (stream/read-any client)]
              (is (= [200 :chunked true] ((juxt :status :framing :cut?) response)))
              (is (not (str/includes? (pr-str response) "secret")))))
          (let [{:keys [level message throwable]} (log/await-event events)]
            (is (= [:error "secret"] [level (ex-message throwable)]))
            (is (str/includes? message "GET /")))
          (is (= [] (log/events events))))))))

;; Files

(defn- directory ^File []
  (.toFile (Files/createTempDirectory "hinny" (make-array FileAttribute 0))))

(defn- delete-all [^File directory]
  (run! #(.delete ^File %) (reverse (file-seq directory))))

(defmacro ^:private with-directory [[directory] & body]
  `(let [~directory (directory)]
     (try
       ~@body
       (finally (delete-all ~directory)))))

(defn- file-of
  "A file called `file-name` of these bytes."
  ^File [directory file-name ^bytes data]
  (let [file (File. ^File directory ^String file-name)]
    (Files/write (.toPath file) data (make-array java.nio.file.OpenOption 0))
    file))

(deftest file-test
  (with-directory [directory]
    (let [files (into {} (for [length [0 1 65535 65536 65537 131071 131073 5000000]]
                           [(str "/" length) (file-of directory (str length) (bytes-of length))]))]
      (each-mode [mode]
        (with-handler [server mode (fn [{:keys [uri]}] {:status 200 :body (files uri)})]
          (doseq [[target ^File file] files]
            (testing (str "S M16 a file of " (.length file) " bytes arrives whole, with its length")
              (with-client [client server]
                (raw/send! client (raw/get-request target))
                (let [{:keys [body framing]} (stream/read-any client)]
                  (is (= :sized framing))
                  (is (= (stream/sha256 (bytes-of (.length file))) (stream/sha256 body))))
                (raw/send! client (raw/head (str "HEAD " target " HTTP/1.1") "Host: x"))
                (is (= [(str (.length file))] (raw/header-values (stream/read-any client {:head? true}) "content-length")))
                (raw/send! client (raw/get-request "/1"))
                (is (= 1 (count (:body (raw/read-response client)))))))))))))

(deftest file-name-test
  (with-directory [directory]
    (each-mode [mode]
      (doseq [file-name ["plain" "with spaces and %41 + ;" ".hidden" "caf\u00e9" "\u20ac \u65e5\u672c"]]
        (testing (str "S a file called " (pr-str file-name))
          ;; A JVM whose locale has no such character cannot name the file at all.
          (when-let [file (try (file-of directory file-name (.getBytes "content"))
                            (catch java.nio.file.InvalidPathException _ nil))]
            (with-handler [server mode (constantly {:status 200 :body file})]
              (is (= "content" (:body (raw/answer server (raw/get-request "/"))))))))))))

(deftest file-that-is-none-test
  (with-directory [directory]
    (each-mode [mode]
      (doseq [[what ^File file] [["a missing file" (File. directory "missing")]
                                 ["a directory" directory]]]
        (testing (str "M18 " what " is a 500 that says nothing of it, logged once, and the connection goes on")
          (with-log [events]
            (with-handler [server mode (fn [{:keys [uri]}] {:status 200 :body (if (= "/file" uri) file "ok")})]
              (with-client [client server]
                (raw/send! client (raw/get-request "/file"))
                (let [response (stream/read-any client)]
                  (is (= [500 "Internal Server Error"] ((juxt :status :body) response)))
                  (is (not (str/includes? (pr-str response) (.getName directory)))))
                (raw/send! client (raw/get-request "/"))
                (is (= "ok" (:body (raw/read-response client))))))
            (let [{:keys [level message]} (log/await-event events)]
              (is (= :error level))
              (is (str/includes? message (.getName file))))
            (is (= [] (log/events events)))))))))

(deftest file-that-shrinks-test
  (with-directory [directory]
    (each-mode [mode]
      (testing "a file that becomes shorter while it is sent: cut, not filled up"
        (let [file (file-of directory "shrinks" (bytes-of 30000000))]
          (with-log [events]
            (with-handler [server mode (constantly {:status 200 :body file})]
              (with-open [client (stream/small-buffers (hinny.server/server-port server))]
                (raw/send! client (raw/get-request "/"))
                (let [head (stream/read-head client)]
                  (is (= ["30000000"] (raw/header-values head "content-length"))))
                (with-open [opened (RandomAccessFile. file "rw")]
                  (.setLength opened 1000000))
                (let [[text _] (stream/read-rest client)]
                  (is (< (count text) 30000000)))))
            (is (str/includes? (:message (log/await-event events)) "breaks off"))))))))
