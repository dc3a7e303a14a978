(ns hinny.static-middleware-test
  "`wrap-file`, `wrap-resource`, `wrap-content-type` and `wrap-head`: files of a directory, of the class path and of a
  jar, whole and nothing beside them."
  (:require
   [clojure.java.io :as io]
   [clojure.test :refer [deftest is testing]]
   [hinny.middleware-app :as app :refer [answering curl fetch header random-bytes sha256 url with-app with-directory write-file!]]
   [hinny.raw-client :as raw :refer [with-client]]
   [ring.middleware.content-type :refer [wrap-content-type]]
   [ring.middleware.file :refer [wrap-file]]
   [ring.middleware.head :refer [wrap-head]]
   [ring.middleware.resource :refer [wrap-resource]]
   [ring.util.response :refer [not-found]])
  (:import
   (java.io File)
   (java.net URL URLClassLoader)
   (java.nio.file Files)
   (java.nio.file.attribute FileAttribute)
   (java.util.zip ZipEntry ZipOutputStream)))

(set! *warn-on-reflection* true)

(def ^:private large (random-bytes 3145729 7))

(def ^:private medium (random-bytes 100000 8))

(def ^:private contents
  "The files of a site: path and content."
  {"index.html" "<p>home</p>"
   "sub/index.html" "<p>sub</p>"
   "plain.txt" "plain"
   "with space.txt" "space"
   "ümlaut.txt" "Grüße"
   "empty.txt" ""
   "data.unknown" "?"
   "medium.png" medium
   "large.bin" large})

(defn- write-site! [directory]
  (run! (fn [[path content]] (write-file! directory path content)) contents))

(def ^:private fallback
  "What answers where there is no file."
  (answering (fn [{:keys [request-method]}] (not-found (str "no file for " (name request-method))))))

(defn- bytes-of ^bytes [content]
  (if (string? content) (.getBytes ^String content "UTF-8") content))

(def ^:private served-table
  "The target, the path of the file that it gets, and the type."
  [["/index.html" "index.html" "text/html"]
   ["/plain.txt" "plain.txt" "text/plain"]
   ["/plain.txt?v=1" "plain.txt" "text/plain"]
   ["/sub/index.html" "sub/index.html" "text/html"]
   ["/with%20space.txt" "with space.txt" "text/plain"]
   ["/%C3%BCmlaut.txt" "ümlaut.txt" "text/plain"]
   ["/empty.txt" "empty.txt" "text/plain"]
   ["/data.unknown" "data.unknown" "application/octet-stream"]
   ["/medium.png" "medium.png" "image/png"]
   ["/large.bin" "large.bin" "application/octet-stream"]])

(def ^:private index-table
  [["/" "index.html"]
   ["/sub" "sub/index.html"]
   ["/sub/" "sub/index.html"]])

(defn- check-served
  "GET gives the file with its length and type, HEAD the same without it; on one connection too."
  [server]
  (doseq [[target path type] served-table]
    (testing target
      (let [content (bytes-of (contents path))
            length (str (alength content))
            got (fetch server target)]
        (is (= [200 type length (sha256 content)]
               [(:status got) (header got "content-type") (header got "content-length") (sha256 (:bytes got))]))
        (is (header got "last-modified"))
        (with-client [client server]
          (raw/send! client (raw/head (str "HEAD " target " HTTP/1.1") "Host: x"))
          (let [head (raw/read-response client {:head? true})]
            (is (= [200 type length (header got "last-modified")]
                   [(:status head) (raw/header head "content-type") (raw/header head "content-length") (raw/header head "last-modified")])))
          (raw/send! client (raw/get-request target))
          (is (= (sha256 content) (sha256 (raw/latin1 (:body (raw/read-response client))))))
          (raw/send! client (raw/get-request "/nothing"))
          (is (= [404 "no file for get"] ((juxt :status :body) (raw/read-response client)))))))))

