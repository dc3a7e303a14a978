(ns hinny.http-clients
  "HTTP clients that people use, which send a body whole before they look for an answer, or nearly.

  * `clients` -- what they are called, and a function of a URL and a length: it posts a body of so many bytes and returns
                 `[status body]`, or `:failed` and why. Of Python and Node only where there is one."
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [hinny.raw-client :as raw])
  (:import
   (java.io File InputStream)
   (java.net HttpURLConnection Proxy URI)
   (java.net.http HttpClient HttpClient$Version HttpRequest HttpRequest$BodyPublishers HttpResponse HttpResponse$BodyHandlers)
   (java.time Duration)
   (java.util List)
   (java.util.concurrent TimeUnit)))

(set! *warn-on-reflection* true)

(def ^:private guard-seconds (quot raw/guard-ms 1000))

(defn- url-connection [url length]
  (let [connection ^HttpURLConnection (.openConnection (.toURL (URI. url)) Proxy/NO_PROXY)]
    (doto connection
      (.setRequestMethod "POST")
      (.setDoOutput true)
      (.setConnectTimeout raw/guard-ms)
      (.setReadTimeout raw/guard-ms)
      (.setFixedLengthStreamingMode (long length)))
    (with-open [out (.getOutputStream connection)]
      (.write out (byte-array length)))
    [(.getResponseCode connection) (raw/text (.readAllBytes ^InputStream (or (.getErrorStream connection) (.getInputStream connection))))]))

(defn- http-client [url length]
  (let [client (-> (HttpClient/newBuilder) (.version HttpClient$Version/HTTP_1_1) .build)
        request (-> (HttpRequest/newBuilder (URI. url))
                  (.timeout (Duration/ofMillis raw/guard-ms))
                  (.POST (HttpRequest$BodyPublishers/ofByteArray (byte-array length)))
                  .build)
        response ^HttpResponse (.send client request (HttpResponse$BodyHandlers/ofString))]
    [(.statusCode response) (.body response)]))

(defn- on-path? [program]
  (some #(.canExecute (io/file % program)) (str/split (System/getenv "PATH") (re-pattern File/pathSeparator))))

(defn- run
  "Runs a program that prints status and body on a line each."
  [& command]
  (let [process (-> (ProcessBuilder. ^List (vec command)) (.redirectErrorStream true) .start)
        output (future (raw/text (.readAllBytes (.getInputStream process))))]
    (try
      (if (.waitFor process raw/guard-ms TimeUnit/MILLISECONDS)
        (let [[status body :as lines] (str/split-lines (deref output raw/guard-ms ""))]
          (if (re-matches #"\d{3}" (str status))
            [(parse-long status) body]
            [:failed lines]))
        [:failed :hung])
      (finally
        (.destroyForcibly process)))))

(def ^:private python-post
  "import sys, urllib.request, urllib.error
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    answer = opener.open(urllib.request.Request(sys.argv[1], data=bytes(int(sys.argv[2])), method='POST'), timeout=float(sys.argv[3]))
except urllib.error.HTTPError as error:
    answer = error
print(answer.status)
print(answer.read().decode())")

(def ^:private node-post
  "const [url, length, seconds] = process.argv.slice(1);
fetch(url, {method: 'POST', body: new Uint8Array(Number(length)), signal: AbortSignal.timeout(seconds * 1000)})
  .then(async answer => { console.log(answer.status); console.log(await answer.text()); })
  .catch(error => { console.log(String(error), String(error.cause)); });")

(def clients
  "See the namespace."
  (cond-> {"java.net.HttpURLConnection" url-connection
           "java.net.http.HttpClient" http-client}
    (on-path? "python3") (assoc "Python's urllib" #(run "python3" "-c" python-post %1 (str %2) (str guard-seconds)))
    (on-path? "node") (assoc "Node's fetch" #(run "node" "-e" node-post %1 (str %2) (str guard-seconds)))))
