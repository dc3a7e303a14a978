(ns hinny.impl.keyword-params
  "String keys of parameters to keywords.

  * `keyword-params` -- a value of parameters with keywords for the keys that look like some"
  (:import
   (clojure.lang IPersistentMap IPersistentVector Keyword)))

(set! *warn-on-reflection* true)

(defn- mark?
  [^long c]
  (case c
    (42 43 33 95 63 45) true ; * + ! _ ? -
    false))

(defn- first-character?
  [^long c]
  (if (< c 0x80)
    (or (<= 97 c 122) (<= 65 c 90) (mark? c))
    (Character/isLetter (int c))))

(defn- digit?
  [^long c]
  (<= 48 c 57))

(defn- segment-end
  "Where the segment of a keyword that begins at `from` ends, -1 if none begins there. In the name of a namespace there
  may be dots."
  ^long [^String text ^long from dots?]
  (let [length (.length text)]
    (if (or (= from length) (not (first-character? (.codePointAt text from))))
      -1
      (loop [at from]
        (if (= at length)
          at
          (let [c (.codePointAt text at)]
            (if (or (first-character? c) (digit? c) (and dots? (= 46 c)))
              (recur (+ at (Character/charCount c)))
              at)))))))

(defn- keyword-syntax?
  "Whether Ring takes `text` for a keyword: letters, digits and * + ! _ ? -, no digit in front; with `namespaces?` two of
  them with a slash between, where the first may have dots."
  [^String text namespaces?]
  (let [length (.length text)]
    (or (= length (segment-end text 0 false))
        (and namespaces?
             (let [slash (segment-end text 0 true)]
               (and (< 0 slash length)
                    (= \/ (.charAt text slash))
                    (= length (segment-end text (inc slash) false))))))))

(defn keyword-params
  "Returns `params` with keywords for String keys that look like some, in maps and vectors at every depth."
  [params namespaces?]
  (cond
    (instance? IPersistentMap params)
    (persistent! (reduce-kv (fn [changed k v]
                              (assoc! changed
                                      (if (and (string? k) (keyword-syntax? k namespaces?))
                                        (Keyword/intern ^String k)
                                        k)
                                      (if (string? v) v (keyword-params v namespaces?))))
                            (transient {})
                            params))

    (instance? IPersistentVector params)
    (mapv #(keyword-params % namespaces?) params)

    :else
    params))
