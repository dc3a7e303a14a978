(ns hinny.router
  "Routes as data: what answers at which path.

  * `router`   -- route data, checked and compiled
  * `routes`   -- them back as data
  * `match`    -- what answers a method and path
  * `path-for` -- the path of a route, by its name

      (def site
        (router [\"/api\" {:middleware [wrap-user]}
                 [\"/users/:id\" {:name :user/show, :get show-user, :delete drop-user}]
                 [\"/files/*path\" {:name :file, :get send-file}]]))

      (path-for site :user/show {:id 7})
      ;; => \"/api/users/7\"
      (:path-params (match site :get \"/api/users/7\"))
      ;; => {:id \"7\"}

  Route data are reitit's vectors, Donkey's maps with `:path`, or maps of paths: see `docs/routing.md`, also for the keys
  that mean something to Hinny. Other keys are the user's and stay in the data; one without a namespace that looks like a
  misspelt option or `:middleware` is an error.

  Failures throw `ex-info` whose `:type` is a keyword of `hinny.impl.error`."
  (:require
   [hinny.impl.error :as error]
   [hinny.impl.options :as options]
   [hinny.impl.route-path :as route-path]
   [hinny.impl.route-table :as route-table])
  (:import
   (io.github.hinny Endpoint RouteTable RouteTable$MatchResult RouterParts)
   (java.io Writer)))

(set! *warn-on-reflection* true)

;; `table` is what `routes` are compiled to; `names` finds one of them by its name.
(deftype ^:no-doc Router [routes names ^RouteTable table]
  RouterParts
  (routes [_] routes)
  (names [_] names)
  (table [_] table))

(defmethod print-method Router
  [^RouterParts router ^Writer writer]
  (.write writer (str "#<hinny.router.Router " (count (.routes router)) " routes>")))

(def ^:private router-options
  #{:data :path :syntax :fallback? :trailing-slash :options})

(defn- check-options
  [{:keys [data path fallback? trailing-slash] :as opts}]
  (options/refuse-no-map opts)
  (options/refuse-unknown opts router-options "docs/routing.md")
  (let [refuse (fn [option expected value]
                 (throw (error/failure "option-invalid"
                                       (str option " must be " expected ", is " (pr-str value))
                                       {:option option :value value})))]
    (when-not (or (nil? data) (map? data))
      (refuse :data "a map" data))
    (when-not (or (nil? path) (string? path))
      (refuse :path "a string" path))
    (when-not (contains? #{nil true false} fallback?)
      (refuse :fallback? "true or false" fallback?))
    (when-not (contains? #{nil :strict :redirect} trailing-slash)
      (refuse :trailing-slash ":strict or :redirect" trailing-slash))))

(defn router
  "Returns a `Router` for route data in any spelling, checked and compiled. It never changes; middleware is composed with
  handlers here, once for each endpoint.

  `opts` is a map:

      key              meaning                                                                  default
      :data            data around every route's, such as :middleware for all of them           {}
      :path            path in front of every route's                                           none
      :syntax          what has a meaning in paths: :colon (:id, *rest), :bracket ({id}, {*rest}) both
      :fallback?       whether a handler answers what no endpoint does                          false
      :trailing-slash  :redirect to the path with or without a slash that matches, or :strict   :strict
      :options         the server's options, resolved, for what routes do not set               their defaults

  A server sets the last three itself.

  Throws `ex-info`: `:hinny.error/route-invalid`, `:hinny.error/route-pattern`, `:hinny.error/route-conflict`,
  `:hinny.error/route-name-duplicate`, `:hinny.error/option-invalid`, `:hinny.error/option-unknown` or
  `:hinny.error/native-library`."
  {:added "0.1"}
  (^RouterParts [data] (router data nil))
  (^RouterParts [data opts]
   (check-options opts)
   (let [routes (route-table/routes data opts)
         resolved (update opts :options (fn [given] (or given (options/resolve-options nil))))
         table (route-table/compile-table routes (route-table/as-data routes) resolved)]
     (->Router routes (route-table/names routes) table))))

(defn- wrapped
  "The endpoints with their handlers inside `wrap`."
  [endpoints wrap]
  (mapv #(cond-> % (:handler %) (update :handler wrap)) endpoints))

(defn ^:no-doc server-table
  "Returns the `RouteTable` of `source` (a router, route data, or nil) with a server's `opts`: `:fallback?`,
  `:trailing-slash`, `:options`, `:wrap`, a function of each handler, nil for none, and `:more`, route data of the server's own, of which the
  table does not tell."
  ^RouteTable [source {:keys [more wrap] :as opts}]
  (let [own (cond
              (instance? RouterParts source) (.routes ^RouterParts source)
              (some? source) (route-table/routes source (dissoc opts :more)))
        all (cond->> (into (vec own) (route-table/routes more {:from (count own)}))
              wrap (mapv #(update % :endpoints wrapped wrap)))
        table (route-table/compile-table all (some-> own route-table/as-data) opts)]
    ;; Those of a router have been looked at.
    (when-not (instance? RouterParts source)
      (route-table/names own))
    table))

(defn routes
  "Returns the routes of `router` in their order, each as `[template data]`: its whole path as it was written, and its
  data with those of the routes around it. They are route data themselves, of an equal router."
  {:added "0.1"}
  [^RouterParts router]
  (route-table/as-data (.routes router)))

(defn match
  "Returns what answers `method` (a keyword or string) at `path`, as it is sent: percent-encoded,
  without a query. A map of `:template`, `:data`, `:path`, `:path-params` (a map of keyword to decoded string), `:name` if
  it has one, and `:method` if the endpoint answers just one (`:get` for a HEAD that has no endpoint of its own). Returns
  nil if no endpoint answers."
  {:added "0.1"}
  [^RouterParts router method path]
  (let [wire-method (if (keyword? method) (name method) method)]
    (when-let [^RouteTable$MatchResult found (.match (.table router) wire-method path)]
      (assoc (.match ^Endpoint (.endpoint found)) :path path :path-params (.pathParams found)))))

(defn path-for
  "Returns the path of the route that has the name `route-name`, or an endpoint with it. `params` is a map of the values
  of its parameters: strings, numbers, keywords, symbols, booleans, UUIDs or `java.time` values, percent-encoded here;
  more of them are ignored. `query` is a map for the query string; a collection gives a pair for each element, nil none.

  Throws `ex-info`: `:hinny.error/route-unknown` with the `:nearest` name; `:hinny.error/route-parameter-missing` with
  `:missing` and `:required`; `:hinny.error/route-parameter-invalid` for a value of which no path can be made that leads
  back to it; `:hinny.error/route-invalid` for the route of a regular expression."
  {:added "0.1"}
  (^String [router route-name] (path-for router route-name nil nil))
  (^String [router route-name params] (path-for router route-name params nil))
  (^String [^RouterParts router route-name params query]
   (let [names (.names router)
         {:keys [path] :as route} (names route-name)
         nearest (when (and (nil? route) (keyword? route-name)) (options/nearest route-name (keys names)))]
     (cond
       (nil? route)
       (throw (error/failure "route-unknown"
                             (str "no route is named " (pr-str route-name) (when nearest (str ", did you mean " nearest "?")))
                             {:name route-name :nearest nearest}))
       (:regex path)
       (throw (error/failure "route-invalid"
                             (str "route " route-name " is the regular expression " (pr-str (:regex path))
                                  ", of which no path can be made")
                             {:name route-name :template (:regex path)})))
     (let [query-string (route-path/query query)]
       (cond-> (route-path/fill path (or params {}))
         (not= "" query-string) (str "?" query-string))))))
