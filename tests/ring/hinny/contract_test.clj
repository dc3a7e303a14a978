(ns hinny.contract-test
  "The Ring SPEC 1.5.1 in every mode: what a request is, what a response may be.

  The texts of the cases name the rule: R is the SPEC's request map, S its response map, A its adapters' part, M a
  mistake that adapters are known to make (duplicates joined wrongly, nil for {}, a body read into memory ...). How
  bodies are written is in `hinny.response-body-test`, how they are read in `hinny.request-body-test`."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.log-capture :as log :refer [with-log]]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [head with-client]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (clojure.lang IPersistentMap)
   (java.io InputStream)
   (java.util.concurrent LinkedBlockingQueue TimeUnit)))

(set! *warn-on-reflection* true)

(def ^:private request-table
  "Rule, request, keys of the Ring request and their values; ::absent for a key that must not be there."
  [["M1 duplicates are joined by a comma" (raw/get-request "/" "X-A: 1" "x-a: 2") {:headers {"host" "x" "x-a" "1,2"}}]
   ["M1 cookies by a semicolon" (raw/get-request "/" "Cookie: a=1" "cookie: b=2") {:headers {"host" "x" "cookie" "a=1;b=2"}}]
   ["M2 :headers is never nil" (head "GET / HTTP/1.0") {:headers {}}]
   ["M3 no query string" (raw/get-request "/a") {:query-string ::absent}]
   ["M3 an empty query string" (raw/get-request "/a?") {:uri "/a" :query-string ""}]
   ["M3 a query string as sent" (raw/get-request "/a?b=%20&c") {:query-string "b=%20&c"}]
   ["M4 :uri as sent" (raw/get-request "/a%20b/%2F+") {:uri "/a%20b/%2F+"}]
   ["M4 absolute form" (head "GET http://h:81/p?q HTTP/1.1" "Host: x") {:uri "/p" :query-string "q" :server-name "h" :server-port 81}]
   ["M4 asterisk form" (head "OPTIONS * HTTP/1.1" "Host: x") {:uri "*" :request-method :options}]
   ["M5 :server-name without port" (head "GET / HTTP/1.1" "Host: h.example:81") {:server-name "h.example" :server-port 81}]
   ["M5 :server-name that is an IPv6 address" (head "GET / HTTP/1.1" "Host: [::1]:81") {:server-name "::1" :server-port 81}]
   ["M6 :remote-addr is the peer's" (raw/get-request "/" "X-Forwarded-For: 9.9.9.9" "Forwarded: for=9.9.9.9") {:remote-addr "127.0.0.1"}]
   ["M7 a method that nobody knows" (head "PURGE / HTTP/1.1" "Host: x") {:request-method :purge}]
   ["M7 a method in lower case" (head "brew / HTTP/1.1" "Host: x") {:request-method :brew}]
   ["M8 :protocol" (raw/get-request "/") {:protocol "HTTP/1.1"}]
   ["M8 :protocol" (head "GET / HTTP/1.0") {:protocol "HTTP/1.0"}]
   ["M9 no TLS, no certificate" (raw/get-request "/") {:scheme :http :ssl-client-cert ::absent}]
   ["M10 no body" (raw/get-request "/") {:body ::absent}]
   ["R header names are in lower case" (raw/get-request "/" "X-ABC: V") {:headers {"host" "x" "x-abc" "V"}}]
   ["R deprecated keys" (raw/post "/" "abc" "Content-Type: text/a; charset=UTF-8")
    {:content-length 3 :content-type "text/a; charset=UTF-8" :character-encoding "UTF-8"}]])

(defn- take-seen
  ^IPersistentMap [^LinkedBlockingQueue seen]
  (.poll seen raw/guard-ms TimeUnit/MILLISECONDS))

(deftest request-test
  (each-mode [mode]
    (let [seen (LinkedBlockingQueue.)]
      (with-handler [server mode (fn [request] (.add seen request) {:status 200})]
        (doseq [[rule request expected] request-table]
          (testing rule
            (is (= 200 (:status (raw/answer server request))))
            (let [request (take-seen seen)]
              (doseq [[k v] expected]
                (is (= v (get request k ::absent)) (str k)))
              (testing "R has its required keys, of their types"
                (is (every? #(contains? request %) [:headers :protocol :remote-addr :request-method :scheme :server-name
                                                    :server-port :uri]))
                (is (instance? Integer (:server-port request)))
                (is (keyword? (:request-method request)))
                (is (or (nil? (:body request)) (instance? InputStream (:body request))))))))))))