(def ^:private outside-table
  "Targets that lead out of the site, or nowhere."
  ["/../secret.txt" "/sub/../../secret.txt" "/%2e%2e/secret.txt" "/..%2fsecret.txt" "/%2e%2e%2fsecret.txt" "/sub/%2e%2e/%2e%2e/secret.txt"
   "/..%5csecret.txt" "//../secret.txt" "/./../secret.txt" "/nothing.txt" "/plain.txt/x" "/sub/nothing"])

(defn- check-outside [server]
  (doseq [target outside-table]
    (testing target
      (is (= [404 "no file for get"] ((juxt :status :body) (raw/answer server (raw/get-request target))))))))

(deftest file-test
  (with-directory [directory]
    (let [site (io/file directory "site")]
      (write-site! site)
      (write-file! directory "secret.txt" "secret")
      (write-file! directory "site-beside/secret.txt" "secret")
      (with-app [server (-> fallback (wrap-file (str site)) wrap-content-type) {:blocking? true}]
        (check-served server)
        (check-outside server)
        (testing "index files"
          (doseq [[target path] index-table]
            (is (= [200 (contents path)] ((juxt :status :body) (fetch server target))) target)))
        (testing "another method goes on to the handler"
          (is (= [404 "no file for post"] ((juxt :status :body) (fetch server "/plain.txt" :method "POST" :body "x")))))))))

(deftest symlink-test
  (with-directory [directory]
    (let [site (io/file directory "site")
          secret (write-file! directory "secret.txt" "secret")]
      (write-file! site "plain.txt" "plain")
      (Files/createSymbolicLink (.toPath (io/file site "link.txt")) (.toPath secret) (make-array FileAttribute 0))
      (with-app [server (wrap-file fallback (str site)) {:blocking? true}]
        (is (= 404 (:status (fetch server "/link.txt")))))
      (with-app [server (wrap-file fallback (str site) {:allow-symlinks? true}) {:blocking? true}]
        (is (= [200 "secret"] ((juxt :status :body) (fetch server "/link.txt"))))
        (is (= 404 (:status (raw/answer server (raw/get-request "/../secret.txt")))))))))

(deftest file-that-changes-test
  (testing "a file is served as it is at each request, and a deleted one no more"
    (with-directory [directory]
      (with-app [server (wrap-file fallback (str directory)) {:blocking? true}]
        (with-client [client server]
          (doseq [content ["first" "the second is longer" ""]]
            (write-file! directory "f.txt" content)
            (raw/send! client (raw/get-request "/f.txt"))
            (is (= [200 content] ((juxt :status :body) (raw/read-response client)))))
          (io/delete-file (io/file directory "f.txt"))
          (raw/send! client (raw/get-request "/f.txt"))
          (is (= 404 (:status (raw/read-response client)))))))))

