(ns hinny.file-wire-test
  "Static files over a socket: what is found, and the fields that it is sent with."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.file-site :as site :refer [asked etag fields-of long-ago path with-directory write!]]
   [hinny.raw-client :as raw :refer [send! with-client with-server]]
   [hinny.server :as server])
  (:import
   (java.nio.file Path)
   (java.time Instant)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(defn- check-table
  "Asks for every row twice, so that what is looked for and what is known then is the same. A row is
  `[method target lines status fields body]`, where fields that are nil must not be there."
  [server rows]
  (doseq [[method target lines status fields body] rows
          again [false true]]
    (testing (str method " " target " " (pr-str lines) (when again ", again"))
      (let [response (apply asked server method target lines)]
        (is (= status (:status response)))
        (is (= fields (fields-of response (keys fields))))
        (is (= body (:body response)))
        (is (= [["hinny"] 1] [(raw/header-values response "server") (count (raw/header-values response "date"))]))))))

(defn- write-site!
  [directory]
  (write! directory "public/index.html" "<p>root")
  (write! directory "public/a.css" "a{}")
  (write! directory "public/empty.txt" "")
  (write! directory "public/plain" "no extension")
  (write! directory "public/A.HTML" "upper")
  (write! directory "public/sub/index.html" "<p>sub")
  (write! directory "public/sub/a b é.json" "{}")
  (write! directory "public/bare/x.txt" "x")
  (write! directory "public/large.bin" (site/noise 70000))
  (write! directory "secret.txt" "secret"))

(def ^:private html {"content-type" "text/html; charset=utf-8"})

(defn- all-fields
  [type length]
  {"content-type" type "content-length" (str length) "etag" (etag length) "last-modified" long-ago
   "accept-ranges" "bytes" "vary" nil "cache-control" nil "content-encoding" nil "content-range" nil
   "transfer-encoding" nil "connection" nil})

(def ^:private not-found {"content-type" "text/plain" "content-length" "9" "etag" nil "last-modified" nil "accept-ranges" nil})

(deftest found-test
  (with-directory [directory]
    (write-site! directory)
    (with-server [server nil {:routes [["/s/*path" {:files (path directory "public")}]]}]
      (check-table
        server
        [["GET" "/s/a.css" [] 200 (all-fields "text/css; charset=utf-8" 3) "a{}"]
         ["HEAD" "/s/a.css" [] 200 (all-fields "text/css; charset=utf-8" 3) ""]
         ["GET" "/s/a.css?v=1" [] 200 (all-fields "text/css; charset=utf-8" 3) "a{}"]
         ["GET" "/s/%61%2Ecss" [] 200 (all-fields "text/css; charset=utf-8" 3) "a{}"]
         ["GET" "/s/empty.txt" [] 200 (all-fields "text/plain; charset=utf-8" 0) ""]
         ["HEAD" "/s/empty.txt" [] 200 (all-fields "text/plain; charset=utf-8" 0) ""]
         ["GET" "/s/plain" [] 200 (all-fields "application/octet-stream" 12) "no extension"]
         ["GET" "/s/A.HTML" [] 200 html "upper"]
         ["GET" "/s/large.bin" [] 200 (all-fields "application/octet-stream" 70000) (site/noise 70000)]
         ["HEAD" "/s/large.bin" [] 200 (all-fields "application/octet-stream" 70000) ""]
         ["GET" "/s/" [] 200 html "<p>root"]
         ["GET" "/s/?q" [] 200 html "<p>root"]
         ["GET" "/s/index.html" [] 200 html "<p>root"]
         ["GET" "/s/sub/" [] 200 html "<p>sub"]
         ["HEAD" "/s/sub/" [] 200 (assoc html "content-length" "6") ""]
         ["GET" "/s/sub/a%20b%20%C3%A9.json" [] 200 {"content-type" "application/json"} "{}"]
         ["GET" "/s/sub" [] 301 {"location" "/s/sub/" "content-length" "0" "etag" nil "content-type" nil} ""]
         ["HEAD" "/s/sub" [] 301 {"location" "/s/sub/" "content-length" "0"} ""]
         ["GET" "/s/sub?a=b%20&c" [] 301 {"location" "/s/sub/?a=b%20&c"} ""]
         ["GET" "/s/%73ub?" [] 301 {"location" "/s/%73ub/?"} ""]
         ["GET" "/s/bare" [] 301 {"location" "/s/bare/"} ""]
         ["GET" "/s/bare/" [] 404 not-found "Not Found"]
         ["GET" "/s/nowhere" [] 404 not-found "Not Found"]
         ["HEAD" "/s/nowhere" [] 404 not-found ""]
         ["GET" "/s/a.css/" [] 404 not-found "Not Found"]
         ["GET" "/s/a.css/x" [] 404 not-found "Not Found"]
         ["GET" "/s/a.CSS" [] 404 not-found "Not Found"]
         ["GET" "/s//a.css" [] 404 not-found "Not Found"]
         ["GET" "/s" [] 404 not-found "Not Found"]
         ["GET" "/secret.txt" [] 404 not-found "Not Found"]
         ["POST" "/s/a.css" ["Content-Length: 0"] 405 {"allow" "GET, HEAD, OPTIONS"} "Method Not Allowed"]
         ["PUT" "/s/nowhere" ["Content-Length: 0"] 405 {"allow" "GET, HEAD, OPTIONS"} "Method Not Allowed"]
         ["DELETE" "/s/" [] 405 {"allow" "GET, HEAD, OPTIONS"} "Method Not Allowed"]
         ["OPTIONS" "/s/a.css" [] 204 {"allow" "GET, HEAD, OPTIONS" "content-length" nil} ""]
         ["GET" (str "/s/" (str/join (repeat 300 "n"))) [] 404 not-found "Not Found"]
         ["GET" (str "/s/" (str/join (repeat 2500 "n/"))) [] 404 not-found "Not Found"]])
      (testing "no handler is called, nothing is left open"
        (is (raw/await-until #(zero? (:exchanges-open (server/server-metrics server)))))
        (is (= 0 (:requests (server/server-metrics server))))))))

(deftest absolute-target-test
  (with-directory [directory]
    (write-site! directory)
    (testing "a redirect is a path, never another host"
      (with-server [server nil {:routes [["/*path" {:files (path directory "public")}]]}]
        (are [target status location] (let [response (asked server "GET" target)]
                                        (= [status location] [(:status response) (raw/header response "location")]))
          "http://x/sub" 301 "/sub/"
          "http://x/sub?q" 301 "/sub/?q"
          "http://x" 200 nil
          "/" 200 nil
          "//sub" 404 nil
          "/\\sub" 404 nil
          "/%5Csub" 404 nil)))))

(deftest options-test
  (with-directory [directory]
    (write-site! directory)
    (write! directory "public/x.foo" "foo")
    (write! directory "public/x.JS" "js")
    (write! directory "public/.hidden" "hidden")
    (write! directory "public/.git/config" "hidden")
    (write! directory "public/.well-known/acme" "known")
    (write! directory "public/sub/start.htm" "start")
    (let [root (path directory "public")]
      (with-server [server nil {:routes [["/plain/*path" {:files root}]
                                         ["/all/*path" {:files {:root root
                                                                :hidden? true
                                                                :index ["start.htm" "index.html"]
                                                                :cache-control "public, max-age=60"
                                                                :headers {"X-Frame-Options" "DENY" "X-A" "b, c"}
                                                                :mime-types {"foo" "text/x-foo" ".js" "text/x-js"}}}]
                                         ["/bare/*path" {:files {:root root :index [] :cache-ms 0}}]
                                         ["/uncached/*path" {:files {:root root :cache-bytes 0}}]]}]
        (check-table
          server
          [["GET" "/all/x.foo" [] 200 {"content-type" "text/x-foo" "cache-control" "public, max-age=60" "x-frame-options" "DENY"
                                       "x-a" "b, c"} "foo"]
           ["GET" "/all/x.foo" [(str "If-None-Match: " (etag 3))] 304
            {"content-type" nil "cache-control" "public, max-age=60" "x-a" "b, c" "etag" (etag 3) "content-length" nil} ""]
           ["GET" "/all/x.JS" [] 200 {"content-type" "text/x-js"} "js"]
           ["GET" "/plain/x.JS" [] 200 {"content-type" "text/javascript; charset=utf-8"} "js"]
           ["GET" "/plain/x.foo" [] 200 {"content-type" "application/octet-stream" "x-a" nil} "foo"]
           ["GET" "/all/sub/" [] 200 {"content-type" "text/html; charset=utf-8"} "start"]
           ["GET" "/all/" [] 200 html "<p>root"]
           ["GET" "/all/nowhere" [] 404 {"x-a" nil "cache-control" nil} "Not Found"]
           ["GET" "/all/sub" [] 301 {"location" "/all/sub/" "cache-control" nil} ""]
           ["GET" "/all/.hidden" [] 200 {} "hidden"]
           ["GET" "/all/.git/config" [] 200 {} "hidden"]
           ["GET" "/plain/.hidden" [] 404 {} "Not Found"]
           ["GET" "/plain/%2Ehidden" [] 404 {} "Not Found"]
           ["GET" "/plain/.git" [] 404 {} "Not Found"]
           ["GET" "/plain/.git/config" [] 404 {} "Not Found"]
           ["GET" "/plain/.well-known/acme" [] 200 {} "known"]
           ["GET" "/bare/" [] 404 {} "Not Found"]
           ["GET" "/bare/sub" [] 404 {"location" nil} "Not Found"]
           ["GET" "/bare/sub/" [] 404 {} "Not Found"]
           ["GET" "/bare/sub/index.html" [] 200 html "<p>sub"]
           ["GET" "/uncached/a.css" [] 200 {"etag" (etag 3)} "a{}"]
           ["GET" "/uncached/nowhere" [] 404 {} "Not Found"]])))))

(deftest single-file-test
  (with-directory [directory]
    (write-site! directory)
    (testing "a single file; at a catch-all for every path that no other route has"
      (with-server [server nil {:routes [["/one" {:file (path directory "public/a.css")}]
                                         ["/s/*path" {:files (path directory "public")}]
                                         ["/spa/*path" {:file {:root (path directory "public/index.html") :cache-control "no-cache"}}]
                                         ["/spa/api" {:get {:response {:status 200 :body "api"}}}]]}]
        (check-table
          server
          [["GET" "/one" [] 200 (all-fields "text/css; charset=utf-8" 3) "a{}"]
           ["HEAD" "/one" [] 200 (all-fields "text/css; charset=utf-8" 3) ""]
           ["GET" "/one" ["Range: bytes=1-"] 206 {"content-range" "bytes 1-2/3"} "{}"]
           ["GET" "/one/" [] 404 {} "Not Found"]
           ["POST" "/one" ["Content-Length: 0"] 405 {"allow" "GET, HEAD, OPTIONS"} "Method Not Allowed"]
           ["GET" "/spa/" [] 200 (assoc html "cache-control" "no-cache") "<p>root"]
           ["GET" "/spa/users/7?q" [] 200 html "<p>root"]
           ["GET" "/spa/a/../b" [] 200 html "<p>root"]
           ["GET" "/spa/%00" [] 200 html "<p>root"]
           ["GET" "/spa/api" [] 200 {} "api"]
           ["GET" "/spa" [] 404 {} "Not Found"]])))))

(deftest weak-etag-test
  (with-directory [directory]
    (write! directory "a.txt" "0123456789")
    (site/touch! directory "a.txt" (+ 3600 (.getEpochSecond (Instant/now))))
    (write! directory "constant.txt" "0123456789")
    (site/touch! directory "constant.txt" 1)
    (with-server [server nil {:routes [["/s/*path" {:files (str directory)}]]}]
      (testing "a file that may still change at the same time has a weak ETag, with which no range is got"
        (let [response (asked server "GET" "/s/a.txt")
              tag (raw/header response "etag")]
          (is (str/starts-with? tag "W/\"a-"))
          (is (nil? (raw/header response "last-modified")) "a time that is yet to come")
          (are [status lines] (= status (:status (apply asked server "GET" "/s/a.txt" lines)))
            304 [(str "If-None-Match: " tag)]
            412 [(str "If-Match: " tag)]
            206 ["Range: bytes=0-1"]
            200 ["Range: bytes=0-1" (str "If-Range: " tag)])))
      (testing "a time that is a constant of a build tells nothing"
        (let [response (asked server "GET" "/s/constant.txt")]
          (is (nil? (raw/header response "last-modified")))
          (is (re-matches #"(W/)?\"a-c[0-9a-f]+\"" (raw/header response "etag"))))))))

(deftest fallback-test
  (with-directory [directory]
    (write-site! directory)
    (testing "a handler beside the routes answers other paths and methods, not files that are missing"
      (with-server [server (fn [{:keys [uri]}] {:status 299 :body uri}) {:routes [["/s/*path" {:files (path directory "public")}]]}]
        (are [method target status] (= status (:status (asked server method target)))
          "GET" "/s/a.css" 200
          "GET" "/s/nowhere" 404
          "GET" "/other" 299
          "DELETE" "/s/a.css" 299)))))

(deftest body-of-request-test
  (with-directory [directory]
    (write-site! directory)
    (with-server [server nil {:routes [["/s/*path" {:files (path directory "public")}]]}]
      (testing "a body of a GET is dropped, and the connection goes on"
        (with-client [client server]
          (doseq [[target body] [["/s/a.css" "a{}"] ["/s/large.bin" (site/noise 70000)] ["/s/a.css" "a{}"]]]
            (send! client (str (site/request "GET" target "Content-Length: 5") "12345"))
            (is (= body (:body (raw/read-response client))))
            (send! client (str (site/request "GET" target "Transfer-Encoding: chunked") (raw/chunked "abc" "def")))
            (is (= body (:body (raw/read-response client)))))))
      (testing "a directory that is gone is as if it were empty; when it is back, it is served"
        (let [root (.resolve ^Path directory "public")]
          (java.nio.file.Files/move root (.resolve ^Path directory "away") (make-array java.nio.file.CopyOption 0))
          (is (= 404 (:status (asked server "GET" "/s/sub/"))))
          (java.nio.file.Files/move (.resolve ^Path directory "away") root (make-array java.nio.file.CopyOption 0))
          (is (raw/await-until #(= 200 (:status (asked server "GET" "/s/sub/"))))))))))
