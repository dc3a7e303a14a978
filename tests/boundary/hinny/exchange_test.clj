(ns hinny.exchange-test
  "An exchange ends once, whoever ends it: the client that leaves, the handler that is late, a reply that comes twice
  or for nobody. Nothing of it stays.

  Scenes that hand the core what no correct shim would send, and those that weigh the process, run in a JVM of their
  own."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.impl.options :as options]
   [hinny.impl.text :as text]
   [hinny.json :as json]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (io.github.hinny EngineException Outbox Records ResponseEncoder Results RingRequest)
   (java.io Closeable)
   (java.nio ByteBuffer ByteOrder)
   (java.util Arrays Random)
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(def ^:private nothing-open
  {:connections-open 0 :exchanges-open 0})

(defn- leave
  "Ends the client's side of a connection in a way: `:close` or `:reset`."
  [^Closeable client way]
  (case way
    :close (.close client)
    :reset (probe/reset-connection client)))

(deftest client-leaves-handler-test
  ;; One that only ends its side may wait for the response, see ADR 12 and hinny.half-close-wire-test.
  (doseq [way [:reset]]
    (testing (str "a client that goes away (" way ") while its handler runs")
      (let [begun (CountDownLatch. 1)
            finish (CountDownLatch. 1)
            handler (fn [{:keys [uri]}]
                      (when (= "/slow" uri)
                        (.countDown begun)
                        (raw/await-latch finish))
                      (probe/ok uri))]
        (raw/with-server [server handler {:event-loops 1}]
          (let [client (probe/connect server)]
            (raw/send! client (raw/get-request "/slow"))
            (is (raw/await-latch begun))
            (is (= 1 (:exchanges-open (server/server-metrics server))))
            (leave client way))
          (testing "ends the exchange before the handler does"
            (is (= nothing-open (probe/await-metrics server nothing-open)))
            (is (= 0 (:replies-stale (server/server-metrics server)))))
          (testing "and its late reply is counted and dropped"
            (.countDown finish)
            (is (= {:replies-stale 1} (probe/await-metrics server {:replies-stale 1})))
            (is (= [200 "/next"] (probe/ask server "/next")))
            (is (= nothing-open (probe/await-metrics server nothing-open)))
            (is (= {:replies-stale 1 :panics 0}
                   (select-keys (server/server-metrics server) [:replies-stale :panics])))))))))

(deftest client-leaves-pipeline-test
  (testing "a client that goes away with requests behind the one that is handled"
    (let [begun (CountDownLatch. 1)
          finish (CountDownLatch. 1)
          handler (fn [{:keys [uri]}]
                    (.countDown begun)
                    (raw/await-latch finish)
                    (probe/ok uri))]
      (raw/with-server [server handler {:event-loops 1}]
        (with-open [client (probe/connect server)]
          (raw/send! client (str/join (map #(raw/get-request (str "/" %)) (range 50))))
          (is (raw/await-latch begun))
          (probe/reset-connection client))
        (.countDown finish)
        (is (= nothing-open (probe/await-metrics server nothing-open)))
        (is (= [200 "/next"] (probe/ask server "/next")))))))

(deftest client-leaves-response-test
  (doseq [mode [:worker :inline]
          way [:close :reset]]
    (testing (str "a client that goes away (" way ") in the middle of a large response (" mode ")")
      (let [body (byte-array (* 16 1024 1024) (byte 120))
            handler #(probe/ok (if (= "/large" (:uri %)) body "small"))]
        (raw/with-server [server handler {:event-loops 1 :handler-mode mode}]
          (dotimes [_ 4]
            (let [client (probe/connect server)]
              (raw/send! client (raw/get-request "/large"))
              (is (= 1024 (alength (.readNBytes ^java.io.InputStream (:in client) 1024))))
              (leave client way)))
          (is (= nothing-open (probe/await-metrics server nothing-open)))
          (testing "harms nobody else"
            (is (= [200 "small"] (probe/ask server "/")))))))))

(deftest client-leaves-request-test
  (let [calls (atom 0)
        handler (fn [_] (swap! calls inc) (probe/ok ""))]
    (raw/with-server [server handler {:event-loops 1}]
      (doseq [way [:close :reset]
              [sent text] {"part of a head" "POST / HTTP/1.1\r\nhost: x\r\nx-par"
                           "a head" (raw/head "POST / HTTP/1.1" "host: x" "content-length: 1000")
                           "part of a sized body" (str (raw/head "POST / HTTP/1.1" "host: x" "content-length: 1000") "abc")
                           "part of a chunk" (str (raw/head "POST / HTTP/1.1" "host: x" "transfer-encoding: chunked")
                                                  "a\r\nabc")
                           "chunks without an end" (str (raw/head "POST / HTTP/1.1" "host: x" "transfer-encoding: chunked")
                                                        "3\r\nabc\r\n")}]
        (testing (str "a client that goes away (" way ") after " sent)
          (let [client (probe/connect server)]
            (raw/send! client text)
            (is (raw/await-taken client))
            (leave client way))
          (is (= nothing-open (probe/await-metrics server nothing-open)))))
      (testing "no handler saw any of it"
        (is (= 0 @calls (:requests (server/server-metrics server))))))))

;;; Commands that no correct shim sends

(defn- encoded
  "The command that answers `exchange` with `response`."
  ^bytes [exchange response]
  (let [outbox (Outbox. 1024)]
    (.encode (ResponseEncoder.) response (long exchange) false outbox)
    (Arrays/copyOf (.array outbox) (.position outbox))))

(defn- failed
  "The command that ends `exchange` in an error of `kind`."
  ^bytes [exchange kind]
  (let [outbox (Outbox. 64)]
    (ResponseEncoder/encodeFailure (long exchange) (int kind) outbox)
    (Arrays/copyOf (.array outbox) (.position outbox))))

(defn- patched
  "A copy of `command` in which the integers of `size` bytes at some places are others: `[at size value]`."
  ^bytes [^bytes command & patches]
  (let [copy (aclone command)
        buffer (.order (ByteBuffer/wrap copy) ByteOrder/LITTLE_ENDIAN)]
    (doseq [[at size value] patches]
      (case (int size)
        1 (.put buffer (int at) (unchecked-byte value))
        2 (.putShort buffer (int at) (unchecked-short value))
        4 (.putInt buffer (int at) (unchecked-int value))
        8 (.putLong buffer (int at) (long value))))
    copy))

(defn- joined
  ^bytes [commands]
  (byte-array (mapcat seq commands)))

(defn- push
  "Hands `commands` to the only loop of `server`, as a worker does."
  [server ^bytes commands]
  (let [driver (probe/field-value (first (probe/loops server)) "driver")]
    (probe/call-method "LoopDriver" driver "reply" commands)
    (probe/call-method "LoopDriver" driver "wake")))

(def ^:private hello
  {:status 200 :headers {"content-type" "text/plain" "x-literal" "value"} :body "hello"})

(def ^:private broken-commands
  "Name and bytes of commands that do not decode."
  (let [good (encoded 1 hello)]
    (into [["length 0" (patched good [Records/RESPONSE_LENGTH 4 0])]
           ["length 8, less than its fixed part" (patched good [Records/RESPONSE_LENGTH 4 8])]
           ["length that is no multiple of 8" (patched good [Records/RESPONSE_LENGTH 4 (dec (alength good))])]
           ["length behind the end" (patched good [Records/RESPONSE_LENGTH 4 (+ 8 (alength good))])]
           ["the largest length" (patched good [Records/RESPONSE_LENGTH 4 0xFFFFFFFF])]
           ["an unknown type" (patched good [Records/RESPONSE_TYPE 1 77])]
           ["type 0" (patched good [Records/RESPONSE_TYPE 1 0])]
           ["status 0" (patched good [Records/RESPONSE_STATUS 2 0])]
           ["status 65535" (patched good [Records/RESPONSE_STATUS 2 0xFFFF])]
           ["more header fields than bytes" (patched good [Records/RESPONSE_HEADER_COUNT 2 0xFFFF])]
           ["a body behind the end" (patched good [Records/RESPONSE_BODY_LENGTH 4 0xFFFFFFFF])]
           ["a header value behind the end" (patched good [(+ Records/RESPONSE_HEADERS 4) 4 0xFFFFFFFF])]
           ["a header name behind the end" (patched good [(+ Records/RESPONSE_HEADERS 2) 2 0xFFFF])]
           ["an unknown error kind" (patched (failed 1 1) [Records/FAIL_KIND 1 200])]
           ["an error cut short" (patched (joined [(failed 1 1)]) [0 4 8])]
           ["half a command" (Arrays/copyOf good 24)]
           ["seven bytes" (byte-array 7)]
           ["zeros" (byte-array 64)]
           ["ones" (byte-array 64 (byte -1))]]
          (let [random (Random. 1)]
            (for [n (range 40)]
              [(str "random bytes " n) (let [bytes (byte-array (* 8 (inc (.nextInt random 40))))]
                                         (.nextBytes random bytes)
                                         bytes)])))))

(defn- broken-scene
  "What each broken command does to a server that also serves: what was logged, and how a request after it ends."
  []
  (probe/with-log-events [events "hinny.native"]
    (raw/with-server [server #(probe/ok (:uri %)) {:event-loops 1}]
      (with-open [client (probe/connect server)]
        (vec (for [[command-name command] broken-commands]
               (do
                 (reset! events [])
                 (push server command)
                 (let [event (probe/await-event events #"outbox does not decode at byte")]
                   [command-name
                    (:level event)
                    (:logger event)
                    (probe/exchange client (raw/get-request "/after"))
                    (:panics (server/server-metrics server))]))))))))

(defn- stale-scene
  "Replies for exchanges that are over, that never were, and that have had one."
  []
  (let [request (atom nil)
        handler (fn [r] (reset! request r) (probe/ok "once"))]
    (raw/with-server [server handler {:event-loops 1}]
      (with-open [client (probe/connect server)]
        (let [outcome (probe/exchange client (raw/get-request "/1"))
              over (.exchange ^RingRequest @request)
              strangers [over (inc over) 0 -1 Long/MIN_VALUE Long/MAX_VALUE 0xFFFFFFFF]]
          (doseq [id strangers
                  command [(encoded id hello) (failed id Records/KIND_HANDLER_THREW)]]
            (push server command))
          {:outcomes [outcome (probe/exchange client (raw/get-request "/2"))]
           :expected (* 2 (count strangers))
           :metrics (probe/await-metrics server {:replies-stale (* 2 (count strangers))})})))))

(defn- double-scene
  "Exchanges that get several replies: the first wins, and the connection stays in step."
  [first-replies]
  (let [request (atom nil)
        begun (CountDownLatch. 1)
        finish (CountDownLatch. 1)
        handler (fn [{:keys [uri] :as r}]
                  (when (= "/double" uri)
                    (reset! request r)
                    (.countDown begun)
                    (raw/await-latch finish))
                  (probe/ok uri))]
    (raw/with-server [server handler {:event-loops 1}]
      (with-open [client (probe/connect server)]
        (raw/send! client (raw/get-request "/double"))
        (raw/await-latch begun)
        (push server (joined (first-replies (.exchange ^RingRequest @request))))
        (let [outcome (probe/outcome client)]
          (.countDown finish)
          [outcome
           (probe/exchange client (raw/get-request "/next"))
           (probe/await-metrics server {:replies-stale (count (first-replies 0)) :exchanges-open 0})])))))

(defn- header-scene
  "Responses that decode, with a header field that may not be sent."
  []
  (let [value-start (fn [^bytes command text]
                      (str/index-of (raw/text command) text))
        spoil (fn [exchange at-text byte-value]
                (let [command (encoded exchange hello)]
                  (patched command [(value-start command at-text) 1 byte-value])))
        spoiled [["LF in a value" #(spoil % "value" 10)]
                 ["CR in a value" #(spoil % "value" 13)]
                 ["NUL in a value" #(spoil % "value" 0)]
                 ["a space in a name" #(spoil % "x-literal" 32)]
                 ["a colon in a name" #(spoil % "x-literal" 58)]
                 ["CR in a name" #(spoil % "x-literal" 13)]
                 ["an unknown name id" #(patched (encoded % hello) [Records/RESPONSE_HEADERS 2 200])]
                 ["the largest name id" #(patched (encoded % hello) [Records/RESPONSE_HEADERS 2 0xFFFF])]]]
    (vec (for [[command-name command] spoiled]
           [command-name (double-scene (fn [exchange] [(command exchange)]))]))))

(defn- failure-of
  "The kind of the `EngineException` that `call` throws, the class name of another exception, or what it returns."
  [call]
  (try
    (call)
    (catch EngineException e (keyword (.kind e)))
    (catch Throwable t (symbol (.getName (class t))))))

(defn- native-scene
  "Native methods with handles and arguments that they were not made for."
  []
  (let [native probe/native-call
        text-bytes (.getBytes "{\"a\":[1,2,{\"b\":\"c\"}]}")
        options (options/encode (options/resolve-options {:host "127.0.0.1" :port 0 :event-loops 1}))
        handle (native "start" options)
        strangers [0 -1 (inc handle) (+ handle (bit-shift-left 1 32)) Long/MAX_VALUE Long/MIN_VALUE]
        inbox (byte-array 4096)
        after-wake (fn [outbox length inbox]
                     (native "wake" handle (int 0))
                     (native "poll" outbox (int length) inbox))
        ;; The order counts, so it is no map literal.
        results (array-map
                  :strangers (set (for [stranger strangers
                                        call [#(native "port" stranger)
                                              #(native "metrics" stranger (long-array 8))
                                              #(native "openLoop" stranger (int 0))]]
                                    (failure-of call)))
                  :harmless (set (for [stranger strangers
                                       call [#(native "wake" stranger (int 0))
                                             #(native "drain" stranger 0)
                                             #(native "stop" stranger)]]
                                   (failure-of call)))
                  :no-loop (native "poll" (byte-array 8) (int 8) inbox)
                  :no-loop-closed (native "closeLoop")
                  :wrong-index (mapv (fn [index] (failure-of #(native "openLoop" handle (int index)))) [-1 1 Integer/MAX_VALUE])
                  :wake-index (mapv (fn [index] (failure-of #(native "wake" handle (int index)))) [-1 1 Integer/MAX_VALUE])
                  :opened (failure-of #(native "openLoop" handle (int 0)))
                  :opened-twice (failure-of #(native "openLoop" handle (int 0)))
                  :poll (after-wake (byte-array 0) 0 inbox)
                  :short-metrics (let [values (long-array 2)] (native "metrics" handle values) (vec values))
                  :long-metrics (count (let [values (long-array 99)] (native "metrics" handle values) values))
                  :no-inbox (after-wake (byte-array 0) 0 (byte-array 0))
                  :negative-length (after-wake (byte-array 8) -1 inbox)
                  :length-behind-end (failure-of #(after-wake (byte-array 8) 16 inbox))
                  :null-outbox (failure-of #(after-wake nil 8 inbox))
                  :null-inbox (failure-of #(after-wake (byte-array 0) 0 nil))
                  :null-metrics (failure-of #(native "metrics" handle nil))
                  :null-options (failure-of #(native "start" nil))
                  :wrong-options (mapv (fn [text] (failure-of #(native "start" (.getBytes ^String text))))
                                       ["" "port" "port\u0000" "port\u0000x\u0000" "x\u0000y\u0000" "\u0000" "\u0000\u0000\u0000"])
                  :binary-options (failure-of #(native "start" (byte-array 64 (byte -1))))
                  :codec-ids (mapv (fn [id] (failure-of #(native "decode" (int id) (byte-array 1) (int 0) (int 1) 0 (byte-array 64) (int 64))))
                                   [0 -1 99 257 Integer/MIN_VALUE])
                  :codec-regions (mapv (fn [[from length]]
                                         (failure-of #(native "decode" (int Results/CODEC_PARAMS) (byte-array 4)
                                                              (int from) (int length) 0 (byte-array 64) (int 64))))
                                       [[0 5] [4 1] [-1 2] [Integer/MAX_VALUE 1]])
                  :codec-nulls [(failure-of #(native "decode" (int Results/CODEC_PARAMS) nil (int 0) (int 1) 0 (byte-array 64) (int 64)))
                                (failure-of #(native "decode" (int Results/CODEC_PARAMS) (byte-array 1) (int 0) (int 1) 0 nil (int 64)))]
                  :codec-short-output (failure-of #(native "decode" (int Results/CODEC_PARAMS) (byte-array 1) (int 0) (int 1) 0
                                                           (byte-array 1) (int 1)))
                  :codec-wrong-room (failure-of #(native "decode" (int Results/CODEC_PARAMS) (.getBytes "a=b") (int 0) (int 3) 0
                                                         (byte-array 4) (int 64)))
                  :codec-after (native "decode" (int Results/CODEC_PARAMS) (.getBytes "a=b") (int 0) (int 3) 0 (byte-array 64) (int 64))
                  :codec-compiled (reduce (fn [_ _] (get (json/read-value text-bytes {:lazy? true}) "a")) nil (range 100000))
                  :still-there (pos? (native "port" handle)))]
    (native "drain" handle 0)
    (let [closed (first (remove zero? (repeatedly #(native "poll" (byte-array 0) (int 0) inbox))))]
      (native "closeLoop")
      (native "stop" handle)
      (native "stop" handle)
      (assoc results :drained closed :stopped (failure-of #(native "port" handle))))))

(defn scenes
  "What the tests of strange commands look at; for the forked JVM."
  []
  {:broken (broken-scene)
   :stale (stale-scene)
   :double (double-scene (fn [id] [(encoded id hello) (encoded id {:status 500 :headers {} :body "second"})]))
   :double-failure (double-scene (fn [id] [(failed id Records/KIND_HANDLER_THREW) (encoded id hello)]))
   :header (header-scene)
   :native (native-scene)})

(def ^:private forked-scenes
  (delay (forked/call `scenes {})))

(defn- seen
  [scene]
  (get-in @forked-scenes [:value scene]))

(deftest jvm-test
  (testing "nothing that the core is handed kills the JVM"
    (is (forked/sound? @forked-scenes))))

(deftest broken-commands-test
  (testing "bytes that are no command are one log event; the loop and its connections live"
    (is (= (count broken-commands) (count (seen :broken))))
    (doseq [[command-name & result] (seen :broken)]
      (is (= [:error "hinny.native.server.apply" [200 "/after"] 0] result) command-name))))

(deftest stale-replies-test
  (let [{:keys [outcomes expected metrics]} (seen :stale)]
    (testing "replies for nobody are counted"
      (is (= {:replies-stale expected} metrics)))
    (testing "and sent to nobody"
      (is (= [[200 "once"] [200 "once"]] outcomes)))))

(deftest double-replies-test
  (testing "of several replies the first is sent, the others are stale, the connection stays in step"
    ;; Two from outside and the handler's own: two of three are stale.
    (is (= [[200 "hello"] [200 "/next"] {:replies-stale 2 :exchanges-open 0}] (seen :double)))
    (is (= [[500 "Internal Server Error"] [200 "/next"] {:replies-stale 2 :exchanges-open 0}] (seen :double-failure)))))

(deftest header-injection-test
  (testing "a header field that may not be sent is a 500, whoever wrote the command"
    (is (= 8 (count (seen :header))))
    (doseq [[command-name [outcome next-outcome]] (seen :header)]
      (is (= [500 "Internal Server Error"] outcome) command-name)
      (is (= [200 "/next"] next-outcome) command-name))))

(deftest native-methods-test
  (let [results (seen :native)]
    (are [expected key] (= expected (key results))
      #{:stopped} :strangers
      #{nil} :harmless
      Records/CLOSED :no-loop
      nil :no-loop-closed
      [:internal :internal :internal] :wrong-index
      [nil nil nil] :wake-index
      nil :opened
      :internal :opened-twice
      0 :poll
      [0 0] :short-metrics
      99 :long-metrics
      0 :no-inbox
      0 :negative-length
      :internal :length-behind-end
      true :still-there
      Records/CLOSED :drained
      :stopped :stopped)
    (testing "null is an exception"
      (doseq [key [:null-outbox :null-inbox :null-metrics :null-options]]
        (is (contains? '#{:internal java.lang.NullPointerException} (key results)) key)))
    (testing "options that do not decode are refused"
      (is (= (repeat 7 :option-invalid) (:wrong-options results)))
      (is (= :option-invalid (:binary-options results))))
    (testing "a codec that there is not"
      (is (= #{:internal} (set (:codec-ids results)))))
    (testing "a codec's region that is not in its array"
      (is (= #{:internal} (set (:codec-regions results)))))
    (testing "a codec without arrays, or with one that is too short for what it must say"
      (is (= [:internal :internal] (:codec-nulls results)))
      (is (= :internal (:codec-short-output results)))
      (is (= 'java.lang.ArrayIndexOutOfBoundsException (:codec-wrong-room results))))
    (testing "what is returned is right in compiled code, too, which takes more of the register than an int"
      (is (= [1 2 {"b" "c"}] (:codec-compiled results))))
    (testing "and the next call is right"
      (is (= 14 (:codec-after results))))))

;;; Weight

(def ^:private exchanges 100000)

(def ^:private batch
  "Requests of one write."
  50)

(def ^:private batch-text
  (let [sized (raw/post "/sized?a=b" (str/join (repeat 300 "x")) "X-Literal: value")
        chunked (str (raw/head "POST /chunked HTTP/1.1" "Host: x" "Transfer-Encoding: chunked") (raw/chunked "abc" "defg"))
        plain (raw/get-request "/plain" "Accept: */*" "X-Literal: value" "Cookie: a=b" "Cookie: c=d")]
    (str/join (take batch (cycle [plain plain sized plain chunked])))))

(defn- exchange-many
  "Sends `n` requests over one connection in batches; how many got the right response."
  [server n]
  (with-open [client (probe/connect server)]
    (reduce (fn [right _]
              (raw/send! client batch-text)
              (+ right (count (filter #(= [200 "hello"] %) (doall (repeatedly batch #(probe/outcome client)))))))
            0
            (range (quot n batch)))))

(defn weight-scene
  "What a server weighs before and after `exchanges`, again and again until one round adds next to nothing; for the
  forked JVM."
  [mode]
  ;; One worker, so that the number of workers is the same before and after.
  (raw/with-server [server (constantly (probe/ok "hello")) {:handler-mode mode :event-loops 2 :worker-threads 1}]
    (exchange-many server (quot exchanges 4))
    (probe/await-metrics server nothing-open)
    (let [rounds (probe/rounds (fn []
                                 (let [right (exchange-many server exchanges)]
                                   (probe/await-metrics server nothing-open)
                                   right)))]
      (assoc rounds :metrics (select-keys (server/server-metrics server) [:replies-stale :panics :errors-answered])))))

(deftest weight-test
  (doseq [mode [:worker :inline]]
    (let [{:keys [value] :as jvm} (forked/call `weight-scene {:flags probe/steady-memory} mode)
          {:keys [results before after metrics]} value]
      (testing (str exchanges " exchanges (" mode ")")
        (is (forked/sound? jvm))
        (is (every? #(= exchanges %) results))
        (is (= {:replies-stale 0 :panics 0 :errors-answered 0} metrics))
        (testing "leave the memory as it was, and no global reference, descriptor or thread"
          (is (probe/flat? before after) value)
          (is (= (:fds before) (:fds after)))
          (is (= (:threads before) (:threads after))))
        (println (text/formatted "      %,d exchanges (%s), round %d: %s"
                   exchanges (name mode) (count results) (probe/change before after)))))))
