(ns hinny.response-encoder-test
  "Ring responses to command bytes: `encode` writes with the encoder under test, `decode` reads the bytes back by the
  layout, and each case compares the two."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing]]
   [clojure.test.check.clojure-test :refer [defspec]]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [hinny.impl.text :as text]
   [hinny.record-writer :as writer])
  (:import
   (clojure.lang PersistentTreeMap)
   (com.sun.management ThreadMXBean)
   (io.github.hinny HeaderNames InvalidResponseException Outbox Records ResponseEncoder RingRequest)
   (java.lang.management ManagementFactory)
   (java.nio ByteBuffer ByteOrder)
   (java.util Arrays)))

(set! *warn-on-reflection* true)

(defrecord Response [status headers body])

;; Reading commands

(defn- text [^bytes array from length]
  (String. array (int from) (int length) "ISO-8859-1"))

(defn- decode-response [^ByteBuffer buffer start]
  (let [u16 #(bit-and 0xFFFF (.getShort buffer (int (+ start %))))
        u32 #(.getInt buffer (int (+ start %)))
        array (.array buffer)
        header-count (u16 20)
        entries (mapv (fn [n] [(u16 (+ 24 (* 8 n))) (u16 (+ 26 (* 8 n))) (u32 (+ 28 (* 8 n)))]) (range header-count))
        texts (+ start 24 (* 8 header-count))
        [headers body-start]
        (reduce (fn [[headers at] [id name-length value-length]]
                  [(conj headers
                     [(if (zero? id) (text array at name-length) (HeaderNames/name id))
                      (text array (+ at name-length) value-length)])
                   (+ at name-length value-length)])
          [[] texts]
          entries)
        body-end (+ body-start (u32 16))
        padding (Arrays/copyOfRange array (int body-end) (int (+ start (u32 0))))]
    (assert (every? zero? padding) "padding is not zero")
    (assert (> 8 (alength padding)) "too much padding")
    (assert (zero? (u16 22)) "reserved bytes are not zero")
    {:type :response
     :exchange (.getLong buffer (int (+ start 8)))
     :status (u16 6)
     :headers headers
     :body (when (= 1 (.get buffer (int (+ start 5)))) (vec (Arrays/copyOfRange array (int body-start) (int body-end))))}))

(defn- decode-failure [^ByteBuffer buffer start]
  (assert (= 16 (.getInt buffer (int start))))
  (assert (zero? (.getShort buffer (int (+ start 6)))))
  {:type :failure :kind (.get buffer (int (+ start 5))) :exchange (.getLong buffer (int (+ start 8)))})

(defn- decode
  "Returns the commands in `outbox`."
  [^Outbox outbox]
  (let [buffer (.order (ByteBuffer/wrap (.array outbox)) ByteOrder/LITTLE_ENDIAN)]
    (loop [start 0
           commands []]
      (if (= start (.position outbox))
        commands
        (let [length (.getInt buffer (int start))]
          (assert (zero? (mod length 8)) "a command is a multiple of 8 bytes")
          (recur (+ start length)
            (conj commands
              (case (.get buffer (int (+ start 4)))
                1 (decode-response buffer start)
                2 (decode-failure buffer start)))))))))

(defn- dirty-outbox
  "An outbox whose array is full of old bytes, as it is in use."
  ^Outbox [capacity]
  (let [outbox (Outbox. capacity)]
    (Arrays/fill (.array outbox) (byte -1))
    outbox))

(defn- encode [response]
  (let [outbox (dirty-outbox 16)]
    (.encode (ResponseEncoder.) response 7 false outbox)
    (first (decode outbox))))

(defn- refusal
  "Returns the reason why `response` is refused, nil if it is not."
  [response]
  (let [outbox (dirty-outbox 16)
        encoder (ResponseEncoder.)]
    (.encode encoder {:status 200} 1 false outbox)
    (let [before (.position outbox)]
      (try
        (.encode encoder response 7 false outbox)
        nil
        (catch InvalidResponseException e
          (is (= before (.position outbox)) "a refused response leaves nothing in the outbox")
          (.encode encoder {:status 204} 2 false outbox)
          (is (= [200 204] (map :status (decode outbox))) "the encoder is fit for use after a refusal")
          (ex-message e))))))

(defn- bytes-of [^String s ^String charset]
  (vec (.getBytes s charset)))

;; Examples

