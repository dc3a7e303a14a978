(ns hinny.server-options-test
  "The options of `run-server`: each by default and set, and how a wrong one is refused.

  What a limit or a timeout does on the wire is in `hinny.limits-wire-test`, :server-header in `hinny.response-wire-test`,
  the worker options in `hinny.server-worker-test`."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.impl.options :as options]
   [hinny.raw-client :as raw :refer [with-server]]
   [hinny.server :as server :refer [run-server server-port]])
  (:import
   (clojure.lang ExceptionInfo)
   (java.io IOException)
   (java.net InetAddress ServerSocket)))

(set! *warn-on-reflection* true)

(defn- thread-name [_]
  {:status 200 :body (.getName (Thread/currentThread))})

(def ^:private defaults
  "What a user may rely on; a change is a line in the change log."
  {:host "::"
   :port 8080
   :event-loops (.availableProcessors (Runtime/getRuntime))
   :handler-mode :worker
   :http1-engine :auto
   :worker-threads 64
   :stream-threads 256
   :worker-queue-depth 16384
   :routes nil
   :trailing-slash :strict
   :health nil
   :max-body-bytes 8388608
   :inline-body-bytes 1048576
   :body-buffer-bytes 33554432
   :parse #{}
   :parsed-body-bytes 1048576
   :json-keys :string
   :exchange-buffer-bytes 262144
   :max-unread-body-bytes 262144
   :max-head-bytes 32768
   :max-uri-bytes 8192
   :max-header-count 100
   :max-connections 65536
   :max-exchanges 65536
   :max-requests-per-connection 1000000
   :max-pending-request-bytes (quot (.maxMemory (Runtime/getRuntime)) 4)
   :max-pending-response-bytes (quot (.maxMemory (Runtime/getRuntime)) 4)
   :server-header "hinny"
   :header-read-timeout-ms 30000
   :body-read-timeout-ms 30000
   :min-body-bytes-per-second 240
   :body-rate-grace-ms 30000
   :keep-alive-timeout-ms 75000
   :response-write-timeout-ms 60000
   :handler-timeout-ms 300000
   :timeout-handler nil
   :drain-timeout-ms 30000
   :drain-delay-ms 0
   :on-drained nil
   :on-error nil
   :reuse-port? false
   :shutdown-hook? true
   :lenient-headers? false
   :daemon? false
   :join? false})

(deftest defaults-test
  (is (= defaults (options/resolve-options nil)))
  (is (= defaults (options/resolve-options {})))
  (doseq [[option value] {:host "::1" :port 0 :event-loops 3 :handler-mode :inline :http1-engine :hyper :worker-threads :virtual
                          :stream-threads 1 :worker-queue-depth 1 :routes [] :trailing-slash :redirect :health true :max-body-bytes 0 :inline-body-bytes 0 :body-buffer-bytes 0 :exchange-buffer-bytes 4096
                          :parse #{:query :form :json} :parsed-body-bytes 0 :json-keys :keyword
                          :max-unread-body-bytes 0 :max-head-bytes 1024 :max-uri-bytes 64 :max-header-count 1
                          :max-connections 1 :max-exchanges 1 :max-requests-per-connection 1 :max-pending-request-bytes 65536 :max-pending-response-bytes 65536 :server-header nil
                          :header-read-timeout-ms 1 :body-read-timeout-ms 1 :min-body-bytes-per-second 0 :body-rate-grace-ms 100 :keep-alive-timeout-ms 1
                          :response-write-timeout-ms 1 :handler-timeout-ms 0 :drain-timeout-ms 0
                          :drain-delay-ms 1 :on-drained list :on-error vector :timeout-handler vector
                          :reuse-port? true :shutdown-hook? false :daemon? true :lenient-headers? true :join? true}]
    (testing (str option " set changes itself and nothing else")
      (is (= (assoc defaults option value) (options/resolve-options {option value}))))))

