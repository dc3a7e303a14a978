(ns hinny.occasional-log-test
  "What strangers can bring about as often as they like is logged now and then, with a count."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.log-capture :as log :refer [with-log]])
  (:import
   (io.github.hinny OccasionalLog SafeLogger)
   (java.util.concurrent.atomic AtomicLong)
   (java.util.function LongSupplier)))

(set! *warn-on-reflection* true)

(def ^:private second-nanos 1000000000)

(defn- by-clock
  "An `OccasionalLog` by a clock that the test sets."
  ^OccasionalLog [^AtomicLong nanos]
  (OccasionalLog. (SafeLogger/named "hinny.server")
                  (reify LongSupplier (getAsLong [_] (.get nanos)))))

(defn- warn! [^OccasionalLog occasional n]
  (.warn occasional "event {}" (object-array [n])))

(deftest occasional-log-test
  (doseq [start [0 Long/MAX_VALUE]]
    (testing (str "by a clock that begins at " start)
      (let [nanos (AtomicLong. start)
            occasional (by-clock nanos)]
        (with-log [events]
          (run! #(warn! occasional %) (range 5))
          (testing "the first is logged at once, those of the next ten seconds are counted"
            (is (= ["event 0"] (map :message (log/events events))))
            (.addAndGet nanos (dec (* 10 second-nanos)))
            (warn! occasional 5)
            (is (= 1 (count (log/events events)))))
          (testing "the next one says how many there were between"
            (.incrementAndGet nanos)
            (warn! occasional 6)
            (is (= "event 6 (and 5 times more since this was last logged)" (:message (last (log/events events))))))
          (testing "and without any between, nothing of that"
            (.addAndGet nanos (* 11 second-nanos))
            (.error occasional "event {}" (object-array [7 (IllegalStateException. "why")]))
            (is (= [:error "event 7" "why"]
                   ((juxt :level :message (comp ex-message :throwable)) (last (log/events events)))))))))))
