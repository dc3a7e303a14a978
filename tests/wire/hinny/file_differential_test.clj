(ns hinny.file-differential-test
  "Static files in both HTTP/1.1 engines, which look at one directory: the same bytes for the same pipelines in the same
  pieces."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [clojure.test.check.clojure-test :refer [defspec]]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [hinny.engine-pair :as pair :refer [difference]]
   [hinny.file-site :as site :refer [etag link! long-ago path with-directory write!]]
   [hinny.modes :as modes]
   [hinny.raw-client :as raw])
  (:import
   (java.io Closeable)))

(set! *warn-on-reflection* true)

(defn- write-site!
  [directory]
  (doseq [[file text] {"a.txt" "0123456789" "empty.txt" "" "index.html" "index" "sub/index.html" "sub" "bare/x.css" "x{}"
                       "a.js" "plain" "a.js.br" "brotli" "a.js.gz" "gzip!" ".hidden" "hidden"
                       "small.bin" (site/noise 3000) "middle.bin" (site/noise 65537) "large.bin" (site/noise 400000)}]
    (write! directory (str "public/" file) text))
  (write! directory "secret.txt" "secret")
  (link! directory "public/in" "a.txt")
  (link! directory "public/out" "../secret.txt"))

(defn- routes
  [directory]
  (let [root (path directory "public")]
    (fn [handler]
      [["/s/*path" {:files {:root root :precompressed [:br :gzip] :cache-control "max-age=1" :headers {"X-A" "b"}}}]
       ["/new/*path" {:files {:root root :cache-ms 0 :index []}}]
       ["/none/*path" {:files {:root root :cache-bytes 0 :hidden? true :symlinks :refuse}}]
       ["/one" {:file (path directory "public/a.txt")}]
       ["/spa/*path" {:file (path directory "public/index.html")}]
       ["/constant" {:get {:response {:status 200 :body "constant"}}}]
       ["/handler" {:get handler :post handler}]])))

(def ^:private prefixes ["/s/" "/new/" "/none/"])

(def ^:private below
  ["a.txt" "%61.txt" "empty.txt" "" "sub" "sub/" "sub?q=1" "bare" "bare/" "bare/x.css" "a.js" "a.js.gz" ".hidden" "small.bin" "middle.bin"
   "large.bin" "nowhere" "nowhere/" "a.txt/" "in" "out" "../secret.txt" "%2e%2e/secret.txt" "..%2fsecret.txt" "%00"])

(def ^:private others
  ["/one" "/one/" "/spa/" "/spa/x/y?z" "/constant" "/handler" "/nowhere" "/"])

(def ^:private field-choices
  "For each field its values."
  {"Accept-Encoding" ["br" "gzip" "gzip, br;q=0.5" "identity" "*;q=0"]
   "Range" ["bytes=0-3" "bytes=-4" "bytes=2-" "bytes=100-" "bytes=0-0,1000-1001,2900-" "bytes=0-9,200000-399999" "bytes=5-1" "lines=1-2"]
   "If-None-Match" [(etag 10) (str "W/" (etag 6 "br")) "\"x\"" "*" "x"]
   "If-Modified-Since" [long-ago "Mon, 07 Nov 1994 08:49:37 GMT" "Sat, 05 Nov 1994 08:49:37 GMT" "x"]
   "If-Match" [(etag 10) (str (etag 3000) ", " (etag 10)) "\"x\"" "*"]
   "If-Unmodified-Since" [long-ago "Sat, 05 Nov 1994 08:49:37 GMT"]
   "If-Range" [(etag 10) (etag 400000) long-ago "\"x\""]})

(defn- of-request
  [method target version fields body]
  (str (apply raw/head (str method " " target " " version) "Host: x"
              (cond-> fields body (conj (str "Content-Length: " (count body)))))
       body))

(def ^:private gen-target
  (gen/frequency [[6 (gen/fmap str/join (gen/tuple (gen/elements prefixes) (gen/elements below)))]
                  [1 (gen/elements others)]]))

(def ^:private gen-fields
  (gen/let [fields (gen/fmap distinct (gen/vector (gen/elements (sort (keys field-choices))) 0 3))
            values (apply gen/tuple (map #(gen/elements (field-choices %)) fields))
            close (gen/frequency [[15 (gen/return [])] [1 (gen/return ["Connection: close"])]])]
    (into (mapv #(str %1 ": " %2) fields values) close)))

(def ^:private gen-request
  (gen/let [method (gen/frequency [[8 (gen/return "GET")] [3 (gen/return "HEAD")] [1 (gen/elements ["POST" "OPTIONS" "BREW"])]])
            target gen-target
            version (gen/frequency [[20 (gen/return "HTTP/1.1")] [1 (gen/return "HTTP/1.0")]])
            fields gen-fields
            body (gen/frequency [[8 (gen/return nil)] [1 (gen/elements ["" "abc"])]])]
    (of-request method target version fields (if (= "POST" method) (or body "x") body))))

(defn- in-pieces
  "`text` cut at these places."
  [text places]
  (let [cuts (sort (distinct (concat [0 (count text)] (map #(mod % (count text)) places))))]
    (mapv (fn [[from to]] (subs text from to)) (partition 2 1 cuts))))

(defn- ends-connection?
  [text]
  (or (str/includes? text "Connection: close") (str/includes? text "HTTP/1.0")))

(def ^:private gen-pieces
  "A pipeline that ends the connection comes in one piece: what comes later, to a server that has closed, resets the
  connection, and the end of a long response may be lost."
  (gen/let [requests (gen/vector gen-request 1 10)
            places (gen/vector gen/nat 0 3)]
    (let [text (str/join requests)]
      (if (ends-connection? text)
        [(str text pair/probe)]
        (conj (in-pieces text (map #(* 37 (long %)) places)) pair/probe)))))

(def ^:private modes-compared
  (mapv modes/named ["worker" "inline"]))

(def ^:dynamic ^:private *pairs* nil)

(defn- with-pairs
  [f]
  (with-directory [directory]
    (write-site! directory)
    (let [pairs (mapv #(pair/open-pair % (fn [{:keys [uri]}] {:status 200 :body uri}) {:make-routes (routes directory)})
                      modes-compared)]
      (try
        (binding [*pairs* pairs]
          (f))
        (finally
          (run! #(.close ^Closeable %) pairs))))))

(use-fixtures :once with-pairs)

(deftest every-target-test
  (let [pair (first *pairs*)]
    (doseq [method ["GET" "HEAD" "POST" "OPTIONS"]
            target (concat (for [prefix prefixes, file below] (str prefix file)) others)
            :let [one (of-request method target "HTTP/1.1" [] (when (= "POST" method) "abc"))]]
      (testing (pr-str one)
        (is (nil? (difference pair [(str one one pair/probe)] {:patient? true})))))))

(deftest every-field-test
  (let [pair (first *pairs*)]
    (doseq [target ["/s/a.txt" "/s/a.js" "/new/small.bin" "/none/large.bin"]
            [field values] field-choices
            value values
            :let [one (of-request "GET" target "HTTP/1.1" [(str field ": " value)] nil)]]
      (testing (pr-str one)
        (is (nil? (difference pair [(str one one pair/probe)] {:patient? true})))))))

(defspec generated-pipelines-test 150
  (prop/for-all [pieces gen-pieces]
    (every? nil? (map #(difference % pieces {:patient? true}) *pairs*))))
