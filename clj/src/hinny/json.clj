(ns hinny.json
  "Reads JSON (RFC 8259) as Clojure data, and writes it.

  * `read-value`    -- of a byte array, string, stream or reader
  * `read-settings` -- checks its options once, for many calls
  * `body`          -- a value as the body of a response
  * `write-value-as-bytes` `write-value-as-string` `write-value` `write-settings` -- see `hinny.impl.json-writer`

      (read-value \"{\\\"id\\\":7,\\\"tags\\\":[\\\"a\\\",null]}\" {:keywords? true})
      ;; => {:id 7, :tags [\"a\" nil]}

  What becomes of what:

  | JSON | value |
  |---|---|
  | object | a map with string keys, an array map up to 8 entries; of equal keys the last value |
  | array | a vector |
  | string | a string |
  | number without fraction and exponent | a long, or a BigInt if it needs one; `-0` is 0 |
  | other number | a double, the nearest one; too large for one is an error |
  | `true` `false` `null` | true, false, nil |

  The text must be UTF-8, without a byte order mark, and strict: no comments, no other quotes, no comma too many, no NaN,
  no half of a surrogate pair, nothing behind the value. A number that is neither a long nor a double may have 1000
  characters, and an object 64 keys with one hash. With keywords the JVM has no more than 64 new ones with one hash at a time,
  whoever sent them; those in the application's code are never refused.

  Options of `read-value`:

  | key | meaning | default |
  |---|---|---|
  | `:keywords?` | keys become keywords, as `keyword` makes them: `\"a/b\"` is `:a/b` | `false` |
  | `:key-fn` | a function of each key, a string, that returns the key | `nil` |
  | `:bigdecimals?` | numbers with a fraction or an exponent become BigDecimals; exponents from -9999 to 9999 | `false` |
  | `:max-depth` | arrays and objects in each other, 1 to 10000 | `512` |
  | `:max-bytes` | of the text in UTF-8 (characters of a reader), 1 to 268435440 | `268435440` |
  | `:eof-value` | what a text is read as that has no value: nil, nothing, or whitespace only | an error |
  | `:lazy?` | the values of objects are made when they are asked for | `false` |

  With `:lazy?` the whole text is checked at once, but an object becomes a map that finds a key in the text: fast where
  few of many fields are needed. It is a persistent map like any other, and keeps the text as long as it lives. An object
  with too many keys of one hash is refused when it is first seen as a whole.

  Failures throw `ex-info` with `:type` `:hinny.error/json-malformed`, the `:position` in bytes of UTF-8 and the `:reason`,
  a keyword; options `:hinny.error/option-unknown`, `:hinny.error/option-invalid` or `:hinny.error/option-conflict`. What
  `:key-fn` or a stream throws is thrown as it is. Reading needs the native library (`:hinny.error/native-library`); writing
  does not."
  (:require
   [hinny.impl.error :as error]
   [hinny.impl.json-writer :as json-writer]
   [hinny.impl.options :as options])
  (:import
   (io.github.hinny JsonBody JsonInput JsonKeyDecoder JsonMalformedException JsonReadSettings JsonReader Results)
   (java.io InputStream Reader)))

(set! *warn-on-reflection* true)

(def ^:private defaults
  {:keywords? false
   :key-fn nil
   :bigdecimals? false
   :max-depth JsonReadSettings/MAX_DEPTH_DEFAULT
   :max-bytes Results/JSON_BYTES_MAX
   :eof-value JsonReadSettings/REFUSED
   :lazy? false})

(defn- check
  [option value]
  (case option
    (:keywords? :bigdecimals? :lazy?)
    (options/check option {:name option :type :boolean} value)
    :max-depth
    (options/check option {:name option :type :integer :min 1 :max JsonReadSettings/MAX_DEPTH_MAX} value)
    :max-bytes
    (options/check option {:name option :type :integer :min 1 :max Results/JSON_BYTES_MAX} value)
    :key-fn
    (when-not (or (nil? value) (ifn? value))
      (throw (error/failure "option-invalid"
                            (str ":key-fn must be a function or nil, is " (pr-str value))
                            {:option option :value value})))
    :eof-value nil))

(defn- key-decoder
  [{:keys [keywords? key-fn]}]
  (cond
    (and keywords? key-fn)
    (throw (error/failure "option-conflict" ":keywords? and :key-fn are two answers to one question" {:option :key-fn}))
    (or keywords? (= keyword key-fn)) JsonKeyDecoder/KEYWORDS
    key-fn (JsonKeyDecoder/of key-fn)
    :else JsonKeyDecoder/STRINGS))

(defn read-settings
  "Returns what `read-value` takes in place of `options` (a map, nil for the defaults): the same, checked once. Throws
  `ex-info` of type `:hinny.error/option-unknown`, `:hinny.error/option-invalid` or `:hinny.error/option-conflict`."
  {:added "0.1"}
  ^JsonReadSettings [options]
  (cond
    (nil? options) JsonReadSettings/DEFAULT
    (instance? JsonReadSettings options) options
    :else
    (do
      (options/refuse-no-map options)
      (options/refuse-unknown options (set (keys defaults)) "docs/json.md")
      (run! (fn [[option value]] (check option value)) options)
      (let [{:keys [bigdecimals? max-depth max-bytes eof-value lazy?] :as all} (merge defaults options)]
        (JsonReadSettings. (key-decoder all) max-depth max-bytes bigdecimals? lazy? eof-value)))))

(defn- source-bytes
  ^bytes [source ^JsonReadSettings settings]
  (cond
    (bytes? source) source
    (string? source) (JsonInput/bytes ^String source)
    (instance? InputStream source) (JsonInput/bytes ^InputStream source (.maxBytes settings))
    (instance? Reader source) (JsonInput/bytes ^Reader source (.maxBytes settings))
    (nil? source) (byte-array 0)
    :else
    (throw (error/failure "option-invalid"
                          (str "JSON is read from a byte array, String, InputStream or Reader, not from a "
                               (.getName (class source)))
                          {:value source}))))

(defn read-value
  "Returns the value of the one JSON text in `source`: a byte array, String, `java.io.InputStream` or `java.io.Reader`,
  which is read to its end and not closed; nil is an empty text. `options`: see the namespace, or `read-settings` of them.

  Throws `ex-info` of type `:hinny.error/json-malformed`, with `:position` and `:reason`."
  {:added "0.1"}
  ([source] (read-value source nil))
  ([source options]
   (let [settings (read-settings options)]
     (try
       (let [text (source-bytes source settings)]
         (JsonReader/read text 0 (alength text) (not (identical? text source)) settings))
       (catch JsonMalformedException e
         (throw (error/failure "json-malformed"
                               (ex-message e)
                               {:position (.position e) :reason (keyword (.reason e))})))))))

(defn write-settings
  "Returns what the functions that write take in place of `options`: the same, checked once. See
  `hinny.impl.json-writer`."
  {:added "0.1"}
  [options]
  (json-writer/settings options))

(defn write-value-as-bytes
  "Returns `value` as JSON in a byte array, UTF-8. `options`: see `hinny.impl.json-writer`, or `write-settings` of them."
  {:added "0.1"}
  (^bytes [value] (json-writer/write-value-as-bytes value nil))
  (^bytes [value options] (json-writer/write-value-as-bytes value options)))

(defn write-value-as-string
  "Returns `value` as JSON in a string. `options`: see `hinny.impl.json-writer`, or `write-settings` of them."
  {:added "0.1"}
  (^String [value] (json-writer/write-value-as-string value nil))
  (^String [value options] (json-writer/write-value-as-string value options)))

(defn write-value
  "Writes `value` as JSON to `destination`, a `java.io.OutputStream` (UTF-8) or a `java.io.Writer`, and returns nil; neither
  flushes nor closes it. `options`: see `hinny.impl.json-writer`, or `write-settings` of them."
  {:added "0.1"}
  ([destination value] (json-writer/write-value destination value nil))
  ([destination value options] (json-writer/write-value destination value options)))

(defn body
  "Returns a response body that is `value` as JSON: it is written straight into the response, no text is made before.
  `options`: see `hinny.impl.json-writer`, or `write-settings` of them; they are checked here.

  A value that has no JSON is logged and answered with 500. Only Hinny's servers know such a body; its `str` is the text."
  {:added "0.1"}
  ([value] (body value nil))
  ([value options] (JsonBody. value (json-writer/settings options))))
