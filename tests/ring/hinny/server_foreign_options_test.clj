(ns hinny.server-foreign-options-test
  "The option names of http-kit and ring-jetty-adapter: what each one means here, by default and set, what is refused and
  why, and that none of them is unknown.

  The lists are of http-kit 2.9 and ring-jetty-adapter 1.15, from their docstrings and sources."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing]]
   [hinny.adapter :refer [run-jetty]]
   [hinny.impl.foreign :as foreign]
   [hinny.impl.options :as options]
   [hinny.log-capture :as log-capture]
   [hinny.options-doc :as options-doc]
   [hinny.raw-client :as raw]
   [hinny.server :refer [run-server]])
  (:import
   (clojure.lang ExceptionInfo)
   (java.net InetAddress ServerSocket)))

(set! *warn-on-reflection* true)

(def ^:private http-kit-options
  #{:ip :port :thread :queue-size :max-body :max-line :max-ws :proxy-protocol :server-header :ring-async? :worker-pool
    :pool-opts :worker-name-prefix :n-min-threads :n-max-threads :allow-virtual? :error-logger :warn-logger :event-logger
    :event-names :legacy-return-value? :legacy-unsafe-remote-addr? :legacy-content-length? :address-finder
    :channel-factory
    ;; new-worker
    :n-threads :queue-type :prefix})

(def ^:private jetty-options
  #{:configurator :async? :async-timeout :async-timeout-handler :port :host :unix-socket :join? :daemon? :http? :ssl?
    :ssl-port :ssl-context :sni-host-check? :exclude-ciphers :exclude-protocols :replace-exclude-ciphers?
    :replace-exclude-protocols? :keystore :keystore-type :key-password :keystore-scan-interval :thread-pool :truststore
    :trust-password :acceptor-threads :selector-threads :max-threads :min-threads :max-queued-requests
    :thread-idle-timeout :max-idle-time :client-auth :send-date-header? :output-buffer-size :request-header-size
    :response-header-size :send-server-version? :ws-idle-timeout :ws-max-binary-size :ws-max-text-size})

(deftest complete-test
  (is (= http-kit-options (set (keys (:http-kit foreign/table)))))
  (is (= jetty-options (set (keys (:jetty foreign/table)))))
  (testing "every row ends somewhere that exists"
    (let [native (set (map :name @options/table))]
      (doseq [[source rows] foreign/all-tables
              [option {:keys [to values accept refuse ignore]}] rows]
        (testing (str source " " option)
          (is (or to values accept refuse ignore))
          (is (or (nil? to) (native to)))
          (is (every? native (mapcat keys (vals values)))))))))

(defn- refusal
  "The data and message of what `function` throws for options."
  [function opts]
  (try
    (foreign/resolve-options function opts)
    nil
    (catch ExceptionInfo e
      (assoc (ex-data e) :message (ex-message e)))))

(defn- change
  "What options change in those that `function` has without any; the refusal if it refuses them."
  [function opts]
  (or (refusal function opts)
      (let [without (foreign/resolve-options function nil)]
        (into {} (remove (fn [[option value]] (= value (without option)))) (foreign/resolve-options function opts)))))

(deftest defaults-test
  (testing "run-server's are those of the table"
    (is (= (options/resolve-options nil) (foreign/resolve-options :run-server nil) (foreign/resolve-options :run-server {}))))
  (testing "run-jetty's are ring-jetty-adapter's where they would break a program"
    (is (= (assoc (options/resolve-options nil) :port 80 :join? true :max-body-bytes 1099511627776)
           (foreign/resolve-options :run-jetty nil)))
    (is (= {:port 0 :join? false :max-body-bytes 1} (change :run-jetty {:port 0 :join? false :max-body-bytes 1})))))

