(ns hinny.endless-body-test
  "Nothing in Hinny holds the head of a lazy body: one that is larger than the heap goes through, in every mode.

  The server runs in a JVM of its own with a small heap. `hinny.stream-framing-wire-test` has what ends such a body."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client]]
   [hinny.raw-stream :as stream])
  (:import
   (java.io InputStream)))

(set! *warn-on-reflection* true)

(def ^:private element-bytes 100000)

(defn- elements
  "A lazy sequence of `n` distinct texts, which would take `n` times `element-bytes` of heap if it were held."
  [n]
  (lazy-seq
    (when (pos? n)
      (cons (String. (char-array element-bytes \x)) (elements (dec n))))))

(defn- bytes-read
  "Reads chunks to the last one and forgets them; the number of bytes in them, nil if the connection ends first."
  [client]
  (loop [total 0]
    (let [chunk (stream/read-chunk client)]
      (cond
        (nil? chunk) nil
        (= "" chunk) total
        :else (recur (+ total (count chunk)))))))

(defn- endless-stream
  "An InputStream of `length` bytes."
  ^InputStream [length]
  (let [left (atom length)]
    (proxy [InputStream] []
      (read
        ([bytes] (.read ^InputStream this bytes 0 (alength ^bytes bytes)))
        ([_ _ most]
         (let [size (min (long most) (long @left))]
           (if (pos? size)
             (do (swap! left - size) size)
             -1))))
      (available [] 1))))

(defn serve-larger-than-heap
  "Scene: in each mode a seq and a stream of `megabytes`; what arrived."
  [megabytes]
  (let [length (* 1000000 (long megabytes))
        results (atom {})]
    (each-mode [mode]
      (with-handler [server mode (fn [{:keys [uri]}]
                                   {:status 200
                                    :body (if (= "/seq" uri)
                                            (elements (quot length element-bytes))
                                            (endless-stream length))})]
        (doseq [target ["/seq" "/stream"]]
          (with-client [client server]
            (raw/send! client (raw/get-request target))
            (stream/read-head client)
            (swap! results assoc [(:name mode) target] (bytes-read client))))))
    @results))

(deftest larger-than-heap-test
  (testing "200 MB through a heap of 48 MB, as a seq and as a stream"
    (let [{:keys [value] :as ended} (forked/call `serve-larger-than-heap {:flags ["-Xmx48m"]} 200)]
      (is (forked/sound? ended))
      (is (= (set (for [{:keys [name]} modes/modes
                        target ["/seq" "/stream"]]
                    [[name target] 200000000]))
             (set value))))))
