(ns hinny.route-generators
  "Generators of paths, values and route data.

  * `template`  -- a path with parameters, as users write it
  * `value`     -- a value of a path parameter, hostile ones among them
  * `rest-value` -- one of a catch-all
  * `templates` -- many, of which no two have one shape
  * `filled`    -- a template with values, and its path
  * `request`   -- method and path, likely one of some templates
  * `data` `tree` -- route data, reitit's"
  (:require
   [clojure.string :as str]
   [clojure.test.check.generators :as gen]
   [hinny.impl.route-path :as route-path]))

(set! *warn-on-reflection* true)

(def ^:private hostile
  ["%" "%2F" "%2f" "%00" "/" "//" "a/b" "?" "#" "a?b=c#d" " " "+" "&" "=" ";" ":" "@" "*" "{" "}" "{p0}" ":id" "*rest"
   "é" "日本" "\uD83D\uDE00" "\u0000" "\n" "..." "..%2F" "%2e%2e" "\\" "~" "." ".." "\u202E" "A" "a"])

(defn- well-formed?
  [^String text]
  (= text (String. (.getBytes text "UTF-8") "UTF-8")))

(def text
  "A string of anything but halves of surrogate pairs."
  (gen/such-that
    well-formed?
    (gen/fmap str/join (gen/vector (gen/frequency [[3 gen/string-alphanumeric] [2 (gen/elements hostile)] [1 gen/string]]) 0 4))
    100))

(def value
  "The value of a parameter that is a whole segment."
  (gen/such-that #(not (contains? #{"" "." ".."} %)) text 100))

(def rest-value
  "The value of a catch-all behind a literal."
  (gen/such-that #(not (or (str/starts-with? % "/") (some #{"." ".."} (str/split % #"/")))) text 100))

(def ^:private literal
  "Few different ones, so that templates meet."
  (gen/frequency [[6 (gen/elements ["a" "b" "ab" "users" "me" "x.json" "%41" "%c3%a9" "é" "~"])]
                  [1 (gen/such-that #(not (contains? #{"" "." ".."} %))
                                    (gen/fmap #(str/replace % #"[:*{}%/?#\s\p{Cntrl}]" "") text)
                                    100)]]))

(def ^:private segment
  "A function from a parameter's name to a segment's text."
  (gen/frequency [[6 (gen/fmap constantly literal)]
                  [2 (gen/return #(str ":" %))]
                  [2 (gen/return #(str "{" % "}"))]
                  [1 (gen/fmap (fn [text] #(str "{" % "}" text)) (gen/elements [".json" ".html" "-x"]))]
                  [1 (gen/fmap (fn [text] #(str text "{" % "}")) (gen/elements ["v" "file-"]))]]))

(def template
  "A path with parameters, as users write it."
  (gen/fmap (fn [[segments end]]
              (str "/" (str/join "/" (map-indexed #(%2 (str "p" %1 "x")) segments)) end))
            (gen/such-that (fn [[segments end]] (not (and (empty? segments) (str/starts-with? end "/"))))
                           (gen/tuple (gen/vector segment 0 5)
                                      (gen/frequency [[6 (gen/return "")]
                                                      [1 (gen/return "/")]
                                                      [1 (gen/return "/*tail")]
                                                      [1 (gen/return "/{*tail}")]])))))

(def templates
  "A vector of templates, each of another shape."
  (gen/fmap (fn [generated]
              (vals (reduce #(assoc %1 (:pattern (route-path/parse %2 nil)) %2) {} generated)))
            (gen/vector template 0 30)))

(def filled
  "`[template params path]` of a template with values."
  (gen/let [template template
            segment-values (gen/vector value 6)
            tail rest-value]
    (let [parsed (route-path/parse template nil)
          params (-> (zipmap (:params parsed) segment-values)
                     (cond-> (contains? (set (:params parsed)) :tail) (assoc :tail tail)))]
      (try
        [template params (route-path/fill parsed params)]
        (catch clojure.lang.ExceptionInfo _
          ;; A catch-all right behind the first slash, with a value that begins with one.
          ["/" {} "/"])))))

(defn request
  "A generator of `[method path]`: mostly of paths that some of `templates` match, some of them changed."
  [templates]
  (gen/let [method (gen/elements ["GET" "HEAD" "POST" "DELETE" "OPTIONS" "PROPFIND"])
            template (if (empty? templates) (gen/return "/") (gen/elements templates))
            segment-values (gen/vector (gen/one-of [value (gen/elements ["a" "me" "users" "x.json"])]) 6)
            tail rest-value
            change (gen/frequency [[8 (gen/return identity)]
                                   [1 (gen/return #(str % "/"))]
                                   [1 (gen/return #(str/replace % #"/$" ""))]
                                   [1 (gen/return #(str % "/a"))]
                                   [1 (gen/return #(str/replace % "a" "%61"))]
                                   [1 (gen/return #(str/replace % #"/[^/]*$" "/me"))]])]
    (let [parsed (route-path/parse template nil)
          path (try
                 (route-path/fill parsed (assoc (zipmap (:params parsed) segment-values) :tail tail))
                 (catch clojure.lang.ExceptionInfo _ "/a"))
          changed (change path)]
      [method (if (= "" changed) "/" changed)])))

(defn handler
  "A handler that generated route data have."
  [request]
  {:status 200 :headers {} :body (:uri request)})

(def data
  "Data of one route or of the routes in it, without what has to differ from route to route."
  (gen/fmap #(into {} %)
            (gen/vector (gen/one-of [(gen/fmap (fn [ks] [:roles (set ks)]) (gen/vector gen/keyword 0 3))
                                     (gen/fmap (fn [ks] [:tags (vec ks)]) (gen/vector gen/keyword 0 3))
                                     (gen/fmap (fn [n] [:doc n]) gen/small-integer)
                                     (gen/fmap (fn [m] [:meta {:deep m}]) (gen/map gen/keyword gen/small-integer))
                                     (gen/return [:middleware [identity]])
                                     (gen/fmap (fn [n] [:max-body-bytes n]) (gen/choose 0 1000))
                                     (gen/fmap (fn [d] [:post d]) (gen/map (gen/elements [:doc :summary]) gen/nat))])
                        0
                        4)))

(defn- number-leaves
  "The tree with a first segment for each leaf that no other has, so that there are no conflicts."
  [tree]
  (let [number (atom 0)]
    ((fn walk [[path own children]]
       (if (seq children)
         (into [path own] (map walk) children)
         [(str path "/" (swap! number inc)) (assoc own :handler handler)]))
     tree)))

(def tree
  "Nested route data, reitit's."
  (gen/fmap #(mapv (fn [[n generated]] (update (number-leaves generated) 0 (fn [path] (str "/t" n path))))
                   (map-indexed vector %))
            (gen/vector (gen/recursive-gen (fn [inner]
                                             (gen/tuple (gen/elements ["" "/a" "/b/c"]) data (gen/vector inner 0 3)))
                                           (gen/tuple (gen/elements ["" "/a" "/{id}"]) data (gen/return nil)))
                        0
                        3)))
