(ns hinny.json-reading
  "Reads JSON with Jackson, strictly, into Clojure data.

  * `read-jackson` -- objects to maps with strings as keys, integers to integers, other numbers to doubles"
  (:import
   (com.fasterxml.jackson.core JsonFactory JsonParser JsonToken StreamReadConstraints StreamReadFeature)))

(set! *warn-on-reflection* true)

(def ^:private ^JsonFactory factory
  (-> (JsonFactory/builder)
      (.enable StreamReadFeature/STRICT_DUPLICATE_DETECTION)
      (.streamReadConstraints (-> (StreamReadConstraints/builder) (.maxNestingDepth 10000) .build))
      .build))

(declare read-token)

(defn- read-object
  [^JsonParser parser]
  (loop [object {}]
    (if (= JsonToken/END_OBJECT (.nextToken parser))
      object
      (let [k (.currentName parser)]
        (recur (assoc object k (read-token parser (.nextToken parser))))))))

(defn- read-array
  [^JsonParser parser]
  (loop [array []]
    (let [token (.nextToken parser)]
      (if (= JsonToken/END_ARRAY token)
        array
        (recur (conj array (read-token parser token)))))))

(defn- read-token
  [^JsonParser parser token]
  (condp = token
    JsonToken/START_OBJECT (read-object parser)
    JsonToken/START_ARRAY (read-array parser)
    JsonToken/VALUE_STRING (.getText parser)
    JsonToken/VALUE_NUMBER_INT (let [number (.getNumberValue parser)]
                                 (if (instance? Integer number) (long number) number))
    JsonToken/VALUE_NUMBER_FLOAT (.getDoubleValue parser)
    JsonToken/VALUE_TRUE true
    JsonToken/VALUE_FALSE false
    JsonToken/VALUE_NULL nil))

(defn read-jackson
  "Returns the one value in `json` (UTF-8)."
  [^bytes json]
  (with-open [parser (.createParser factory json)]
    (let [value (read-token parser (.nextToken parser))]
      (assert (nil? (.nextToken parser)) "more than one value")
      value)))
