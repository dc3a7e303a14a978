(ns hinny.impl.options
  "Checks a user's options against the one table, which the native library holds.

  * `table`   -- the table
  * `resolve-options` -- options with every default filled in, or an `ex-info`
  * `described` -- the table for a reader
  * `drain-timeout-ms` -- the options of a stop
  * `encode`  -- resolved options as the native library reads them
  * `specs` `check` `expected` `refuse-…` -- parts of the check, for `hinny.impl.foreign`
  * `unknown` -- what an option that is not known is told"
  (:require
   [clojure.edn :as edn]
   [clojure.string :as str]
   [hinny.impl.error :as error]
   [hinny.impl.text :as text])
  (:import
   (io.github.hinny Engine)
   (java.nio.charset StandardCharsets)))

(set! *warn-on-reflection* true)

(def table
  "A delay of the options table: a vector of maps with `:name :type :default :doc` and, where they apply,
  `:unit :min :max :choices`; a default `[:heap n]` is the largest heap in bytes divided by n; see `native/core/src/options.rs`."
  (delay (edn/read-string (Engine/optionTable))))

(def specs
  "A delay of the entries of the table by name."
  (delay (into {} (map (juxt :name identity)) @table)))

(defn edit-distance
  "Returns the number of characters to add, drop or change to turn one string into the other."
  [a b]
  (peek
    (reduce
      (fn [row [i ch]]
        (reduce
          (fn [new-row [j other]]
            (conj new-row (min (inc (peek new-row))
                               (inc (row (inc j)))
                               (+ (row j) (if (= ch other) 0 1)))))
          [(inc i)]
          (map-indexed vector b)))
      (vec (range (inc (count b))))
      (map-indexed vector a))))