(deftest http-kit-defaults-test
  (testing "an option with http-kit's own default changes what is written here, or nothing"
    (are [option value expected] (= expected (change :run-server {option value}))
      :ip "0.0.0.0" {:host "0.0.0.0"}
      :port 8090 {:port 8090}
      :queue-size 20480 {:worker-queue-depth 20480}
      :queue-type :array {}
      :allow-virtual? true {}
      :worker-pool nil {}
      :pool-opts nil {}
      :prefix nil {}
      :worker-name-prefix nil {}
      :max-body 8388608 {}
      :max-line 8192 {:max-head-bytes 65536}
      :proxy-protocol :disable {}
      :server-header "http-kit" {:server-header "http-kit"}
      :ring-async? false {}
      :error-logger nil {}
      :warn-logger nil {}
      :event-logger nil {}
      :event-names nil {}
      :legacy-return-value? true {}
      :address-finder nil {}
      :channel-factory nil {})))

(deftest http-kit-set-test
  (are [opts expected] (= expected (change :run-server opts))
    {:ip "127.0.0.1"} {:host "127.0.0.1"}
    {:port 0} {:port 0}
    {:thread 8} {:worker-threads 8}
    {:n-threads 8} {:worker-threads 8}
    {:n-max-threads 8} {:worker-threads 8}
    {:n-min-threads 8} {}
    {:n-min-threads 4 :n-max-threads 8} {:worker-threads 8}
    {:thread :virtual} {:worker-threads :virtual}
    {:queue-size 5} {:worker-queue-depth 5}
    {:queue-type :linked} {}
    {:allow-virtual? false} {}
    {:pool-opts {:n-max-threads 8 :queue-size 5 :allow-virtual? false}} {:worker-threads 8 :worker-queue-depth 5}
    {:pool-opts {}} {}
    {:thread 8 :pool-opts {:n-threads 8}} {:worker-threads 8}
    {:max-body 1} {:max-body-bytes 1}
    {:max-line 4096} {:max-uri-bytes 4096 :max-head-bytes 65536}
    {:max-line 65534} {:max-uri-bytes 65534 :max-head-bytes 65536}
    {:max-line 4096 :max-head-bytes 8192} {:max-uri-bytes 4096 :max-head-bytes 8192}
    {:server-header nil} {:server-header nil}
    {:ring-async? true} {:handler-mode :async-worker}
    {:async? true} {:handler-mode :async-worker}
    {:async? true :handler-mode :async} {:handler-mode :async}
    {:async? true :handler-mode :async-worker} {:handler-mode :async-worker}
    {:async? true :async-timeout 7} {:handler-mode :async-worker :handler-timeout-ms 7}
    {:async-timeout-handler vector} {:timeout-handler vector}
    {:async? false} {}
    {:async? true :ring-async? true :handler-mode :async} {:handler-mode :async}
    {:legacy-return-value? false} {}
    {:legacy-unsafe-remote-addr? false} {}
    {:legacy-content-length? false} {}
    {:thread 8 :worker-threads 8 :drain-timeout-ms 1} {:worker-threads 8 :drain-timeout-ms 1}))

(deftest jetty-defaults-test
  (testing "an option with Jetty's own default changes what is written here, or nothing"
    (are [option value expected] (= expected (change :run-jetty {option value}))
      :configurator nil {}
      :async? false {}
      :async-timeout 0 {:handler-timeout-ms 0}
      :async-timeout-handler nil {}
      :port 80 {}
      :host nil {}
      :unix-socket nil {}
      :join? true {}
      :daemon? false {}
      :http? true {}
      :ssl? nil {}
      :ssl? false {}
      :ssl-port nil {}
      :ssl-context nil {}
      :sni-host-check? true {}
      :exclude-ciphers nil {}
      :exclude-protocols nil {}
      :replace-exclude-ciphers? false {}
      :replace-exclude-protocols? nil {}
      :keystore nil {}
      :keystore-type nil {}
      :key-password nil {}
      :keystore-scan-interval nil {}
      :thread-pool nil {}
      :truststore nil {}
      :trust-password nil {}
      :acceptor-threads -1 {}
      :selector-threads -1 {}
      :max-threads 50 {:worker-threads 50}
      :min-threads 8 {}
      :thread-idle-timeout 60000 {}
      :max-idle-time 200000 {:keep-alive-timeout-ms 200000 :body-read-timeout-ms 200000 :response-write-timeout-ms 200000}
      :client-auth :none {}
      :send-date-header? true {}
      :output-buffer-size 32768 {}
      :request-header-size 8192 {:max-head-bytes 8192}
      :response-header-size 8192 {}
      :send-server-version? true {})))

