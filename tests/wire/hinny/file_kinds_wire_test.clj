(ns hinny.file-kinds-wire-test
  "A File body that is no regular file: a 500 that says why in the log, and nothing waits for it."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.log-capture :as log :refer [with-log]]
   [hinny.raw-client :as raw :refer [with-server]])
  (:import
   (java.io File)
   (java.net StandardProtocolFamily UnixDomainSocketAddress)
   (java.nio.channels ServerSocketChannel)
   (java.nio.file Files Path)
   (java.nio.file.attribute FileAttribute)))

(set! *warn-on-reflection* true)

(def ^:private more-than-file-threads
  "A loop has eight threads that read files."
  12)

(defn- named
  ^File [^Path directory ^String name]
  (.toFile (.resolve directory name)))

(defn- fifo
  ^File [directory]
  (let [file (named directory "fifo")]
    (is (zero? (.waitFor (.start (ProcessBuilder. ^"[Ljava.lang.String;" (into-array String ["mkfifo" (str file)]))))))
    file))

(defn- call-with-directory
  [f]
  (let [directory (Files/createTempDirectory "hinny-kinds" (make-array FileAttribute 0))]
    (try
      (f directory)
      (finally
        (run! #(.delete ^File %) (reverse (file-seq (.toFile directory))))))))

(deftest not-regular-test
  (doseq [mode [:worker :inline]]
    (call-with-directory
      (fn [directory]
        (with-open [socket (ServerSocketChannel/open StandardProtocolFamily/UNIX)]
          (.bind socket (UnixDomainSocketAddress/of (.resolve ^Path directory "socket")))
          (spit (named directory "regular") "content")
          (let [files {"/fifo" (fifo directory)
                       "/socket" (named directory "socket")
                       "/directory" (.toFile ^Path directory)
                       "/device" (File. "/dev/zero")
                       "/regular" (named directory "regular")}]
            (with-log [events]
              (with-server [server (fn [{:keys [uri]}] {:status 200 :headers {} :body (files uri)})
                            {:event-loops 1 :handler-mode mode}]
                (doseq [path ["/fifo" "/socket" "/directory" "/device"]]
                  (testing (str path " in mode " mode)
                    (dotimes [_ more-than-file-threads]
                      (is (= [500 "Internal Server Error"]
                             ((juxt :status :body) (raw/answer server (raw/get-request path))))))))
                (testing "a regular one is sent after that"
                  (is (= [200 "content"] ((juxt :status :body) (raw/answer server (raw/get-request "/regular"))))))
                (testing "the log says why"
                  (is (re-find #"regular file" (:message (first (log/await-events events 1)))))))
              (testing "and the server has stopped"))))))))
