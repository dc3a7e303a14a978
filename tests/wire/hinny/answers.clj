(ns hinny.answers
  "A handler with an answer of every kind, chosen by the path of the request.

  * `handler` -- the handler
  * `paths`   -- the paths that it knows; any other is answered with the request itself"
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [hinny.protocols :as protocols]
   [hinny.raw-client :as raw]
   [hinny.raw-stream :as stream])
  (:import
   (java.io ByteArrayInputStream File OutputStream)))

(set! *warn-on-reflection* true)

(def ^:private file
  (delay
    (doto (File/createTempFile "hinny" ".txt")
      (.deleteOnExit)
      (spit (stream/text-of 10000)))))

(def ^:private large (delay (stream/text-of 102400)))
(def ^:private huge (delay (raw/latin1 (stream/text-of 1048576))))

;; Two pieces that the client gets apart.
(deftype Flushed [first-piece second-piece]
  protocols/StreamableResponseBody
  (write-body-to-stream [_ _ out]
    (doto ^OutputStream out
      (.write (raw/latin1 first-piece))
      (.flush)
      (.write (raw/latin1 second-piece))
      (.close))))

(defn- echo [{:keys [request-method uri query-string headers body]}]
  {:status 200
   :headers {"Content-Type" "text/plain; charset=ISO-8859-1"}
   :body (str/join "\n" [(name request-method) uri (pr-str query-string) (pr-str (into (sorted-map) headers))
                         (some-> body (slurp :encoding "ISO-8859-1"))])})

(defn- of-status [status]
  {:status status :headers {"X-A" "b"} :body "abc"})

(defn- with-headers [& headers]
  {:status 200 :headers (apply array-map headers) :body "abc"})

(def ^:private answers
  "By path: a function that makes the response, so that a body can be read each time."
  (merge
    (into {} (for [status [200 201 204 205 206 304 404 500 599]]
               [(str "/status/" status) #(of-status status)]))
    {"/no-body" (fn [] {:status 200})
     "/nil-body" (fn [] {:status 200 :headers {} :body nil})
     "/empty" (fn [] {:status 200 :body ""})
     "/bytes" (fn [] {:status 200 :body (byte-array (range -128 128))})
     "/large" (fn [] {:status 200 :body @large})
     "/huge" (fn [] {:status 200 :body @huge})
     "/not-found" (fn [] {:status 404 :headers {"Content-Length" "7"}})
     "/not-modified" (fn [] {:status 304 :headers {"Content-Length" "10" "ETag" "\"e\""}})
     "/headers" #(with-headers "conTENT-type" "text/x" "Set-Cookie" ["a=1" "b=2"] "X-A" '("c" "d") "x-a" "e" "X-Empty" "" "X-None" [] "X-L" "caf\u00e9")
     "/many-headers" (fn [] {:status 200 :headers (into {} (for [n (range 150)] [(str "X-" n) (str n)])) :body "abc"})
     "/long-header" #(with-headers "X-A" (str/join (repeat 20000 "v")))
     "/length" #(with-headers "Content-Length" "9" "X-A" "b")
     "/length-none" #(with-headers "content-length" "x")
     "/coding" #(with-headers "Transfer-Encoding" "chunked" "Content-Length" "9")
     "/close" #(with-headers "X-A" "b" "Connection" "close")
     "/close-in-list" #(with-headers "connection" "A, Close" "X-A" "b")
     "/keep-alive" #(with-headers "Connection" "keep-alive")
     "/other-connection" #(with-headers "Connection" "x-a" "X-A" "b")
     "/upgrade" #(with-headers "Connection" "Upgrade" "Upgrade" "h2c")
     "/date" #(with-headers "X-A" "b" "Date" "Tue, 15 Nov 1994 08:12:31 GMT")
     "/server" #(with-headers "Server" "mine" "X-A" "b")
     "/all-own" #(with-headers "Date" "never" "server" "" "Content-Length" "3" "Connection" "close")
     "/seq" (fn [] {:status 200 :body (list "a" "b" "" "c")})
     "/flushed" (fn [] {:status 200 :headers {"X-A" "b"} :body (->Flushed "first" "second")})
     "/flushed-length" (fn [] {:status 200 :headers {"Content-Length" "11"} :body (->Flushed "first" "second")})
     "/flushed-204" (fn [] {:status 204 :body (->Flushed "first" "second")})
     "/input-stream" (fn [] {:status 200 :body (ByteArrayInputStream. (raw/latin1 "in a stream"))})
     "/file" (fn [] {:status 200 :body @file})
     "/file-304" (fn [] {:status 304 :body @file})
     "/no-file" (fn [] {:status 200 :body (io/file "no" "such" "file")})
     "/throw" (fn [] (throw (IllegalStateException. "on purpose")))
     "/nil" (fn [])
     "/no-status" (fn [] {:headers {"X-A" "b"} :body "abc"})
     "/status-100" #(of-status 100)
     "/bad-header" #(with-headers "X-A" "b\r\nX-B: c")
     "/bad-body" (fn [] {:status 200 :body 1})}))

(def paths
  "Every path with an answer of its own."
  (vec (sort (keys answers))))

(def plain-paths
  "Those whose answers are small and at once, and leave the connection as it is."
  (vec (remove #(re-find #"close|own|large|huge|many|long|file" %) paths)))

(defn handler
  "Answers as the path says; otherwise with the method, the path, the query, the fields and the body of the request."
  [{:keys [uri] :as request}]
  (if-let [answer (answers uri)]
    (answer)
    (echo request)))
