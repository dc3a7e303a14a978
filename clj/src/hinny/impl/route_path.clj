(ns hinny.impl.route-path
  "Path templates: what `/users/{id}` means, as the native matcher reads it, and the paths that are made of it.

  * `parse` -- a template as data, or an `ex-info`
  * `fill`  -- a path, of the values of its parameters
  * `query` -- a query string, of a map

      (parse \"/files/{name}.json\" nil)
      ;; => {:template \"/files/{name}.json\", :parts [\"/files/\" {:segment :name} \".json\"],
      ;;     :pattern \"/files/{p0}.json\", :params [:name]}

  A parameter is `:name` (to the end of its segment), `{name}` or `{:name}` (with text around it, within its segment), or
  at the end a catch-all `*name` or `{*name}`; with braces the name may have a namespace. Literal text is normalised as the
  matcher normalises what it is asked for (RFC 3986 §6.2.2): all that no path may have as it is becomes percent-encoded
  UTF-8, hex digits upper case, and what need not be encoded is not."
  (:require
   [clojure.string :as str]
   [hinny.impl.error :as error]
   [hinny.impl.route-text :as route-text :refer [refuse]]))

(set! *warn-on-reflection* true)

(defn- parameter-name
  [template text]
  (when (str/blank? text)
    (refuse template "has a parameter without a name"))
  (when-let [found (re-find #"[\s\p{Cntrl}{}:*]|/.*/|^/|/$" text)]
    (refuse template (str "has a parameter whose name has " (pr-str found) ": " (pr-str text))))
  (keyword text))

(defn- bracketed
  "`[part end]` of the parameter whose brace is at `at`."
  [template at]
  (let [end (str/index-of template "}" at)
        inner (when end (subs template (inc at) end))]
    (cond
      (or (nil? inner) (str/includes? inner "{"))
      (refuse template "has a { without its }")
      (str/starts-with? inner "*")
      [{:rest (parameter-name template (subs inner 1))} (inc end)]
      :else
      [{:segment (parameter-name template (str/replace-first inner ":" ""))} (inc end)])))

(defn- bare
  "`[part end]` of the parameter that begins with a colon or star at `at`."
  [template at]
  (let [end (or (when (= \: (get template at)) (str/index-of template "/" at))
                (count template))
        text (subs template (inc at) end)]
    (when (str/includes? text ".")
      (refuse template (str "has a parameter " (subs template at end) ": write {" (first (str/split text #"\." 2))
                            "} for one with text behind it")))
    (when (and (= \* (get template at)) (str/includes? text "/"))
      (refuse template "has a catch-all that is not at its end"))
    [{(if (= \* (get template at)) :rest :segment) (parameter-name template text)} end]))

(defn- mark
  "Where the first of the characters `marks` is at or behind `from`, or the end."
  ^long [^String template ^long from ^String marks]
  (loop [at from]
    (if (or (= at (.length template)) (<= 0 (.indexOf marks (int (.charAt template at)))))
      at
      (recur (inc at)))))

(defn- split
  "The parts of `template`: texts, `{:segment name}`, `{:rest name}`. What is none of `marks` is literal."
  [^String template marks]
  (loop [parts [] from 0]
    (let [at (mark template from marks)
          parts (if (< from at) (conj parts (route-text/normalise template (subs template from at))) parts)]
      (if (= at (.length template))
        parts
        (let [[part end] (case (.charAt template at)
                           \{ (bracketed template at)
                           \} (refuse template "has a } without its {")
                           (bare template at))]
          (recur (conj parts part) (long end)))))))

(defn- part-name
  "The name of the parameter that a part is; nil for text."
  [part]
  (when (map? part)
    (or (:segment part) (:rest part))))

(defn- check-parts
  [template parts params]
  (let [beside #(get parts (+ %1 %2))
        check-rest (fn [at]
                     (when (beside at 1)
                       (refuse template "has a catch-all that is not at its end"))
                     (when-not (str/ends-with? (str (beside at -1)) "/")
                       (refuse template "has a catch-all that does not begin a segment")))
        check-segment (fn [at]
                        (when (or (map? (beside at 1))
                                  (and (beside at 2) (not (str/includes? (beside at 1) "/"))))
                          (refuse template "has two parameters in one segment")))]
    (reduce-kv (fn [_ at part] (when (:rest part) (check-rest at))) nil parts)
    (reduce-kv (fn [_ at part] (when (map? part) (check-segment at))) nil parts)
    (when-not (apply distinct? params)
      (refuse template (str "has two parameters of one name: " (str/join " " params))))))

(defn- marks
  "The characters that mean something in this syntax."
  [syntax]
  (let [chosen (cond
                 (coll? syntax) (set syntax)
                 (some? syntax) #{syntax})]
    (when-not (every? #{:colon :bracket} chosen)
      (throw (error/failure "option-invalid"
                            (str ":syntax must be :colon, :bracket or a set of both, is " (pr-str syntax))
                            {:option :syntax :value syntax})))
    (if chosen
      (str (when (chosen :bracket) "{}") (when (chosen :colon) ":*"))
      "{}:*")))

(defn- as-pattern
  "The parts as the matcher reads them."
  [parts]
  (let [pattern (StringBuilder.)]
    (reduce (fn [number part]
              (if (string? part)
                (do
                  (.append pattern ^String part)
                  number)
                (do
                  (.. pattern (append (if (:rest part) "{*p" "{p")) (append (long number)) (append "}"))
                  (inc number))))
            0
            parts)
    (str pattern)))

(defn- dot-segment?
  "Whether `path`, which begins with a slash, has a segment `.` or `..`."
  [path]
  (and (str/includes? path "/.") (some #{"." ".."} (str/split path #"/"))))

(defn parse
  "Returns a template as data: `:template`, `:parts`, `:params` (names in order) and `:pattern` (as matchit reads it).
  `syntax` is `:colon`, `:bracket` or a set of both, which nil is: the other's characters are literal.

  Throws `ex-info` of type `:hinny.error/route-pattern`."
  [template syntax]
  (when-not (str/starts-with? template "/")
    (refuse template "does not begin with a slash"))
  (when-not (route-text/well-formed? template)
    (refuse template "has half of a surrogate pair"))
  (let [parts (split template (marks syntax))
        params (into [] (keep part-name) parts)
        _ (when (seq params) (check-parts template parts params))
        pattern (as-pattern parts)]
    (when (str/includes? pattern "//")
      (refuse template "has an empty segment: does a path that it continues end with a slash?"))
    (when (dot-segment? pattern)
      (refuse template "has a segment . or .., which clients resolve before they ask"))
    {:template template :parts parts :params params :pattern pattern}))

(defn- value-text
  "The text of a parameter's value, nil if it has none."
  [value]
  (cond
    (string? value) value
    (or (keyword? value) (symbol? value)) (str (when-let [space (namespace value)] (str space "/")) (name value))
    (or (number? value) (boolean? value) (uuid? value) (char? value)
        (instance? java.time.temporal.TemporalAccessor value)) (str value)))

(defn- refuse-value
  [parameter value reason]
  (throw (error/failure "route-parameter-invalid"
                        (str "parameter " parameter " " reason ", is " (pr-str value))
                        {:parameter parameter :value value})))

(defn- text-of
  [parameter value]
  (let [text (value-text value)]
    (when (nil? text)
      (refuse-value parameter value "must be a string, number, keyword, symbol, boolean, UUID or time"))
    (when-not (route-text/well-formed? text)
      (refuse-value parameter value "has half of a surrogate pair"))
    text))

(defn- filled
  [params part]
  (if (string? part)
    part
    (let [parameter (part-name part)
          text (text-of parameter (params parameter))]
      (when (and (:segment part) (= "" text))
        (refuse-value parameter text "must not be empty"))
      (if (:rest part)
        (route-text/percent-encode text (conj route-text/unreserved \/))
        (route-text/percent-encode text route-text/unreserved)))))

(defn fill
  "Returns the path that `parsed`, of `parse`, is with the values in the map `params`; those that it does not have are
  ignored. A value is percent-encoded; that of a catch-all keeps its slashes.

  Throws `ex-info` of type `:hinny.error/route-parameter-missing` (with `:missing` and `:required`), or
  `:hinny.error/route-parameter-invalid` for values of which no path can be made that leads back to them."
  [{:keys [template parts] required :params} params]
  (let [missing (filterv #(nil? (get params %)) required)]
    (when (seq missing)
      (throw (error/failure "route-parameter-missing"
                            (str "path " (pr-str template) " needs " (str/join " " required) ", without a value are "
                                 (str/join " " missing))
                            {:template template :missing missing :required required})))
    (let [path (str/join (map #(filled params %) parts))]
      (when (or (dot-segment? path) (str/starts-with? path "//"))
        (throw (error/failure "route-parameter-invalid"
                              (str "path " (pr-str template) " would become " (pr-str path)
                                   ", which clients read as another one")
                              {:template template :path path :params (select-keys params required)})))
      path)))

(defn query
  "Returns the query string of a map: `name=value` in its order, percent-encoded. A collection gives a pair for each
  element; nil gives none."
  [params]
  (str/join "&"
            (for [[parameter value] params
                  element (if (or (sequential? value) (set? value)) value [value])
                  :when (some? element)]
              (str (route-text/percent-encode (text-of parameter parameter) route-text/unreserved)
                   "="
                   (route-text/percent-encode (text-of parameter element) route-text/unreserved)))))
