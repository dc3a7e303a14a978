(ns hinny.multipart-test
  "`wrap-multipart-params` on plain request maps, without Ring: what parameters there are, in which charset; limits; where
  files go, and that they go away."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing]]
   [hinny.middleware :as middleware]
   [hinny.multipart-body :as body :refer [form latin1 part read-form request utf8-as-latin1]])
  (:import
   (clojure.lang ExceptionInfo)
   (io.github.hinny TempFiles)
   (java.io ByteArrayInputStream File IOException InputStream)
   (java.lang.reflect Field)
   (java.nio.file Files LinkOption)
   (java.nio.file.attribute PosixFilePermissions)))

(set! *warn-on-reflection* true)

(def ^:private two-fields-and-a-file
  (form (part {:name "a"} "1") (part {:name "f" :filename "x.txt" :type "text/plain"} "\r\n--\r\nb") (part {:name "a"} "2")))

(def ^:private its-params
  {"a" ["1" "2"] "f" {:filename "x.txt" :content-type "text/plain" :content "\r\n--\r\nb"}})

(deftest params-test
  (testing "whatever the pieces, and whatever length was told"
    (is (= its-params (read-form (request two-fields-and-a-file))))
    (doseq [size [1 2 3 7 64 1000]]
      (is (= its-params (read-form (request two-fields-and-a-file :size size)))))
    (doseq [length [nil 0 1 10 1000000 "x" -1]]
      (is (= its-params (read-form (request two-fields-and-a-file :length length))) length)))
  (testing "names once, twice, three times, and of a file and a field"
    (is (= {"a" ["1" {:filename "f" :content-type nil :content "2"} "3"]}
           (read-form (request (form (part {:name "a"} "1") (part {:name "a" :filename "f"} "2") (part {:name "a"} "3")))))))
  (testing "a file input without a file"
    (is (= {"f" {:filename "" :content-type "application/octet-stream" :content ""}}
           (read-form (request (form (part {:name "f" :filename "" :type "application/octet-stream"} "")))))))
  (testing "many fields keep no order, and a few their own"
    (is (= ["c" "a" "b"] (keys (read-form (request (form (part {:name "c"} "") (part {:name "a"} "") (part {:name "b"} "")))))))
    (is (= (into {} (for [n (range 100)] [(str n) (str n)]))
           (read-form (request (apply form (for [n (range 100)] (part {:name n} n)))))))))

(deftest other-requests-test
  (testing "requests without such a form get empty parameters, and their bodies are not read"
    (doseq [type [nil "text/plain" "multipart/mixed; boundary=b" "multipart/form-data-x; boundary=b" "application/x-www-form-urlencoded"]]
      (let [asked (request two-fields-and-a-file :type type)
            given (middleware/multipart-params-request asked)]
        (is (= [{} {}] ((juxt :multipart-params :params) given)))
        (is (= (count two-fields-and-a-file) (.available ^InputStream (:body given)))))))
  (testing "the type has no case"
    (doseq [type ["Multipart/Form-Data; Boundary=b" "multipart/form-data ;boundary=\"b\"" "multipart/form-data; charset=utf-8; boundary=b"]]
      (is (= its-params (read-form (request two-fields-and-a-file :type type))))))
  (testing "no body at all"
    (is (= {} (read-form (dissoc (request "") :body)))))
  (testing "other parameters stay"
    (let [{:keys [params multipart-params query-params]}
          (middleware/multipart-params-request
            (assoc (request (form (part {:name "a"} "1"))) :params {"a" "0" "q" "2"} :query-params {"q" "2"} :multipart-params {"x" "y"}))]
      (is (= {"a" "1" "q" "2"} params))
      (is (= {"a" "1" "x" "y"} multipart-params))
      (is (= {"q" "2"} query-params)))))

