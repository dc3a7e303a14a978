(ns multipart
  "Hinny's `wrap-multipart-params` beside Ring's, in microseconds.

  Run as benches/middleware/README.md says, with clj/test, tests/ring, tests/wire and tests/middleware on the class path
  too, and the libraries of `scripts/classpath.sh test`. Both sides take turns in one process; each
  figure is the median of many short rounds, in brackets the lowest and the highest quartile. Temporary files are deleted
  within the time that is measured."
  (:require
   [hinny.impl.text :as text]
   [hinny.middleware :as hinny]
   [hinny.middleware-app :as app]
   [ring.middleware.multipart-params :as ring]
   [ring.middleware.multipart-params.byte-array :as ring-byte-array]
   [ring.middleware.multipart-params.temp-file :as ring-temp-file])
  (:import
   (java.io ByteArrayInputStream File InputStream)
   (java.util Arrays)))

(set! *warn-on-reflection* true)

(def ^:private boundary "----WebKitFormBoundary7MA4YWxkTrZu0gW")

(def ^:private fields
  (for [n (range 5)]
    {:name (str "field-" n) :content "a value of some length"}))

(defn- file
  [size]
  {:name "file" :filename "picture.png" :content-type "image/png" :content (app/random-bytes size 1)})

(defn- request
  [^bytes body]
  {:headers {"content-type" (str "multipart/form-data; boundary=" boundary) "content-length" (str (alength body))}
   :body (ByteArrayInputStream. body)})

(defn- read-store
  "Reads a file and keeps nothing: the cost of the form without that of a store."
  [{:keys [^InputStream stream]}]
  (let [buffer (byte-array 8192)]
    (loop [length 0]
      (let [n (.read stream buffer)]
        (if (neg? n)
          length
          (recur (+ length n)))))))

(def ^:private sides
  {"hinny" hinny/multipart-params-request
   "ring" ring/multipart-params-request})

(def ^:private stores
  {"in memory" {"hinny" (hinny/byte-array-store) "ring" (ring-byte-array/byte-array-store)}
   "in a file" {"hinny" (hinny/temp-file-store) "ring" (ring-temp-file/temp-file-store {})}
   "read only" {"hinny" read-store "ring" read-store}})

(defn- read-form
  [side store ^bytes body]
  (let [stored (get (:params ((sides side) (request body) {:store (get-in stores [store side])})) "file")]
    (some-> ^File (:tempfile stored) .delete)))

(defn- round-us
  "Microseconds of a form, measured over so many of them."
  ^double [side store body ^long forms]
  (let [began (System/nanoTime)]
    (dotimes [_ forms] (read-form side store body))
    (/ (- (System/nanoTime) began) 1e3 forms)))

(defn- quartiles
  [times]
  (let [sorted (double-array times)]
    (Arrays/sort sorted)
    (mapv #(aget sorted (int (* % (dec (alength sorted))))) [0.25 0.5 0.75])))

(defn- compare-both
  "Rounds of both sides in turn; prints a line for each."
  [what store body forms rounds]
  (let [turn (fn []
               (mapv #(round-us % store body forms) ["hinny" "ring"]))]
    (dotimes [_ (quot rounds 4)] (turn))
    (let [both (apply mapv vector (repeatedly rounds turn))
          [_ ring _] (quartiles (second both))]
      (doseq [[side times] (map vector ["hinny" "ring"] both)
              :let [[low median high] (quartiles times)]]
        (println (text/formatted "%-32s %-6s %10.2f µs  [%.2f %.2f]  %5.1f ×" (str what ", " store) side median low high (/ ring median)))))))

(defn -main
  "Prints what forms cost."
  []
  (println "JDK" (System/getProperty "java.version"))
  (let [small (app/multipart boundary fields)
        one-file (app/multipart boundary (concat fields [(file 10000)]))
        large (app/multipart boundary [(file 10000000)])]
    (compare-both "5 fields" "in memory" small 200 200)
    (compare-both "5 fields + 10 kB" "in memory" one-file 200 200)
    (compare-both "5 fields + 10 kB" "in a file" one-file 20 60)
    (compare-both "10 MB" "read only" large 1 60)
    (compare-both "10 MB" "in memory" large 1 60)
    (compare-both "10 MB" "in a file" large 1 40)))
