(ns hinny.request-wire-test
  "Request bytes in, what the handler sees and what is refused out.

  Each row names the section that asks for it: 9110 and 9112 are RFCs, SPEC is the Ring SPEC 1.5.1."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.raw-client :as raw :refer [head with-client with-server]]
   [hinny.server :as server])
  (:import
   (io.github.hinny RingRequest)
   (java.util.concurrent LinkedBlockingQueue TimeUnit)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(defn- capturing
  "A handler that keeps each request, and answers with its body."
  [^LinkedBlockingQueue seen]
  (fn [request]
    (.add seen request)
    (raw/echo-body request)))

(defn- take-seen
  [^LinkedBlockingQueue seen]
  (.poll seen raw/guard-ms TimeUnit/MILLISECONDS))

(defn- port-of [request-port server]
  (if (= :socket request-port) (server/server-port server) request-port))

(def seen-table
  "Section, request, keys of the Ring request and their values; ::absent for a key that must not be there."
  [["SPEC :uri" (raw/get-request "/") {:uri "/" :query-string ::absent}]
   ["SPEC :uri raw" (raw/get-request "/a%20b/%C3%A9%2F+c") {:uri "/a%20b/%C3%A9%2F+c"}]
   ["SPEC :uri raw" (raw/get-request "/a;v=1,2/!$&'()*:@~") {:uri "/a;v=1,2/!$&'()*:@~"}]
   ["SPEC :uri not normalised" (raw/get-request "//a//../b/.") {:uri "//a//../b/."}]
   ["SPEC :query-string absent" (raw/get-request "/a") {:uri "/a" :query-string ::absent}]
   ["SPEC :query-string empty" (raw/get-request "/a?") {:uri "/a" :query-string ""}]
   ["SPEC :query-string as sent" (raw/get-request "/a?b=%20&c=?/d+e") {:uri "/a" :query-string "b=%20&c=?/d+e"}]
   ["9112 3.2.2 absolute form" (head "GET http://y.example:81/p?q HTTP/1.1" "Host: x")
    {:uri "/p" :query-string "q" :server-name "y.example" :server-port 81}]
   ["9112 3.2.2 absolute form, no path" (head "GET http://y.example?q HTTP/1.1" "Host: x")
    {:uri "/" :query-string "q" :server-name "y.example" :server-port :socket}]
   ["9112 3.2.4 asterisk form" (head "OPTIONS * HTTP/1.1" "Host: x") {:uri "*" :request-method :options}]
   ["9110 7.2 Host with port" (head "GET / HTTP/1.1" "Host: h.example:8080") {:server-name "h.example" :server-port 8080}]
   ["9110 7.2 Host without port" (head "GET / HTTP/1.1" "Host: h.example") {:server-name "h.example" :server-port :socket}]
   ["3986 3.2.2 a name may hold more than letters" (head "GET / HTTP/1.1" "Host: x_1,y;~!$&'()*+=%41.")
    {:server-name "x_1,y;~!$&'()*+=%41."}]
   ["3986 3.2.3 Host with empty port" (head "GET / HTTP/1.1" "Host: h.example:") {:server-name "h.example" :server-port :socket}]
   ["3986 3.2.2 IPv6" (head "GET / HTTP/1.1" "Host: [::1]:8080") {:server-name "::1" :server-port 8080}]
   ["3986 3.2.2 IPv6 without port" (head "GET / HTTP/1.1" "Host: [2001:db8::1]") {:server-name "2001:db8::1" :server-port :socket}]
   ["9112 3.2 HTTP/1.0 without Host" (head "GET / HTTP/1.0") {:server-name "127.0.0.1" :server-port :socket :protocol "HTTP/1.0"}]
   ["9112 3.2 HTTP/1.0 with Host" (head "GET / HTTP/1.0" "Host: h:1") {:server-name "h" :server-port 1 :protocol "HTTP/1.0"}]
   ["SPEC :protocol, :scheme, :remote-addr" (raw/get-request "/" "X-Forwarded-For: 9.9.9.9" "X-Forwarded-Proto: https")
    {:protocol "HTTP/1.1" :scheme :http :remote-addr "127.0.0.1" :ssl-client-cert ::absent}]
   ["SPEC :request-method" (head "DELETE / HTTP/1.1" "Host: x") {:request-method :delete}]
   ["SPEC :request-method" (head "PATCH / HTTP/1.1" "Host: x") {:request-method :patch}]
   ["9110 9.1 custom method" (head "M-SEARCH / HTTP/1.1" "Host: x") {:request-method :m-search}]
   ["9110 9.1 custom method" (head "x!#$%&'*+-.^_`|~9 / HTTP/1.1" "Host: x") {:request-method (keyword "x!#$%&'*+-.^_`|~9")}]
   ["SPEC :headers are never nil" (head "GET / HTTP/1.0") {:headers {}}]
   ["SPEC :headers lower-case" (raw/get-request "/" "X-ABC: V" "uSER-aGENT: U") {:headers {"host" "x" "x-abc" "V" "user-agent" "U"}}]
   ["9110 5.3 duplicates joined" (raw/get-request "/" "Accept: a" "X-A: 1" "accept: b" "x-a: 2" "X-a: 3")
    {:headers {"host" "x" "accept" "a,b" "x-a" "1,2,3"}}]
   ["SPEC cookies joined by ;" (raw/get-request "/" "Cookie: a=1" "COOKIE: b=2; c=3") {:headers {"host" "x" "cookie" "a=1;b=2; c=3"}}]
   ["9110 5.5 space around a value" (raw/get-request "/" "X-A: \t a b \t ") {:headers {"host" "x" "x-a" "a b"}}]
   ["9110 5.5 empty value" (raw/get-request "/" "X-A:" "X-B: ") {:headers {"host" "x" "x-a" "" "x-b" ""}}]
   ["9110 5.5 obs-text is Latin-1" (raw/get-request "/" "X-A: caf\u00e9") {:headers {"host" "x" "x-a" "caf\u00e9"}}]
   ["9110 5.1 every token character in a name" (raw/get-request "/" "!#$%&'*+-.^_`|~9Z: v") {:headers {"host" "x" "!#$%&'*+-.^_`|~9z" "v"}}]
   ["9112 2.2 empty line before the request" (str "\r\n" (raw/get-request "/a")) {:uri "/a"}]
   ["SPEC :body absent" (raw/get-request "/") {:body ::absent}]
   ["SPEC deprecated keys" (raw/post "/" "abc" "Content-Type: text/plain; charset=UTF-8")
    {:content-length 3 :content-type "text/plain; charset=UTF-8" :character-encoding "UTF-8"}]
   ["SPEC deprecated keys absent" (raw/get-request "/")
    {:content-length ::absent :content-type ::absent :character-encoding ::absent}]])

(deftest request-map-test
  (doseq [mode [:inline :worker]]
    (let [seen (LinkedBlockingQueue.)]
      (with-server [server (capturing seen) {:handler-mode mode}]
        (doseq [[section request expected] seen-table]
          (testing (str mode " " section " " (pr-str request))
            (is (= 200 (:status (raw/answer server request))))
            (let [request (take-seen seen)]
              (doseq [[k v] expected]
                (if (= ::absent v)
                  (is (not (contains? request k)))
                  (is (= (if (= :server-port k) (port-of v server) v) (get request k)))))
              (is (instance? Integer (:server-port request)))
              (is (instance? RingRequest request)))))))))

(def refused-table
  "Section, request that is answered with 400 and the end of the connection."
  [["9112 3.2 no Host" (head "GET / HTTP/1.1")]
   ["9112 3.2 no Host in absolute form" (head "GET http://x/ HTTP/1.1")]
   ["9112 3.2 two Hosts" (head "GET / HTTP/1.1" "Host: x" "Host: y")]
   ["9112 3.2 two equal Hosts" (head "GET / HTTP/1.1" "Host: x" "Accept: a" "hOST: x")]
   ["9112 3.2 two Hosts in HTTP/1.0" (head "GET / HTTP/1.0" "Host: x" "Host: x")]
   ["9110 4.2.1 empty Host" (head "GET / HTTP/1.1" "Host:")]
   ["9110 4.2.1 empty host with port" (head "GET / HTTP/1.1" "Host: :80")]
   ["9112 3.2 invalid Host" (head "GET / HTTP/1.1" "Host: x y")]
   ["9112 3.2 invalid Host" (head "GET / HTTP/1.1" "Host: x/y")]
   ["9112 3.2 invalid Host" (head "GET / HTTP/1.1" "Host: u@x")]
   ["9112 3.2 invalid Host" (head "GET / HTTP/1.1" "Host: x:a")]
   ["9112 3.2 invalid Host" (head "GET / HTTP/1.1" "Host: x:65536")]
   ["9112 3.2 invalid Host" (head "GET / HTTP/1.1" "Host: x:-1")]
   ["9112 3.2 invalid Host" (head "GET / HTTP/1.1" "Host: [::1")]
   ["9112 3.2 invalid Host" (head "GET / HTTP/1.1" "Host: [g]")]
   ["9112 3.2 invalid Host" (head "GET / HTTP/1.1" "Host: ::1")]
   ["9112 3.2 invalid Host" (head "GET / HTTP/1.1" "Host: caf\u00e9")]
   ["9112 3.2 invalid Host of a request with a body" (head "POST / HTTP/1.1" "Host: u@x" "Content-Length: 1")]
   ["9110 4.2.4 user information" (head "GET http://u:p@x/ HTTP/1.1" "Host: x")]
   ["9112 3.2.3 authority form is for CONNECT" (head "GET x HTTP/1.1" "Host: x")]
   ["9112 3.2.3 authority form is for CONNECT" (head "GET x:80 HTTP/1.1" "Host: x")]
   ["9112 3.2.4 asterisk form is for OPTIONS" (head "GET * HTTP/1.1" "Host: x")]
   ["9110 9.3.6 no tunnel" (head "CONNECT x:80 HTTP/1.1" "Host: x:80")]
   ["9112 3 no version" (head "GET /")]
   ["9112 3 two spaces" (head "GET  / HTTP/1.1" "Host: x")]
   ["9112 3 space in target" (head "GET /a b HTTP/1.1" "Host: x")]
   ["9112 3.2 control character in target" (head "GET /a\u0001 HTTP/1.1" "Host: x")]
   ["9112 3.2 CR in target" (head "GET /a\rb HTTP/1.1" "Host: x")]
   ["9112 3.2 raw non-ASCII in target" (head "GET /caf\u00e9 HTTP/1.1" "Host: x")]
   ["9112 3.1 method is a token" (head "G(T / HTTP/1.1" "Host: x")]
   ["9112 2.3 version" (head "GET / HTTP/1.x" "Host: x")]
   ["9112 2.3 version" (head "GET / http/1.1" "Host: x")]
   ["9112 5.1 space before colon" (head "GET / HTTP/1.1" "Host : x")]
   ["9112 5.1 no colon" (head "GET / HTTP/1.1" "Host: x" "abc")]
   ["9112 5.1 no name" (head "GET / HTTP/1.1" "Host: x" ": v")]
   ["9110 5.1 name is a token" (head "GET / HTTP/1.1" "Host: x" "a(b: v")]
   ["9112 5.2 line folding" (head "GET / HTTP/1.1" "Host: x" "A: b" " c")]
   ["9112 2.2 space before the first field" (head "GET / HTTP/1.1" " A: b" "Host: x")]
   ;; One empty line comes from old clients that end a body with it; more come from nobody who means well.
   ["9112 2.2 two empty lines before the request" (str "\r\n\r\n" (raw/get-request "/a"))]
   ["9112 2.2 LF without CR" "GET / HTTP/1.1\nHost: x\n\n"]
   ["9112 2.2 LF without CR" "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"]
   ["9112 3.2 fragment in target" (raw/get-request "/a#b")]
   ["9110 5.5 NUL in value" (head "GET / HTTP/1.1" "Host: x" "A: b\u0000c")]
   ["9110 5.5 CR in value" (head "GET / HTTP/1.1" "Host: x" "A: b\rc")]
   ["9112 2.2 no HTTP at all" "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n"]])

(deftest malformed-request-is-refused-test
  (let [seen (LinkedBlockingQueue.)]
    (with-server [server (capturing seen) nil]
      (doseq [[section request] refused-table]
        (testing (str section " " (pr-str request))
          (with-client [client server]
            (raw/send! client request)
            (let [response (raw/read-response client)]
              (is (= 400 (:status response)))
              (is (= "close" (raw/header response "connection")))
              (is (contains? #{"" "Bad Request"} (:body response)) "no detail")
              (raw/finish! client)
              (is (raw/eof? client))
              (is (nil? (.poll seen)) "the handler does not see it"))
            (.clear seen)))))))

(deftest host-is-checked-on-every-request-of-a-connection-test
  (with-server [server raw/echo-target nil]
    (doseq [bad ["Host:" "Host: x y" "X-Host: x"]]
      (testing (str "9112 3.2 " bad " after a good one")
        (with-client [client server]
          (raw/send! client (raw/get-request "/a"))
          (is (= 200 (:status (raw/read-response client))))
          (raw/send! client (head "GET / HTTP/1.1" bad))
          (is (= 400 (:status (raw/read-response client))))
          (is (raw/eof? client)))))))

(deftest version-test
  (with-server [server raw/echo-target nil]
    (doseq [version ["HTTP/2.0" "HTTP/3.0" "HTTP/0.9"]]
      (testing (str "9110 15.6.6 " version)
        (let [response (raw/answer server (head (str "GET / " version) "Host: x"))]
          (is (= 505 (:status response)))
          (is (= "close" (raw/header response "connection"))))))))

(deftest methods-of-one-hash-test
  (testing "methods with one hash become no more keywords than the JVM can take, however many requests they come in"
    (let [seen (atom #{})
          methods (reduce (fn [names _] (for [part names more ["a~" "b_"]] (str part more))) [(str "M" (System/nanoTime))] (range 7))]
      (is (= [128 1] [(count methods) (count (set (map #(.hashCode ^String %) methods)))]))
      (with-server [server (fn [request]
                             (swap! seen conj (:request-method request))
                             {:status 200 :body ""})]
        (is (= {200 64 400 64} (frequencies (map #(:status (raw/answer server (head (str % " / HTTP/1.1") "Host: x"))) methods))))
        (is (= 64 (count @seen)))))))
