(ns hinny.impl.route-table
  "All routes together: checked against each other, and compiled by the native library.

  * `routes`       -- flattened routes with their endpoints, or an `ex-info`
  * `names`        -- name -> route
  * `refuse-conflicts` -- throws for two routes that answer the same requests
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
   [hinny.impl.route-regex :as route-regex])
  (:import
   (clojure.lang Keyword)
   (io.github.hinny Endpoint Engine$Mode EngineException RouteTable)
   (java.io ByteArrayOutputStream)
   (java.nio.charset StandardCharsets)))

(set! *warn-on-reflection* true)

(defn- parsed
  [template {:keys [match-type]} syntax]
  (case match-type
    :regex (do
             (when-not (str/starts-with? (str/replace template #"^\(\?\w+\)" "") "/")
               (route-path/refuse template "is a regular expression that does not begin with a slash"))
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

(defn- refuse-misspelt
  [flat]
  (let [keys-of (fn [[_ data]] (mapcat keys (cons data (keep data route-data/request-methods))))
        misspelt (into #{}
                       (filter #(and (keyword? %) (nil? (namespace %)) (not (@route-endpoint/known-keys %)) (alike? %)))
                       (into #{} (mapcat keys-of) flat))]
    (when (seq misspelt)
      (let [[template k] (some (fn [[template :as route]] (when-let [k (some misspelt (keys-of route))] [template k]))
                               flat)
            nearest (options/nearest k @route-endpoint/known-keys)]
        (throw (route-data/invalid template
                                   (str "unknown key " k ", did you mean " nearest "? (Give a key of your own a namespace.)")
                                   {:key k :nearest nearest}))))))

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
                                      :path (parsed template data syntax)
                                      :opts opts}]
                           (-> (assoc route :endpoints (route-endpoint/endpoints route))
                               (dissoc :opts)))))
          flat)))

(defn names
  "Returns a map from name to route, of all names that routes and their endpoints have.

  Throws `ex-info` of type `:hinny.error/route-name-duplicate`."
  [routes]
  (reduce (fn [named [route-name {:keys [template number] :as route}]]
            (let [other (named route-name)]
              (when (and other (not= number (:number other)))
                (throw (error/failure "route-name-duplicate"
                                      (str "the routes " (pr-str (:template other)) " and " (pr-str template)
                                           " are both named " route-name "; rename one of them")
                                      {:name route-name :templates [(:template other) template]})))
              (assoc named route-name route)))
          {}
          (for [route routes
                route-name (distinct (keep :name (cons (:data route) (:endpoints route))))]
            [route-name route])))

(defn- shared-method
  "A method that both endpoints answer: a keyword, or `:any`; nil for none. `siblings` has the methods that other endpoints
  of a route answer, by its number."
  [a b siblings]
  (let [a-methods (:methods a)
        b-methods (:methods b)]
    (cond
      (and a-methods b-methods) (first (set/intersection (set a-methods) (set b-methods)))
      a-methods (first (remove (siblings (:route b)) a-methods))
      b-methods (recur b a siblings)
      :else :any)))

(defn refuse-conflicts
  "Throws `ex-info` of type `:hinny.error/route-conflict` if two endpoints of different routes answer one method at one
  path, whatever its parameters are called, and consume and produce the same."
  [routes]
  (let [siblings (into {} (map (juxt :number #(into #{} (mapcat :methods) (:endpoints %)))) routes)
        same (group-by (juxt (comp :pattern :path) (comp set :consumes) (comp set :produces))
                       (filter (comp :pattern :path) (mapcat :endpoints routes)))]
    (doseq [[_ endpoints] same
            :when (next endpoints)
            [a & others] (take-while seq (iterate rest endpoints))
            b others
            :when (not= (:route a) (:route b))
            :let [method (shared-method a b siblings)]
            :when method]
      (throw (error/failure "route-conflict"
                            (str "the routes " (route-endpoint/label a) " and " (route-endpoint/label b) " both answer "
                                 (if (= :any method) "every method" method)
                                 "; give them other paths or methods, or let them differ in :consumes or :produces")
                            {:templates [(:template a) (:template b)] :method method})))))

(defn- option-words
  [options]
  (mapv (fn [[option value]] [(name option) (options/encode-value value)]) options))

(defn- endpoint-words
  "The pairs of key and value of one endpoint. `defaults` are the server's options that routes may set, `default-words` the
  same as pairs."
  [{:keys [route path methods consumes produces options words] :as endpoint} defaults default-words]
  (let [{:keys [regex pattern params]} path]
    (concat [["route" (route-endpoint/label endpoint)]]
            (map #(vector "method" (str/upper-case (name %))) methods)
            (if regex
              [["regex" regex] ["group-count" (str (count params))]]
              [["pattern" pattern]])
            [["route-number" (str route)]]
            (map #(vector "consumes" %) consumes)
            (map #(vector "produces" %) produces)
            (if (empty? options) default-words (option-words (merge defaults options)))
            words)))

(defn- put-word
  [^ByteArrayOutputStream out word]
  (let [content (if (bytes? word) word (.getBytes ^String word StandardCharsets/UTF_8))
        length (alength ^bytes content)]
    (doseq [shift [0 8 16 24]]
      (.write out (int (bit-and 0xFF (bit-shift-right length shift)))))
    (.writeBytes out content)))

(defn words
  "Returns the table of `routes` in bytes: words of a length and so many bytes, in pairs. `options` are the server's,
  resolved; `fallback?` is whether a handler answers what no route does, `trailing-slash` `:strict` or `:redirect`."
  ^bytes [routes {:keys [fallback? trailing-slash options]}]
  (let [out (ByteArrayOutputStream.)
        defaults (into (sorted-map) (select-keys options @route-endpoint/route-options))
        default-words (option-words defaults)]
    (doseq [[k value] (concat [["fallback" (str (boolean fallback?))]
                               ["trailing-slash" (name (or trailing-slash :strict))]]
                              (mapcat #(endpoint-words % defaults default-words) (mapcat :endpoints routes)))]
      (put-word out k)
      (put-word out value))
    (.toByteArray out)))

(defn- jvm-endpoint
  ^Endpoint [{:keys [template methods name data handler options path]} server-options]
  (Endpoint. handler
             (when handler
               (case (or (:handler-mode options) (:handler-mode server-options))
                 :worker Engine$Mode/WORKER
                 :inline Engine$Mode/INLINE
                 :async Engine$Mode/ASYNC))
             (into-array Keyword (:params path))
             data
             (cond-> {:template template :data data}
               name (assoc :name name)
               (and methods (nil? (next methods))) (assoc :method (first methods)))))

(defn jvm-endpoints
  "Returns an array of the `Endpoint`s of `routes`, in the order of `words`. `options` are the server's, resolved."
  ^"[Lio.github.hinny.Endpoint;" [routes options]
  (into-array Endpoint (map #(jvm-endpoint % options) (mapcat :endpoints routes))))

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
      (throw (error/failure (.kind failure) (.getMessage failure) {} failure)))))