(defn near
  "Returns those keywords of `known` whose names are like that of `option`, the nearest first, five at most. Of those that
  are as near the one that stands first in a sequential `known` is the first, of those in a set the first by name."
  [option known]
  (let [wanted (text/lower-case (name option))
        distance #(edit-distance wanted (name %))
        place (if (sequential? known) (zipmap known (range)) {})
        alike? #(or (<= (distance %) (max 2 (quot (count wanted) 2)))
                    (str/includes? (name %) wanted)
                    (str/includes? wanted (name %)))]
    (take 5 (sort-by (juxt distance #(place % 0) name) (filter alike? known)))))

(defn nearest
  "Returns the keyword of `known` whose name is most like that of `option`, nil if none is alike."
  [option known]
  (first (near option known)))

(defn expected
  "What a value of this option must be, in words."
  [{:keys [type min max choices]}]
  (let [range-text (str "an integer from " min " to " max)
        choices-text (str/join " or " choices)]
    (case type
      :boolean "true or false"
      :integer range-text
      :integer-or-keyword (str range-text ", or " choices-text)
      :keyword choices-text
      :keyword-set (str "a set of some of " (str/join " " choices))
      :string "a string that is not blank"
      :optional-string "a string or nil"
      :data "anything"
      :function "a function or nil")))

(defn- valid?
  [{:keys [type min max choices]} value]
  (let [in-range? #(and (int? value) (<= min value max))
        chosen? #(boolean (some #{value} choices))]
    (case type
      :boolean (boolean? value)
      :integer (in-range?)
      :integer-or-keyword (or (in-range?) (chosen?))
      :keyword (chosen?)
      :keyword-set (and (set? value) (every? (set choices) value))
      :string (and (string? value) (not (str/blank? value)) (not (str/includes? value "\u0000")))
      :data true
      :function (or (nil? value) (ifn? value))
      :optional-string (or (nil? value) (and (string? value) (not (str/includes? value "\u0000")))))))

(def all-options
  "Where a user finds the options of a server."
  "docs/options.md, or (hinny.server/options)")

(defn- one-of
  "`a`, `a or b`, `a, b or c` …"
  [[a & more]]
  (if more
    (str (str/join ", " (cons a (butlast more))) " or " (last more))
    (str a)))

(defn unknown
  "Returns what to throw for an option (in a place, say \" in :pool-opts\") that is none of the collection `known`, or that
  is called `meant` here. `see` is where all are told of."
  [option {:keys [known meant place see]}]
  (let [alike (cond
                meant [meant]
                (or (string? option) (instance? clojure.lang.Named option)) (near option known))]
    (error/failure "option-unknown"
                   (str "unknown option " (pr-str option) place
                        (if (seq alike)
                          (str ", did you mean " (one-of alike) "? See " see ".")
                          (str "; see " see ".")))
                   {:option option :nearest (first alike)})))

(defn refuse-unknown
  "Throws for an option that is not in the set `known`; `see` is where all are told of."
  [options known see]
  (doseq [option (keys options)
          :when (not (contains? known option))]
    (throw (unknown option {:known known :see see}))))

(defn check
  "Throws if `value` is not one that this entry of the table allows. `option` is what the user calls it."
  [option {:keys [name] :as spec} value]
  (when-not (valid? spec value)
    (throw (error/failure
             "option-invalid"
             (str option (when (not= name option) (str " (" name " here)"))
                  " must be " (expected spec) ", is " (pr-str value))
             (into {:option option :value value} (select-keys spec [:min :max :choices]))))))

(defn- default-value
  [{:keys [default]}]
  (cond
    (= :cores default) (.availableProcessors (Runtime/getRuntime))
    (vector? default) (quot (.maxMemory (Runtime/getRuntime)) (peek default))
    :else default))

(defn described
  "Returns the table as a user reads it: sorted by name, with the defaults of this machine."
  []
  (mapv #(assoc % :default (default-value %)) (sort-by :name @table)))

(defn refuse-no-map
  "Throws if `options` is neither a map nor nil."
  [options]
  (when-not (or (nil? options) (map? options))
    (throw (error/failure "option-invalid" (str "options must be a map, is " (pr-str options)) {:value options}))))

(defn resolve-options
  "Returns `options` (a map or nil) with the default of every option that is absent.

  Throws `ex-info` of type `:hinny.error/option-unknown` or `:hinny.error/option-invalid`, both with `:option`."
  [options]
  (refuse-no-map options)
  (let [specs @specs]
    (doseq [[option value] options]
      (when-not (specs option)
        (throw (unknown option {:known (map :name @table) :see all-options})))
      (check option (specs option) value))
    (into (update-vals specs default-value) options)))

(defn drain-timeout-ms
  "Returns how long a stop with `opts` drains: what they say, else what `settings`, resolved options, do. Throws as
  `resolve-options` does."
  [settings opts]
  (refuse-no-map opts)
  (refuse-unknown opts #{:drain-timeout-ms :timeout} "(doc hinny.server/stop-server)")
  (let [[[option milliseconds] [other other-value]] (seq opts)]
    (cond
      (and other (not= milliseconds other-value))
      (throw (error/failure "option-conflict"
                            (str option " and " other " are two names of one option, with different values: "
                                 (pr-str milliseconds) " and " (pr-str other-value))
                            {:option option :other other :value milliseconds}))
      (nil? milliseconds) (:drain-timeout-ms settings)
      (nat-int? milliseconds) milliseconds
      :else (throw (error/failure "option-invalid"
                                  (str option " must be a number of milliseconds, is " (pr-str milliseconds))
                                  {:option option :value milliseconds})))))

(defn encode-value
  "Returns the value of an option as the native library reads it, a string."
  ^String [value]
  (cond
    (keyword? value) (name value)
    (set? value) (str/join "," (map name value))
    :else (str value)))

(defn encode
  "Returns resolved options as bytes: `name NUL value NUL` for each, UTF-8. Those of type `:data` or `:function` are not
  told."
  ^bytes [options]
  (let [test-switches (cond-> {}
                        (Boolean/getBoolean "hinny.test.faults") (assoc :test-faults true)
                        (Boolean/getBoolean "hinny.test.clock") (assoc :test-clock true))
        data (map :name (filter (comp #{:data :function} :type) @table))
        text (reduce-kv (fn [text option value] (str text (name option) \u0000 (encode-value value) \u0000))
                        ""
                        (into (apply dissoc options data) test-switches))]
    (.getBytes ^String text StandardCharsets/UTF_8)))
