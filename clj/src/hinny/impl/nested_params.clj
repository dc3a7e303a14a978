(ns hinny.impl.nested-params
  "Flat parameters to nested ones.

  * `parse-keys`    -- the keys in the name of a parameter
  * `nested-params` -- flat parameters as nested ones

  Both take time that is linear in the length of a name, whatever a client writes into it."
  (:require
   [hinny.impl.refusal :refer [refuse]])
  (:import
   (clojure.lang IPersistentMap)
   (io.github.hinny ClientMaps)
   (java.util ArrayList)))

(set! *warn-on-reflection* true)

(defn- line-end?
  [^long c]
  (case c
    (0x0A 0x0D 0x85 0x2028 0x2029) true
    false))

(defn- last-line-end
  "Where the last character in `text` from `from` up to `to` is that ends a line, -1 if there is none."
  ^long [^String text ^long from ^long to]
  (loop [at (dec to)]
    (cond
      (< at from) -1
      (line-end? (int (.charAt text at))) at
      :else (recur (dec at)))))

(defn- add-bracketed
  "Adds what stands between brackets from `from` on. Ring's regular expression does not look beyond the end of a line."
  [^ArrayList parsed ^String text ^long from]
  (loop [open from]
    (when-not (neg? open)
      (let [close (.indexOf text "]" (int open))]
        (when-not (neg? close)
          (let [line-end (last-line-end text (inc open) close)]
            (if (neg? line-end)
              (do (.add parsed (.substring text (inc open) close))
                  (recur (.indexOf text "[" (int (inc close)))))
              (recur (.indexOf text "[" (int (inc line-end)))))))))))

(defn- bracket
  "Where the brackets of a name begin, -1 if it has none that count: the last one must end the name."
  ^long [^String text]
  (let [end (dec (.length text))]
    (if (and (pos? end) (= \] (.charAt text end)))
      (.indexOf text "[")
      -1)))

(defn parse-keys
  "Returns the keys in the name of a parameter: `[\"foo\" \"bar\" \"\" \"baz\"]` for `\"foo[bar][][baz]\"`."
  [param-name]
  (let [^String text (name param-name)
        open (bracket text)]
    (if (neg? open)
      [text]
      (let [parsed (ArrayList.)]
        (.add parsed (.substring text 0 open))
        (add-bracketed parsed text open)
        (vec parsed)))))

(defn- conj-value
  "A name that comes again has a vector of its values."
  [m k v]
  (if-let [present (get m k)]
    (assoc m k (if (vector? present) (conj present v) [present v]))
    (assoc m k v)))

(defn- checked-map
  [m k]
  (when-not (or (nil? m) (map? m))
    (refuse :params-conflict "a parameter is a value, and a map of parameters too" {:key k}))
  m)

(defn- assoc-nested
  "Adds `v` below the keys in the vector `ks` from `at` on: blank ones stand for elements of a vector."
  [m ks ^long at v]
  (let [k (nth ks at nil)
        next-at (inc at)]
    (cond
      (nil? k) v
      (= next-at (count ks)) (if (map? m) (conj-value m k v) {k v})
      (= "" (nth ks next-at)) (let [m (checked-map m k)
                                    m (if (contains? m k) m (assoc m k []))]
                                (conj-value m k (assoc-nested {} ks (inc next-at) v)))
      :else (assoc (checked-map m k) k (assoc-nested (get m k {}) ks next-at v)))))

(defn- keys-of
  "The keys in a name, which may be `max-depth`, as a vector."
  [param-name parse ^long max-depth]
  (let [ks (parse param-name)
        ks (if (vector? ks) ks (into [] (take (inc max-depth)) ks))]
    (when (< max-depth (count ks))
      (refuse :params-too-deep (str "a parameter is nested deeper than " max-depth) {:max-depth max-depth}))
    ks))

(defn- refuse-flood
  "Refuses names with too many keys of one hash: those that meet in one map are looked through one by one."
  [names]
  (when (ClientMaps/isFlood (into-array Object (eduction (mapcat first) names)) 1)
    (refuse :too-many-params "many names of one hash" {})))

(defn- flat?
  "Whether nesting changes nothing: no name has brackets, and each value is one String, or several in a vector."
  [params]
  (and (instance? IPersistentMap params)
       (reduce-kv (fn [_ k v]
                    (or (and (string? k)
                             (neg? (bracket k))
                             (or (string? v)
                                 (and (vector? v) (< 1 (count v)) (every? string? v))))
                        (reduced false)))
                  true
                  params)))

(defn nested-params
  "Returns the map of flat `params` as nested ones; `parse` makes keys of a name, of which there may be `max-depth`."
  [params parse max-depth]
  (if (and (identical? parse parse-keys) (flat? params))
    params
    (let [names (reduce-kv #(conj %1 [(keys-of %2 parse max-depth) %3]) [] params)]
      (refuse-flood names)
      (reduce (fn [nested [ks value]]
                (if (and (sequential? value) (not (coll? (first value))))
                  (reduce #(assoc-nested %1 ks 0 %2) nested value)
                  (assoc-nested nested ks 0 value)))
              {}
              names))))