(deftest charset-test
  (let [fields (fn [& parts] (apply form (map (fn [[fields content]] (part fields content)) parts)))
        ü8 (utf8-as-latin1 "ü")]
    (are [expected text options type] (= expected (read-form (request text :type type) options))
      {"a" "ü"} (fields [{:name "a"} ü8]) {} "multipart/form-data; boundary=b"
      {"ü" "ü"} (fields [{:name ü8} ü8]) {} "multipart/form-data; boundary=b"
      {"ü" "ü"} (fields [{:name "ü"} "ü"]) {} "multipart/form-data; boundary=b; charset=iso-8859-1"
      {"ü" "ü"} (fields [{:name "ü"} "ü"]) {:fallback-encoding "ISO-8859-1"} "multipart/form-data; boundary=b; charset=utf-8"
      {"a" "ü"} (fields [{:name "a" :type "text/plain; charset=iso-8859-1"} "ü"]) {} "multipart/form-data; boundary=b"
      {"a" "ü"} (fields [{:name "a" :type "text/plain; charset=\"utf-8\""} ü8]) {:fallback-encoding "ISO-8859-1"} "multipart/form-data; boundary=b"
      {"_charset_" "iso-8859-1" "a" "ü"} (fields [{:name "a" :type "text/plain; charset=utf-8"} "ü"] [{:name "_charset_"} "iso-8859-1"]) {} "multipart/form-data; boundary=b"
      {"_charset_" "" "a" "ü"} (fields [{:name "a"} ü8] [{:name "_charset_"} ""]) {} "multipart/form-data; boundary=b"
      {"_charset_" "iso-8859-1" "a" "ü"} (fields [{:name "a"} ü8] [{:name "_charset_"} "iso-8859-1"]) {:encoding "UTF-8"} "multipart/form-data; boundary=b")))

