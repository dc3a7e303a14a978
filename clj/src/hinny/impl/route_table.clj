(ns hinny.impl.route-table
  "All routes together: checked against each other, and compiled by the native library.

  * `routes`       -- flattened routes with their endpoints, or an `ex-info`
  * `names`        -- name -> route
  * `words`        -- the table in bytes
  * `jvm-endpoints` -- what Java needs of it
  * `compile-table` -- both, as a `RouteTable`"
  (:require
   [clojure.set :as set]
   [clojure.string :as str]
   [hinny.impl.error :as error]
   [hinny.impl.options :as options]
   [hinny.impl.route-data :as route-data]
   [hinny.impl.route-endpoint :as route-endpoint]
   [hinny.impl.route-path :as route-path]
   [hinny.impl.route-regex :as route-regex]
   [hinny.impl.route-text :as route-text]
   [hinny.impl.text :as text])
  (:import
   (clojure.lang Keyword)
   (io.github.hinny Endpoint Engine$Mode EngineException RouteTable)
   (java.io ByteArrayOutputStream DataOutputStream)
   (java.nio.charset StandardCharsets)))

(set! *warn-on-reflection* true)

(defn- parsed
  [template {:keys [match-type]} syntax]
  (case match-type
    :regex (do
             (when-not (str/starts-with? (str/replace template #"^\(\?\w+\)" "") "/")
               (route-text/refuse template "is a regular expression that does not begin with a slash"))
             {:regex template :params (route-regex/groups template)})
    (nil :simple) (route-path/parse template syntax)
    (throw (route-data/invalid template
                               (str ":match-type must be :simple or :regex, is " (pr-str match-type))
                               {:key :match-type :value match-type}))))

(defn- alike?
  "Whether a key of the user's is most likely a misspelt one of those whose absence nobody would see."
  [k]
  (let [text (name k)]
    (or (#{:consume :produce :method} k)
        (some #(and (not= k %)
                    (or (<= (options/edit-distance text (name %)) 2)
                        (and (str/starts-with? (name %) text) (str/includes? text "-"))))
              @route-endpoint/unmistakable-keys))))

(defn- into-keys
  "The keys of route data and of its methods, into a set."
  [seen data]
  (reduce-kv (fn [seen k value]
               (if (route-data/method? k)
                 (reduce-kv (fn [seen k _] (conj seen k)) (conj seen k) value)
                 (conj seen k)))
             seen
             data))

(defn- slip?
  "Whether `typed` is the short `word` with one slip of the fingers: a letter too many, too few or wrong, or two that
  are swapped."
  [typed word]
  (or (<= (options/edit-distance typed word) 1)
      (and (= (count typed) (count word))
           (= (frequencies typed) (frequencies word))
           (= 2 (count (remove true? (map = typed word)))))))

(defn- meant
  "What one meant who wrote the unknown key `k`: a key that counts whatever its value is, or `:if-answer` the method or
  `:handler` that it is like; nil for a key of the user's own."
  [k]
  (when (and (keyword? k) (nil? (namespace k)) (not (@route-endpoint/known-keys k)))
    (let [word (text/lower-case (name k))]
      (cond
        (@route-endpoint/known-keys (keyword word)) {:nearest (keyword word)}
        (alike? k) {:nearest (options/nearest k @route-endpoint/known-keys)}
        :else (when-let [like (route-data/first-where #(slip? word (name %)) (conj route-data/request-methods :handler))]
                {:nearest like :if-answer true})))))

(defn- answer?
  "Whether a value is what answers: a function, or data of an endpoint."
  [value]
  (or (route-data/callable? value)
      (and (map? value) (some #(contains? value %) (conj route-data/answers :middleware :consumes :produces)))))

(defn- refuse-misspelt-in
  [template data suspects]
  (doseq [[k value] data
          :let [{:keys [nearest if-answer]} (suspects k)]
          :when (and nearest
                     (or (not if-answer)
                         (and (answer? value)
                              ;; Without any answer that is what is said, with the same hint.
                              (or (not= :handler nearest)
                                  (route-data/present data (concat route-data/answers route-data/request-methods))))))]
    (throw (route-data/invalid template
                               (str "unknown key " k ", did you mean " nearest "? (Give a key of your own a namespace.)")
                               {:key k :nearest nearest}))))

(defn- refuse-misspelt
  [flat]
  (let [suspects (into {}
                       (keep #(when-let [found (meant %)] [% found]))
                       (reduce into-keys #{} (eduction (map second) flat)))]
    (when (seq suspects)
      (doseq [[template data] flat
              part (cons data (vals (select-keys data route-data/request-methods)))]
        (refuse-misspelt-in template part suspects)))))

(defn routes
  "Returns a vector of routes, maps of `:number :template :data :path :endpoints`, of `form`, route data in any spelling.
  `opts` are a router's. The first has the number `:from`, 0 by default.

  Throws `ex-info` of type `:hinny.error/route-invalid`, `:hinny.error/route-pattern` or `:hinny.error/option-invalid`."
  [form {:keys [syntax from] :as opts}]
  (let [flat (route-data/flatten-routes form opts)]
    (refuse-misspelt flat)
    (into []
          (map-indexed (fn [number [template data]]
                         (let [route {:number (+ number (or from 0))
                                      :template template
                                      :data data
                                      :path (parsed template data syntax)}]
                           (assoc route :endpoints (route-endpoint/endpoints route opts)))))
          flat)))

(defn- add-name
  [named {:keys [template number] :as route} route-name]
  (let [other (named route-name)]
    (when (and other (not= number (:number other)))
      (throw (error/failure "route-name-duplicate"
                            (str "the routes " (pr-str (:template other)) " and " (pr-str template)
                                 " are both named " route-name "; rename one of them")
                            {:name route-name :templates [(:template other) template]})))
    (assoc! named route-name route)))

(defn names
  "Returns a map from name to route, of all names that routes and their endpoints have.

  Throws `ex-info` of type `:hinny.error/route-name-duplicate`."
  [routes]
  (let [add (fn [named route {:keys [name]}]
              (if name (add-name named route name) named))]
    (persistent! (reduce (fn [named {:keys [data endpoints] :as route}]
                           (reduce #(add %1 route %2) (add named route data) endpoints))
                         (transient {})
                         routes))))

(defn- shared-method
  "A method that both endpoints answer: a keyword, or `:any`. `routes` are those of the table, in order."
  [a b routes]
  (let [a-methods (:methods a)
        b-methods (:methods b)
        siblings #(into #{} (mapcat :methods) (:endpoints (routes (:route %))))]
    (cond
      (and a-methods b-methods) (first (set/intersection (set a-methods) (set b-methods)))
      a-methods (first (remove (siblings b) a-methods))
      b-methods (recur b a routes)
      :else :any)))

(defn- conflict
  "That two endpoints of different routes answer one method at one path, whatever its parameters are called, and consume and
  produce the same."
  [a b routes cause]
  (let [method (shared-method a b routes)]
    (error/failure "route-conflict"
                   (str "the routes " (route-endpoint/label a) " and " (route-endpoint/label b) " both answer "
                        (if (= :any method) "every method" method)
                        "; give them other paths or methods, or let them differ in :consumes or :produces")
                   {:templates [(:template a) (:template b)] :method method}
                   cause)))

(defn- put-word
  [^DataOutputStream out word]
  (let [content (if (bytes? word) word (.getBytes ^String word StandardCharsets/UTF_8))]
    (.writeInt out (Integer/reverseBytes (alength ^bytes content)))
    (.write out ^bytes content)))

(defn- put-pair
  [out k value]
  (put-word out k)
  (put-word out value))

(defn- put-options
  [out options]
  (run! (fn [[option value]] (put-pair out (name option) (options/encode-value value))) options))

(defn- put-endpoint
  [out {:keys [route path methods consumes produces options words] :as endpoint}]
  (put-pair out "route" (route-endpoint/label endpoint))
  (put-pair out "route-number" (str route))
  (run! #(put-pair out "method" (text/upper-case (name %))) methods)
  (if-let [regex (:regex path)]
    (do
      (put-pair out "regex" regex)
      (put-pair out "group-count" (str (count (:params path)))))
    (put-pair out "pattern" (:pattern path)))
  (run! #(put-pair out "consumes" %) consumes)
  (run! #(put-pair out "produces" %) produces)
  (put-options out options)
  (run! (fn [[k value]] (put-pair out k value)) words))

(def ^:private all-endpoints (mapcat :endpoints))

(defn words
  "Returns the table of `routes` in bytes: words of a length and so many bytes, in pairs. `options` are the server's,
  resolved; `fallback?` is whether a handler answers what no route does, `trailing-slash` `:strict` or `:redirect`."
  ^bytes [routes {:keys [fallback? trailing-slash options]}]
  (let [bytes-out (ByteArrayOutputStream.)
        out (DataOutputStream. bytes-out)]
    (put-pair out "fallback" (str (boolean fallback?)))
    (put-pair out "trailing-slash" (name (or trailing-slash :strict)))
    (put-options out (into (sorted-map) (select-keys options @route-endpoint/route-options)))
    (run! #(put-endpoint out %) (eduction all-endpoints routes))
    (.toByteArray bytes-out)))

(defn- jvm-endpoint
  ^Endpoint [{:keys [template methods name data handler options path]} server-options]
  (Endpoint. handler
             (when handler
               (case (or (:handler-mode options) (:handler-mode server-options))
                 :worker Engine$Mode/WORKER
                 :inline Engine$Mode/INLINE
                 :async Engine$Mode/ASYNC
                 :async-worker Engine$Mode/ASYNC_WORKER))
             (into-array Keyword (:params path))
             data
             (cond-> {:template template :data data}
               name (assoc :name name)
               (= 1 (count methods)) (assoc :method (methods 0)))))

(defn jvm-endpoints
  "Returns an array of the `Endpoint`s of `routes`, in the order of `words`. `options` are the server's, resolved."
  ^"[Lio.github.hinny.Endpoint;" [routes options]
  (into-array Endpoint (into [] (comp all-endpoints (map #(jvm-endpoint % options))) routes)))

(defn as-data
  "Returns `routes` as data: a vector of `[template data]`."
  [routes]
  (mapv (juxt :template :data) routes))

(defn compile-table
  "Returns the `RouteTable` of `routes`, with `opts` as `words` takes them. `shown` are those of them that it tells of, as
  data; nil for none.

  Throws `ex-info` of type `:hinny.error/route-conflict`, `:hinny.error/route-pattern` or `:hinny.error/route-invalid` for
  what only the native library finds, a regular expression that is none for instance."
  ^RouteTable [routes shown {:keys [options] :as opts}]
  (try
    (RouteTable/compile (words routes opts) (jvm-endpoints routes options) shown)
    (catch EngineException failure
      (let [endpoints (into [] all-endpoints routes)
            about (mapv #(endpoints (dec %)) (.endpoints failure))]
        (throw (if (= "route-conflict" (.kind failure))
                 (conflict (about 0) (about 1) routes failure)
                 (error/failure (.kind failure) (.getMessage failure) {} failure)))))))