(deftest status-test
  (testing "an integer of any class from 200 to 599 is a status"
    (are [status] (= (long status) (:status (encode {:status status})))
      200
      599
      (int 404)
      (short 204)
      (bigint 500)
      (biginteger 301)))
  (testing "anything else is refused"
    (are [status reason] (= (str "response :status: " reason) (refusal {:status status :headers {} :body ""}))
      nil "is missing"
      "200" "must be an integer, is java.lang.String"
      200.0 "must be an integer, is java.lang.Double"
      :ok "must be an integer, is clojure.lang.Keyword"
      100 "100 is interim (1xx), a handler answers with a final one"
      101 "101 is interim (1xx), a handler answers with a final one"
      199 "199 is interim (1xx), a handler answers with a final one"
      99 "must be 200 to 599, is 99"
      600 "must be 200 to 599, is 600"
      -200 "must be 200 to 599, is -200"
      (byte -56) "must be 200 to 599, is -56"
      4294967496 "must be 200 to 599, is 4294967496"
      18446744073709551816N "must be 200 to 599, is 18446744073709551816"
      (biginteger 18446744073709551816N) "must be 200 to 599, is 18446744073709551816"))
  (testing "a missing status is refused"
    (is (= "response :status: is missing" (refusal {:headers {} :body ""})))))

(deftest response-type-test
  (testing "every persistent map is a response"
    (are [response] (= {:type :response :exchange 7 :status 200 :headers [["content-type" "a/b"]] :body (bytes-of "x" "UTF-8")}
                      (encode response))
      {:status 200 :headers {"Content-Type" "a/b"} :body "x"}
      (->Response 200 {"Content-Type" "a/b"} "x")
      (hash-map :status 200 :headers (hash-map "content-type" "a/b") :body "x")
      (sorted-map :status 200 :headers (sorted-map "CONTENT-TYPE" "a/b") :body "x")
      (struct-map (create-struct :status :headers :body)
        :status 200
        :headers (struct-map (create-struct "Content-Type") "Content-Type" "a/b")
        :body "x")
      {:status 200
       :headers (:headers (RingRequest/of (writer/request-record {:headers [["content-type" "a/b"]]})))
       :body "x"}))
  (testing "anything else is refused"
    (are [response reason] (= reason (refusal response))
      nil "response: is nil"
      "Hello" "response: must be a map, is java.lang.String"
      [200 {} ""] "response: must be a map, is clojure.lang.PersistentVector"
      (java.util.HashMap.) "response: must be a map, is java.util.HashMap")))

