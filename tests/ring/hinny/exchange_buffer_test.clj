(ns hinny.exchange-buffer-test
  "Bodies in pieces of all sizes through the smallest `:exchange-buffer-bytes`, both ways: none waits for ever."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.raw-client :as raw :refer [with-server]])
  (:import
   (java.io InputStream)))

(set! *warn-on-reflection* true)

(def ^:private buffer-bytes
  "The smallest that may be set."
  4096)

(def ^:private sizes
  "Around what may go as a piece, what is given back at once, and the buffer itself."
  (for [base [1 64 (quot buffer-bytes 4) (quot buffer-bytes 2) buffer-bytes (* 3 buffer-bytes)]
        more [-1 0 1]]
    (max 1 (+ base more))))

(defn- text
  [length]
  (str/join (take length (cycle "0123456789"))))

(deftest response-pieces-test
  (testing "a piece that is flushed, and then one of another size, again and again"
    (let [pieces (mapv text (for [a sizes
                                  b sizes
                                  size [a b]]
                              size))]
      (with-server [server (constantly {:status 200 :headers {} :body (seq pieces)}) {:exchange-buffer-bytes buffer-bytes}]
        (is (= (str/join pieces)
               (:body (raw/answer server (raw/head "GET / HTTP/1.0" "host: x")))))))))

(deftest request-pieces-test
  (let [handler (fn [{:keys [^InputStream body]}] {:status 200 :headers {} :body (.readAllBytes body)})]
    (doseq [inline-bytes [0 1000]]
      (testing (str "chunks of each size, " inline-bytes " bytes of them inline")
        (with-server [server handler {:exchange-buffer-bytes buffer-bytes :inline-body-bytes inline-bytes}]
          (raw/with-client [client server]
            (let [pieces (mapv text (mapcat #(repeat 20 %) sizes))]
              (raw/send! client (str (raw/head "POST / HTTP/1.1" "host: x" "transfer-encoding: chunked")
                                     (apply raw/chunked pieces)))
              (is (= (str/join pieces) (:body (raw/read-response client)))))))))))
