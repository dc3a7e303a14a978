(ns hinny.wire-table
  "Tables of bytes on a connection and what must come back.

  * `check-table` -- runs every row in every handler mode
  * `request`, `chunks`, `with-lines` -- what rows are made of

  A row is `[section what bytes expected]`: the section that asks for it, what is special, the bytes as a client sends
  them in one piece, and what comes: for each response its status, or the body of a 200 as a string, then `:keep` or
  `:close`.

      [\"9112 6.3\" \"no body\" (request \"GET /a\") [\"get /a\" :keep]]

  After `:keep` the connection serves another request. Before `:close`, a request for `/smuggled` follows in the same
  piece: the connection ends without it, and no handler sees it, whatever the server takes it for."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [is testing]]
   [hinny.raw-client :as raw])
  (:import
   (java.util.concurrent LinkedBlockingQueue)))

(set! *warn-on-reflection* true)

(def modes
  "The handler modes in which every row runs."
  [:inline :worker])

;; What rows are made of

(defn with-lines
  "A request for `line` (method and target) in HTTP/1.1 with Host and these lines."
  [line & lines]
  (apply raw/head (str line " HTTP/1.1") "Host: x" lines))

(defn request
  "A request for `line`, with `body` behind its head if there is one."
  ([line] (with-lines line))
  ([line fields body] (str (apply with-lines line fields) body)))

(defn chunks
  "A chunked request to `/a` whose coded body is exactly `coded`."
  [coded]
  (request "POST /a" ["Transfer-Encoding: chunked"] coded))

(def ^:private smuggled-request (raw/head "GET /smuggled HTTP/1.1" "Host: x"))

;; Running them

(defn- read-expected
  "Reads the responses that are expected; returns them as they came, in the form of the row."
  [client bytes expected]
  (vec (map-indexed
         (fn [n wanted]
           (let [response (raw/read-response client {:head? (and (zero? n) (str/starts-with? bytes "HEAD "))})]
             (cond
               (nil? response) :no-response
               (and (string? wanted) (= 200 (:status response))) (:body response)
               :else (:status response))))
         expected)))

(defn- check-row
  [server ^LinkedBlockingQueue smuggled [section what bytes expected]]
  (testing (str section ", " what ": " (pr-str (subs bytes 0 (min 300 (count bytes)))))
    (raw/with-client [client server]
      (let [[responses [then]] (split-at (dec (count expected)) expected)]
        (raw/send! client (str bytes (when (= :close then) smuggled-request)))
        (is (= responses (read-expected client bytes responses)))
        (if (= :keep then)
          (do
            (raw/send! client (raw/get-request "/next"))
            (is (= "get /next" (:body (raw/read-response client)))))
          (is (raw/eof? client)))
        (is (nil? (.poll smuggled)) "a handler saw what followed a refused request")))))

(defn check-table
  "Runs every row of `table` in every mode, on a connection of its own to a server that echoes method, target and body."
  [table]
  (doseq [mode modes]
    (testing mode
      (let [smuggled (LinkedBlockingQueue.)
            handler (fn [request]
                      (when (= "/smuggled" (:uri request))
                        (.add smuggled request))
                      (raw/echo-target request))]
        (raw/with-server [server handler {:handler-mode mode}]
          (doseq [row table]
            (check-row server smuggled row)))
        (is (nil? (.poll smuggled)) "a handler saw it after its connection had ended")))))