(deftest prefer-handler-test
  (with-directory [directory]
    (write-file! directory "a.txt" "file a")
    (write-file! directory "b.txt" "file b")
    (with-app [server (-> (answering (fn [{:keys [uri]}]
                                       (if (= "/a.txt" uri) {:status 200 :headers {} :body "handler a"} (not-found "no"))))
                          (wrap-file (str directory) {:prefer-handler? true}))
               {:blocking? true}]
      (is (= ["handler a" "file b"] (map #(:body (fetch server %)) ["/a.txt" "/b.txt"]))))))

(deftest downloads-in-parallel-test
  (with-directory [directory]
    (write-site! directory)
    (with-app [server (wrap-file fallback (str directory)) {:blocking? true}]
      (let [downloads (doall (for [target (take 12 (cycle ["/large.bin" "/medium.png" "/plain.txt"]))]
                               [target (future (sha256 (:bytes (fetch server target))))]))]
        (doseq [[target download] downloads]
          (is (= (sha256 (bytes-of (contents (subs target 1)))) (deref download raw/guard-ms :late))))))))

(deftest curl-download-test
  (when app/curl?
    (with-directory [directory]
      (write-site! directory)
      (with-app [server (wrap-file fallback (str directory)) {:blocking? true}]
        (testing "two files over one connection"
          (let [[a b] (map #(io/file directory "got" %) ["a" "b"])]
            (io/make-parents a)
            (is (= "200 1\n200 0\n"
                   (curl "--write-out" "%{http_code} %{num_connects}\n"
                         "--output" a (url server "/large.bin") "--output" b (url server "/medium.png"))))
            (is (= (map sha256 [large medium])
                   (map #(sha256 (Files/readAllBytes (.toPath ^File %))) [a b])))))))))

;; Resources

(deftest class-path-resource-test
  (with-app [server (-> fallback (wrap-resource "public") wrap-content-type) {:blocking? true}]
    (doseq [[target type path] [["/page.html" "text/html" "tests/middleware/public/page.html"]
                                ["/assets/style.css" "text/css" "tests/middleware/public/assets/style.css"]]]
      (let [got (fetch server target)]
        (is (= [200 type (slurp path)] [(:status got) (header got "content-type") (:body got)]))))
    (doseq [target ["/" "/assets" "/nothing.html" "/../hinny/middleware_app.clj" "/%2e%2e/hinny/middleware_app.clj"
                    "/assets/../../hinny/middleware_app.clj"]]
      (testing target
        (is (= 404 (:status (raw/answer server (raw/get-request target)))))))))

(defn- write-jar!
  "A jar with the site below public/, and a secret beside it."
  [^File jar]
  (with-open [out (ZipOutputStream. (io/output-stream jar))]
    (doseq [[path content] (conj (vec (update-keys contents #(str "public/" %))) ["public/" nil] ["public/sub/" nil] ["secret.txt" "secret"])]
      (.putNextEntry out (ZipEntry. ^String path))
      (when content (.write out (bytes-of content)))
      (.closeEntry out))))

(deftest jar-resource-test
  (with-directory [directory]
    (let [jar (io/file directory "site.jar")]
      (write-jar! jar)
      (with-open [loader (URLClassLoader. (into-array URL [(io/as-url jar)]) nil)]
        (with-app [server (-> fallback (wrap-resource "public" {:loader loader}) wrap-content-type) {:blocking? true}]
          (check-served server)
          (check-outside server)
          (testing "directories are none"
            (is (= [404 404] (map #(:status (fetch server %)) ["/" "/sub"])))))))))

;; HEAD and types

(deftest head-test
  (with-app [server (wrap-head (answering (fn [{:keys [request-method uri]}]
                                            {:status 200
                                             :headers {"X-Method" (name request-method) "Content-Type" "text/plain" "Content-Length" "5"}
                                             :body (if (= "/long" uri) "12345" "hello")})))]
    (with-client [client server]
      (dotimes [_ 2]
        (raw/send! client (raw/head "HEAD / HTTP/1.1" "Host: x"))
        (let [head (raw/read-response client {:head? true})]
          (is (= [200 "get" "text/plain"] (cons (:status head) (map #(raw/header head %) ["x-method" "content-type"]))))
          (is (contains? #{nil "5"} (raw/header head "content-length")) "9110 9.3.2: as GET has it, or none"))
        (raw/send! client (raw/get-request "/long"))
        (is (= [200 "12345"] ((juxt :status :body) (raw/read-response client))) "on the same connection")))))

(deftest content-type-test
  (with-app [server (-> (answering (fn [{:keys [uri]}]
                                     {:status 200 :headers (if (= "/own.html" uri) {"content-type" "text/x-own"} {}) :body "x"}))
                        (wrap-content-type {:mime-types {"foo" "text/x-foo"}}))]
    (doseq [[target type] [["/a.html" "text/html"]
                           ["/a.b.css?c.js" "text/css"]
                           ["/a.png" "image/png"]
                           ["/a.foo" "text/x-foo"]
                           ["/own.html" "text/x-own"]
                           ["/a" "application/octet-stream"]]]
      (is (= type (header (fetch server target) "content-type")) target))))
