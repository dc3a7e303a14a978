(ns hinny.impl.route-data
  "Route data in three spellings, as one: a vector of `[template data]`.

  * `flatten-routes` -- all routes, each with its whole path and what it has from the routes around it
  * `merge-data`     -- what a route and the one around it have together

  reitit's vectors, Donkey's maps with a `:path`, and Hinny's maps of paths, each inside each other if need be:

      (flatten-routes [[\"/api\" {:roles #{:user}} [\"/users/:id\" {:get show}]]
                       {:path \"/ping\" :methods [:get] :handler pong}
                       {\"/about\" about}]
                      {})
      ;; => [[\"/api/users/:id\" {:roles #{:user} :get {:handler show}}]
      ;;     [\"/ping\" {:methods [:get] :handler pong}]
      ;;     [\"/about\" {:handler about}]]"
  (:require
   [clojure.string :as str]
   [hinny.impl.error :as error]
   [hinny.impl.route-path :as path]
   [hinny.impl.route-regex :as regex]
   [hinny.impl.route-text :as route-text])
  (:import
   (clojure.lang IFn)
   (java.util.regex Pattern)))

(set! *warn-on-reflection* true)

(def request-methods
  "The methods that route data has keys for, in the order in which they are named."
  [:get :head :post :put :delete :options :patch :trace :connect])

(def method?
  "Whether a key is a method."
  (set request-methods))

(def answers
  "The keys that say what answers; an endpoint has one of them. `:hinny.impl/reply` is a reply slot's number, for Hinny's
  own endpoints."
  [:handler :response :files :file :resources :hinny.impl/reply])

(defn first-where
  "The first of `coll` for which `pred` holds, nil for none; of a vector without a sequence of it."
  [pred coll]
  (reduce (fn [_ one] (when (pred one) (reduced one))) nil coll))

(defn present
  "The first of the keys `ks` that `data` has a value for, nil for none."
  [data ks]
  (first-where #(some? (data %)) ks))

(def ^:private donkey-modes {:blocking :worker :non-blocking :async})

(defn invalid
  "Returns an `ex-info` of type `:hinny.error/route-invalid` about the route at `template`."
  ([template reason] (invalid template reason nil))
  ([template reason data]
   (error/failure "route-invalid" (str "route " (pr-str template) ": " reason) (assoc data :template template))))

(defn callable?
  "Whether `value` can be called, and is not just data that can be too."
  [value]
  (and (instance? IFn value)
       (not (or (keyword? value) (symbol? value) (and (coll? value) (not (record? value)))))))

(defn- data-map?
  [value]
  (and (map? value) (not (record? value))))

(defn- stance
  "How metadata says that a value is merged."
  [value]
  (when-let [about (meta value)]
    (first-where #(contains? about %) [:replace :displace :prepend])))

(defn- settled
  "The value without the metadata that said how it is merged."
  [value]
  (if (stance value)
    (vary-meta value dissoc :replace :displace :prepend)
    value))

(defn- merge-values
  [outer inner]
  (cond
    (nil? inner) outer
    (or (nil? outer) (= :replace (stance inner)) (= :displace (stance outer))) (settled inner)
    (= :displace (stance inner)) outer
    (and (data-map? outer) (data-map? inner)) (merge-with merge-values outer inner)
    (and (set? outer) (set? inner)) (into outer inner)
    (and (coll? outer) (coll? inner) (not-any? map? [outer inner])) (if (= :prepend (stance inner))
                                                                      (into (vec inner) outer)
                                                                      (into (vec outer) inner))
    :else inner))

(defn merge-data
  "Returns the data of a route inside another one: maps are merged at every depth, collections follow each other, the outer
  one first, and of other values the inner one counts; nil leaves what is there. Metadata of an inner value says otherwise,
  as in reitit: `^:replace`, `^:displace`, `^:prepend`. What answers is replaced as a whole, by whatever else answers."
  [outer inner]
  (reduce-kv (fn [merged k value]
               (let [there (get merged k)]
                 (assoc merged k (if (and (method? k) (data-map? there) (data-map? value))
                                   (merge-data there value)
                                   (merge-values there value)))))
             (if (present inner answers)
               (reduce dissoc outer answers)
               outer)
             inner))

(defn- listed
  "A value that may be one or many, as many."
  [value]
  (if (or (nil? value) (and (coll? value) (not (map? value))))
    value
    [value]))

(defn- expand-value
  [data k value]
  (case k
    (:middleware :methods :consumes :produces) (assoc data k (listed value))
    :handler-mode (assoc data k (donkey-modes value value))
    data))

(defn- expand-own
  [template value]
  (let [data (cond
               (nil? value) {}
               (keyword? value) {:name value}
               (data-map? value) value
               (callable? value) {:handler value}
               :else (throw (invalid template (str "neither a map, a function nor a name: " (pr-str value))
                                     {:value value})))]
    (reduce-kv expand-value data data)))

(defn expand
  "Returns what stands for data (a map, a function, a name, nil) as a map, and so for each of its methods."
  [template value]
  (let [own (expand-own template value)]
    (reduce-kv (fn [data k value]
                 (cond
                   (not (method? k)) data
                   (nil? value) (dissoc data k)
                   :else (assoc data k (expand-own template value))))
               own
               own)))

(defn- path?
  [value]
  (or (string? value) (instance? Pattern value)))

(defn- regex-text
  "The regular expression of all pieces of a path; those that are none are taken literally."
  [pieces]
  (str/join
    (for [{:keys [text regex?]} pieces]
      (cond
        regex? (regex/text text)
        (= "" text) ""
        :else (let [{:keys [params pattern]} (path/parse text nil)]
                (when (seq params)
                  (route-text/refuse text "has parameters, and a regular expression continues it"))
                (regex/quoted pattern))))))

(defn- route
  [{:keys [template pieces data]}]
  (if (first-where :regex? pieces)
    [(regex-text pieces) (assoc data :match-type :regex)]
    [template data]))

(defn- below
  "Where the children of a route are: the path so far, its pieces, and its data."
  [{:keys [template pieces data]} text argument]
  (let [template (str template text)
        merged (merge-data data (expand template argument))
        regex? (or (instance? Pattern text) (and (= :regex (:match-type merged)) (not= "" text)))]
    {:template template
     :pieces (conj pieces {:text text :regex? regex?})
     :data merged}))

(defn- in-vector
  "A route as reitit has it: its path, what stands for its data, its children."
  [place [text & [argument & children :as given]]]
  (let [children (if (or (nil? argument) (sequential? argument)) given children)
        here (below place text (when-not (identical? children given) argument))]
    (if (seq children)
      {:inside (map #(vector here %) children)}
      {:route (route here)})))

(defn- refuse-form
  [place form]
  (throw (invalid (:template place)
                  (str "a route is a vector that begins with a path, a map with a :path, or a map of paths, not "
                       (pr-str form))
                  {:value form})))

(defn- refuse-own-answer
  "In a map of paths, what has paths below it is no route itself."
  [place data]
  (when-let [own (or (present data answers) (present data request-methods))]
    (throw (invalid (:template place)
                    (str "has paths below it, and " own " of its own; put that under the path \"\"")
                    {:key own}))))

(defn- in-map
  "A map of paths, and of data for all of them."
  [place form]
  (let [{paths true own false} (group-by (comp boolean path? key) form)
        own (into {} own)
        template (:template place)]
    (when-let [stray (first (remove keyword? (keys own)))]
      (throw (invalid template
                      (str "a map of paths has strings for paths and keywords for data, not " (pr-str stray))
                      {:key stray})))
    (refuse-own-answer place own)
    (let [here (update place :data merge-data (expand template own))]
      {:inside (for [[text value] paths]
                 (if (and (data-map? value) (some path? (keys value)))
                   [(below here text nil) value]
                   [here [text value]]))})))

(defn- in-donkey-map
  "A route as Donkey has it; without a path it is any."
  [place form]
  (in-vector place [(:path form "/{*path}") (dissoc form :path)]))

(defn- found
  "What `form` is: the `:route`, or the forms with their places that it has `:inside`."
  [place form]
  (cond
    (empty? form) {}
    (and (map? form) (some path? (keys form))) (in-map place form)
    (and (map? form) (some #(contains? form %) (cons :path answers))) (in-donkey-map place form)
    (and (sequential? form) (path? (first form))) (in-vector place form)
    (and (sequential? form) (every? #(or (nil? %) (coll? %)) form)) {:inside (map #(vector place %) form)}
    :else (refuse-form place form)))

(defn- walk
  "`routes`, and behind them those of `form`."
  [routes [place form]]
  (let [{:keys [route inside]} (if (or (nil? form) (coll? form)) (found place form) (refuse-form place form))]
    (if route
      (conj routes route)
      (reduce walk routes inside))))

(defn flatten-routes
  "Returns a vector of `[template data]` of `form`, route data in any spelling. A template is the whole path as it was
  written; of a regular expression it is the text, and the data say `:match-type :regex`. `:path` is in front of every
  path, `:data` around every route's data.

  Throws `ex-info` of type `:hinny.error/route-invalid`, or `:hinny.error/route-pattern`."
  [form {:keys [path data]}]
  (walk []
        [{:template (str path)
          :pieces (if path [{:text path}] [])
          :data (expand "" data)}
         form]))
