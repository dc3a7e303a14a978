(ns hinny.route-reference
  "What a route table should do, as simply as it can be said: a matcher that tries every endpoint.

  * `decode`     -- the words of a table as data
  * `find-match` -- `[number params]` of what answers, nil for nothing"
  (:require
   [clojure.string :as str]
   [hinny.impl.text :as text])
  (:import
   (java.io ByteArrayOutputStream)
   (java.nio ByteBuffer ByteOrder)
   (java.util.regex Pattern)))

(set! *warn-on-reflection* true)

(defn- word-bytes
  [^bytes encoded]
  (let [buffer (.order (ByteBuffer/wrap encoded) ByteOrder/LITTLE_ENDIAN)]
    (loop [found []]
      (if (.hasRemaining buffer)
        (let [word (byte-array (.getInt buffer))]
          (.get buffer word)
          (recur (conj found word)))
        found))))

(defn decode
  "Returns `{:table pairs :endpoints [pairs …]}` of encoded words; values are strings, of \"response\" byte arrays."
  [encoded]
  (let [text #(String. ^bytes % "UTF-8")
        pairs (for [[k v] (partition 2 (word-bytes encoded))]
                [(text k) (if (= "response" (text k)) v (text v))])
        [table more] (split-with #(not= "route" (first %)) pairs)]
    {:table (vec table)
     :endpoints (mapv vec (rest (reductions (fn [_ [begin others]] (concat begin others))
                                            nil
                                            (partition 2 (partition-by #(= "route" (first %)) more)))))}))

(defn values-of
  "The values of a key, in order."
  [pairs k]
  (mapv second (filter #(= k (first %)) pairs)))

(defn- percent-decode
  ^String [text]
  (let [out (ByteArrayOutputStream.)]
    (doseq [piece (re-seq #"%[0-9A-Fa-f]{2}|." text)]
      (if (and (= 3 (count piece)) (str/starts-with? piece "%"))
        (.write out (Integer/parseInt (subs piece 1) 16))
        (.writeBytes out (.getBytes ^String piece "UTF-8"))))
    (.toString out "UTF-8")))

(defn normalise
  "The path with escapes of what need not be escaped decoded, and others in upper case."
  [path]
  (str/replace path #"%[0-9A-Fa-f]{2}"
               #(let [ch (char (Integer/parseInt (subs % 1) 16))]
                  (if (re-matches #"[A-Za-z0-9._~-]" (str ch))
                    (str ch)
                    (text/upper-case %)))))

(defn- as-regex
  [pattern]
  (re-pattern (str/join (for [piece (re-seq #"\{\*?p\d+\}|[^{]+" pattern)]
                          (cond
                            (str/starts-with? piece "{*") "(.*)"
                            (str/starts-with? piece "{") "([^/]+)"
                            :else (Pattern/quote piece))))))

(defn- rank
  "Something to compare patterns by: what wins is less."
  [pattern]
  (mapv (fn [segment]
          (cond
            (str/starts-with? segment "{*") [3 0 0]
            (re-matches #"\{p\d+\}" segment) [2 0 0]
            (str/includes? segment "{") (let [[before behind] (str/split segment #"\{p\d+\}" -1)]
                                          [1 (- (+ (count before) (count behind))) (- (count before))])
            :else [0 0 0]))
        (str/split pattern #"/" -1)))

(defn- compare-ranks
  [a b]
  (or (first (remove zero? (map compare a b)))
      (compare (count a) (count b))))

(defn- read-endpoint
  [number pairs]
  (let [[pattern] (values-of pairs "pattern")
        [regex] (values-of pairs "regex")]
    {:number number
     :methods (set (values-of pairs "method"))
     :route (first (values-of pairs "route-number"))
     :regex (if pattern (as-regex pattern) (re-pattern regex))
     :rank (when pattern (rank pattern))}))

(defn- answering
  "Those endpoints that answer `method`, by what they say themselves; then those that answer it otherwise."
  [endpoints method]
  (let [own (filter #(contains? (:methods %) method) endpoints)
        by-get (when (= "HEAD" method)
                 (filter #(contains? (:methods %) "GET") endpoints))
        taken (set (map :route (concat own by-get)))]
    (concat own by-get (filter #(and (empty? (:methods %)) (not (taken (:route %)))) endpoints))))

(defn find-match
  "Returns `[number params]`: the 1-based number of the endpoint that answers, and the decoded values in order. `pairs` are
  the endpoints of `decode`. Media types do not count."
  [pairs method path]
  (let [path (normalise path)
        matches (for [endpoint (answering (map-indexed #(read-endpoint (inc %1) %2) pairs) method)
                      :let [matcher (re-matcher (:regex endpoint) path)]
                      :when (.matches matcher)]
                  (assoc endpoint :values (mapv #(some-> (.group matcher (int %)) percent-decode)
                                                (range 1 (inc (.groupCount matcher))))))
        [best] (concat (sort-by :rank compare-ranks (filter :rank matches))
                       (sort-by :number (remove :rank matches)))]
    (when best
      [(:number best) (:values best)])))