(deftest request-is-a-map-test
  (each-mode [mode]
    (let [seen (LinkedBlockingQueue.)]
      (with-handler [server mode (fn [request] (.add seen request) {:status 200})]
        (raw/answer server (raw/get-request "/p?q"))
        (let [request (take-seen seen)
              plain (into {} request)]
          (testing "M23 a request is a map"
            (is (map? request))
            (is (= plain request))
            (is (= request plain))
            (is (= (hash plain) (hash request)))
            (is (= plain (read-string (pr-str request))))
            (is (= (assoc plain :a 1) (assoc request :a 1)))
            (is (= (assoc plain :uri "/other") (assoc request :uri "/other")))
            (is (= (dissoc plain :uri) (dissoc request :uri)))
            (is (= (merge plain {:uri "/m" :b 2}) (merge request {:uri "/m" :b 2})))
            (is (= {:uri "/p" :query-string "q"} (select-keys request [:uri :query-string :nothing])))
            (is (= (set (keys plain)) (set (keys request))))
            (is (= {:m 1} (meta (with-meta request {:m 1}))))
            (is (= "/p" (:uri request)) "unchanged by all that")))))))

(defrecord Response [status headers body])

(def ^:private response-table
  "Rule, the Ring response, and on the wire: status, body, the values of X-A."
  [["M24 header names in any case" {:status 200 :headers {"x-A" "1"} :body "b"} 200 "b" ["1"]]
   ["M11 a vector is one field each, in order" {:status 200 :headers {"X-A" ["1" "2" "1"]} :body "b"} 200 "b" ["1" "2" "1"]]
   ["M11 so is any seq of strings" {:status 200 :headers {"X-A" (map str [1 2])} :body "b"} 200 "b" ["1" "2"]]
   ["S an empty vector is no field" {:status 200 :headers {"X-A" []} :body "b"} 200 "b" []]
   ["S headers and body may be missing" {:status 200} 200 "" []]
   ["S headers and body may be nil" {:status 404 :headers nil :body nil} 404 "" []]
   ["M13 the status may be an int" {:status (int 201) :headers {} :body "b"} 201 "b" []]
   ["M13 the status may be any integer" {:status 201N :headers {} :body "b"} 201 "b" []]
   ["M13 the smallest status" {:status 200 :body "b"} 200 "b" []]
   ["M13 the greatest status" {:status 599 :body "b"} 599 "b" []]
   ["M12 204 has no body" {:status 204 :headers {"X-A" "1"} :body "b"} 204 "" ["1"]]
   ["M12 304 has no body" {:status 304 :headers {"X-A" "1"} :body "b"} 304 "" ["1"]]
   ["M19 a record is a map" (->Response 200 {"X-A" "1"} "b") 200 "b" ["1"]]
   ["M19 a sorted map is a map" (sorted-map :body "b" :headers (sorted-map "X-A" "1") :status 200) 200 "b" ["1"]]
   ["S more keys do no harm" {:status 200 :headers {"X-A" "1"} :body "b" :session {} "k" 1} 200 "b" ["1"]]
   ["M13 no status" {:headers {"X-A" "1"} :body "secret"} 500 "Internal Server Error" []]
   ["M13 a status that is none" {:status "200" :body "secret"} 500 "Internal Server Error" []]
   ["S an interim status" {:status 101 :body "secret"} 500 "Internal Server Error" []]
   ["S a status beyond 599" {:status 600 :body "secret"} 500 "Internal Server Error" []]
   ["M14 nil is an error and does not hang" nil 500 "Internal Server Error" []]
   ["M14 so is what is no map" [200 {} "secret"] 500 "Internal Server Error" []]
   ["M21 CR LF in a header value" {:status 200 :headers {"X-A" "1\r\nX-B: secret"}} 500 "Internal Server Error" []]
   ["M21 CR LF in a header name" {:status 200 :headers {"X-A: 1\r\nX-B" "secret"}} 500 "Internal Server Error" []]
   ["S a header value that is none" {:status 200 :headers {"X-A" 1} :body "secret"} 500 "Internal Server Error" []]
   ["S a body that is none" {:status 200 :headers {"X-A" "1"} :body {:secret 1}} 500 "Internal Server Error" []]])

