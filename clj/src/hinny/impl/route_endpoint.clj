(ns hinny.impl.route-endpoint
  "One route's data, checked, as the endpoints that answer at its path.

  * `endpoints` -- of a route, or an `ex-info`

  An endpoint is a record of

      :route      the number of its route
      :template   of its route
      :path       what `hinny.impl.route-path/parse` made of it, or `{:regex text :params names}`
      :methods    the methods it answers, a vector of keywords; nil for all that no other endpoint of the route answers
      :name       nil without one
      :data       the data of its route with its own merged into it, without the other endpoints
      :consumes :produces  media types, vectors; nil for all
      :options    options of the server that it sets
      :handler    composed with its middleware; nil if the core answers
      :words      pairs of key and value for the native library: what it answers with, if the core answers"
  (:require
   [clojure.string :as str]
   [hinny.impl.error :as error]
   [hinny.impl.options :as options]
   [hinny.impl.route-data :as route-data]
   [hinny.impl.route-files :as route-files]
   [hinny.impl.route-middleware :as route-middleware]
   [hinny.impl.route-response :as route-response])
  (:import
   (clojure.lang ExceptionInfo)))

(set! *warn-on-reflection* true)

(defrecord Endpoint [route template path methods name data consumes produces options handler words])

(def route-options
  "A delay of the set of the options of the server that routes may set."
  (delay (into #{} (comp (filter :route?) (map :name)) @options/table)))

(def known-keys
  "A delay of the set of all keys of route data that mean something here."
  (delay (into (conj @route-options :middleware :name :consumes :produces :methods :match-type)
               (remove namespace)
               (concat route-data/answers route-data/request-methods))))

(def unmistakable-keys
  "A delay of those that one meant to write if one wrote something like it: long, and nobody sees that they are missing."
  (delay (-> @route-options
             (disj :parse)
             (conj :middleware :match-type))))

(def ^:private media-range #"[!#$&^_.+\w-]+/(?:\*|[!#$&^_.+\w-]+)(?:\s*;.*)?|\*/\*")

(defn- quoted
  "As `pr-str` has it, which takes ten times as long, for text that may have to be escaped."
  [template path]
  (if (or (:regex path) (str/includes? template "\"") (str/includes? template "\\"))
    (pr-str template)
    (str \" template \")))

(defn label
  "Returns how error messages name an endpoint: methods, template and name."
  [{:keys [methods template path name]}]
  (str (when methods (str (str/join " " methods) " "))
       (quoted template path)
       (when name (str " (" name ")"))))

(defn- invalid
  [endpoint reason data]
  (error/failure "route-invalid" (str "route " (label endpoint) ": " reason) (assoc data :template (:template endpoint))))

(defn- the-answer
  "The one key that says what answers."
  [{:keys [data] :as endpoint}]
  (let [answer (route-data/present data route-data/answers)
        other (route-data/first-where #(and (some? (data %)) (not= answer %)) route-data/answers)
        likely (when-not answer
                 (some #(when (and (keyword? %) (not (@known-keys %)))
                          (when-let [meant (options/nearest % [:handler :response :resources])]
                            [% meant]))
                       (keys data)))]
    (cond
      (nil? answer)
      (throw (invalid endpoint
                      (str "has no :handler, and no :response, :files, :file or :resources"
                           (when likely (str "; did you mean " (second likely) " by " (first likely) "?")))
                      {:nearest (second likely)}))
      other
      (throw (invalid endpoint (str "has " answer " and " other "; one of them answers") {:keys [answer other]}))
      :else answer)))

(defn- check-media-types
  [endpoint k]
  (doseq [value (k endpoint)]
    (when-not (and (string? value) (re-matches media-range value))
      (throw (invalid endpoint (str k " must be media types such as \"application/json\", has " (pr-str value))
                      {:key k :value value})))))

(defn- check-options
  [endpoint]
  (doseq [[option value] (:options endpoint)]
    (try
      (options/check option (@options/specs option) value)
      (catch ExceptionInfo failure
        (throw (error/failure "option-invalid"
                              (str "route " (label endpoint) ": " (ex-message failure))
                              (assoc (ex-data failure) :template (:template endpoint))))))))

(defn- check
  [{:keys [data name] :as endpoint}]
  (when-not (or (nil? name) (keyword? name))
    (throw (invalid endpoint (str ":name must be a keyword, is " (pr-str name)) {:key :name :value name})))
  (run! #(check-media-types endpoint %) [:consumes :produces])
  (check-options endpoint))

(defn- refuse-middleware
  "Middleware that would never run is most likely one that somebody relies on."
  [{:keys [data] :as endpoint} answer]
  (when (some some? (:middleware data))
    (throw (invalid endpoint
                    (str "the core answers " answer " by itself, so its :middleware would not run; take the route out of "
                         "the scope that has it, or say :middleware ^:replace []")
                    {:key answer}))))

(defn- catch-all?
  [{:keys [parts]}]
  (boolean (:rest (peek parts))))

(defn- with-handler
  [{:keys [data template] :as endpoint} opts]
  (let [handler (:handler data)]
    (when-not (route-data/callable? handler)
      (throw (invalid endpoint (str ":handler must be a function, is " (pr-str handler)) {:key :handler :value handler})))
    (assoc endpoint :handler (route-middleware/compose template data opts handler))))

(defn- with-answer
  "The endpoint with what it answers with."
  [{:keys [data template path] :as endpoint} opts]
  (let [answer (the-answer endpoint)
        value (data answer)]
    (if (= :handler answer)
      (with-handler endpoint opts)
      (do
        (refuse-middleware endpoint answer)
        (assoc endpoint :words (case answer
                                 :response [["response" (route-response/encode template value)]]
                                 :hinny.impl/reply [["reply" (str value)]]
                                 (route-files/words template answer value (catch-all? path))))))))

(defn- options-of
  [data]
  (reduce-kv (fn [set-here k value]
               (if (and (some? value) (@route-options k))
                 (assoc set-here k value)
                 set-here))
             {}
             data))

(defn- endpoint
  [{:keys [template path number]} methods data opts]
  (let [content-types #(some-> (seq (% data)) vec)
        bare (->Endpoint number template path methods (:name data) data
                         (content-types :consumes) (content-types :produces) (options-of data) nil nil)]
    (check bare)
    (with-answer bare opts)))

(defn- own-methods
  "The methods of what a route answers itself, nil for all: as `:methods` says, and of files only GET."
  [{:keys [template]} {:keys [methods] :as data}]
  (doseq [method methods
          :when (not (route-data/method? method))
          :let [nearest (when (keyword? method) (options/nearest method route-data/request-methods))]]
    (throw (route-data/invalid template
                               (str ":methods has " (pr-str method)
                                    (if nearest (str ", did you mean " nearest "?") ".")
                                    " Known: " (str/join " " route-data/request-methods))
                               {:key :methods :value method :nearest nearest})))
  (let [files (route-data/present data [:files :file :resources])]
    (when-let [other (and files (some #(when-not (#{:get :head} %) %) methods))]
      (throw (route-data/invalid template (str files " answers :get and :head, not " other) {:key files :value other})))
    (or (seq (filter (set methods) route-data/request-methods))
        (when files [:get]))))

(defn- refuse-twice
  "A method that has an endpoint of its own cannot be among `:methods` too."
  [{:keys [template]} methods data]
  (when-let [twice (route-data/first-where data methods)]
    (throw (route-data/invalid template
                               (str twice " is one of its :methods, and has an endpoint of its own")
                               {:key twice}))))

(def ^:private keys-of-routes
  "What an endpoint cannot have."
  (into [:methods :match-type] route-data/request-methods))

(defn- method-endpoint
  [{:keys [template] :as route} method top own opts]
  (when-let [stray (route-data/first-where #(contains? own %) keys-of-routes)]
    (throw (route-data/invalid template (str stray " belongs to a route, and is in its " method) {:key stray})))
  (endpoint route [method] (route-data/merge-data top own) opts))

(defn endpoints
  "Returns a vector of the endpoints of `route`: `:template`, `:data`, `:path`, `:number`. `opts` are its router's.

  Throws `ex-info` of type `:hinny.error/route-invalid` or `:hinny.error/option-invalid`."
  [{:keys [data] :as route} opts]
  (let [top (reduce dissoc data route-data/request-methods)
        itself? (or (route-data/present top route-data/answers)
                    (not (route-data/present data route-data/request-methods)))
        methods (when itself? (own-methods route top))
        top (dissoc top :methods)]
    (refuse-twice route methods data)
    (cond-> (reduce (fn [found method]
                      (if-let [own (data method)]
                        (conj found (method-endpoint route method top own opts))
                        found))
                    []
                    route-data/request-methods)
      itself? (conj (endpoint route (some-> methods vec) top opts)))))
