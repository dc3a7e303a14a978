(ns hinny.impl.route-middleware
  "Middleware of routes.

  * `compose` -- a handler inside its middleware

  A middleware is a function of a handler that returns one; a vector of such a function and further arguments; a map with
  it as `:wrap`, or with a function `:compile` of the route's data and the router's options that returns a middleware or
  nil; or nil, which is none. The first of many is the outermost."
  (:require
   [hinny.impl.route-data :as route-data]))

(set! *warn-on-reflection* true)

(defn- refuse
  [template middleware reason]
  (throw (route-data/invalid template (str "middleware " (pr-str middleware) " " reason) {:middleware middleware})))

(defn- wrap-function
  "The function of a handler that `middleware` is; nil for none."
  [template data opts middleware]
  (cond
    (nil? middleware) nil
    (keyword? middleware) (refuse template middleware "is a keyword; there is no registry, write the function itself")
    (vector? middleware) (let [[wrap & arguments] middleware
                               wrap (wrap-function template data opts wrap)]
                           (when-not wrap
                             (refuse template middleware "begins with no function"))
                           #(apply wrap % arguments))
    (:compile middleware) (recur template data opts ((:compile middleware) data opts))
    (:wrap middleware) (:wrap middleware)
    (route-data/callable? middleware) middleware
    :else (refuse template middleware "is none of a function, a vector [wrap argument …] and a map with :wrap")))

(defn compose
  "Returns `handler` inside the `:middleware` of `data`, each of which is called once, here.

  Throws `ex-info` of type `:hinny.error/route-invalid`, also for a middleware that returns no function."
  [template data opts handler]
  (reduce (fn [inner middleware]
            (if-let [wrap (wrap-function template data opts middleware)]
              (let [outer (wrap inner)]
                (when-not (route-data/callable? outer)
                  (refuse template middleware (str "returned no handler, but " (pr-str outer))))
                outer)
              inner))
          handler
          (reverse (:middleware data))))
