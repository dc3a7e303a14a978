(ns hinny.listen-wire-test
  "Which addresses a server listens on, and what a request is told of its client's."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.adapter :refer [run-jetty]]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (java.net ConnectException)))

(set! *warn-on-reflection* true)

(defn- addresses
  "The handler's view: the client's address."
  [{:keys [remote-addr]}]
  {:status 200 :headers {} :body remote-addr})

(defn- seen-from
  "What a client that connects to `host` is told of itself, `:refused` if nobody listens there."
  [server host]
  (try
    (with-open [client (raw/connect host (server/server-port server))]
      (raw/send! client (raw/get-request "/"))
      (:body (raw/read-response client)))
    (catch ConnectException _ :refused)))

(def ^:private option-sets
  {"run-server" #(server/run-server addresses (assoc % :port 0 :drain-timeout-ms 2000))
   "run-server with http-kit's names" #(server/run-server addresses
                                                          (-> (assoc % :port 0 :thread 2 :drain-timeout-ms 2000)
                                                              (dissoc :host)
                                                              (merge (when (:host %) {:ip (:host %)}))))
   "run-jetty" #(run-jetty addresses (assoc % :port 0 :join? false :drain-timeout-ms 2000))})

(deftest listen-test
  (doseq [[function run] option-sets
          engine [:auto :hyper]
          [opts on-ipv4 on-ipv6] [[{} "127.0.0.1" "::1"]
                                  [{:host "::"} "127.0.0.1" "::1"]
                                  [{:host "0.0.0.0"} "127.0.0.1" :refused]
                                  [{:host "127.0.0.1"} "127.0.0.1" :refused]
                                  [{:host "localhost"} "127.0.0.1" :refused]
                                  [{:host "::1"} :refused "::1"]]]
    (testing (str function " " opts " " engine)
      (with-open [^java.io.Closeable server (run (assoc opts :http1-engine engine))]
        (is (= [on-ipv4 on-ipv6] [(seen-from server "127.0.0.1") (seen-from server "::1")])))))
  (testing "run-jetty with no host"
    (with-open [server (run-jetty addresses {:host nil :port 0 :join? false})]
      (is (= ["127.0.0.1" "::1"] [(seen-from server "127.0.0.1") (seen-from server "::1")])))))