(deftest every-option-says-what-it-is-test
  (doseq [{:keys [type doc] :as spec} @options/table]
    (testing (:name spec)
      (is (contains? #{:boolean :integer :integer-or-keyword :keyword :keyword-set :string :optional-string :data :function} type))
      (is (str/ends-with? doc "."))
      (is (contains? spec :default))
      (when (#{:integer :integer-or-keyword} type)
        (is (< -1 (:min spec) (:max spec)))
        (is (string? (:unit spec)))))))

(def ^:private number-ranges
  {:port [0 65535]
   :event-loops [1 1024]
   :worker-threads [1 10000]
   :stream-threads [1 100000]
   :worker-queue-depth [1 1000000]
   :max-body-bytes [0 1099511627776]
   :inline-body-bytes [0 8388608]
   :body-buffer-bytes [0 1099511627776]
   :exchange-buffer-bytes [4096 67108864]
   :max-unread-body-bytes [0 1073741824]
   :max-head-bytes [1024 1048576]
   :max-uri-bytes [64 65534]
   :max-header-count [1 1000]
   :max-connections [1 1073741824]
   :max-exchanges [1 1073741824]
   :max-requests-per-connection [1 1099511627776]
   :header-read-timeout-ms [1 3600000]
   :body-read-timeout-ms [1 3600000]
   :min-body-bytes-per-second [0 1073741824]
   :body-rate-grace-ms [100 3600000]
   :keep-alive-timeout-ms [1 3600000]
   :response-write-timeout-ms [1 3600000]
   :handler-timeout-ms [0 86400000]
   :drain-timeout-ms [0 3600000]
   :drain-delay-ms [0 3600000]})

(def ^:private refused-table
  "Options, the type of the error, the option it names, and what the message must contain."
  (concat
    [[{:prot 0} :hinny.error/option-unknown :prot ":port"]
     [{:Port 0} :hinny.error/option-unknown :Port ":port"]
     [{:hosts "x"} :hinny.error/option-unknown :hosts ":host"]
     [{:max-bodies 1} :hinny.error/option-unknown :max-bodies ":max-body-bytes"]
     [{:worker-thread 1} :hinny.error/option-unknown :worker-thread ":worker-threads"]
     [{:queue-depth 1} :hinny.error/option-unknown :queue-depth ":worker-queue-depth"]
     [{:mode :inline} :hinny.error/option-unknown :mode ":handler-mode"]
     [{:keep-alive-timeout 1} :hinny.error/option-unknown :keep-alive-timeout ":keep-alive-timeout-ms"]
     [{"port" 0} :hinny.error/option-unknown "port" ":port"]
     [{:zzzzzzzz 1} :hinny.error/option-unknown :zzzzzzzz "docs/options.md"]
     [{nil 1} :hinny.error/option-unknown nil "docs/options.md"]
     [{:test-faults true} :hinny.error/option-unknown :test-faults ":test-faults"]
     [{:test-clock true} :hinny.error/option-unknown :test-clock ":test-clock"]
     [{:host nil} :hinny.error/option-invalid :host "string"]
     [{:host ""} :hinny.error/option-invalid :host "string"]
     [{:host "  "} :hinny.error/option-invalid :host "string"]
     [{:host "a\u0000b"} :hinny.error/option-invalid :host "string"]
     [{:host 1} :hinny.error/option-invalid :host "string"]
     [{:handler-mode :blocking} :hinny.error/option-invalid :handler-mode ":worker or :inline or :async"]
     [{:handler-mode "inline"} :hinny.error/option-invalid :handler-mode ":worker or :inline or :async"]
     [{:handler-mode nil} :hinny.error/option-invalid :handler-mode ":worker or :inline or :async"]
     [{:join? nil} :hinny.error/option-invalid :join? "true or false"]
     [{:daemon? "true"} :hinny.error/option-invalid :daemon? "true or false"]
     [{:shutdown-hook? 1} :hinny.error/option-invalid :shutdown-hook? "true or false"]
     [{:on-drained "close"} :hinny.error/option-invalid :on-drained "a function or nil"]
     [{:on-error 1} :hinny.error/option-invalid :on-error "a function or nil"]
     [{:reuse-port? :yes} :hinny.error/option-invalid :reuse-port? "true or false"]
     [{:worker-threads :many} :hinny.error/option-invalid :worker-threads ":virtual"]
     [{:server-header 1} :hinny.error/option-invalid :server-header "a string or nil"]
     [{:server-header "a\u0000b"} :hinny.error/option-invalid :server-header "a string or nil"]]
    (for [[option [low high]] number-ranges
          value [(dec low) (inc high) nil "1" 1.5 1M :some Long/MAX_VALUE Long/MIN_VALUE]]
      [{option value} :hinny.error/option-invalid option (str "from " low " to " high)])))

(defn- failure
  [options]
  (try
    (.close (run-server thread-name options))
    nil
    (catch ExceptionInfo e
      (assoc (ex-data e) :message (ex-message e)))))

(deftest wrong-option-is-refused-before-a-socket-is-bound-test
  ;; On a port that is taken, so a server that bound first would say so.
  (with-open [other (ServerSocket. 0 1 (InetAddress/getByName "127.0.0.1"))]
    (doseq [[options type option fragment] refused-table]
      (testing (pr-str options)
        (let [data (failure (merge {:host "127.0.0.1" :port (.getLocalPort other)} options))]
          (is (= type (:type data)))
          (is (= option (:option data)))
          (is (str/includes? (:message data) fragment))
          (is (str/includes? (:message data) (pr-str option))))))
    (testing "a header value that cannot be sent"
      (doseq [value ["a\r\nInjected: 1" "a\u007f"]]
        (let [{:keys [type message]} (failure {:host "127.0.0.1" :port (.getLocalPort other) :server-header value})]
          (is (= :hinny.error/option-invalid type))
          (is (str/includes? message ":server-header")))))
    (testing "options that are no map"
      (doseq [value [[] 1 "x" [[:port 0]] #{:port}]]
        (is (= :hinny.error/option-invalid (:type (failure value))))))))

(deftest nearest-option-test
  (testing "data names the nearest known option, nothing if none is like it"
    (is (= :port (:nearest (failure {:prot 1}))))
    (is (= :max-head-bytes (:nearest (failure {:max-header-bytes 1}))))
    (is (nil? (:nearest (failure {:zzzzzzzz 1}))))))

(deftest limits-of-a-range-are-in-it-test
  ;; A stop lasts for as long as :drain-delay-ms says.
  (doseq [[option bounds] (dissoc number-ranges :port :event-loops :drain-delay-ms)
          value bounds]
    (testing (str option " " value)
      (with-server [server thread-name {option value}]
        (is (pos? (server-port server)))))))

(defn- loop-threads []
  (count (filter #(re-matches #"hinny-loop-\d+" (.getName ^Thread %)) (keys (Thread/getAllStackTraces)))))

(deftest event-loops-test
  (doseq [[options expected] [[{} (:event-loops defaults)]
                              [{:event-loops 1} 1]
                              [{:event-loops 5} 5]]]
    (testing (pr-str options)
      (with-server [_ thread-name options]
        (is (= expected (loop-threads))))
      (is (zero? (loop-threads)) "none is left"))))

(deftest handler-mode-test
  (doseq [[options expected] [[{} #"hinny-worker-\d+"]
                              [{:handler-mode :worker} #"hinny-worker-\d+"]
                              [{:handler-mode :inline} #"hinny-loop-\d+"]]]
    (with-server [server thread-name options]
      (is (re-matches expected (:body (raw/answer server (raw/get-request "/"))))))))

(defn- reachable?
  [host port]
  (try
    (.close ^java.io.Closeable (raw/connect host port))
    true
    (catch IOException _ false)))

(deftest host-test
  (doseq [[options reached not-reached] [[{:port 0} ["127.0.0.1" "127.0.0.2"] []]
                                         [{:port 0 :host "127.0.0.2"} ["127.0.0.2"] ["127.0.0.1"]]
                                         [{:port 0 :host "localhost"} ["localhost"] []]]]
    (testing (pr-str options)
      (with-open [server (run-server thread-name options)]
        (doseq [host reached]
          (is (reachable? host (server-port server))))
        (doseq [host not-reached]
          (is (not (reachable? host (server-port server))))))))
  (testing "IPv6, where this machine has it"
    (when (try
            (.close (ServerSocket. 0 1 (InetAddress/getByName "::1")))
            true
            (catch IOException _ false))
      (with-open [server (run-server (fn [request] {:status 200 :body (pr-str ((juxt :remote-addr :server-name) request))})
                           {:port 0 :host "::1"})
                  client (raw/connect "::1" (server-port server))]
        (raw/send! client (raw/head "GET / HTTP/1.0"))
        (is (= "[\"::1\" \"::1\"]" (:body (raw/read-response client))))))))
