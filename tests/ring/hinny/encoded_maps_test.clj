(ns hinny.encoded-maps-test
  "Response maps that come again: an encoder that has seen them writes what a new one writes, and keeps none of them."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [clojure.test.check.clojure-test :refer [defspec]]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [hinny.impl.body :as body])
  (:import
   (com.sun.management ThreadMXBean)
   (io.github.hinny BodyTypes InvalidResponseException Outbox ResponseEncoder)
   (java.lang.management ManagementFactory)
   (java.lang.ref WeakReference)
   (java.util Arrays)))

(set! *warn-on-reflection* true)

(def ^:private often
  "So many times the same response in a row, and an encoder knows it."
  100)

(defn- written
  "The bytes that `encoder` writes for `response`, or why it refuses it."
  [^ResponseEncoder encoder response exchange]
  (let [outbox (Outbox. 64)]
    (try
      (.encode encoder response exchange false outbox)
      (vec (Arrays/copyOf (.array outbox) (.position outbox)))
      (catch InvalidResponseException e
        (ex-message e)))))

(defn- writes-the-same?
  "Whether one encoder writes each of `responses` as a new encoder does."
  [encoder responses]
  (every? (fn [[exchange response]]
            (= (written (ResponseEncoder.) response exchange) (written encoder response exchange)))
    (map-indexed vector responses)))

(def ^:private gen-headers
  (gen/map (gen/elements ["Content-Type" "content-type" "ETag" "X-A" "x-b"])
    (gen/elements ["a/b" "text/plain; charset=latin1" " padded " "\u00e4" "\u0416" "" ["a" "b"] [] '("c")])
    {:max-elements 10}))

(def ^:private gen-pool
  "Response maps of which some share their header map, and some are equal but not the same."
  (gen/let [headers (gen/vector gen-headers 1 4)
            responses (gen/vector (gen/hash-map
                                    :status (gen/choose 200 599)
                                    :headers (gen/elements (conj headers nil))
                                    :body (gen/elements ["" "Hello" "\u00e4" "\u0416" nil (byte-array 3) (list)]))
                        1 10)]
    (into responses (map #(into {} (seq %))) responses)))

(defspec map-that-comes-again-is-written-as-the-first-time-test 60
  (prop/for-all [pool gen-pool
                 picks (gen/vector gen/nat often (* 3 often))]
    (let [encoder (ResponseEncoder.)
          picked (map #(nth pool (mod % (count pool))) picks)]
      (and (writes-the-same? encoder picked)
           ;; Few of them, so that even those of a large pool become known.
           (writes-the-same? encoder (take often (cycle (take 2 pool))))
           (writes-the-same? encoder picked)))))

(deftest value-that-changes-test
  (testing "what a map's values say may change as long as they are not Strings"
    (let [encoder (ResponseEncoder.)
          bytes (byte-array [1 2 3])
          calls (atom 0)
          changing (reify clojure.lang.Sequential
                     clojure.lang.Seqable
                     (seq [_] (list (str (swap! calls inc)))))
          response {:status 200 :headers {"X-A" "a"} :body bytes}
          numbered {:status 200 :headers {"X-A" changing} :body "b"}]
      (dotimes [_ often]
        (written encoder response 1)
        (written encoder numbered 1))
      (aset bytes 0 (byte 9))
      (is (= (written (ResponseEncoder.) response 1) (written encoder response 1)))
      (is (= (inc (* 2 often))
             (do
               (dotimes [_ often] (written encoder numbered 1))
               (written encoder numbered 1)
               @calls))))))

(deftest unknown-map-type-test
  (testing "a map of a type that is not Clojure's own is asked each time"
    (let [encoder (ResponseEncoder.)
          sent (atom "first")
          headers (proxy [clojure.lang.PersistentTreeMap] []
                    (count [] (int 1))
                    (kvreduce [f init] (f init "X-A" @sent)))
          response {:status 200 :headers headers :body "b"}]
      (dotimes [_ often]
        (written encoder response 1))
      (reset! sent "second")
      (is (= (written (ResponseEncoder.) response 1) (written encoder response 1))))))

(deftest extended-string-test
  (testing "a protocol that is extended to String is heeded for a response that is known"
    (let [encoder (ResponseEncoder.)
          response {:status 200 :headers {} :body "b"}
          outbox (Outbox. 64)]
      (dotimes [_ often]
        (written encoder response 1))
      (try
        (BodyTypes/setWriterOf (fn [body] (when (string? body) (fn [_ _ _]))))
        (is (some? (.encode encoder response 1 false outbox)))
        (finally
          (body/install)))
      (is (nil? (.encode encoder response 1 false outbox))))))

(defn- all-gone?
  "Whether the garbage collector clears `references`, within a bounded number of its runs."
  [references]
  (loop [runs 100]
    (System/gc)
    (cond
      (every? #(.refersTo ^WeakReference % nil) references) true
      (zero? runs) false
      :else (recur (dec runs)))))

(deftest nothing-is-retained-test
  (let [encoder (ResponseEncoder.)
        answer (fn [text]
                 (let [headers {"X-A" text}
                       response {:status 200 :headers headers :body text}]
                   [headers response]))
        encoded (fn [times maps]
                  (dotimes [_ times]
                    (written encoder (second maps) 1))
                  (mapv #(WeakReference. %) maps))]
    (testing "maps that were made for one response are gone after it"
      (is (all-gone? (vec (mapcat #(encoded 1 (answer (str %))) (range often))))))
    (testing "a map that came often is gone when its handler is"
      (is (all-gone? (encoded often (answer "again")))))
    (testing "and what it was encoded as is sent for nothing else"
      (is (= "response: is nil" (written encoder nil 1)))
      (is (writes-the-same? encoder (map #(second (answer (str %))) (range often)))))))

(deftest garbage-of-maps-made-per-response-test
  (testing "a response that is new each time costs next to nothing for being watched"
    (let [^ThreadMXBean threads (ManagementFactory/getThreadMXBean)
          outbox (Outbox. 64)
          encoder (ResponseEncoder.)
          calls 10000
          responses (object-array (repeatedly calls (fn [] {:status 200 :headers {"X-A" (str/join "a")} :body "b"})))
          garbage (fn []
                    (let [before (.getCurrentThreadAllocatedBytes threads)]
                      (dotimes [i calls]
                        (.reset outbox)
                        (.encode encoder (aget responses i) 1 false outbox))
                      (/ (double (- (.getCurrentThreadAllocatedBytes threads) before)) calls)))]
      (is (> 8 (apply min (repeatedly 4 garbage)))))))