(deftest headers-test
  (testing "values are Strings or sequentials of Strings, whose order is kept"
    (are [headers expected] (= expected (:headers (encode {:status 200 :headers headers})))
      nil []
      {} []
      {"Server" "x"} [["server" "x"]]
      {"sERVER" "x"} [["server" "x"]]
      {"X-Own" "x"} [["X-Own" "x"]]
      {"X-Empty" ""} [["X-Empty" ""]]
      {"X" "  a b\t"} [["X" "a b"]]
      {"X" " \t "} [["X" ""]]
      {"X" "a\tb"} [["X" "a\tb"]]
      {"X" "\u00e4\u00ff\u0080"} [["X" "\u00e4\u00ff\u0080"]]
      {"X" "\u20ac"} [["X" "\u00e2\u0082\u00ac"]]
      {"X" "\u00e4\u0416"} [["X" "\u00c3\u00a4\u00d0\u0096"]]
      {"X" []} []
      {"X" ()} []
      {"X" ["1"]} [["X" "1"]]
      {"Set-Cookie" ["a=1" "b=2" "c=3"]} [["set-cookie" "a=1"] ["set-cookie" "b=2"] ["set-cookie" "c=3"]]
      {"X" (list "1" "2")} [["X" "1"] ["X" "2"]]
      {"X" (map str (range 3))} [["X" "0"] ["X" "1"] ["X" "2"]]
      (array-map "A" "1" "B" ["2" "3" "4"] "C" [] "D" (list "5" "6") "Date" "7")
      [["A" "1"] ["B" "2"] ["B" "3"] ["B" "4"] ["D" "5"] ["D" "6"] ["date" "7"]]))
  (testing "what would break the head, or is no text, is refused with the reason"
    (are [headers reason] (= reason (refusal {:status 200 :headers headers :body ""}))
      "x" "response :headers: must be a map, is java.lang.String"
      [["A" "b"]] "response :headers: must be a map, is clojure.lang.PersistentVector"
      {:server "x"} "response header name: must be a String, is clojure.lang.Keyword"
      {nil "x"} "response header name: must be a String, is nil"
      {"" "x"} "response header name: is empty"
      {"A B" "x"} "response header \"A B\": name is not a token (RFC 9110), it contains a space"
      {"A:" "x"} "response header \"A:\": name is not a token (RFC 9110), it contains ':'"
      {"A\r\nB" "x"} "response header \"A\\u000D\\u000AB\": name is not a token (RFC 9110), it contains CR or LF"
      {"\u017ferver" "x"} "response header \"\\u017Ferver\": name is not a token (RFC 9110), it contains U+017F"
      {"X-A" nil} "response header \"X-A\": value must be a String or a vector of Strings, is nil"
      {"X-A" 1} "response header \"X-A\": value must be a String or a vector of Strings, is java.lang.Long"
      {"X-A" {}} "response header \"X-A\": value must be a String or a vector of Strings, is clojure.lang.PersistentArrayMap"
      {"X-A" ["1" 2]} "response header \"X-A\": values must be Strings, one is java.lang.Long"
      {"X-A" (list nil)} "response header \"X-A\": values must be Strings, one is nil"
      {"X-A" "a\r\nSet-Cookie: b"} "response header \"X-A\": value contains CR or LF"
      {"X-A" "a\n"} "response header \"X-A\": value contains CR or LF"
      {"X-A" ["a" "b\rc"]} "response header \"X-A\": value contains CR or LF"
      {"Location" "a\u0000"} "response header \"Location\": value contains NUL"
      {"X-A" "\u0001"} "response header \"X-A\": value contains U+0001"
      {"X-A" "\u007f"} "response header \"X-A\": value contains U+007F"
      {"X-A" "\u0416\n"} "response header \"X-A\": value contains CR or LF"
      {"X" (repeat "a")} "response header \"X\": more than 65535 values"
      {(str/join (repeat 70000 "a")) "x"}
      (str "response header \"" (str/join (repeat 64 "a")) "…\": name is longer than 65535 characters")))
  (testing "a character that becomes CR or LF when its high byte is cut off does no harm"
    (are [value] (not-any? #{\return \newline} (second (first (:headers (encode {:status 200 :headers {"X" value}})))))
      "a\u010ab"
      "a\u010db"
      "a\u560a\u560db"))
  (testing "too many entries are refused"
    (is (= "response headers: 65536 are too many"
           (refusal {:status 200 :headers {"A" (vec (repeat 65535 "")) "B" ""}}))))
  (testing "a map that lies about its count is refused"
    (are [claimed entries] (= "response headers: the map's count is not its size"
                              (refusal {:status 200
                                        :headers (proxy [PersistentTreeMap] []
                                                   (count [] (int claimed))
                                                   (kvreduce [f init] (reduce-kv f init entries)))}))
      0 {"Server" "" "Date" "" "Via" "" "Age" ""}
      1 {"A" "1" "B" "2"}
      3 {"A" "1" "B" "2"})))

(deftest body-test
  (testing "a String is written in the charset of Content-Type, UTF-8 if it names none"
    (are [charset content-type body]
      (= (bytes-of body charset) (:body (encode {:status 200 :headers {"content-TYPE" content-type} :body body})))
      "UTF-8" "text/plain" "abc"
      "UTF-8" "text/plain" "äöü€\uD83D\uDE00"
      "UTF-8" "text/plain; charset=utf-8" "ä"
      "UTF-8" "text/plain; charset=" "ä"
      "UTF-8" ["text/plain"] "ä"
      "ISO-8859-1" "text/plain; charset=iso-8859-1" "äöü"
      "ISO-8859-1" "text/plain;charset=\"ISO-8859-1\"" "ä€"
      "ISO-8859-1" "text/plain; x=\"; charset=utf-8\"; CharSet=latin1; y=z" "ä"
      "ISO-8859-1" ["text/plain; charset=latin1" "text/plain; charset=utf-8"] "ä"
      "US-ASCII" "text/plain; charset=us-ascii" "aä"
      "UTF-16LE" "text/plain; charset=utf-16le" "ab"
      "Shift_JIS" "text/plain; charset=Shift_JIS" "日本"))
  (testing "without a Content-Type it is UTF-8, and a charset is not remembered from the response before"
    (let [outbox (dirty-outbox 16)
          encoder (ResponseEncoder.)]
      (.encode encoder {:status 200 :headers {"Content-Type" "a/b;charset=latin1"} :body "ä"} 1 false outbox)
      (.encode encoder {:status 200 :headers {"Content-Type" "a/b"} :body "ä"} 1 false outbox)
      (.encode encoder {:status 200 :headers {"Content-Type" "a/b;charset=latin1"} :body "ä"} 1 false outbox)
      (.encode encoder {:status 200 :body "ä"} 1 false outbox)
      (is (= [1 2 1 2] (map (comp count :body) (decode outbox))))))
  (testing "nil is no body, an empty one is a body"
    (are [expected body] (= expected (:body (encode {:status 200 :body body})))
      nil nil
      [] ""
      [] (byte-array 0)
      [0 -1 10] (byte-array [0 -1 10]))
    (is (nil? (:body (encode {:status 200})))))
  (testing "every length around the padding comes back"
    (is (every? #(= (repeat % 97) (:body (encode {:status 200 :body (str/join (repeat % "a"))}))) (range 20))))
  (testing "a charset that cannot encode, and a type that is no body, are refused"
    (are [content-type reason]
      (= reason (refusal {:status 200 :headers {"Content-Type" content-type} :body "x"}))
      "a/b; charset=nope" "response :body: \"nope\" is no charset to encode with"
      "a/b; charset=\"no pe\"" "response :body: \"no pe\" is no charset to encode with"
      "a/b; charset=ISO-2022-CN" "response :body: \"ISO-2022-CN\" is no charset to encode with")
    (are [body type-name]
      (= (str "response :body: " type-name " is none of nil, String, byte[], ISeq, InputStream, File, CompletionStage,"
              " and does not satisfy StreamableResponseBody")
         (refusal {:status 200 :body body}))
      ["a"] "clojure.lang.PersistentVector"
      (char-array "a") "char[]"
      1 "java.lang.Long")))

(deftest failure-test
  (testing "a failure is a command of its own between responses"
    (let [outbox (dirty-outbox 16)
          encoder (ResponseEncoder.)]
      (.encode encoder {:status 200} 1 false outbox)
      (ResponseEncoder/encodeFailure -2 Records/KIND_OVERLOADED outbox)
      (.encode encoder {:status 404 :body "no"} Long/MIN_VALUE false outbox)
      (is (= [{:type :response :exchange 1 :status 200 :headers [] :body nil}
              {:type :failure :exchange -2 :kind 3}
              {:type :response :exchange Long/MIN_VALUE :status 404 :headers [] :body [110 111]}]
             (decode outbox))))))

(deftest handlers-own-exception-test
  (testing "what a lazy value throws passes through and leaves nothing behind"
    (let [outbox (dirty-outbox 16)]
      (is (thrown? ArithmeticException
            (.encode (ResponseEncoder.) {:status 200 :headers {"X" (map #(/ 1 %) [0])}} 1 false outbox)))
      (is (zero? (.position outbox))))))

(deftest outbox-size-test
  (testing "the outbox grows with its commands, keeps up to 1 MiB and drops more"
    (let [outbox (dirty-outbox 1024)
          encoder (ResponseEncoder.)
          capacity #(alength ^bytes (.array outbox))
          body-length #(count (:body (last (decode outbox))))]
      (.encode encoder {:status 200 :body (byte-array 500000)} 1 false outbox)
      (is (= 500000 (body-length)))
      (.reset outbox)
      (is (zero? (.position outbox)))
      (is (< 500000 (capacity)))
      (.encode encoder {:status 200 :body (str/join (repeat 1100000 "x"))} 1 false outbox)
      (is (= 1100000 (body-length)))
      (.reset outbox)
      (is (= 1024 (capacity)))
      (.encode encoder {:status 200 :body "x"} 1 false outbox)
      (is (= 1 (body-length))))))

(deftest header-name-test
  (testing "the table is the one of the boundary"
    (is (= 84 (HeaderNames/count)))
    (are [id header-name] (and (= id (HeaderNames/id header-name)) (= header-name (HeaderNames/name id)))
      1 "accept"
      26 "content-type"
      35 "host"
      54 "set-cookie"
      84 "keep-alive")
    (is (= ["GET" "HEAD" "POST" "PUT" "DELETE" "OPTIONS" "PATCH" "TRACE" "CONNECT"]
           (map #(HeaderNames/method %) (range 1 (inc (HeaderNames/methodCount)))))))
  (testing "each name has its id in every case"
    (is (every? (fn [id]
                  (let [header-name (HeaderNames/name id)]
                    (every? #(= id (HeaderNames/id %))
                      [header-name
                       (text/upper-case header-name)
                       (str/join "-" (map text/capitalize (str/split header-name #"-")))
                       (apply str (map-indexed #(if (even? %1) (text/upper-case %2) %2) (map str header-name)))])))
          (range 1 85))))
  (testing "other names have none"
    (are [header-name] (zero? (HeaderNames/id header-name))
      ""
      "x-own"
      "hos"
      "hosts"
      "\u017ferver"
      "\u212Aeep-alive"
      "content-type-and-much-more-than-any-name")))

;; Properties

(def gen-header-name
  (gen/one-of
    [(gen/fmap #(HeaderNames/name %) (gen/choose 1 84))
     (gen/fmap str/join (gen/vector (gen/elements "!#$%&'*+-.^_`|~azAZ09") 1 12))]))

(def gen-header-value
  (gen/fmap str/join
    (gen/vector (gen/frequency [[20 (gen/fmap char (gen/choose 0x20 0x7E))]
                                [2 (gen/fmap char (gen/choose 0xA0 0xFF))]
                                [1 (gen/elements [\tab \u0416 \u20ac \u010a])]])
      0
      20)))

(def gen-response
  (gen/hash-map
    :status (gen/choose 200 599)
    :headers (gen/map gen-header-name (gen/one-of [gen-header-value (gen/vector gen-header-value 0 4)]) {:max-elements 12})
    :body (gen/one-of [(gen/return nil) gen/string-ascii gen/string gen/bytes])))

(defn- wire-text
  "What a header value looks like on the wire, one character per byte."
  [^String value]
  (let [value (str/replace value #"^[ \t]+|[ \t]+$" "")]
    (if (every? #(< (int %) 256) value)
      value
      (String. (.getBytes value "UTF-8") "ISO-8859-1"))))

(defn- expected-command [{:keys [status headers body]}]
  {:type :response
   :exchange 7
   :status status
   :headers (for [[header-name values] headers
                  value (if (string? values) [values] values)]
              [(text/lower-case header-name) (wire-text value)])
   :body (cond
           (string? body) (bytes-of body "UTF-8")
           body (vec body))})

(defn- lower-case-names [command]
  (update command :headers (partial map (fn [[header-name value]] [(text/lower-case header-name) value]))))

(defspec valid-response-comes-back-test 300
  (prop/for-all [responses (gen/vector (gen/fmap #(update % :headers dissoc "content-type") gen-response) 1 5)]
    (let [outbox (dirty-outbox 8)
          encoder (ResponseEncoder.)]
      (run! #(.encode encoder % 7 false outbox) responses)
      (= (map expected-command responses) (map lower-case-names (decode outbox))))))

(def gen-any-response
  (gen/hash-map
    :status (gen/one-of [(gen/choose 0 700) gen/any])
    :headers (gen/one-of [(gen/map (gen/one-of [gen/string gen-header-name]) (gen/one-of [gen/string gen/any])) gen/any])
    :body gen/any))

(defspec any-response-is-encoded-or-refused-test 500
  (prop/for-all [response gen-any-response]
    (let [outbox (dirty-outbox 8)]
      (try
        (if (.encode (ResponseEncoder.) response 7 false outbox)
          ;; A sequence: its head is there, and the rest is not for this class.
          (and (seq? (:body response)) (pos? (.position outbox)))
          (every? (fn [[header-name value]]
                    (and (re-matches #"[!#$%&'*+.^_`|~0-9A-Za-z-]+" header-name)
                         (not-any? #(or (and (< (int %) 32) (not= \tab %)) (= 127 (int %))) value)))
            (:headers (first (decode outbox)))))
        (catch InvalidResponseException _
          (zero? (.position outbox)))))))

;; Garbage

(deftest garbage-per-response-test
  (testing "encoding ASCII text or bytes allocates nothing, however the header names are spelled"
    (let [^ThreadMXBean threads (ManagementFactory/getThreadMXBean)
          outbox (Outbox. 65536)
          encoder (ResponseEncoder.)
          calls 20000
          garbage (fn [response]
                    (let [before (.getCurrentThreadAllocatedBytes threads)]
                      (dotimes [_ calls]
                        (.reset outbox)
                        (.encode encoder response 42 false outbox))
                      (/ (double (- (.getCurrentThreadAllocatedBytes threads) before)) calls)))]
      (are [response] (> 1 (apply min (repeatedly 4 #(garbage response))))
        {:status 200 :headers {"Content-Type" "text/plain"} :body "Hello, World!"}
        {:status 200 :headers {"CONTENT-type" "text/plain; charset=utf-8"} :body "Hello, World!"}
        {:status 200 :headers {"X-Own" "ä" "Set-Cookie" ["a=1" "b=2"]} :body (byte-array 100)}
        {:status 200 :headers {"Content-Type" "text/plain; charset=latin1"} :body "Grüße"}))))
