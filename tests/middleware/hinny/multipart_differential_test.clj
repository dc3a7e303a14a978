(ns hinny.multipart-differential-test
  "Hinny's `wrap-multipart-params` beside Ring's: the same requests to both, which must make the same parameters of them,
  but for the differences that docs/middleware.md lists, each of which is a row here."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [clojure.test.check :as check]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as properties]
   [hinny.middleware :as middleware]
   [hinny.multipart-body :as body :refer [form part request utf8-as-latin1]]
   [ring.middleware.multipart-params :as ring]
   [ring.middleware.multipart-params.byte-array :as ring-byte-array]
   [ring.middleware.multipart-params.temp-file :as ring-temp-file])
  (:import
   (clojure.lang ExceptionInfo)))

(set! *warn-on-reflection* true)

(def ^:private ring-store (ring-byte-array/byte-array-store))

(def ^:private hinny-store (middleware/byte-array-store))

(defn- by-ring
  "What Ring makes of a request; `:malformed` if it throws."
  [asked options]
  (try
    (body/comparable-params (:multipart-params (ring/multipart-params-request asked (merge {:store ring-store} options))))
    (catch Exception _ :malformed)))

(defn- by-hinny
  [asked options]
  (try
    (body/comparable-params (:multipart-params (middleware/multipart-params-request asked (merge {:store hinny-store} options))))
    (catch ExceptionInfo failure
      (assert (= :hinny.error/request-malformed (:type (ex-data failure))))
      :malformed)))

(defn- both
  "What Hinny and Ring make of a request that `asked` makes, once if it is the same."
  ([asked] (both asked {}))
  ([asked options]
   (distinct [(by-hinny (asked) options) (by-ring (asked) options)])))

(defn- differ?
  [asked options]
  (next (both asked options)))

;;; What clients send, from knowledge of them