(deftest response-test
  (each-mode [mode]
    (with-log [events]
      (let [ring-response (atom nil)]
        (with-handler [server mode (fn [_] @ring-response)]
          (with-client [client server]
            (doseq [[rule response status body fields] response-table]
              (testing rule
                (reset! ring-response response)
                (dotimes [_ 2]
                  (raw/send! client (raw/get-request "/"))
                  (let [answer (stream/read-any client)]
                    (is (= [status body fields] [(:status answer) (:body answer) (raw/header-values answer "x-a")]))))
                (testing "A an error is logged once for each, with the reason"
                  (if (= 500 status)
                    (dotimes [_ 2]
                      (let [{:keys [level message]} (log/await-event events)]
                        (is (= :error level))
                        (is (str/includes? message "GET /") "and with the request")))
                    (is (= [] (log/events events)))))))))))))

(def ^:private head-table
  "Rule, response to HEAD, and on the wire: status, Content-Lengths."
  [["M12 the length that a body has" {:status 200 :body "abc"} 200 ["3"]]
   ["M12 the length that the handler gives" {:status 200 :headers {"Content-Length" "10"}} 200 ["10"]]
   ["M12 the handler's length wins" {:status 200 :headers {"Content-Length" "10"} :body "abc"} 200 ["10"]]
   ["M12 a seq has no length" {:status 200 :body (map str (range 3))} 200 []]
   ["M12 304 keeps the handler's length" {:status 304 :headers {"Content-Length" "10"}} 304 ["10"]]
   ["M12 204 has none" {:status 204 :headers {"Content-Length" "10"}} 204 []]])

(deftest head-test
  (each-mode [mode]
    (doseq [[rule response status lengths] head-table]
      (testing rule
        (with-handler [server mode (constantly response)]
          (with-client [client server]
            (dotimes [_ 2]
              (raw/send! client (head "HEAD / HTTP/1.1" "Host: x"))
              (let [answer (stream/read-any client {:head? true})]
                (is (= [status lengths] [(:status answer) (raw/header-values answer "content-length")]))))
            (testing "and no exchange stays open"
              (is (raw/await-until #(zero? (:exchanges-open (server/server-metrics server))))))))))))

(deftest throwing-handler-test
  (each-mode [mode]
    (testing "M18 an exception is a 500 without detail, logged once with the stack, and the connection goes on"
      (with-log [events]
        (with-handler [server mode (fn [{:keys [uri]}]
                                     (if (= "/throw" uri)
                                       (throw (ex-info "secret" {}))
                                       {:status 200 :body uri}))]
          (with-client [client server]
            (raw/send! client (str (raw/get-request "/throw?password=hunter2") (raw/get-request "/next")))
            (let [response (raw/read-response client)]
              (is (= [500 "Internal Server Error"] ((juxt :status :body) response)))
              (is (not (str/includes? (pr-str response) "secret"))))
            (is (= "/next" (:body (raw/read-response client))))
            (let [{:keys [level message throwable]} (log/await-event events)]
              (is (= [:error "secret"] [level (ex-message throwable)]))
              (is (str/includes? message "GET /throw"))
              (is (not (str/includes? message "hunter2"))))
            (is (= [] (log/events events)))))))))

(defn redefined [_] {:status 200 :body "first"})
(defmulti by-method :request-method)
(defmethod by-method :default [{:keys [request-method]}] {:status 200 :body (name request-method)})

(deftest kinds-of-handler-test
  (each-mode [mode]
    (testing "M20 a handler may be a var, whose redefinition is followed, or a multimethod"
      (let [original redefined]
        (try
          (with-handler [server mode #'redefined]
            (is (= "first" (:body (raw/answer server (raw/get-request "/")))))
            (alter-var-root #'redefined (constantly (fn [_] {:status 200 :body "second"})))
            (is (= "second" (:body (raw/answer server (raw/get-request "/"))))))
          (finally (alter-var-root #'redefined (constantly original)))))
      (with-handler [server mode by-method]
        (is (= "get" (:body (raw/answer server (raw/get-request "/")))))))))
