(ns hinny.engines
  "The ways to serve HTTP/1.1, which must behave alike.

  * `each-engine` -- a fixture that runs a test once for each

      (use-fixtures :each engines/each-engine)"
  (:require
   [clojure.test :refer [testing]]
   [hinny.raw-client :as raw]))

(set! *warn-on-reflection* true)

(def engines
  "The values of `:http1-engine`."
  [:auto :hyper])

(defn each-engine
  "Calls `test` with each engine for the servers that it starts."
  [test]
  (doseq [engine engines]
    (testing (str ":http1-engine " engine)
      (binding [raw/*options* (assoc raw/*options* :http1-engine engine)]
        (test)))))
