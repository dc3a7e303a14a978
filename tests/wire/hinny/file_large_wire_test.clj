(ns hinny.file-large-wire-test
  "Large static files over a socket: slow readers and ones that leave, files that change while they are sent, servers that
  stop. No descriptor and no exchange stays behind."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.file-site :as site :refer [asked etag path with-directory write!]]
   [hinny.impl.text :as text]
   [hinny.log-capture :as log-capture :refer [with-log]]
   [hinny.raw-client :as raw :refer [send! with-client with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (hinny.raw_client Client)
   (java.io Closeable InputStream RandomAccessFile)
   (java.nio.channels FileChannel$MapMode)
   (java.nio.file Files Path)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private large-bytes (+ 5000000 7))

(def ^:private large-text (delay (site/noise large-bytes)))

(def ^:private huge-bytes
  "So much that the kernel never holds it all for a connection, and that is mostly a hole."
  (* 32 1024 1024))

(defn- resize!
  [directory file length]
  (with-open [opened (RandomAccessFile. (path directory file) "rw")]
    (.setLength opened length)))

(defn- write-site!
  [directory]
  (write! directory "large.bin" @large-text)
  (write! directory "small.txt" "small")
  (write! directory "huge.bin" "huge")
  (resize! directory "huge.bin" huge-bytes)
  (site/touch! directory "huge.bin" site/long-ago-second))

(defn- routes
  [directory]
  [["/s/*path" {:files (str directory)}] ["/new/*path" {:files {:root (str directory) :cache-ms 0}}]])

(defn- nothing-left?
  "Whether, in a while, the server has no exchange and no file of the directory open."
  [server directory]
  (and (raw/await-until #(zero? (:exchanges-open (server/server-metrics server))))
       (raw/await-until #(zero? (site/open-files directory)))))

(defn- read-text
  [^Client client length]
  (raw/text (.readNBytes ^InputStream (.-in client) (int length))))

(deftest large-test
  (with-directory [directory]
    (write-site! directory)
    (with-server [server nil {:routes (routes directory)}]
      (testing "whole"
        (let [response (asked server "GET" "/s/large.bin")]
          (is (= [(str large-bytes) (etag large-bytes)] (map #(raw/header response %) ["content-length" "etag"])))
          (is (= @large-text (:body response)))))
      (testing "a part"
        (doseq [[field from to] [["0-0" 0 0] ["131071-131072" 131071 131072] ["131072-393215" 131072 393215]
                                 ["1000000-4999999" 1000000 4999999] ["-7" 5000000 5000006] ["4000000-" 4000000 5000006]]
                :let [response (asked server "GET" "/s/large.bin" (str "Range: bytes=" field))]]
          (is (= [206 (text/formatted "bytes %d-%d/%d" from to large-bytes) (subs @large-text from (inc (long to)))]
                 [(:status response) (raw/header response "content-range") (:body response)]))))
      (testing "several parts"
        (let [response (asked server "GET" "/s/large.bin" "Range: bytes=4000000-4999999,0-9,1000000-1262144")]
          (is (= (str (count (:body response))) (raw/header response "content-length")))
          (is (= (map #(apply subs @large-text %) [[4000000 5000000] [0 10] [1000000 1262145]])
                 (map :body (site/parts response))))))
      (testing "not again"
        (is (= 304 (:status (asked server "GET" "/s/large.bin" (str "If-None-Match: " (etag large-bytes)))))))
      (is (nothing-left? server directory)))))

(deftest slow-reader-test
  (with-directory [directory]
    (write-site! directory)
    (with-server [server nil {:routes (routes directory) :event-loops 1}]
      (testing "others are served by the same loop meanwhile, and every byte comes"
        (with-open [slow (stream/small-buffers (server/server-port server))]
          (send! slow (str (raw/get-request "/s/large.bin") (raw/get-request "/s/small.txt")))
          (is (= 200 (:status (stream/read-head slow))))
          (loop [read []
                 left large-bytes]
            (if (pos? left)
              (let [length (min left 700000)]
                (is (= "small" (:body (asked server "GET" "/s/small.txt"))))
                (is (<= (site/open-files directory) 1) "the large file, as long as the kernel does not hold the rest")
                (recur (conj read (read-text slow length)) (- left length)))
              (is (= @large-text (str/join read)))))
          (is (= "small" (:body (raw/read-response slow)))))))))

(deftest reader-that-leaves-test
  (with-directory [directory]
    (write-site! directory)
    (with-server [server nil {:routes (routes directory)}]
      (doseq [target ["/s/huge.bin" "/new/huge.bin"]
              lines [[] ["Range: bytes=10-"] ["Range: bytes=0-9,30000000-,15000000-29000000"]]]
        (testing (str target " " lines)
          (testing "behind the head"
            (with-client [client server]
              (send! client (apply raw/get-request target lines))
              (is (contains? #{200 206} (:status (stream/read-head client))))))
          (testing "in the middle"
            (with-client [client server]
              (send! client (apply raw/get-request target lines))
              (is (some? (stream/read-head client)))
              (is (= 3000000 (count (read-text client 3000000))))))
          (testing "before the response"
            (with-client [client server]
              (send! client (str/join (repeat 20 (apply raw/get-request target lines))))))
          (is (nothing-left? server directory))
          (is (= "small" (:body (asked server "GET" "/s/small.txt")))))))))

(deftest file-that-shrinks-test
  (with-directory [directory]
    (write-site! directory)
    (with-server [server nil {:routes (routes directory)}]
      (testing "a file that becomes shorter while it is sent breaks the response off"
        (with-log [log]
          (with-client [client server]
            (send! client (str (raw/get-request "/s/huge.bin") (raw/get-request "/s/small.txt")))
            (is (= (str huge-bytes) (raw/header (stream/read-head client) "content-length")))
            (let [first-bytes (count (read-text client 100000))
                  _ (resize! directory "huge.bin" 150000)
                  [text _] (stream/read-rest client)]
              (is (< (+ first-bytes (count text)) huge-bytes))
              (is (not (str/includes? text "HTTP/1.1")) "no other response stands for what is missing")))
          (is (re-find #"breaks off, .*has become shorter" (str (:message (log-capture/await-event log)))))))
      (testing "the next request gets the file as it is"
        (is (= 150000 (count (:body (asked server "GET" "/s/huge.bin"))))))
      (is (nothing-left? server directory)))))

(deftest file-that-is-replaced-test
  (with-directory [directory]
    (write-site! directory)
    (with-server [server nil {:routes (routes directory)}]
      (testing "a response is of one file from its head to its end"
        (with-client [client server]
          (send! client (raw/get-request "/s/huge.bin"))
          (is (= (str huge-bytes) (raw/header (stream/read-head client) "content-length")))
          (site/replace! directory "huge.bin" "new")
          (is (= "huge" (read-text client 4)))
          (loop [left (- (long huge-bytes) 4)]
            (when (pos? left)
              (recur (- left (count (read-text client (min left 1000000)))))))
          (send! client (raw/get-request "/s/huge.bin"))
          (is (= "new" (:body (raw/read-response client))))))
      (is (nothing-left? server directory)))))

(deftest change-is-seen-test
  (with-directory [directory]
    (write-site! directory)
    (with-server [server nil {:routes (routes directory) :event-loops 1}]
      (with-client [client server]
        (let [body-of (fn [target]
                        (send! client (raw/get-request target))
                        (let [{:keys [status body]} (raw/read-response client)]
                          (if (= 200 status) body status)))]
          (testing "with :cache-ms 0 at once"
            (dotimes [n 50]
              (site/replace! directory "small.txt" (text/formatted "%05d" n))
              (is (= (text/formatted "%05d" n) (body-of "/new/small.txt")))
              (spit (path directory "small.txt") (text/formatted "%05d" (+ 1000 n)))
              (is (= (text/formatted "%05d" (+ 1000 n)) (body-of "/new/small.txt"))))
            (doseq [length [70000 3 65536 0 65537 100000]]
              (write! directory "small.txt" (site/noise length))
              (is (= (site/noise length) (body-of "/new/small.txt"))))
            (is (= 404 (body-of "/new/later/x")))
            (write! directory "later/x" "x")
            (is (= "x" (body-of "/new/later/x")))
            (Files/delete (.resolve ^Path directory "later/x"))
            (is (= 404 (body-of "/new/later/x"))))
          (testing "with the default in a while"
            (write! directory "small.txt" "before")
            (write! directory "later/z" "z")
            (is (raw/await-until #(= "before" (body-of "/s/small.txt"))))
            (is (= ["z" 404] (map body-of ["/s/later/z" "/s/later/y"])))
            (site/replace! directory "small.txt" "behind")
            (write! directory "later/y" "y")
            (Files/delete (.resolve ^Path directory "later/z"))
            (doseq [[target expected] {"/s/small.txt" "behind" "/s/later/y" "y" "/s/later/z" 404}]
              (is (raw/await-until #(= expected (body-of target)))))))))))

(deftest change-without-a-trace-test
  (with-directory [directory]
    (write! directory "a.txt" "0000")
    (with-server [server nil {:routes (routes directory) :event-loops 1}]
      (with-open [file (RandomAccessFile. (path directory "a.txt") "rw")]
        (testing "a small file that changes again at the same time, as all do within a tick of the kernel's clock, is read again"
          ;; What is written into memory that was written to before changes no time.
          (let [mapped (.map (.getChannel file) FileChannel$MapMode/READ_WRITE 0 4)]
            (doseq [n [1 2 3]]
              (.put mapped 0 (byte (+ 48 (long n))))
              (is (= (str n "000") (:body (asked server "GET" "/new/a.txt")))))))))))

(deftest stop-test
  (with-directory [directory]
    (write-site! directory)
    (let [options (assoc raw/*options* :routes (routes directory))]
      (testing "a file that is being sent is sent to its end by a server that stops"
        (let [server (server/run-server nil (assoc options :drain-timeout-ms 60000))]
          (with-client [client server]
            (send! client (raw/get-request "/s/huge.bin"))
            (is (= 200 (:status (stream/read-head client))))
            (let [stopping (future (.close ^Closeable server))]
              (is (raw/await-until #(= :stopping (server/server-status server))))
              (is (not (realized? stopping)))
              (loop [left (long huge-bytes)]
                (when (pos? left)
                  (recur (- left (count (read-text client (min left 1000000)))))))
              (is (raw/eof? client))
              (is (nil? (deref stopping raw/guard-ms :blocked)))))))
      (testing "one that nobody reads is cut when the time is over"
        (let [server (server/run-server nil (assoc options :drain-timeout-ms 20))]
          (with-client [client server]
            (send! client (raw/get-request "/s/huge.bin"))
            (is (= 200 (:status (stream/read-head client))))
            (is (nil? (deref (future (.close ^Closeable server)) raw/guard-ms :blocked)))
            (is (< (count (first (stream/read-rest client))) huge-bytes)))))
      (is (raw/await-until #(zero? (site/open-files directory)))))))
