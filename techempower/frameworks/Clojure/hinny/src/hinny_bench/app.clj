(ns hinny-bench.app
  "The Hinny side of the load benches, written as a user would write it: public API only.

  * `handler` -- `/plaintext` and `/json`, 404 otherwise; never blocks, so it fits every handler mode
  * `-main`   -- start it and say where it listens

      clojure -M -m hinny-bench.app inline 2 8080
      ;; prints: listening on 127.0.0.1:8080

  The JSON object is a new map for each request, and each is walked and serialised: nothing is
  kept. Threads: everything here is a pure function but `-main`."
  (:require
   [hinny.server :as server]))

(set! *warn-on-reflection* true)

(defn- plain?
  "True when the character with this code stands for itself in a JSON text that is pure ASCII."
  [^long code]
  (and (>= code 32) (< code 127) (not (== code 34)) (not (== code 92))))

(defn- append-escaped!
  "Appends the character with this code as its escape sequence."
  [^StringBuilder out ^long code]
  (case code
    34 (.append out "\\\"")
    92 (.append out "\\\\")
    10 (.append out "\\n")
    13 (.append out "\\r")
    9 (.append out "\\t")
    (.append out ^String (format "\\u%04x" code))))

(defn- write-string!
  "Appends a JSON string; anything but printable ASCII is escaped, so the text is right in every charset."
  [^StringBuilder out ^String text]
  (.append out \")
  (let [length (.length text)]
    (loop [start 0 end 0]
      (cond
        (= end length) (.append out text start end)
        (plain? (long (int (.charAt text end)))) (recur start (inc end))
        :else (do
                (.append out text start end)
                (append-escaped! out (long (int (.charAt text end))))
                (recur (inc end) (inc end))))))
  (.append out \"))

(declare write-value!)

(defn- write-map!
  "Appends a JSON object; keys are keywords, symbols or strings."
  [^StringBuilder out entries]
  (.append out \{)
  (reduce-kv
    (fn [first? k v]
      (when-not first? (.append out \,))
      (write-string! out (name k))
      (.append out \:)
      (write-value! out v)
      false)
    true
    entries)
  (.append out \}))

(defn- write-array!
  "Appends a JSON array."
  [^StringBuilder out items]
  (.append out \[)
  (reduce
    (fn [first? item]
      (when-not first? (.append out \,))
      (write-value! out item)
      false)
    true
    items)
  (.append out \]))

(defn- write-value!
  "Appends any value that JSON has; throws `IllegalArgumentException` for one that it has not."
  [^StringBuilder out value]
  (cond
    (string? value) (write-string! out value)
    (map? value) (write-map! out value)
    (nil? value) (.append out "null")
    (boolean? value) (.append out (str value))
    (integer? value) (.append out (str value))
    (and (float? value) (Double/isFinite (double value))) (.append out (str value))
    (keyword? value) (write-string! out (name value))
    (sequential? value) (write-array! out value)
    :else (throw (IllegalArgumentException. (str "JSON has no " (class value))))))

(defn json-string
  "Serialises a Clojure value: maps, sequences, strings, keywords, numbers, booleans and nil."
  ^String [value]
  (let [out (StringBuilder. 64)]
    (write-value! out value)
    (.toString out)))

(defn- greeting
  "The object that `/json` answers, a new one at each call."
  [text]
  {:message text})

(defn handler
  "Answers one Ring request."
  [request]
  (case (:uri request)
    "/plaintext" {:status 200
                  :headers {"Content-Type" "text/plain"}
                  :body "Hello, World!"}
    "/json" {:status 200
             :headers {"Content-Type" "application/json"}
             :body (json-string (greeting "Hello, World!"))}
    {:status 404 :headers {} :body nil}))

(defn -main
  "Serves on 127.0.0.1 until the process ends. `mode` is `inline` or `worker`, `loops` the number of event
  loops, `port` 0 for a free one; `engine`, the HTTP/1.1 engine, is `auto` or `hyper`."
  ([mode loops port]
   (-main mode loops port "auto"))
  ([mode loops port engine]
   (let [s (server/run-server handler {:host "127.0.0.1"
                                       :port (Long/parseLong port)
                                       :event-loops (Long/parseLong loops)
                                       :handler-mode (keyword mode)
                                       :http1-engine (keyword engine)})]
     (println (str "listening on 127.0.0.1:" (server/server-port s)))
     (flush)
     @(promise))))
