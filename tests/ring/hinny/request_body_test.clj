(ns hinny.request-body-test
  "How a handler may read its request's body, in every mode that may wait: every method of an InputStream, partly, not at
  all, on another thread, too late; for bodies that are there and for bodies that arrive while they are read."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.raw-stream :as stream])
  (:import
   (java.io ByteArrayOutputStream IOException InputStream)
   (java.util.concurrent CountDownLatch LinkedBlockingQueue TimeUnit)))

(set! *warn-on-reflection* true)

(def ^:private kinds
  "How a body reaches its handler, and the options that make it."
  {:whole {:inline-body-bytes 1000000}
   :streamed {:inline-body-bytes 100}
   :from-the-first-byte {:inline-body-bytes 0}
   :little-by-little {:inline-body-bytes 0 :exchange-buffer-bytes 4096}})

(def ^:private text (stream/text-of 50000))

(defn- by-read [^InputStream in]
  (let [out (ByteArrayOutputStream.)]
    (loop []
      (let [b (.read in)]
        (when-not (neg? b)
          (.write out b)
          (recur))))
    (raw/text (.toByteArray out))))

(defn- by-array [length]
  (fn [^InputStream in]
    (let [out (ByteArrayOutputStream.)
          piece (byte-array length)]
      (loop []
        (let [size (.read in piece)]
          (when (pos? size)
            (.write out piece 0 size)
            (recur))))
      (raw/text (.toByteArray out)))))

(defn- within-array [^InputStream in]
  (let [piece (byte-array 300)]
    (loop [got ""]
      (let [size (.read in piece 100 50)]
        (if (pos? size)
          (recur (str got (subs (raw/text piece) 100 (+ 100 size))))
          got)))))

