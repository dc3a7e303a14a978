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
   [hinny.impl.error :as error])
  (:import
   (java.nio.charset StandardCharsets)))

(set! *warn-on-reflection* true)

(def ^:private unreserved
  (set "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"))

(def ^:private literal
  "The characters of a path that stand for themselves: RFC 3986 pchar, and the slash."
  (into unreserved "!$&'()*+,;=:@/"))

(defn refuse
  "Throws that `template` is no path, for `reason`."
  [template reason]
  (throw (error/failure "route-pattern" (str "path " (pr-str template) " " reason) {:template template})))

(defn- utf-8
  ^bytes [^String text]
  (.getBytes text StandardCharsets/UTF_8))

(defn- well-formed?
  "Whether no half of a surrogate pair is in `text`."
  [^String text]
  (= text (String. (utf-8 text) StandardCharsets/UTF_8)))

(defn- percent-encode
  "`text` with all but the characters in `kept` percent-encoded."
  [text kept]
  (let [encoded (StringBuilder.)]
    (doseq [b (utf-8 text)
            :let [value (bit-and (int b) 0xFF)]]
      (if (kept (char value))
        (.append encoded (char value))
        (.append encoded (format "%%%02X" value))))
    (str encoded)))

(defn- normalise-escape
  [escape]
  (let [ch (char (Integer/parseInt (subs escape 1) 16))]
    (if (unreserved ch) (str ch) (str/upper-case escape))))

(defn- normalise-special
  "Literal text of `template` that has characters to be looked at, as the matcher has it."
  [template text]
  (when-let [stray (re-find #"%(?![0-9A-Fa-f]{2}).{0,2}" text)]
    (refuse template (str "has a % without two hex digits behind it: " (pr-str stray) "; write %25 for the character")))
  (when-let [found (re-find #"[\s\p{Cntrl}]" text)]
    (refuse template (str "has white space or a control character, " (pr-str found) "; write it percent-encoded")))
  (when-let [found (re-find #"[?#]" text)]
    (refuse template (str "has a " found ", which begins what is no part of a path")))
  (str/replace text
               #"%[0-9A-Fa-f]{2}|[^%]+"
               (fn [piece]
                 (if (str/starts-with? piece "%")
                   (normalise-escape piece)
                   (percent-encode piece literal)))))

(defn- normalise
  "Literal text of `template` as the matcher has it."
  [template text]
  ;; Nearly all text is such, and a table may have ten thousand paths.
  (if (re-matches #"[A-Za-z0-9._~/-]*+" text)
    text
    (normalise-special template text)))

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

(defn- split
  "The parts of `template`: texts, `{:segment name}`, `{:rest name}`."
  [template {:keys [colon bracket]}]
  (loop [parts [] from 0 at 0]
    (let [before #(if (< from at) (conj parts (normalise template (subs template from at))) parts)
          ch (get template at)
          [part end] (cond
                       (nil? ch) nil
                       (and bracket (= \{ ch)) (bracketed template at)
                       (and bracket (= \} ch)) (refuse template "has a } without its {")
                       (and colon (#{\: \*} ch)) (bare template at))]
      (cond
        part (recur (conj (before) part) (long end) (long end))
        ch (recur parts from (inc at))
        :else (before)))))

(defn- check-parts
  [template parts]
  (doseq [[before part after] (map vector (cons nil parts) parts (concat (rest parts) [nil]))
          :when (map? part)]
    (when (and (:rest part) after)
      (refuse template "has a catch-all that is not at its end"))
    (when (and (:rest part) (not (str/ends-with? (str before) "/")))
      (refuse template "has a catch-all that does not begin a segment")))
  (doseq [[part text following] (partition 3 1 (concat [nil] parts [nil]))
          :when (and (map? part)
                     (or (map? text) (and (map? following) (not (str/includes? text "/")))))]
    (refuse template "has two parameters in one segment"))
  (let [names (keep #(or (:segment %) (:rest %)) (filter map? parts))]
    (when-not (or (empty? names) (apply distinct? names))
      (refuse template (str "has two parameters of one name: " (str/join " " names))))))

(defn- syntax-set
  [syntax]
  (let [chosen (set (if (or (nil? syntax) (coll? syntax)) (or syntax [:colon :bracket]) [syntax]))]
    (when-not (every? #{:colon :bracket} chosen)
      (throw (error/failure "option-invalid"
                            (str ":syntax must be :colon, :bracket or a set of both, is " (pr-str syntax))
                            {:option :syntax :value syntax})))
    (zipmap chosen (repeat true))))

(defn- dot-segment?
  [path]
  (some #{"." ".."} (str/split path #"/")))

(defn parse
  "Returns a template as data: `:template`, `:parts`, `:params` (names in order) and `:pattern` (as matchit reads it).
  `syntax` is `:colon`, `:bracket` or a set of both, which nil is: the other's characters are literal.

  Throws `ex-info` of type `:hinny.error/route-pattern`."
  [template syntax]
  (when-not (str/starts-with? template "/")
    (refuse template "does not begin with a slash"))
  (when-not (well-formed? template)
    (refuse template "has half of a surrogate pair"))
  (let [parts (split template (syntax-set syntax))
        _ (check-parts template parts)
        params (filterv some? (map #(or (:segment %) (:rest %)) parts))
        pattern (loop [text "" number 0 [part & more] parts]
                  (cond
                    (nil? part) text
                    (string? part) (recur (str text part) number more)
                    :else (recur (str text (if (:rest part) "{*p" "{p") number "}") (inc number) more)))]
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
    (when-not (well-formed? text)
      (refuse-value parameter value "has half of a surrogate pair"))
    text))

(defn- filled
  [params part]
  (if (string? part)
    part
    (let [parameter (or (:segment part) (:rest part))
          text (text-of parameter (params parameter))]
      (when (and (:segment part) (= "" text))
        (refuse-value parameter text "must not be empty"))
      (if (:rest part)
        (percent-encode text (conj unreserved \/))
        (percent-encode text unreserved)))))

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
              (str (percent-encode (text-of parameter parameter) unreserved)
                   "="
                   (percent-encode (text-of parameter element) unreserved)))))
