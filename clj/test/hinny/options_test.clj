(ns hinny.options-test
  "The options table and its check, without a server."
  (:require
   [clojure.test :refer [are deftest is testing]]
   [hinny.impl.options :as options]
   [hinny.options-doc :as options-doc]))

(set! *warn-on-reflection* true)

(defn- refusal
  "The data and message of what `resolve-options` throws."
  [opts]
  (try
    (options/resolve-options opts)
    nil
    (catch clojure.lang.ExceptionInfo e
      (assoc (ex-data e) :message (ex-message e)))))

(deftest table-test
  (testing "every option has what a user needs to know"
    (doseq [spec @options/table]
      (is (and (keyword? (:name spec)) (keyword? (:type spec)) (contains? spec :default)) spec)
      (is (re-find #"\.$" (:doc spec)) spec)))
  (testing "the document is generated from the table (make docs writes it)"
    (is (= (options-doc/document) (slurp options-doc/path)))))

(deftest resolve-test
  (testing "absent options have their defaults"
    (let [resolved (options/resolve-options nil)]
      (is (= 8080 (:port resolved)))
      (is (= :worker (:handler-mode resolved)))
      (is (= (.availableProcessors (Runtime/getRuntime)) (:event-loops resolved)))
      (is (= (set (keys resolved)) (set (map :name @options/table))))))
  (testing "given ones win, nil where nil is a value"
    (is (= {:port 0 :server-header nil :worker-threads :virtual}
           (select-keys (options/resolve-options {:port 0 :server-header nil :worker-threads :virtual})
                        [:port :server-header :worker-threads])))))

(deftest nearest-test
  (are [unknown meant] (= meant (:nearest (refusal {unknown 1})))
    :prot :port
    :prt :port
    :hots :host
    :worker-thread :worker-threads
    :threads :worker-threads
    :max-body :max-body-bytes
    :event-loop :event-loops
    :drain-timeout :drain-timeout-ms
    :completely-different nil)
  (testing "the message names it, those of like names, and where all options are"
    (are [unknown message] (= message (:message (refusal {unknown 1})))
      :prot "unknown option :prot, did you mean :port? See docs/options.md, or (hinny.server/options)."
      :exchange "unknown option :exchange, did you mean :max-exchanges or :exchange-buffer-bytes? See docs/options.md, or (hinny.server/options)."
      :completely-different "unknown option :completely-different; see docs/options.md, or (hinny.server/options)."))
  (testing "of many it names five"
    (is (= 5 (count (re-seq #":[a-z-]+-ms" (:message (refusal {:ms 1})))))))
  (testing "a key that is no name at all"
    (is (= :hinny.error/option-unknown (:type (refusal {"port" 1}))))
    (is (= :hinny.error/option-unknown (:type (refusal {nil 1}))))))

(deftest range-test
  (are [opts pattern] (let [{:keys [type message]} (refusal opts)]
                        (and (= :hinny.error/option-invalid type) (re-find pattern message)))
    {:port 65536} #":port must be an integer from 0 to 65535, is 65536"
    {:port -1} #":port must be"
    {:port "80"} #"is \"80\""
    {:port nil} #"is nil"
    {:port 80.0} #"is 80.0"
    {:event-loops 0} #"from 1 to 1024"
    {:worker-threads 0} #"an integer from 1 to 10000, or :virtual"
    {:worker-threads :many} #":virtual, is :many"
    {:handler-mode :other} #":worker or :inline or :async or :async-worker, is :other"
    {:join? nil} #":join\? must be true or false, is nil"
    {:host ""} #"not blank"
    {:host nil} #"not blank"
    {:server-header 1} #"a string or nil"
    {:max-head-bytes 1023} #"1024"
    [] #"must be a map"))

(deftest encode-test
  (is (= "port\u00000\u0000server-header\u0000\u0000handler-mode\u0000inline\u0000"
         (String. (options/encode (array-map :port 0 :server-header nil :handler-mode :inline)) "UTF-8"))))
