(ns hinny.impl.route-endpoint
  "One route's data, checked, as the endpoints that answer at its path.

  * `endpoints` -- of a `[template data]`, or an `ex-info`

  An endpoint is a map of

      :route      the number of its route
      :template   of its route
      :path       what `hinny.impl.route-path/parse` made of it, or `{:regex text :params names}`
      :methods    the methods it answers, a vector of keywords; nil for all that no other endpoint of the route answers
      :name       nil without one
      :data       the data of its route with its own merged into it, without the other endpoints
      :handler    composed with its middleware; nil if the core answers
      :consumes :produces  media types, vectors; nil for all
      :options    options of the server that it sets
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

(defn label
  "Returns how error messages name an endpoint: methods, template and name."
  [{:keys [methods template name]}]
  (str (when methods (str (str/join " " methods) " "))
       (pr-str template)
       (when name (str " (" name ")"))))

(defn- invalid
  [endpoint reason data]
  (error/failure "route-invalid" (str "route " (label endpoint) ": " reason) (assoc data :template (:template endpoint))))

(defn- the-answer
  "The one key that says what answers."
  [{:keys [data] :as endpoint}]
  (let [[answer other] (filterv #(some? (data %)) route-data/answers)
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
  (doseq [value (k (:data endpoint))]
    (when-not (and (string? value) (re-matches media-range value))
      (throw (invalid endpoint (str k " must be media types such as \"application/json\", has " (pr-str value))
                      {:key k :value value})))))

(defn- check-options
  [endpoint]
  (doseq [[option value] (select-keys (:data endpoint) @route-options)
          :when (some? value)]
    (try
      (options/check option ((options/specs) option) value)
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

(defn- endpoint
  [{:keys [template path number opts]} methods data]
  (let [bare {:route number :template template :path path :methods methods :name (:name data) :data data}]
    (check bare)
    (assoc (with-answer bare opts)
           :consumes (not-empty (vec (:consumes data)))
           :produces (not-empty (vec (:produces data)))
           :options (into {} (filter (comp some? val)) (select-keys data @route-options)))))

(defn- own-methods
  "The methods of what a route answers itself, nil for all: as `:methods` says, and of files only GET."
  [{:keys [template]} {:keys [methods] :as data}]
  (doseq [method methods
          :when (not (route-data/method? method))
          :let [nearest (when (keyword? method) (options/nearest method route-data/request-methods))]]
    (throw (route-data/invalid template
                               (str ":methods has " (pr-str method)
                                    (when nearest (str ", did you mean " nearest "?"))
                                    " Known: " (str/join " " route-data/request-methods))
                               {:key :methods :value method :nearest nearest})))
  (let [files (some #(when (some? (data %)) %) [:files :file :resources])]
    (when-let [other (and files (some #(when-not (#{:get :head} %) %) methods))]
      (throw (route-data/invalid template (str files " answers :get and :head, not " other) {:key files :value other})))
    (or (seq (filter (set methods) route-data/request-methods))
        (when files [:get]))))

(defn- refuse-twice
  "A method that has an endpoint of its own cannot be among `:methods` too."
  [{:keys [template]} methods data]
  (when-let [twice (some #(when (data %) %) methods)]
    (throw (route-data/invalid template
                               (str twice " is one of its :methods, and has an endpoint of its own")
                               {:key twice}))))

(def ^:private keys-of-routes
  "What an endpoint cannot have."
  (into [:methods :match-type] route-data/request-methods))

(defn- method-endpoint
  [{:keys [template] :as route} method top own]
  (when-let [stray (some #(when (contains? own %) %) keys-of-routes)]
    (throw (route-data/invalid template (str stray " belongs to a route, and is in its " method) {:key stray})))
  (endpoint route [method] (route-data/merge-data (dissoc top :methods) own)))

(defn endpoints
  "Returns a vector of the endpoints of `route`: `:template`, `:data`, `:path`, `:number`, and the router's `:opts`.

  Throws `ex-info` of type `:hinny.error/route-invalid` or `:hinny.error/option-invalid`."
  [{:keys [data] :as route}]
  (let [top (apply dissoc data route-data/request-methods)
        by-method (filterv data route-data/request-methods)
        itself? (or (some #(some? (top %)) route-data/answers) (empty? by-method))
        methods (when itself? (own-methods route top))]
    (refuse-twice route methods data)
    (cond-> (mapv #(method-endpoint route % top (data %)) by-method)
      itself? (conj (endpoint route (some-> methods vec) (dissoc top :methods))))))
