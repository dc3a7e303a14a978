(ns hinny.impl.json-writer
  "Writes Clojure data as JSON (RFC 8259).

  * `write-value-as-bytes`  -- to a byte array, UTF-8
  * `write-value-as-string` -- to a string
  * `write-value`           -- to an OutputStream (UTF-8) or a Writer
  * `settings`              -- checks options once, for many calls

      (write-value-as-string {:id 7 :tags #{\"a\"} :at #inst \"2026-01-01\"})
      ;; => \"{\\\"id\\\":7,\\\"tags\\\":[\\\"a\\\"],\\\"at\\\":\\\"2026-01-01T00:00:00.000Z\\\"}\"

  What becomes of what:

  | value | JSON |
  |---|---|
  | nil, booleans | `null`, `true`, `false` |
  | integers of any size, AtomicLong, AtomicInteger | digits |
  | Double | the shortest digits that are read as the same double, as `Double.toString`; NaN and infinities are refused |
  | Float, BigDecimal | as its `toString`; NaN and infinities are refused |
  | Ratio | as its double |
  | String, CharSequence, Character, char[], Symbol, URI, URL | a string; half a surrogate pair becomes U+FFFD |
  | Keyword | a string without the colon, `\"namespace/name\"` |
  | UUID, an enum's constant | a string |
  | Instant, java.util.Date | ISO 8601 in UTC with milliseconds, an Instant's finer digits if it has them |
  | other java.time values | their ISO text; a ZonedDateTime its offset, not its zone |
  | byte[] | Base64 |
  | maps, records, java.util.Map | an object; keys as they are iterated, two of the same text are both written |
  | vectors, lists, sets, sequences, eductions, java.util.Collection, other arrays | an array |

  Keys may be strings, and all that is a string or a number above; nil and collections are refused. Other types:
  `hinny.json-protocol/JsonValue`.

  Options:

  | key | meaning | default |
  |---|---|---|
  | `:pretty?` | one entry or element a line, two blanks for each level | `false` |
  | `:escape-slash?` | `/` as `\\/` | `false` |
  | `:escape-unicode?` | all beyond ASCII as `\\uXXXX` | `false` |
  | `:escape-html?` | `<` `>` `&` U+2028 U+2029 as `\\uXXXX`, for text within HTML or JavaScript | `false` |
  | `:key-fn` | a function of each key of a map that returns what is written in its place | `nil` |
  | `:max-depth` | collections in each other, 1 to 10000; what contains itself ends here | `512` |
  | `:max-bytes` | of the text in UTF-8; an endless sequence ends here | `268435456` (256 MiB) |

  Failures throw `ex-info` with `:type` `:hinny.error/json-unwritable`, the `:path` of keys and indexes that lead to the
  value, and its `:class` where one value is to blame; options `:hinny.error/option-unknown` or
  `:hinny.error/option-invalid`. What a lazy sequence, an extension or `:key-fn` throws is thrown as it is."
  (:require
   [hinny.impl.error :as error]
   [hinny.impl.options :as options]
   [hinny.json-protocol :as json-protocol])
  (:import
   (io.github.hinny JsonEscapes JsonKinds JsonSettings JsonText JsonUnwritableException)
   (java.io OutputStream Writer)))

(set! *warn-on-reflection* true)

(def ^:private defaults
  {:pretty? false
   :escape-slash? false
   :escape-unicode? false
   :escape-html? false
   :key-fn nil
   :max-depth JsonSettings/MAX_DEPTH
   :max-bytes JsonSettings/MAX_BYTES})

(defn- check
  [option value]
  (case option
    (:pretty? :escape-slash? :escape-unicode? :escape-html?)
    (options/check option {:name option :type :boolean} value)
    :max-depth
    (options/check option {:name option :type :integer :min 1 :max JsonSettings/MAX_DEPTH_MAX} value)
    :max-bytes
    (options/check option {:name option :type :integer :min 1 :max Long/MAX_VALUE} value)
    :key-fn
    (when-not (or (nil? value) (ifn? value))
      (throw (error/failure "option-invalid"
                            (str ":key-fn must be a function or nil, is " (pr-str value))
                            {:option option :value value})))))

(defn settings
  "Returns what the functions of this namespace take in place of `options` (a map, nil for the defaults): the same,
  checked once. Throws `ex-info` of type `:hinny.error/option-unknown` or `:hinny.error/option-invalid`."
  ^JsonSettings [options]
  (cond
    (nil? options) JsonSettings/DEFAULT
    (instance? JsonSettings options) options
    :else
    (do
      (options/refuse-no-map options)
      (options/refuse-unknown options (set (keys defaults)) "docs/json.md")
      (run! (fn [[option value]] (check option value)) options)
      (let [{:keys [pretty? escape-slash? escape-unicode? escape-html? key-fn max-depth max-bytes]}
            (merge defaults options)
            escapes (cond-> 0
                      escape-slash? (bit-or JsonEscapes/SLASH)
                      escape-unicode? (bit-or JsonEscapes/UNICODE)
                      escape-html? (bit-or JsonEscapes/HTML))]
        (JsonSettings. pretty? escapes key-fn max-depth max-bytes)))))

(defn- unwritable
  [^JsonUnwritableException failure]
  (error/failure "json-unwritable"
                 (str "not writable as JSON: " (ex-message failure))
                 (cond-> {:path (.path failure)}
                   (.type failure) (assoc :class (.type failure)))))

(defn write-value-as-bytes
  "Returns `value` as JSON in a byte array, UTF-8. `options`: see the namespace, or `settings` of them."
  {:added "0.1"}
  (^bytes [value] (write-value-as-bytes value nil))
  (^bytes [value options]
   (try
     (JsonText/toBytes value (settings options))
     (catch JsonUnwritableException e
       (throw (unwritable e))))))

(defn write-value-as-string
  "Returns `value` as JSON in a string. `options`: see the namespace, or `settings` of them."
  {:added "0.1"}
  (^String [value] (write-value-as-string value nil))
  (^String [value options]
   (try
     (JsonText/toString value (settings options))
     (catch JsonUnwritableException e
       (throw (unwritable e))))))

(defn write-value
  "Writes `value` as JSON to `destination`, a `java.io.OutputStream` (UTF-8) or a `java.io.Writer`, and returns nil.

  The text goes there part by part, so it may be larger than the memory; after a failure a part of it may have gone.
  Neither flushes nor closes. `options`: see the namespace, or `settings` of them. Throws what `destination` throws."
  {:added "0.1"}
  ([destination value] (write-value destination value nil))
  ([destination value options]
   (try
     (cond
       (instance? OutputStream destination)
       (JsonText/writeTo value (settings options) ^OutputStream destination)
       (instance? Writer destination)
       (JsonText/writeTo value (settings options) ^Writer destination)
       :else
       (throw (IllegalArgumentException.
                (str "destination must be a java.io.OutputStream or a java.io.Writer, is "
                     (some-> destination class .getName)))))
     (catch JsonUnwritableException e
       (throw (unwritable e))))))

(defn- extension
  "The var of `json-value` if the protocol is extended to `type`; to Object counts only if the type is not `known?`. The
  var, since each extension gives it another function, and that after the protocol's watches were called."
  [^Class type known?]
  (let [{:keys [impls on-interface]} @#'json-protocol/JsonValue
        extended? (fn [^Class to]
                    (and to (.isAssignableFrom to type) (not (and known? (= Object to)))))]
    (when (some extended? (cons on-interface (keys impls)))
      #'json-protocol/json-value)))

(defn- install
  "Makes the writer honour the protocol's extensions of now and later."
  []
  (JsonKinds/setReplacementOf extension)
  (add-watch #'json-protocol/JsonValue ::changed (fn [& _] (JsonKinds/changed))))

(install)
