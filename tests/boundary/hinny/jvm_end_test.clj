(ns hinny.jvm-end-test
  "The end of a JVM with servers in it: what keeps it from ending, and what its end does to requests that have begun.
  Each in a JVM of its own."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (clojure.lang ExceptionInfo)
   (java.lang.reflect Field)
   (java.util Map)))

(set! *warn-on-reflection* true)

(def ^:private terminated
  "The status of a JVM that SIGTERM has ended: 128 + 15."
  143)

(defn- say
  "Prints a line at once, in one piece."
  [& words]
  (print (str (apply str (interpose " " words)) "\n"))
  (flush))

(defn- port-of
  "The port that a scene has printed."
  [jvm]
  (some-> (forked/await-line jvm #"^port (\d+)$") second parse-long))

(defn- get-from
  [port path]
  (with-open [client (raw/connect port)]
    (probe/exchange client (raw/get-request path))))

(defn- ended-by-terminate
  [jvm]
  (forked/terminate jvm)
  (let [{:keys [exit crash-log output]} (forked/finish jvm)]
    (when-not (= [terminated nil] [exit crash-log])
      (println output))
    [exit crash-log]))

;;; What keeps a JVM up

(defn serve-and-return
  "Starts a server, and leaves it."
  [options]
  (let [handler #(probe/ok (:uri %))]
    (say "port" (server/server-port (server/run-server handler (merge {:host "127.0.0.1" :port 0} options))))))

(defn serve-and-stop
  "Starts a server, and stops it."
  [options]
  (server/stop-server (server/run-server #(probe/ok (:uri %)) (merge {:host "127.0.0.1" :port 0} options))))

(deftest main-returns-test
  (testing "a program whose main thread returns goes on serving, until SIGTERM"
    (let [jvm (forked/start 'hinny.jvm-end-test/serve-and-return {:exit? false} {})
          port (port-of jvm)]
      (is (forked/await-line jvm #"^the-value-is"))
      (is (= [200 "/1"] (get-from port "/1")))
      (is (= [200 "/2"] (get-from port "/2")))
      (is (= [terminated nil] (ended-by-terminate jvm)))))
  (testing "with :daemon? true it ends"
    (is (forked/sound? (forked/call 'hinny.jvm-end-test/serve-and-return {:exit? false} {:daemon? true}))))
  (testing "and so it does when the server has stopped"
    (is (forked/sound? (forked/call 'hinny.jvm-end-test/serve-and-stop {:exit? false} {})))))

;;; What the end of a JVM does to requests

(defn- holding-handler
  "Answers when no loop of any server that `servers` promises accepts a connection any more."
  [servers]
  (fn [{:keys [uri]}]
    (say "begun" uri)
    (if (probe/await-that #(every? (comp probe/refused? server/server-port) (deref servers probe/guard-ms nil)))
      (probe/ok (str "drained " uri))
      {:status 500})))

(defn serve-held-requests
  "Starts `n` servers whose handlers wait for the end of the JVM."
  [n options]
  (let [servers (promise)]
    (deliver servers
             (vec (repeatedly n #(server/run-server (holding-handler servers)
                                                    (merge {:host "127.0.0.1" :port 0 :drain-timeout-ms 3600000} options)))))
    (doseq [[i s] (map-indexed vector @servers)]
      (say (str "port-" i) (server/server-port s)))))

(defn- held-ports
  [jvm n]
  (mapv #(some-> (forked/await-line jvm (re-pattern (str "^port-" % " (\\d+)$"))) second parse-long) (range n)))

(defn serve-held-for-ever
  "Starts a server whose handler never answers."
  [options]
  (let [handler (fn [_]
                  (say "begun")
                  @(promise))]
    (say "port" (server/server-port (server/run-server handler (merge {:host "127.0.0.1" :port 0} options))))))

(deftest sigterm-drains-test
  (testing "SIGTERM stops every server, side by side; each finishes the request that it has begun"
    (let [jvm (forked/start 'hinny.jvm-end-test/serve-held-requests {:exit? false} 3 {})
          ports (held-ports jvm 3)
          clients (mapv raw/connect ports)]
      (try
        (doseq [[i client] (map-indexed vector clients)]
          (raw/send! client (raw/get-request (str "/" i)))
          (is (forked/await-line jvm (re-pattern (str "^begun /" i "$")))))
        (forked/terminate jvm)
        (doseq [[i client] (map-indexed vector clients)]
          (let [response (raw/read-response client)]
            (is (= [200 (str "drained /" i)] ((juxt :status :body) response)))
            (is (= "close" (raw/header response "connection")))
            (is (= :eof (raw/end-of client)))))
        (let [{:keys [exit crash-log]} (forked/finish jvm)]
          (is (= [terminated nil] [exit crash-log])))
        (finally (run! #(.close ^java.io.Closeable %) clients)))))
  (testing "after the drain timeout it cuts what is left"
    (let [jvm (forked/start 'hinny.jvm-end-test/serve-held-for-ever {:exit? false} {:drain-timeout-ms 50})]
      (with-open [client (raw/connect (port-of jvm))]
        (raw/send! client (raw/get-request "/"))
        (is (forked/await-line jvm #"^begun$"))
        (is (= [terminated nil] (ended-by-terminate jvm)))
        (is (probe/ended? client)))))
  (testing "with :shutdown-hook? false the end of the JVM is the end of everything"
    (let [jvm (forked/start 'hinny.jvm-end-test/serve-held-for-ever {:exit? false}
                            {:shutdown-hook? false :drain-timeout-ms 3600000})]
      (with-open [client (raw/connect (port-of jvm))]
        (raw/send! client (raw/get-request "/"))
        (is (forked/await-line jvm #"^begun$"))
        (is (= [terminated nil] (ended-by-terminate jvm)))
        (is (probe/ended? client))))))

(defn serve-and-exit
  "Starts a server whose handler ends the JVM, by another thread, and answers when that has begun."
  []
  (let [itself (promise)
        handler (fn [_]
                  (.start (Thread. ^Runnable #(System/exit 7)))
                  (raw/await-until #(= :stopping (server/server-status @itself)))
                  (probe/ok "bye"))]
    (deliver itself (server/run-server handler {:host "127.0.0.1" :port 0 :drain-timeout-ms 3600000}))
    (say "port" (server/server-port @itself))))

(deftest exit-test
  (testing "System/exit, in a thread that is not the server's, drains too"
    (let [jvm (forked/start 'hinny.jvm-end-test/serve-and-exit {:exit? false})
          port (port-of jvm)]
      (is (= [200 "bye"] (get-from port "/exit")))
      (is (= 7 (:exit (forked/finish jvm)))))))

;;; What is left of a hook

(def ^:private open-lang
  "So that a scene may look at the JVM's table of hooks."
  ["--add-opens=java.base/java.lang=ALL-UNNAMED"])

(defn- hooks
  "How many of the JVM's shutdown hooks are a server's."
  []
  (let [^Field field (doto (.getDeclaredField (Class/forName "java.lang.ApplicationShutdownHooks") "hooks")
                       (.setAccessible true))]
    (count (filter #(= "hinny-shutdown" (.getName ^Thread %)) (keys ^Map (.get field nil))))))

(defn hooks-of-servers
  "The numbers of hooks: before, with two servers, with one of them stopped, with one that has no hook, after a start that
  failed, when all have stopped, and when one has been stopped by its handler."
  []
  (let [run #(server/run-server (fn [_] (probe/ok "")) (merge {:host "127.0.0.1" :port 0} %))
        before (hooks)
        a (run {})
        b (run {:daemon? true})
        two (hooks)
        _ (server/stop-server a)
        one (hooks)
        none (run {:shutdown-hook? false})
        still-one (hooks)
        _ (try (run {:port (server/server-port b)}) (catch ExceptionInfo _))
        after-failure (hooks)]
    (run! server/stop-server [b none])
    (let [zero (hooks)
          itself (promise)
          own (run {})
          suicidal (server/run-server (fn [_] (server/stop-server @itself) (probe/ok "")) {:host "127.0.0.1" :port 0})]
      (deliver itself suicidal)
      (get-from (server/server-port suicidal) "/")
      (.join ^io.github.hinny.Stoppable suicidal)
      (let [after-own-stop (hooks)]
        (server/stop-server own)
        [before two one still-one after-failure zero after-own-stop (hooks)]))))

(deftest hook-test
  (testing "a server has one hook while it runs, and none when it has stopped or has not started"
    (let [{:keys [value] :as end} (forked/call 'hinny.jvm-end-test/hooks-of-servers {:flags open-lang})]
      (is (forked/sound? end))
      (is (= [0 2 1 1 1 0 1 0] value)))))