(def ^:private from-clients
  "The bytes of forms with a text, a file with a name that needs care, and an empty file input."
  {"Chrome" ["----WebKitFormBoundary7MA4YWxkTrZu0gW"
             ["Content-Disposition: form-data; name=\"text\"" "" "Grüße\r\nzwei"]
             ["Content-Disposition: form-data; name=\"a %22quoted%22 name\"" "" ""]
             ["Content-Disposition: form-data; name=\"file\"; filename=\"Bild %221%22 ü.png\"" "Content-Type: image/png" "" "\u0089PNG\r\n\u001a\n--\r\n"]
             ["Content-Disposition: form-data; name=\"none\"; filename=\"\"" "Content-Type: application/octet-stream" "" ""]]
   "Firefox" ["---------------------------9051914041544843365972754266"
              ["Content-Disposition: form-data; name=\"text\"" "" "Grüße\r\nzwei"]
              ["Content-Disposition: form-data; name=\"file\"; filename=\"Bild %221%22 ü.png\"" "Content-Type: image/png" "" "\u0089PNG\r\n\u001a\n"]
              ["Content-Disposition: form-data; name=\"none\"; filename=\"\"" "Content-Type: application/octet-stream" "" ""]]
   "Firefox before 93, with a backslash" ["---------------------------41184676334"
                                          ["Content-Disposition: form-data; name=\"file\"; filename=\"Bild \\\"1\\\".png\"" "Content-Type: image/png" "" "x"]]
   "Safari, a directory" ["----WebKitFormBoundaryqUiIkBYVzhPQ8iTe"
                          ["Content-Disposition: form-data; name=\"files[]\"; filename=\"photos/2024/a.jpg\"" "Content-Type: image/jpeg" "" "x"]
                          ["Content-Disposition: form-data; name=\"files[]\"; filename=\"photos/2024/b.jpg\"" "Content-Type: image/jpeg" "" ""]]
   "curl" ["------------------------d74496d66958873e"
           ["Content-Disposition: form-data; name=\"text\"" "" "Grüße"]
           ["Content-Disposition: attachment; name=\"file\"; filename=\"b.txt\"" "Content-Type: text/plain" "" "b"]
           ["Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"" "Content-Type: text/plain" "" "a\n"]]
   "Internet Explorer, a full path" ["---------------------------7d01ecf406a6"
                                     ["Content-Disposition: form-data; name=\"file\"; filename=\"C:\\My Files\\new \\a.txt\"" "Content-Type: text/plain" "" "x"]]
   "Python requests" ["c9a1d2f4b5a64f5f9f6d4a8b2e0d7c3b"
                      ["Content-Disposition: form-data; name=\"text\"" "" "1"]
                      ["Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"" "" "x"]]
   "Apache HttpClient" ["kqvD1KUUQ9Yc-_rXu2PxLWf"
                        ["Content-Disposition: form-data; name=\"text\"" "Content-Type: text/plain; charset=ISO-8859-1" "Content-Transfer-Encoding: 8bit" "" "ASCII"]
                        ["Content-Disposition: form-data; name=\"file\"; filename=\"a.bin\"" "Content-Type: application/octet-stream" "Content-Transfer-Encoding: binary" "" "\r\n\r\n"]]
   "OkHttp" ["3f2c1c1e-3c0a-4b5e-9d59-1b1f8a3f8f22"
             ["Content-Disposition: form-data; name=\"text\"" "Content-Length: 1" "" "1"]
             ["Content-Disposition: form-data; name=\"file\"; filename=\"a.json\"" "Content-Type: application/json; charset=utf-8" "Content-Length: 2" "" "{}"]]
   ".NET HttpClient" ["8d1f3f0e-5a0b-4d2c-9a5e-0c2d6b6d7f11"
                      ["Content-Type: text/plain; charset=utf-8" "Content-Disposition: form-data; name=text" "" "Grüße"]
                      ["Content-Disposition: form-data; name=file; filename=a.txt" "" "x"]]
   "lower case, folded lines" ["b"
                               ["content-disposition:form-data;" "\tname=\"text\";" " filename=\"a" " b\"" "content-type:" " text/plain" "" "x"]]})

(defn- client-form
  [[boundary & parts]]
  (utf8-as-latin1
    (str (str/join (for [lines parts] (str "--" boundary "\r\n" (str/join "\r\n" lines) "\r\n")))
         "--" boundary "--\r\n")))

(deftest clients-test
  (doseq [[client [boundary :as said]] from-clients
          size [nil 1 13 4096]
          options [{} {:encoding "ISO-8859-1"} {:encoding "windows-1252"}]
          :let [asked #(request (client-form said)
                                :size size
                                :type (str "multipart/form-data; boundary=" (if (= ".NET HttpClient" client) (str \" boundary \") boundary)))]]
    (testing [client size options]
      (let [[params & different] (both asked options)]
        (is (nil? different) [params different])
        (is (not= :malformed params))
        (is (seq params))))))

;;; Shapes of bodies and heads

(def ^:private a (part {:name "a"} "1"))

(def ^:private alike
  "Texts that both must understand alike."
  [(form)
   ""
   "no boundary at all"
   (str "preamble\r\n" (form a))
   (str "\r\n" (form a))
   (str (form a) "epilogue\r\n" (form a))
   (str/trim (form a))
   (str/replace (form a) "--b\r\n" "--b\n")
   (form (part "X: y\r\n" "nameless") a)
   (form (part "Content-Disposition: form-data\r\n" "nameless") a)
   (form (part "Content-Disposition: attachment; name=a; filename=b\r\n" "nameless") a)
   (form (part {:name "a" :filename "f"} "\r\n--\r\n--B\r\n--c"))
   (form (part {:name "a"} "\r\r\n\n--b"))
   a
   "--b\r\nContent-Disposition: form-data; name=a"
   (str "--b\r\n" (str/join (repeat 10241 "x")) "\r\n\r\n")
   (form (part {:name "a" :filename "a\u0000b"} ""))])

(def ^:private dispositions
  ["form-data; name=\"a\"" "form-data; name=a" "form-data;name=a;filename=b" "Form-Data ; NAME = \"a\" ; FileName = \" b \""
   "form-data; filename=b; name=a" "form-data; name=\"a;b=c\"; filename=\"d;e\"" "form-data; name=a=b" "form-data; name=\"a\\\"b\""
   "form-data; name=\"a\\\\\"; filename=\"b\"" "form-data; name=\"a\"; filename=\"C:\\dir\\\"" "form-data; name=\"a\"; filename="
   "form-data; name=\"a\"; filename" "form-data; name=\" \"" "form-data; name=\"\"" "form-data; name" "form-data; name=a; filename=\"b"
   "form-data; name=\"a\"b" "form-data;;; name=a;" "form-data; name=a; name=b" "form-data; name='a'" "form-dataX; name=a"
   "form-data, name=a" "form-data; name=a; filename=b; filename=c" "form-data; name=a\u0001; filename=\u0002" "form-data; =a; name=b"
   "form-data; name==a" "form-data; name=\"a" "form-data; \"name\"=a" "form-data; name=a;filename=\"\"\"\"" "form-data; name=\""])

(deftest shapes-test
  (doseq [text (concat alike (for [disposition dispositions] (form (part (str "Content-Disposition: " disposition "\r\n") "x") a)))
          size [nil 1]]
    (let [[params & different] (both #(request text :size size))]
      (is (nil? different) [text params different])))
  (testing "split at every byte"
    (let [text (form a (part {:name "f" :filename "f" :type "a/b"} "\r\n--\r\n-b\r\n") (part {:name (utf8-as-latin1 "ü")} "2"))]
      (doseq [size (range 1 (count text))]
        (is (not (differ? #(request text :size size) {})))))))

(deftest hostile-test
  (testing "very many parts"
    (doseq [[what many] [["fields of one name" (part {:name "a"} "")]
                         ["files of one name" (part {:name "a" :filename "f"} "")]
                         ["parts without a name" (part "X: y\r\n" "")]]
            :let [text (apply form (repeat 100000 many))]]
      (testing what
        (is (not (differ? #(request text) {:max-fields nil :max-file-count nil}))))))
  (testing "data that looks like the beginning of a delimiter, all the time"
    (let [text (form (part {:name "a" :filename "f"} (str/join (repeat 50000 "\r\n--"))) (part {:name "b"} (str/join (repeat 50000 "\r"))))]
      (doseq [size [nil 7 4096]]
        (is (not (differ? #(request text :size size) {}))))))
  (testing "header fields without end"
    (doseq [field ["X: y\r\n" "\r" "x"]
            size [nil 1]]
      (is (= [:malformed] (both #(request (str "--b\r\n" (str/join (repeat 100000 field))) :size size)))))))

(deftest charsets-test
  (doseq [type ["multipart/form-data; boundary=b" "multipart/form-data; boundary=b; charset=iso-8859-1" "multipart/form-data; charset=\"utf-8\"; boundary=\"b\""]
          options [{} {:encoding "ISO-8859-1"} {:encoding "UTF-8"} {:fallback-encoding "ISO-8859-1"} {:fallback-encoding "UTF-8" :encoding "windows-1252"}]
          parts [[(part {:name "ü"} "ü") (part {:name (utf8-as-latin1 "ü") :filename (utf8-as-latin1 "ü")} (utf8-as-latin1 "ü"))]
                 [(part {:name "a" :type "text/plain; charset=iso-8859-1"} "ü") (part {:name "b" :type "text/plain;charset=\"UTF-8\""} (utf8-as-latin1 "ü"))]
                 [(part {:name "a" :type "text/plain; charset=utf-8"} "ü") (part {:name "_charset_"} "iso-8859-1") (part {:name "_charset_"} "utf-8")]]]
    (is (not (differ? #(request (apply form parts) :type type) options)) [type options parts])))

(deftest stores-test
  (testing "Ring's stores work with Hinny's middleware, and make the same"
    (let [text (form a (part {:name "f" :filename "f" :type "a/b"} (str/join (repeat 100000 "x"))))
          params (by-ring (request text) {})]
      (doseq [store [ring-store (ring-temp-file/temp-file-store) (middleware/temp-file-store)]
              size [nil 1000]]
        (is (= params (update (by-hinny (request text :size size) {:store store}) "f" dissoc :size))))
      (testing "the file's size too, by default"
        (is (= (by-ring (request text) {:store nil}) (by-hinny (request text) {:store nil}))))
      (testing "values that are no maps"
        (doseq [value [nil false 1 [1] "x"]
                text [text (form a (part {:name "a" :filename "f"} "") (part {:name "a" :filename "f"} ""))]]
          (is (not (differ? #(request text) {:store (constantly value)}))))))))

(deftest wrap-test
  (testing "requests and what they become are the same in both arities, but for the body"
    (doseq [asked [#(request (form a a)) #(request (form a) :type "text/plain") #(assoc (request (form a)) :params {:x 1} :multipart-params {"y" 2})
                   #(assoc (request (form a)) :params nil)]
            :let [handler (fn ([request] request) ([request respond _] (respond request)))
                  result (fn [wrap]
                           (let [wrapped (wrap handler)
                                 answered (promise)]
                             (wrapped (asked) answered #(deliver answered %))
                             [(dissoc (wrapped (asked)) :body) (dissoc (deref answered 0 nil) :body)]))]]
      (is (= (result ring/wrap-multipart-params) (result middleware/wrap-multipart-params))))))

(deftest progress-test
  (testing "the last call says the same"
    (let [text (form a (part {:name "f" :filename "f"} (str/join (repeat 100000 "x"))) a)
          last-call (fn [multipart-params-request store]
                      (let [heard (atom nil)]
                        (multipart-params-request (request text) {:store store :progress-fn (fn [_ & numbers] (reset! heard numbers))})
                        @heard))]
      (is (= (last-call ring/multipart-params-request ring-store) (last-call middleware/multipart-params-request hinny-store))))))

;;; Differences: docs/middleware.md gives the reason of each

(def ^:private differences
  "What it is, the text, what Ring makes of it, what Hinny makes of it; then Content-Type and options if they matter."
  [["a delimiter that is cut" (str a "\r\n--b") {"a" "1"} :malformed]
   ["a closing delimiter that is cut" (str a "\r\n--b-") {"a" "1"} :malformed]
   ["something behind a boundary" (str a "\r\n--bc\r\n") {"a" "1"} :malformed]
   ["something behind the first boundary" (str "--bc\r\n" (form a)) {} :malformed]
   ["spaces behind a boundary" (str "--b \r\n" (subs (form a) 5)) {} {"a" "1"}]
   ["a first delimiter within a line" (str "x" (form a)) {"a" "1"} {}]
   ["a part without header fields" (form "--b\r\n\r\nx" a) {} {"a" "1"}]
   ["multipart/mixed in a part"
    (form (part "Content-Disposition: form-data; name=a\r\nContent-Type: multipart/mixed; boundary=c\r\n"
                "--c\r\nContent-Disposition: attachment; filename=f\r\n\r\n1\r\n--c--"))
    {"a" {:filename "f" :content-type nil :content "1"}}
    {"a" "--c\r\nContent-Disposition: attachment; filename=f\r\n\r\n1\r\n--c--"}]
   ["an encoded word" (form (part {:name "=?UTF-8?B?YQ==?="} "1")) {"a" "1"} {"=?UTF-8?B?YQ==?=" "1"}]
   ["filename*" (form (part "Content-Disposition: form-data; name=a; filename=x; filename*=utf-8''%E2%82%AC\r\n" "1"))
    {"a" {:filename "x" :content-type nil :content "1"}} {"a" {:filename "€" :content-type nil :content "1"}}]
   ["filename* alone" (form (part "Content-Disposition: form-data; name=a; filename*=utf-8''x\r\n" "1"))
    {"a" "1"} {"a" {:filename "x" :content-type nil :content "1"}}]
   ["an empty _charset_" (form a (part {:name "_charset_"} "")) :malformed {"a" "1" "_charset_" ""}]
   ["a type in capitals" (form a) nil {"a" "1"} "Multipart/Form-Data; boundary=b"]
   ["a space behind the type" (form a) nil {"a" "1"} "multipart/form-data ;boundary=b"]
   ["a very long boundary" (form) {} :malformed (str "multipart/form-data; boundary=" (str/join (repeat 257 "b")))]
   ["a charset that is no superset of ASCII" (form a) :malformed {"\ufffd" "\ufffd"} "multipart/form-data; boundary=b; charset=utf-16le"]])

(deftest differences-test
  (doseq [[what text ring hinny type] differences
          :let [asked #(request text :type (or type "multipart/form-data; boundary=b"))]]
    (testing what
      (is (= (or ring {}) (by-ring (asked) {})))
      (is (= hinny (by-hinny (asked) {}))))))

;;; Made-up forms

(def ^:private text-gen
  (gen/fmap str/join (gen/vector (gen/frequency [[8 gen/char-alphanumeric] [2 (gen/elements ["ü" "日" "\\" "%22" ";" "=" "." "/" " x" "'" "€"])]]) 1 12)))

(def ^:private content-gen
  (gen/fmap str/join
            (gen/vector (gen/frequency [[3 (gen/elements ["\r" "\n" "\r\n" "-" "--" "\r\n--" "ü" "x"])]
                                        [1 (gen/fmap #(str/join (repeat % "y")) (gen/elements [4000 4080 4096 4100 65400 65536]))]
                                        [2 gen/string-alphanumeric]])
                        0 8)))

(def ^:private part-gen
  (gen/let [name text-gen
            filename (gen/one-of [(gen/return nil) text-gen])
            type (gen/elements [nil "text/plain" "application/octet-stream" "text/html; charset=utf-8"])
            content content-gen]
    {:name (utf8-as-latin1 name) :filename (some-> filename utf8-as-latin1) :type type :content content}))

(def ^:private form-gen
  (gen/let [boundary (gen/fmap str/join (gen/vector (gen/elements (map str "abXY019'()+_-./:=?")) 1 40))
            parts (gen/vector part-gen 0 12)
            size (gen/one-of [(gen/return nil) (gen/choose 1 100) (gen/elements [4095 4096 4097 8192 65536])])]
    {:boundary boundary :parts parts :size size}))

(defn- made-up-request
  [{:keys [boundary parts size]}]
  (request (str (str/join (for [{:keys [content] :as fields} parts]
                            (str (str/replace-first (part fields content) "--b" (str/re-quote-replacement (str "--" boundary))) "\r\n")))
                "--" boundary "--")
           :size size
           :type (str "multipart/form-data; boundary=\"" boundary "\"")))

(deftest made-up-forms-test
  (let [result (check/quick-check 150
                                  (properties/for-all [{:keys [boundary parts] :as made-up} form-gen]
                                                      (or (some #(str/includes? (str "\r\n" (:content %) "\r\n") (str "\r\n--" boundary)) parts)
                                                          (not (differ? #(made-up-request made-up) {})))))]
    (is (:pass? result) (select-keys (:shrunk result) [:smallest]))))

(def ^:private scrap-gen
  (gen/fmap str/join
            (gen/vector (gen/frequency [[6 (gen/elements ["\r\n--b\r\n" "\r\n\r\n" "\r\n" "--b" "Content-Disposition: form-data; name=a\r\n\r\n"])]
                                        [4 (gen/elements ["Content-Disposition: form-data; name=\"a\"" "; filename=\"x\"" "Content-Type: a/b" "\r\n--b--"])]
                                        [2 (gen/elements ["x" "\n" "\r" "-" ";" "\"" "\\" "=" " "])]])
                        0 16)))

(defn- listed-difference?
  "Whether a text has what `differences` are about."
  [text]
  (or
    ;; A delimiter that is not followed by the end of its line.
    (re-find #"--b(?!\r?\n|--)" text)
    ;; A first one that is not at the start of a line.
    (re-find #"^(?s:(?!--b).)*[^\n]--b" text)
    ;; A part without header fields.
    (re-find #"--b\r?\n\r\n" text)
    ;; The end of a head, or the start of a delimiter, behind a carriage return of its own.
    (re-find #"\r\n\r[^\n]|\r\r\n" text)))

(deftest scraps-test
  (testing "bodies that are nearly well-formed"
    (let [result (check/quick-check 2000
                                    (properties/for-all [text scrap-gen
                                                         size (gen/elements [nil 1 5])]
                                                        (or (listed-difference? text)
                                                            (not (differ? #(request text :size size) {})))))]
      (is (:pass? result) (let [[text size] (:smallest (:shrunk result))]
                            (when text (pr-str text (both #(request text :size size)))))))))