(deftest jetty-set-test
  (are [opts expected] (= expected (change :run-jetty opts))
    {:async? true} {:handler-mode :async-worker}
    {:async-timeout-handler vector} {:timeout-handler vector}
    {:async-timeout 1000} {:handler-timeout-ms 1000}
    {:port 0} {:port 0}
    {:host "::1"} {:host "::1"}
    {:join? false} {:join? false}
    {:daemon? true} {:daemon? true}
    {:acceptor-threads 0} {}
    {:selector-threads 7} {:event-loops 7}
    {:max-threads 7} {:worker-threads 7}
    {:min-threads 1} {}
    {:max-queued-requests 7} {:worker-queue-depth 7}
    {:thread-idle-timeout 1} {}
    {:max-idle-time 7} {:keep-alive-timeout-ms 7 :body-read-timeout-ms 7 :response-write-timeout-ms 7}
    {:max-idle-time 7 :body-read-timeout-ms 8} {:keep-alive-timeout-ms 7 :body-read-timeout-ms 8 :response-write-timeout-ms 7}
    {:request-header-size 1024} {:max-head-bytes 1024 :max-uri-bytes 1024}
    {:request-header-size 100000} {:max-head-bytes 100000 :max-uri-bytes 65534}
    {:response-header-size 65536} {}
    {:send-server-version? false} {:server-header nil}
    {:server-header "x" :send-server-version? true} {:server-header "x"}
    {:max-body-bytes 7 :drain-timeout-ms 7 :handler-mode :inline} {:max-body-bytes 7 :drain-timeout-ms 7 :handler-mode :inline}))

(def ^:private unsupported
  "Function, option, a value that asks for what Hinny does not do, and a part of the reason."
  (concat
    (for [[option value reason] [[:max-ws 4194304 "no WebSockets yet"]
                                 [:worker-pool (delay nil) ":worker-threads"]
                                 [:proxy-protocol :enable "PROXY protocol"]
                                 [:proxy-protocol :optional "PROXY protocol"]
                                 [:error-logger println "SLF4J"]
                                 [:warn-logger println "SLF4J"]
                                 [:event-logger println "server-metrics"]
                                 [:event-names {} "server-metrics"]
                                 [:legacy-unsafe-remote-addr? true "x-forwarded-for"]
                                 [:legacy-content-length? true "HEAD"]
                                 [:address-finder println "TCP"]
                                 [:channel-factory println "TCP"]]]
      [:run-server option value reason])
    (for [[option value reason] [[:configurator println "no Jetty"]
                                 [:unix-socket "/run/x" "TCP"]
                                 [:http? false "no TLS"]
                                 [:ssl? true "no TLS"]
                                 [:ssl-port 443 "no TLS"]
                                 [:ssl-context "x" "no TLS"]
                                 [:sni-host-check? false "no TLS"]
                                 [:exclude-ciphers ["x"] "no TLS"]
                                 [:exclude-protocols ["x"] "no TLS"]
                                 [:replace-exclude-ciphers? true "no TLS"]
                                 [:replace-exclude-protocols? true "no TLS"]
                                 [:keystore "x" "no TLS"]
                                 [:keystore-type "jks" "no TLS"]
                                 [:key-password "x" "no TLS"]
                                 [:keystore-scan-interval 1 "no TLS"]
                                 [:truststore "x" "no TLS"]
                                 [:trust-password "x" "no TLS"]
                                 [:client-auth :need "no TLS"]
                                 [:client-auth :want "no TLS"]
                                 [:thread-pool "x" ":worker-threads"]
                                 [:acceptor-threads 1 ":event-loops"]
                                 [:send-date-header? false "Date"]
                                 [:output-buffer-size 1024 ":exchange-buffer-bytes"]
                                 [:ws-idle-timeout 30000 "no WebSockets yet"]
                                 [:ws-max-binary-size 65536 "no WebSockets yet"]
                                 [:ws-max-text-size 65536 "no WebSockets yet"]]]
      [:run-jetty option value reason])))

