(ns hello.main
  "A small service on Hinny: `make run` starts it.

  `GET /`, `/plaintext`, `/json`, `/headers` and `POST /echo`. Port from the environment variable PORT, default 8080."
  (:require
   [clojure.string :as str]
   [hinny.server :as server])
  (:import
   (java.io InputStream)
   (sun.misc Signal SignalHandler))
  (:gen-class))

(set! *warn-on-reflection* true)

(defn- text
  [body]
  {:status 200 :headers {"Content-Type" "text/plain; charset=utf-8"} :body body})

(defn- json-string
  [value]
  (str \"
       (str/escape (str value)
                   (into {\" "\\\"" \\ "\\\\"}
                         (map (fn [code] [(char code) (str "\\u" (subs (Integer/toHexString (+ 0x10000 code)) 1))]))
                         (range 0x20)))
       \"))

(defn- json-object
  [entries]
  (str "{" (str/join "," (for [[k v] entries] (str (json-string (name k)) ":" (json-string v)))) "}"))

(defn- json
  [entries]
  {:status 200 :headers {"Content-Type" "application/json"} :body (json-object entries)})

(defn- echo
  [{:keys [headers ^InputStream body]}]
  {:status 200
   :headers {"Content-Type" (get headers "content-type" "application/octet-stream")}
   :body (if body (.readAllBytes body) (byte-array 0))})

(defn handler
  "The Ring handler of the example."
  [{:keys [request-method uri headers] :as request}]
  (case [request-method uri]
    [:get "/"] (text "Hello from Hinny. Try /plaintext, /json, /headers, and POST /echo.\n")
    [:get "/plaintext"] (text "Hello, World!")
    [:get "/json"] (json {:message "Hello, World!"})
    [:get "/headers"] (json (sort headers))
    [:post "/echo"] (echo request)
    {:status 404 :headers {"Content-Type" "text/plain"} :body "Not Found"}))

(defn- port
  []
  (let [text (or (System/getenv "PORT") "8080")]
    (or (parse-long text)
        (throw (ex-info (str "PORT must be a number, is " (pr-str text)) {:port text})))))

(defn- stop-on-interrupt
  "Makes Ctrl-C stop `server`, after which `-main` returns and the JVM ends with status 0. Without this the JVM's end
  stops the server as well, with its drain, but the status is 130, as it is 143 for SIGTERM."
  [server]
  (Signal/handle (Signal. "INT")
                 (reify SignalHandler
                   (handle [_ _]
                     (println "stopping ...")
                     (server/stop-server server)))))

(defn -main
  "Starts the example, says what to try, and serves until Ctrl-C."
  [& _]
  (let [server (try
                 (server/run-server #'handler {:host "127.0.0.1" :port (port)})
                 (catch clojure.lang.ExceptionInfo e
                   (binding [*out* *err*] (println (ex-message e)))
                   (System/exit 1)))
        url (str "http://127.0.0.1:" (server/server-port server))]
    (stop-on-interrupt server)
    (println (str "Hinny listens on " url "\n"
                  "  curl " url "/\n"
                  "  curl -i " url "/plaintext\n"
                  "  curl " url "/json\n"
                  "  curl " url "/headers\n"
                  "  curl -d 'some text' " url "/echo\n"
                  "Ctrl-C stops it."))
    (.join ^hinny.server.Server server)
    (println "stopped")))