(defn- answers
  "What a wrapped handler answers, in both arities; `:ok` is the handler's own."
  [asked options]
  (let [handler (fn ([_] :ok) ([_ respond _] (respond :ok)))
        wrapped (middleware/wrap-multipart-params handler options)
        answered (promise)]
    (wrapped (asked) answered #(deliver answered %))
    (distinct [(wrapped (asked)) (deref answered 0 :nothing)])))

(deftest handler-test
  (testing "the handler gets the parameters in both arities"
    (let [handler (middleware/wrap-multipart-params (fn ([request] (:params request)) ([request respond _] (respond (:params request)))))]
      (is (= {"a" "1"} (handler (request (form (part {:name "a"} "1"))))))
      (let [answered (promise)]
        (handler (request (form (part {:name "a"} "1"))) answered nil)
        (is (= {"a" "1"} @answered)))))
  (testing "what the handler throws is its own matter"
    (is (thrown? ExceptionInfo ((middleware/wrap-multipart-params (fn [_] (throw (ex-info "mine" {})))) (request (form)))))))

(def ^:private a (part {:name "a"} "1"))

(deftest malformed-test
  (doseq [[reason text type] [[:truncated "--b\r\n"]
                              [:truncated (str a "\r\n--b")]
                              [:truncated (str a "\r\n--c--")]
                              [:delimiter (str a "\r\n--bc\r\n")]
                              [:delimiter "--b?"]
                              [:head-size (str a "\r\n--b\r\n" (str/join (repeat 10241 "x")))]
                              [:filename (form (part {:name "a" :filename "x\u0000y"} ""))]
                              [:charset (form (part {:name "a" :type "text/plain; charset=no-such"} ""))]
                              [:charset (form (part {:name "_charset_"} "no such"))]
                              [:charset (form) "multipart/form-data; boundary=b; charset=no-such"]
                              [:boundary (form) "multipart/form-data"]
                              [:boundary (form) "multipart/form-data; boundary="]
                              [:boundary (form) (str "multipart/form-data; boundary=" (str/join (repeat 257 "b")))]]
          :let [asked #(request text :type (or type "multipart/form-data; boundary=b"))]]
    (testing reason
      (is (= [{:status 400 :headers {"Content-Type" "text/plain"} :body "Bad Request"}] (answers asked {})))
      (is (= [:mine] (answers asked {:malformed-handler (fn ([_] :mine) ([_ respond _] (respond :mine)))})))
      (is (= {:type :hinny.error/request-malformed :reason reason}
             (try
               (middleware/multipart-params-request (asked))
               (catch ExceptionInfo failure (ex-data failure)))))))
  (testing "a head as large as may be"
    (is (= {"a" ""} (read-form (request (form (part (str "Content-Disposition: form-data; name=a\r\nX:" (str/join (repeat (- 10240 38 2 2 2 2) "x")) "\r\n") "")))))))
  (testing "an option's own charset is the programmer's mistake"
    (is (thrown? IllegalArgumentException (middleware/multipart-params-request (request (form a)) {:encoding "no-such"})))))

(deftest limits-test
  (let [file (fn [content] (part {:name "f" :filename "f"} content))
        many (fn [n part] (apply form (repeat n part)))]
    (doseq [[limit value enough too-much] [[:max-file-size 3 (form (file "123") (file "456")) (form (file "123") (file "1234"))]
                                           [:max-file-count 2 (form a (file "") (file "") a) (form (file "") (file "") (file ""))]
                                           [:max-fields 2 (form a a (file "")) (form a (file "") a a)]
                                           [:max-field-bytes 4 (form a a) (form a a a)]
                                           [:max-field-bytes 4 (form (part {:name "a"} "123")) (form (part {:name "a"} "1234"))]
                                           [:max-field-bytes 4 (form (part {:name "abcd"} "")) (form (part {:name "abcde"} ""))]]
            size [nil 1]]
      (testing limit
        (let [store (middleware/byte-array-store)
              asked (fn [text] #(request text :size size))]
          (is (= [:ok] (answers (asked enough) {:store store limit value})))
          (is (= [:ok] (answers (asked too-much) {:store store limit nil})))
          (is (= [{:status 413 :headers {"Content-Type" "text/plain; charset=UTF-8"} :body "Uploaded content exceeded limits."}]
                 (answers (asked too-much) {:store store limit value})))
          (is (= [:mine] (answers (asked too-much) {:store store limit value :error-handler (fn ([_] :mine) ([_ respond _] (respond :mine)))})))
          (is (= {:type :hinny.error/multipart-too-large :limit limit :max value}
                 (try
                   (middleware/multipart-params-request ((asked too-much)) {:store store limit value})
                   (catch ExceptionInfo failure (ex-data failure))))))))
    (testing "by default"
      (doseq [[what text] [["fields" (many 1025 a)]
                           ["files" (many 1025 (file ""))]
                           ["field bytes" (form (part {:name "a"} (str/join (repeat (* 10 1024 1024) "x"))))]]]
        (testing what
          (is (= [413] (map :status (answers #(request text) {:store (middleware/byte-array-store)})))))))))

;;; Stores

(defn- uploads
  "The temporary files that this JVM has made, and that there still are."
  []
  (let [^Field field (doto (.getDeclaredField TempFiles "ALL") (.setAccessible true))]
    (set (filter #(.exists ^File %) (.get field nil)))))

(deftest temp-file-test
  (let [{{:keys [^File tempfile] :as stored} "f"} (:params (middleware/multipart-params-request (request two-fields-and-a-file)))]
    (try
      (is (= {:filename "x.txt" :content-type "text/plain" :size 7} (dissoc stored :tempfile)))
      (is (= "\r\n--\r\nb" (slurp tempfile)))
      (is (= (System/getProperty "java.io.tmpdir") (.getParent tempfile)))
      (testing "nobody else may read it"
        (is (= "rw-------" (PosixFilePermissions/toString (Files/getPosixFilePermissions (.toPath tempfile) (make-array LinkOption 0))))))
      (finally (.delete tempfile)))))

(deftest files-of-a-failure-test
  (let [file (part {:name "f" :filename "f"} "123")
        before (uploads)]
    (doseq [[what text options] [["truncated" (str file "\r\n" file "\r\n--b")]
                                 ["truncated in it" (str file "\r\n" file)]
                                 ["too large" (form file (part {:name "g" :filename "g"} "1234")) {:max-file-size 3}]
                                 ["too many" (form file file file) {:max-file-count 2}]
                                 ["an unknown charset, known at the end only" (form file (part {:name "_charset_"} "x-y-z"))]]
            size [nil 5]]
      (testing what
        (is (thrown? ExceptionInfo (middleware/multipart-params-request (request text :size size) (or options {}))))
        (is (= before (uploads)))))
    (testing "the client is gone"
      (let [text (str file "\r\n" file)
            in (ByteArrayInputStream. (latin1 text))
            broken (proxy [InputStream] []
                     (read [bytes from length]
                       (let [n (.read in bytes from (min 20 (long length)))]
                         (if (neg? n) (throw (IOException. "gone")) n))))]
        (is (thrown-with-msg? IOException #"gone" (middleware/multipart-params-request (assoc (request text) :body broken))))
        (is (= before (uploads)))))
    (testing "the progress function gives up"
      (is (thrown-with-msg? IllegalStateException #"enough"
                            (middleware/multipart-params-request (request (form file file))
                                                                 {:progress-fn (fn [_ _ _ parts] (when (= 2 parts) (throw (IllegalStateException. "enough"))))})))
      (is (= before (uploads))))))

(defn- gone?
  "Waits until a file is gone; the guard is for the case that it stays."
  [^File file]
  (let [until (+ (System/nanoTime) 20000000000)]
    (loop []
      (cond
        (not (.exists file)) true
        (< until (System/nanoTime)) false
        :else (do (Thread/onSpinWait) (recur))))))

(defn- write!
  "A new file with a few bytes."
  ^File [^TempFiles files]
  (.write files (ByteArrayInputStream. (byte-array 3))))

(deftest expiry-test
  (testing "a file that is old enough is deleted, one that is not stays, whatever its store"
    (let [short-lived (TempFiles. 0)
          long-lived (TempFiles. 3600000)
          forever (TempFiles. TempFiles/NEVER)
          ;; The first ones may be gone before they can be changed.
          ^File changed-later (first (filter #(.setLastModified ^File % (+ (System/currentTimeMillis) 3600000))
                                             (repeatedly #(write! short-lived))))
          ^File kept (write! long-lived)
          ^File kept-forever (doto (write! forever) (.setLastModified 1000))]
      (try
        (is (gone? (write! short-lived)))
        (is (gone? (write! short-lived)) "the sweeping goes on")
        (is (.exists changed-later))
        (is (.exists kept))
        (is (.exists kept-forever))
        (finally
          (.delete short-lived changed-later)
          (.delete long-lived kept)
          (.delete forever kept-forever)))))
  (testing "a file that cannot be written is not there"
    (let [before (uploads)
          broken (proxy [InputStream] [] (read ([_ _ _] (throw (IOException. "broken")))))]
      (is (thrown? IOException (.write (TempFiles. TempFiles/NEVER) broken)))
      (is (= before (uploads)))))
  (testing "a store's option, in seconds"
    (let [store (middleware/temp-file-store {:expires-in 0})]
      (is (gone? (:tempfile (store {:filename "f" :content-type nil :stream (ByteArrayInputStream. (byte-array 3))})))))))

(deftest own-store-test
  (testing "a store gets name, type and stream, and its value is the parameter"
    (let [asked (atom [])
          store (fn [{:keys [^InputStream stream] :as item}]
                  (swap! asked conj (dissoc item :stream))
                  [(.available stream) (.read stream) (String. (.readNBytes stream 2)) (.read stream (byte-array 9) 2 0) (slurp stream) (.read stream)])]
      (is (= {"a" ["1" "2"] "f" [7 13 "\n-" 0 "-\r\nb" -1]}
             (:params (middleware/multipart-params-request (request two-fields-and-a-file) {:store store}))))
      (is (= [{:filename "x.txt" :content-type "text/plain"}] @asked))))
  (testing "one that reads nothing, or the first byte only"
    (doseq [read-some [(constantly :none) #(.read ^InputStream (:stream %))]
            size [nil 1 4]]
      (is (= ["1" "2"] (get (:params (middleware/multipart-params-request (request two-fields-and-a-file :size size) {:store read-some})) "a")))))
  (testing "one that keeps the stream finds it closed"
    (let [kept (atom nil)]
      (middleware/multipart-params-request (request two-fields-and-a-file) {:store #(do (reset! kept (:stream %)) nil)})
      (is (thrown-with-msg? IOException #"over" (.read ^InputStream @kept)))
      (is (zero? (.available ^InputStream @kept)))))
  (testing "values that Ring cannot tell from none are replaced, and a vector is taken for several"
    (let [text (form (part {:name "f" :filename "f"} "") (part {:name "f" :filename "g"} ""))]
      (is (= {"f" nil} (read-form (request text) {:store (constantly nil)})))
      (is (= {"f" [1 [1]]} (read-form (request text) {:store (constantly [1])})))))
  (testing "one that keeps a failure to itself does not hide it"
    (let [text (str (part {:name "f" :filename "f"} "1") "\r\n" (part {:name "g" :filename "g"} "1"))
          store (fn [{:keys [stream]}] (try (slurp stream) (catch IOException _ :lost)))]
      (is (= [400] (map :status (answers #(request text) {:store store}))))))
  (testing "what a store throws is thrown on"
    (is (thrown-with-msg? IllegalStateException #"full"
                          (middleware/multipart-params-request (request two-fields-and-a-file)
                                                               {:store (fn [_] (throw (IllegalStateException. "full")))})))))

(deftest progress-test
  (doseq [length [true nil]]
    (let [heard (atom [])
          asked (request two-fields-and-a-file :length length :size 50)]
      (middleware/multipart-params-request asked {:store (middleware/byte-array-store) :progress-fn (fn [& arguments] (swap! heard conj (vec arguments)))})
      (testing "request and length are the same each time"
        (is (= #{[asked (if length (count two-fields-and-a-file) -1)]} (set (map (juxt first #(nth % 2)) @heard)))))
      (testing "bytes and parts grow up to all of them"
        (is (apply <= (map second @heard)))
        (is (apply <= (map last @heard)))
        (is (= [50 0] ((juxt second last) (first @heard))))
        (is (= [(count two-fields-and-a-file) 3] ((juxt second last) (peek @heard))))))))
