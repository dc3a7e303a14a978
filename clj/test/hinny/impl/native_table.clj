(ns hinny.impl.native-table
  "A route table of the reference matcher, in place of the native one."
  (:require
   [hinny.route-reference :as reference])
  (:import
   (io.github.hinny Endpoint)))

(set! *warn-on-reflection* true)

(defn compile-table
  "What `find-match` takes: the words as data, with the endpoints."
  [words endpoints]
  {:pairs (:endpoints (reference/decode words)) :endpoints (vec endpoints)})

(defn find-match
  "Returns `[endpoint path-params]`, nil for nothing."
  [{:keys [pairs endpoints]} method path]
  (when-let [[number values] (reference/find-match pairs method path)]
    (let [^Endpoint endpoint (nth endpoints (dec number))]
      [endpoint (into {} (filter (comp some? val)) (zipmap (.params endpoint) values))])))
