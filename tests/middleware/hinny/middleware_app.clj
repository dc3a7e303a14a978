(ns hinny.middleware-app
  "Apps of Ring middleware on a running server, and real clients that talk to them.

  * `with-app`  -- runs a body with a server for an app, once for each handler mode
  * `answering` -- the handler at the heart of an app
  * `fetch`     -- a request by the JDK's HTTP client; `cookie-client` for one with a cookie jar
  * `curl`      -- a request by curl, where there is one
  * `multipart` -- the body of a form with files
  * `edn-response`, `edn` -- values from a handler to its test

      (with-app [server (wrap-params (answering (fn [request] (edn-response (:params request)))))]
        (edn (fetch server \"/?a=1\")))
      ;; => {\"a\" \"1\"}, in each mode

  Every request that an app gets and every response that it gives is held against the Ring SPEC."
  (:require
   [clojure.edn :as edn]
   [clojure.java.io :as io]
   [clojure.string :as str]
   [clojure.test :refer [is testing]]
   [hinny.impl.text :as text]
   [hinny.raw-client :as raw :refer [with-server]]
   [hinny.request-lint :as lint]
   [hinny.server :as server])
  (:import
   (java.io ByteArrayOutputStream File)
   (java.net CookieManager CookiePolicy URI)
   (java.net.http HttpClient HttpClient$Redirect HttpClient$Version HttpRequest HttpRequest$BodyPublisher HttpRequest$BodyPublishers HttpResponse HttpResponse$BodyHandlers)
   (java.nio.charset StandardCharsets)
   (java.nio.file Files)
   (java.nio.file.attribute FileAttribute)
   (java.security MessageDigest)
   (java.time Duration)
   (java.util HexFormat List Random)))

(set! *warn-on-reflection* true)

;; Apps

(def modes
  "The handler modes that every app runs in."
  [:inline :worker :async])

(def blocking-modes
  "The handler modes of apps that block: those that read large bodies or store files."
  [:worker :async])

(defn answering
  "A handler of both arities that answers with what `f` returns for the request. The asynchronous one answers from
  another thread."
  [f]
  (fn
    ([request] (f request))
    ([request respond raise]
     (future
       (when-let [response (try
                             (f request)
                             (catch Throwable failure
                               (raise failure)
                               nil))]
         (respond response)))
     nil)))

(defn- off-the-loop
  "Lets an asynchronous app that blocks do so on another thread."
  [app]
  (fn
    ([request] (app request))
    ([request respond raise]
     (future
       (try
         (app request respond raise)
         (catch Throwable failure (raise failure))))
     nil)))

(defn call-with-app
  "Calls `f` with a server for `app`, once for each mode; see `with-app`."
  [app {:keys [blocking?] :as options} f]
  (doseq [mode (if blocking? blocking-modes modes)]
    (testing mode
      (let [violations (atom [])]
        (with-server [server (cond-> (lint/wrap-lint app violations)
                               blocking? off-the-loop)
                      (assoc (dissoc options :blocking?) :handler-mode mode)]
          (f server))
        (is (= [] @violations) "requests and responses are as the Ring SPEC wants them")))))

(defmacro with-app
  "Runs `body` with a server for `app` bound to `server`, once for each of `modes`.

  `options` are those of the server, and `:blocking? true` for an app that blocks: once for each of `blocking-modes`."
  [[server app options] & body]
  `(call-with-app ~app ~options (fn [~server] ~@body)))

(defn edn-response
  "The response that tells `value` to `edn`."
  [value]
  {:status 200
   :headers {"Content-Type" "application/edn; charset=utf-8"}
   :body (pr-str value)})

;; The JDK's client

(defn- client ^HttpClient [^CookieManager cookies]
  (let [builder (doto (HttpClient/newBuilder)
                  (.version HttpClient$Version/HTTP_1_1)
                  (.followRedirects HttpClient$Redirect/NEVER)
                  (.connectTimeout (Duration/ofMillis raw/guard-ms)))]
    (when cookies
      (.cookieHandler builder cookies))
    (.build builder)))

(def ^:private plain-client (delay (client nil)))

(defn cookie-client
  "Returns a client with a cookie jar of its own."
  []
  (client (CookieManager. nil CookiePolicy/ACCEPT_ALL)))

(defn url
  "The absolute URL of `target`."
  [server target]
  (str "http://127.0.0.1:" (server/server-port server) target))

(defn- publisher ^HttpRequest$BodyPublisher [body]
  (cond
    (nil? body) (HttpRequest$BodyPublishers/noBody)
    (string? body) (HttpRequest$BodyPublishers/ofString body)
    (bytes? body) (HttpRequest$BodyPublishers/ofByteArray body)
    :else body))

(defn utf8
  "The text of UTF-8 bytes."
  [^bytes bytes]
  (String. bytes StandardCharsets/UTF_8))

(defn- response-map [^HttpResponse response]
  (let [bytes (.body response)]
    {:status (.statusCode response)
     :headers (into {} (map (fn [[k v]] [(text/lower-case k) (vec v)])) (.map (.headers response)))
     :bytes bytes
     :body (utf8 bytes)}))

(defn fetch
  "Sends a request to `target` and returns the response: `:status`, `:headers` (lower-case name to vector of values),
  `:bytes`, and the same as text in `:body`.

  `:method` (\"GET\"), `:headers` (name to value), `:body` (text, bytes or a `BodyPublisher`), `:client`."
  [server target & {:keys [method headers body] http :client}]
  (let [builder (doto (HttpRequest/newBuilder (URI. (url server target)))
                  (.timeout (Duration/ofMillis raw/guard-ms))
                  (.method (or method "GET") (publisher body)))]
    (doseq [[k v] headers]
      (.header builder k v))
    (let [^HttpClient http (or http @plain-client)]
      (response-map (.send http (.build builder) (HttpResponse$BodyHandlers/ofByteArray))))))

(defn edn
  "The value that `edn-response` told, read from a response of any client here; the response itself if it is another."
  [{:keys [status bytes body] :as response}]
  (if (= 200 status)
    (edn/read-string (utf8 (or bytes (raw/latin1 body))))
    response))

(defn header
  "The value of the only header field called `field`, nil if there is none; all values if there are more."
  [{:keys [headers]} field]
  (let [[value & more :as values] (get headers field)]
    (if more values value)))

(defn post-form
  "Posts an URL-encoded form, as `fetch`."
  [server target form & {:keys [headers] :as options}]
  (fetch server target (assoc options
                              :method "POST"
                              :body form
                              :headers (merge {"Content-Type" "application/x-www-form-urlencoded"} headers))))

;; curl

(def curl?
  "Whether there is a curl; scripts/test.sh says so where there is none."
  (some #(.canExecute (io/file % "curl")) (str/split (System/getenv "PATH") (re-pattern File/pathSeparator))))

(defn curl
  "Runs curl with `arguments` and returns what it wrote to its output, as text; throws if it fails."
  [& arguments]
  (let [command (into ["curl" "--silent" "--show-error" "--max-time" (str (quot raw/guard-ms 1000)) "--noproxy" "*"] arguments)
        process (-> (ProcessBuilder. ^List (vec (map str command))) (.redirectErrorStream true) .start)
        output (utf8 (.readAllBytes (.getInputStream process)))]
    (when-not (zero? (.waitFor process))
      (throw (ex-info "curl failed" {:command command :status (.exitValue process) :output output})))
    output))

;; Files and bytes

(defn random-bytes
  "`n` bytes, the same ones for the same `seed`."
  ^bytes [n seed]
  (let [bytes (byte-array n)]
    (.nextBytes (Random. seed) bytes)
    bytes))

(defn sha256
  "The SHA-256 of bytes, in hexadecimal."
  [^bytes bytes]
  (.formatHex (HexFormat/of) (.digest (MessageDigest/getInstance "SHA-256") bytes)))

(defn call-with-directory
  "Calls `f` with a new directory, and deletes it."
  [f]
  (let [directory (.toFile (Files/createTempDirectory "hinny-middleware" (make-array FileAttribute 0)))]
    (try
      (f directory)
      (finally
        (run! #(Files/deleteIfExists (.toPath ^File %)) (reverse (file-seq directory)))))))

(defmacro with-directory
  "Runs `body` with a new, empty directory bound to `directory`."
  [[directory] & body]
  `(call-with-directory (fn [~(vary-meta directory assoc :tag `File)] ~@body)))

(defn write-file!
  "Writes text (as UTF-8) or bytes to the file at `path` below `directory`; returns the file."
  ^File [^File directory path content]
  (let [file (io/file directory path)]
    (io/make-parents file)
    (io/copy content file :encoding "UTF-8")
    file))

(defn multipart
  "The bytes of a form with `parts`, maps of `:name` and `:content` (text or bytes), for a file of `:filename` and
  `:content-type` too."
  ^bytes [boundary parts]
  (let [out (ByteArrayOutputStream.)
        write! (fn [content]
                 (.writeBytes out (if (string? content) (.getBytes ^String content StandardCharsets/UTF_8) content)))]
    (doseq [{:keys [filename content-type content] :as part} parts]
      (write! (str "--" boundary "\r\nContent-Disposition: form-data; name=\"" (:name part) "\""))
      (when filename (write! (str "; filename=\"" filename "\"")))
      (when content-type (write! (str "\r\nContent-Type: " content-type)))
      (write! "\r\n\r\n")
      (write! content)
      (write! "\r\n"))
    (write! (str "--" boundary "--\r\n"))
    (.toByteArray out)))