(def ^:private reading-table
  "A way to read, what it gives for `text`."
  [["read()" by-read text]
   ["read(byte[])" (by-array 1000) text]
   ["read(byte[1])" (by-array 1) text]
   ["read(byte[100000])" (by-array 100000) text]
   ["read(byte[], from, length)" within-array text]
   ["readAllBytes" #(raw/text (.readAllBytes ^InputStream %)) text]
   ["readNBytes" #(raw/text (.readNBytes ^InputStream % 40000)) (subs text 0 40000)]
   ["readNBytes beyond the end" #(raw/text (.readNBytes ^InputStream % 60000)) text]
   ["slurp" slurp text]
   ["transferTo" #(let [out (ByteArrayOutputStream.)] (.transferTo ^InputStream % out) (raw/text (.toByteArray out))) text]
   ["line-seq" #(with-open [r (clojure.java.io/reader %)] (str/join (line-seq r))) text]
   ["skip, then read" #(do (.skipNBytes ^InputStream % 10000) (slurp %)) (subs text 10000)]
   ["skip to the end" #(do (.skipNBytes ^InputStream % 50000) (str (.read ^InputStream %))) "-1"]
   ["read of no byte" #(str (.read ^InputStream % (byte-array 0))) "0"]
   ["mark is not needed" #(do (.markSupported ^InputStream %) (slurp %)) text]
   ["the end, again and again" #(do (.readAllBytes ^InputStream %) (pr-str (doall (repeatedly 3 (fn [] (.read ^InputStream %)))))) "(-1 -1 -1)"]
   ["a part" #(raw/text (.readNBytes ^InputStream % 10)) (subs text 0 10)]
   ["a part, then close" #(let [part (raw/text (.readNBytes ^InputStream % 10))] (.close ^InputStream %) part) (subs text 0 10)]
   ["close" #(do (.close ^InputStream %) "closed") "closed"]
   ["close twice" #(do (.close ^InputStream %) (.close ^InputStream %) "closed") "closed"]
   ["nothing" (constantly "nothing") "nothing"]])

(deftest reading-test
  (each-mode [mode modes/may-block?]
    (doseq [[kind options] kinds]
      (let [read-body (atom nil)]
        (with-handler [server mode (fn [{:keys [uri body]}] {:status 200 :body (if (= "/next" uri) (slurp body) (str (@read-body body)))})
                       options]
          (doseq [[what f expected] reading-table
                  framing [:sized :chunked]]
            (testing (str "R M10 " what ", " kind ", " framing ", and the connection goes on")
              (reset! read-body f)
              (with-client [client server]
                (let [sending (future
                                (raw/send! client (if (= :sized framing)
                                                    (raw/post "/" text)
                                                    (str (stream/chunked-head "/") (stream/chunk-of text) stream/last-chunk)))
                                (raw/send! client (raw/post "/next" "next")))]
                  (is (= expected (:body (stream/read-any client))))
                  (is (= "next" (:body (stream/read-any client))))
                  (is (not= :hung (deref sending raw/guard-ms :hung))))))))))))

(deftest available-test
  (each-mode [mode modes/may-block?]
    (testing "R available is what can be read without waiting, and never more than there is"
      (doseq [[kind options] kinds]
        (with-handler [server mode (fn [{:keys [^InputStream body]}]
                                     {:status 200
                                      :body (pr-str (let [before (.available body)
                                                          first-byte (.read body)
                                                          after (.available body)
                                                          sure (alength (.readNBytes body after))
                                                          _ (.readAllBytes body)]
                                                      [(<= 0 before 50000) first-byte (<= 0 after 49999) (= sure after) (.available body)]))})
                       options]
          (testing kind
            (is (= "[true 48 true true 0]" (:body (raw/answer server (raw/post "/" text)))))))))))

(deftest another-thread-test
  (each-mode [mode modes/may-block?]
    (testing "R a body may be read on another thread, and by one after the other"
      (doseq [[kind options] kinds]
        (with-handler [server mode (fn [{:keys [^InputStream body]}]
                                     (let [start (raw/text (.readNBytes body 10))]
                                       {:status 200 :body (str start @(future (slurp body)))}))
                       options]
          (testing kind
            (is (= text (:body (raw/answer server (raw/post "/" text)))))))))))

(deftest read-too-late-test
  (each-mode [mode modes/may-block?]
    (testing "M10 a body that streams can be read until the response is complete; then a read throws"
      (let [late (LinkedBlockingQueue.)]
        (with-handler [server mode (fn [{:keys [uri body]}]
                                     (when (= "/late" uri) (.add late body))
                                     {:status 200 :body "early"})
                       {:inline-body-bytes 100}]
          (with-client [client server]
            (raw/send! client (str (raw/post "/late" text) (raw/get-request "/next")))
            (dotimes [_ 2]
              (is (= "early" (:body (raw/read-response client)))))
            (let [^InputStream body (.poll late raw/guard-ms TimeUnit/MILLISECONDS)
                  failure (is (thrown? IOException (.readAllBytes body)))]
              (is (str/includes? (str (ex-message failure)) "complete"))
              (is (nil? (.close body)) "close does not throw"))))))
    (testing "M10 a body that came whole stays readable"
      (let [late (LinkedBlockingQueue.)]
        (with-handler [server mode (fn [{:keys [body]}] (.add late body) {:status 200})]
          (raw/answer server (raw/post "/" "text"))
          (is (= "text" (some-> (.poll late raw/guard-ms TimeUnit/MILLISECONDS) slurp))))))))

(deftest closed-body-test
  (each-mode [mode modes/may-block?]
    (testing "R a read after close throws, where the body streams"
      (with-handler [server mode (fn [{:keys [^InputStream body]}]
                                   (.close body)
                                   {:status 200 :body (try (slurp body) (catch IOException e (ex-message e)))})
                     {:inline-body-bytes 100}]
        (is (str/includes? (:body (raw/answer server (raw/post "/" text))) "closed"))))))

(deftest read-on-a-loop-test
  (testing "R an async handler that reads on the loop what has not arrived is told what to do, and holds up nobody"
    (with-server [server (fn [{:keys [body]} respond _]
                           (respond {:status 200 :body (try (slurp body) (catch IOException e (str "told: " (ex-message e))))}))
                  {:handler-mode :async :inline-body-bytes 100 :event-loops 1}]
      (with-client [client server]
        (raw/send! client (stream/sized-head "/" 1000))
        (let [{:keys [status body]} (raw/read-response client)]
          (is (= 200 status))
          (is (re-find #"told: .*event loop.*another thread" body)))
        (raw/send! client (stream/text-of 1000))
        (raw/send! client (raw/post "/" "small"))
        (is (= "small" (:body (raw/read-response client))) "what has arrived can be read")))))

(deftest interrupted-read-test
  (testing "R a thread that waits for a body can be interrupted; the body can be read on"
    (let [reading (promise)
          interrupted (promise)
          reader (atom nil)]
      (with-server [server (fn [{:keys [^InputStream body]}]
                             (reset! reader (Thread/currentThread))
                             (deliver reading true)
                             (let [first-try (try
                                               (raw/text (.readAllBytes body))
                                               (catch java.io.InterruptedIOException _
                                                 (deliver interrupted (Thread/interrupted))
                                                 "interrupted"))]
                               {:status 200 :body (str first-try " " (slurp body))}))
                    {:inline-body-bytes 0}]
        (with-client [client server]
          (raw/send! client (stream/sized-head "/" 4))
          (is (deref reading raw/guard-ms false))
          (is (raw/await-until #(contains? #{Thread$State/WAITING Thread$State/TIMED_WAITING} (.getState ^Thread @reader))))
          (.interrupt ^Thread @reader)
          (is (true? (deref interrupted raw/guard-ms :not-interrupted)) "with its flag set")
          (raw/send! client "text")
          (is (= "interrupted text" (:body (raw/read-response client)))))))))

(deftest inline-handler-of-a-streamed-body-test
  (testing "R an inline handler whose request's body still arrives runs on a worker, where it may wait"
    (let [gate (CountDownLatch. 1)]
      (with-server [server (fn [{:keys [uri body]}]
                             {:status 200 :body (str (.getName (Thread/currentThread)) " " (when (= "/slow" uri) (slurp body)))})
                    {:handler-mode :inline :inline-body-bytes 100 :event-loops 1}]
        (with-client [client server]
          (raw/send! client (stream/sized-head "/slow" 200))
          (is (str/starts-with? (:body (raw/answer server (raw/get-request "/"))) "hinny-loop-0"))
          (.countDown gate)
          (raw/send! client (stream/text-of 200))
          (is (= [true true] ((juxt #(str/starts-with? % "hinny-worker-") #(str/ends-with? % (stream/text-of 200)))
                              (:body (raw/read-response client))))))))))