(deftest unsupported-test
  (doseq [[function option value fragment] unsupported]
    (testing (str function " " option " " (pr-str value))
      (let [{:keys [type reason message] :as data} (refusal function {option value})
            given [option value]]
        (is (= :hinny.error/option-unsupported type))
        (is (= given [(:option data) (:value data)]))
        (is (str/includes? reason fragment))
        (is (str/includes? message (str option " ")))
        (is (str/includes? message reason)))))
  (testing "no row refuses that is not in this test"
    (is (= (set (for [[source rows] foreign/table
                      [option {:keys [refuse]}] rows
                      :when refuse]
                  [source option]))
           (set (for [[function option] unsupported]
                  [({:run-server :http-kit :run-jetty :jetty} function) option]))))))

(deftest invalid-test
  (are [function opts pattern] (let [{:keys [type option message]} (refusal function opts)]
                                 (and (= :hinny.error/option-invalid type)
                                      (= option (ffirst opts))
                                      (re-find pattern message)))
    :run-server {:ip nil} #":ip \(:host here\) must be a string"
    :run-server {:thread 0} #":thread \(:worker-threads here\) must be an integer from 1 to 10000, or :virtual, is 0"
    :run-server {:max-line 63} #":max-line \(:max-uri-bytes here\) must be an integer from 64 to 65534, is 63"
    :run-server {:max-line 65535} #"from 64 to 65534"
    :run-server {:max-line nil} #"is nil"
    :run-server {:max-body -1} #"from 0"
    :run-server {:queue-size "5"} #"is \"5\""
    :run-server {:ring-async? nil} #":ring-async\? must be false or true, is nil"
    :run-server {:async? :yes} #":async\? must be false or true, is :yes"
    :run-server {:legacy-return-value? nil} #"must be false or true, is nil"
    :run-server {:n-min-threads 0} #":n-min-threads must be a positive integer, is 0"
    :run-server {:queue-type :priority} #":array or :linked"
    :run-server {:pool-opts 3} #":pool-opts must be"
    :run-server {:port 65536} #":port must be an integer from 0 to 65535"
    :run-jetty {:max-idle-time 0} #":max-idle-time \(:keep-alive-timeout-ms here\) must be an integer from 1 to 3600000"
    :run-jetty {:max-queued-requests Integer/MAX_VALUE} #"from 1 to 1000000"
    :run-jetty {:request-header-size 512} #"from 1024"
    :run-jetty {:send-server-version? nil} #"must be false or true"
    :run-jetty {:selector-threads -2} #":event-loops here"
    :run-jetty {:host ""} #":host must be a string"
    :run-jetty {:join? nil} #":join\? must be true or false"
    :run-jetty {:min-threads "8"} #"a positive integer")
  (testing "options that are no map"
    (is (= :hinny.error/option-invalid (:type (refusal :run-jetty [:port 80]))))))

(deftest conflict-test
  (testing "two names of one option may say the same"
    (is (= {:host "::1"} (change :run-server {:ip "::1" :host "::1"})))
    (is (= {:worker-threads 3} (change :run-jetty {:max-threads 3 :worker-threads 3}))))
  (testing "but not different things"
    (are [function opts native values] (let [{:keys [type option other message]} (refusal function opts)]
                                         (and (= :hinny.error/option-conflict type)
                                              (= (set (keys opts)) (set [option other]))
                                              (str/includes? message (str "both stand for " native))
                                              (every? #(str/includes? message (pr-str %)) values)))
      :run-server {:ip "::1" :host "127.0.0.1"} :host ["::1" "127.0.0.1"]
      :run-server {:thread 3 :worker-threads 4} :worker-threads [3 4]
      :run-server {:thread 3 :n-max-threads 4} :worker-threads [3 4]
      :run-server {:max-body 3 :max-body-bytes 4} :max-body-bytes [3 4]
      :run-server {:max-line 100 :max-uri-bytes 200} :max-uri-bytes [100 200]
      :run-server {:ring-async? true :handler-mode :worker} :handler-mode [:async-worker :worker]
      :run-server {:ring-async? true :async? false} :handler-mode [:async-worker :worker]
      :run-jetty {:async? false :handler-mode :inline} :handler-mode [:worker :inline]
      :run-jetty {:send-server-version? false :server-header "x"} :server-header [nil "x"]
      :run-jetty {:max-idle-time 3 :keep-alive-timeout-ms 4} :keep-alive-timeout-ms [3 4]))
  (testing "nor beside and within :pool-opts"
    (is (= :hinny.error/option-conflict (:type (refusal :run-server {:thread 3 :pool-opts {:n-threads 4}}))))))

(deftest unknown-test
  (testing "the nearest of all known names, foreign ones included; of one that the other server has, Hinny's name"
    (are [function unknown nearest] (let [{:keys [type option] :as data} (refusal function {unknown 1})]
                                      (and (= :hinny.error/option-unknown type) (= unknown option) (= nearest (:nearest data))))
      :run-server :thraed :thread
      :run-server :max-lines :max-line
      :run-server :ring-async :ring-async?
      :run-server :max-threads :worker-threads
      :run-server :request-header-size :max-head-bytes
      :run-jetty :thread :worker-threads
      :run-jetty :ip :host
      :run-jetty :max-thread :max-threads
      :run-jetty :joins? :join?
      :run-jetty :completely-different nil))
  (testing "in :pool-opts"
    (let [{:keys [type option message]} (refusal :run-server {:pool-opts {:port 1}})]
      (is (= [:hinny.error/option-unknown :port] [type option]))
      (is (re-find #"^unknown option :port in :pool-opts; see docs/migration\.md\.$" message))))
  (testing "at most five names, and where all of them are"
    (are [function unknown message] (= message (:message (refusal function {unknown 1})))
      :run-server :completely-different
      "unknown option :completely-different; see docs/options.md, or (hinny.server/options)."
      :run-server :thraed
      "unknown option :thraed, did you mean :thread? See docs/options.md, or (hinny.server/options)."
      :run-server :timeout
      (str "unknown option :timeout, did you mean :async-timeout, :timeout-handler, :drain-timeout-ms, "
           ":handler-timeout-ms or :body-read-timeout-ms? See docs/options.md, or (hinny.server/options)."))))

(deftest of-other-servers-test
  (testing "what another server has is explained, whichever function is given it"
    (are [function option value fragment] (let [{:keys [type reason message]} (refusal function {option value})]
                                            (and (= :hinny.error/option-unsupported type)
                                                 (str/includes? reason fragment)
                                                 (str/includes? message (str option " " (pr-str value) " is not supported: "))))
      :run-server :ssl? true "no TLS"
      :run-server :ssl-port 443 "no TLS"
      :run-server :keystore "x" "no TLS"
      :run-server :configurator println "no Jetty"
      :run-server :thread-pool "x" ":worker-threads"
      :run-server :unix-socket "/run/x" "TCP"
      :run-jetty :worker-pool "x" ":worker-threads"
      :run-jetty :proxy-protocol :enable "PROXY protocol"
      :run-jetty :error-logger println "SLF4J"
      :run-server :http2? true "no HTTP/2"
      :run-server :compression? true "no compression"
      :run-server :executor "x" ":worker-threads"
      :run-jetty :ssl-context "x" "no TLS"
      :run-jetty :socket-address "x" ":host and :port"))
  (testing "what asks for nothing is taken"
    (are [function opts] (= {} (change function opts))
      :run-server {:ssl? false :http? true :configurator nil :min-threads 8 :http2? false :epoll? true}
      :run-jetty {:queue-type :array :legacy-return-value? true :compression? false}))
  (testing "what is called something here is told"
    (are [unknown nearest] (= [:hinny.error/option-unknown nearest] ((juxt :type :nearest) (refusal :run-server {unknown 1})))
      :shutdown-timeout :drain-timeout-ms
      :max-request-body-size :max-body-bytes
      :max-header-size :max-head-bytes
      :io-threads :event-loops
      :max-entity-size :max-body-bytes
      :graceful-shutdown-timeout :drain-timeout-ms)))

(deftest names-only-test
  (doseq [[function opts] [[:run-server {:worker-name-prefix "w-"}]
                           [:run-server {:prefix "w-"}]
                           [:run-server {:pool-opts {:prefix "w-"}}]
                           [:run-jetty {:worker-name-prefix "w-"}]]]
    (testing (str function " " opts " changes nothing, and one warning says so")
      (let [[changed events] (log-capture/with-log [log]
                               [(foreign/resolve-options function opts) (log-capture/events log)])]
        (is (= changed (foreign/resolve-options function nil)))
        (is (= 1 (count events)))
        (is (= :warn (:level (first events))))
        (is (re-find #"^option :(worker-name-)?prefix \"w-\" is ignored: workers are called hinny-worker-N$"
                     (:message (first events)))))))
  (testing "nil says nothing"
    (is (= [] (log-capture/with-log [log]
                (foreign/resolve-options :run-server {:worker-name-prefix nil})
                (log-capture/events log))))))

(deftest functions-test
  (testing "both functions refuse before a socket is bound"
    (with-open [other (ServerSocket. 0 1 (InetAddress/getByName "127.0.0.1"))]
      (doseq [run [run-server run-jetty]]
        (is (thrown-with-msg? ExceptionInfo #"hostel"
                              (run identity {:host "127.0.0.1" :port (.getLocalPort other) :hostel 1}))))
      (is (thrown-with-msg? ExceptionInfo #":ssl\? true is not supported: there is no TLS yet"
                            (run-jetty identity {:port (.getLocalPort other) :ssl? true})))))
  (testing "a handler that is none"
    (is (= :hinny.error/handler-invalid
           (try (run-jetty 1 {}) (catch ExceptionInfo e (:type (ex-data e))))))))

(deftest serve-test
  (let [handler (fn [request] {:status 200 :headers {} :body (:uri request)})]
    (testing "run-server with http-kit's names"
      (with-open [server (run-server handler {:ip "127.0.0.1" :port 0 :thread 2 :max-line 100 :server-header nil})]
        (is (= "/a" (:body (raw/answer server (raw/get-request "/a")))))
        (is (nil? (raw/header (raw/answer server (raw/get-request "/a")) "server")))))
    (testing "run-jetty with Jetty's"
      (with-open [server (run-jetty handler {:host "127.0.0.1" :port 0 :join? false :send-server-version? false
                                             :request-header-size 1024})]
        (is (= "/a" (:body (raw/answer server (raw/get-request "/a")))))
        (is (nil? (raw/header (raw/answer server (raw/get-request "/a")) "server")))
        (is (= 431 (:status (raw/answer server (raw/get-request "/a" (str "X: " (str/join (repeat 1100 "a"))))))))))))

(deftest document-test
  (testing "docs/migration.md has a row for each option, generated from the table (make docs writes it)"
    (is (= (options-doc/migration-document) (slurp options-doc/migration-path)))
    (doseq [[source rows] foreign/all-tables
            option (keys rows)]
      (is (str/includes? (options-doc/foreign-table source) (str "\n| `" option "` | "))))))
