(ns hinny.log-safety-test
  "What may never happen to a log: a line that a request, a path or a response wrote, an event that vanishes because nobody
  chose a backend, a backend that throws."
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [clojure.test.check :as tc]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [hinny.forked-jvm :as forked]
   [hinny.impl.text :as text]
   [hinny.middleware :as middleware]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (ch.qos.logback.classic Logger)
   (ch.qos.logback.core AppenderBase)
   (io.github.hinny LogText)
   (org.slf4j LoggerFactory)))

(set! *warn-on-reflection* true)

(def ^:private unfit
  "What may not be in a line: control characters, separators of lines, marks of direction."
  #"[\p{Cc}\u2028-\u202e\u2066-\u2069\u200e\u200f\u061c]")

(def ^:private hostile-text
  (gen/fmap str/join
            (gen/vector (gen/one-of [gen/char (gen/elements ["\n" "\r\n" "\u001b[2J" "\u0085" "\u2028" "\u202e" "\u0000"
                                                             "\t" "ERROR fake" "\\u000a" "é" "\uD83D\uDE00" "{}"])]))))

(deftest escape-test
  (let [property (prop/for-all [text hostile-text]
                   (let [escaped (LogText/escape text)]
                     (and (not (re-find unfit escaped))
                          (= (str/replace text unfit #(text/formatted "\\u%04x" (int (first %)))) escaped)
                          (or (re-find unfit text) (identical? text escaped)))))]
    (is (true? (:result (tc/quick-check 500 property))))))

(defn- unfit-in-event
  "What an event has that may not be in a log; ends of lines may be in an exception's own message."
  [{:keys [message thrown-message]}]
  (or (re-find unfit message)
      (some->> thrown-message (re-seq unfit) (remove #{"\n"}) first)))

(def ^:private responses
  "What a handler does with a hostile text so that it is logged."
  {"a file" (fn [text] {:status 200 :headers {} :body (io/file (str "/nowhere/" text))})
   "the name of a header" (fn [text] {:status 200 :headers {(str "x" text) "v"} :body ""})
   "the value of a header" (fn [text] {:status 200 :headers {"x" text} :body ""})
   "the status" (fn [text] {:status text :headers {} :body ""})
   "the body" (fn [text] {:status 200 :headers {} :body {text text}})
   ":same-site" (fn [text]
                  ((middleware/wrap-cookies (constantly {:status 200
                                                         :headers {}
                                                         :cookies {"a" {:value "b" :same-site (keyword text)}}}))
                   {:headers {}}))
   "a message" (fn [text] (throw (ex-info text {})))
   "the message of a cause" (fn [text] (throw (ex-info "outer" {} (ex-info text {} (ex-info text {})))))
   "a message in a body" (fn [text] {:status 200 :headers {} :body (map (fn [_] (throw (ex-info text {}))) [1])})})

(deftest response-test
  (doseq [[what respond] responses
          mode [:worker :inline]]
    (testing (str "a text that is " what " (" mode ") writes no line of its own")
      (let [text (atom nil)]
        (probe/with-log-events [events "hinny"]
          (raw/with-server [server (fn [_] (respond @text)) {:event-loops 1 :handler-mode mode}]
            (doseq [hostile ["a\r\n2026-01-01 ERROR fake" "a\u001b[2Kb" "a\u0085b" "a\u2028b" "a\u202eb\n"]]
              (reset! text hostile)
              (raw/with-client [client server]
                (raw/send! client (raw/get-request "/" "connection: close"))
                (is (raw/end-of client)))))
          (is (seq @events))
          (doseq [event @events]
            (is (nil? (unfit-in-event event)))))))))

(deftest own-message-test
  (testing "a message of Hinny's own is one line, whatever it quotes"
    (probe/with-log-events [events "hinny"]
      (raw/with-server [server (fn [_] ((responses ":same-site") "a\nERROR fake")) {:event-loops 1}]
        (probe/ask server "/"))
      (is (= ["no attribute of a cookie: :same-site :a\\u000aERROR fake"] (mapv :thrown-message @events))))
    (is (thrown-with-msg? clojure.lang.ExceptionInfo #":a\\u000ab"
                          (server/run-server identity {(keyword "a\nb") 1})))))

(deftest throwable-test
  (testing "an exception with nothing to escape is logged as it is; of another one there is a copy with the same stack"
    (probe/with-log-events [events "hinny.server"]
      (let [message (atom "plain")]
        (raw/with-server [server (fn [_] (throw (ex-info @message {}))) {:event-loops 1}]
          (probe/ask server "/")
          (reset! message "two\r\nlines")
          (probe/ask server "/")
          (is (probe/await-that #(= 2 (count @events))))
          (let [[plain copied] @events]
            (is (= ["clojure.lang.ExceptionInfo" "plain"] ((juxt :thrown :thrown-message) plain)))
            (is (= "clojure.lang.ExceptionInfo: two\\u000d\\u000alines {}" (:thrown-message copied)))
            (is (= (last (:frames plain)) (last (:frames copied))))))))))

(deftest throwing-backend-test
  (doseq [mode [:worker :inline]]
    (testing (str "an appender that throws harms no request (" mode ")")
      (let [^Logger logger (LoggerFactory/getLogger "hinny.server")
            ^AppenderBase appender (proxy [AppenderBase] []
                                     (doAppend [_] (throw (StackOverflowError. "of the appender"))))]
        (raw/with-server [server (fn [{:keys [uri]}]
                                   (if (= "/throw" uri) (throw (ex-info "thrown" {})) (probe/ok uri)))
                          {:event-loops 1 :handler-mode mode}]
          (.start appender)
          (.addAppender logger appender)
          (try
            (is (= 500 (first (probe/ask server "/throw"))))
            (is (= [200 "/next"] (probe/ask server "/next")))
            (finally (.detachAppender logger appender))))))))

(deftest one-logger-test
  (testing "whatever logs does so through SafeLogger"
    (is (= ["SafeLogger.java"]
           (for [root ["java-shim/src/main" "clj/src"]
                 ^java.io.File file (file-seq (io/file root))
                 :when (and (.isFile file) (str/includes? (slurp file) "LoggerFactory"))]
             (.getName file))))))

;;; Without a backend

(deftest no-backend-test
  (testing "where SLF4J has no backend, the JDK's logger tells of a handler's exception, and stderr with it"
    (let [{:keys [value output] :as jvm} (forked/call 'hinny.no-log-backend/throw-once {:without #"logback|slf4j-simple"})]
      (is (forked/sound? jvm))
      (is (= 500 value))
      (is (str/includes? output "handler threw for GET /thrown"))
      (is (str/includes? output "the reason why"))
      (is (str/includes? output "hinny.no_log_backend"))))
  (testing "who chose slf4j-nop, as a provider by name, gets nothing"
    (let [{:keys [value output]} (forked/call 'hinny.no-log-backend/throw-once
                                              {:without #"logback|slf4j-simple"
                                               :flags ["-Dslf4j.provider=org.slf4j.helpers.NOP_FallbackServiceProvider"]})]
      (is (= 500 value))
      (is (not (str/includes? output "the reason why"))))))
