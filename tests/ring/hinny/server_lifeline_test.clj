(ns hinny.server-lifeline-test
  "What a server is to the program that started it: something to wait for, with metadata, that keeps the JVM up. The end
  of a JVM is in `hinny.jvm-end-test`."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.adapter :refer [run-jetty]]
   [hinny.raw-client :as raw]
   [hinny.server :as server :refer [run-server server-port server-status stop-server]])
  (:import
   (clojure.lang ExceptionInfo)
   (hinny.server Server)
   (io.github.hinny Engine)
   (java.net InetAddress ServerSocket SocketException)))

(set! *warn-on-reflection* true)

(def ^:private local {:port 0 :host "127.0.0.1" :drain-timeout-ms 2000})

(defn- hello [_] {:status 200 :body "hello"})

(defn- keepers
  "The threads that keep this JVM up for a server."
  []
  (filter #(= "hinny-keeper" (.getName ^Thread %)) (keys (Thread/getAllStackTraces))))

(defn- refused?
  [port]
  (try
    (with-open [client (raw/connect port)]
      (raw/send! client (raw/get-request "/"))
      (nil? (raw/read-response client)))
    (catch SocketException _ true)))

(defn- started-by
  "Calls `start` in a thread of its own. Returns the `:thread`, the `:engine` that it has started, and a promise of the
  `:outcome`: what it returned or threw."
  [start]
  (let [engine (promise)
        outcome (promise)
        tie @#'server/tie-to-jvm]
    (with-redefs [server/tie-to-jvm (fn [e settings]
                                      (tie e settings)
                                      (deliver engine e))]
      (let [thread (doto (Thread. ^Runnable #(deliver outcome (try (start) (catch Throwable t t)))) .start)]
        {:thread thread
         :engine (deref engine raw/guard-ms nil)
         :outcome outcome}))))

(deftest join-option-test
  (doseq [[what start] {"run-server, :join? true" #(run-server hello (assoc local :join? true))
                        "run-jetty, by default" #(run-jetty hello local)}]
    (testing (str what ": returns the server when it has stopped, not before")
      (let [{:keys [^Engine engine outcome]} (started-by start)]
        (with-open [client (raw/connect (.port engine))]
          (raw/send! client (raw/get-request "/"))
          (is (= "hello" (:body (raw/read-response client)))))
        (is (not (realized? outcome)))
        (.stop engine 0)
        (let [server (deref outcome raw/guard-ms :blocked)]
          (is (instance? Server server))
          (is (= :stopped (server-status server)))
          (is (= (.port engine) (server-port server)))))))
  (testing "an interrupt of the thread that waits stops the server"
    (let [{:keys [^Engine engine ^Thread thread outcome]} (started-by #(run-server hello (assoc local :join? true)))]
      (.interrupt thread)
      (is (instance? InterruptedException (deref outcome raw/guard-ms :blocked)))
      (is (refused? (.port engine)))))
  (testing ":join? false returns at once"
    (with-open [server (run-jetty hello (assoc local :join? false))]
      (is (= :running (server-status server))))))

(deftest keeper-test
  (testing "each server has a thread that is no daemon, until it has stopped"
    (with-open [^Server a (run-server hello local)
                _ (run-server hello (assoc local :daemon? false))]
      (is (= [false false] (map #(.isDaemon ^Thread %) (keepers))))
      (.close a)
      (is (raw/await-until #(= 1 (count (keepers)))))
      (testing "which an interrupt does not end"
        (let [^Thread keeper (first (keepers))]
          (.interrupt keeper)
          (is (raw/await-until #(not (.isInterrupted keeper))))
          (is (= [keeper] (keepers))))))
    (is (raw/await-until #(empty? (keepers)))))
  (testing "also when a daemon thread starts it"
    (let [server (promise)]
      (doto (Thread. ^Runnable #(deliver server (run-server hello local))) (.setDaemon true) .start)
      (with-open [_ ^Server (deref server raw/guard-ms nil)]
        (is (= [false] (map #(.isDaemon ^Thread %) (keepers)))))
      (is (raw/await-until #(empty? (keepers))))))
  (testing ":daemon? true has none"
    (with-open [_ (run-server hello (assoc local :daemon? true))]
      (is (empty? (keepers)))))
  (testing "nor has a server that could not start"
    (with-open [other (ServerSocket. 0 1 (InetAddress/getByName "127.0.0.1"))]
      (is (thrown? ExceptionInfo (run-server hello (assoc local :port (.getLocalPort other)))))
      (is (empty? (keepers))))))

(deftest metadata-test
  (with-open [server (run-server hello local)]
    (testing "the port is in it, as in http-kit's"
      (is (= {:local-port (server-port server)} (meta server))))
    (testing "a server with other metadata is the same server"
      (let [^Server labelled (vary-meta server assoc :name "api")]
        (is (= {:local-port (server-port server) :name "api"} (meta labelled)))
        (is (= (server-port server) (server-port labelled)))
        (stop-server labelled)
        (is (= :stopped (server-status server)))
        (is (= (server-port server) (:local-port (meta server))) "also when it has stopped")))))
