(ns hinny.file-resources-wire-test
  "Directories of the class path over a socket, and roots that are wrong: an error at start that names the route."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.file-site :as site :refer [asked long-ago path with-directory write!]]
   [hinny.raw-client :as raw :refer [with-server]]
   [hinny.server :as server])
  (:import
   (clojure.lang ExceptionInfo)
   (java.io Closeable File FileOutputStream)
   (java.net URL URLClassLoader)
   (java.nio.file Files LinkOption Path)
   (java.nio.file.attribute PosixFilePermissions)
   (java.util UUID)
   (java.util.jar JarEntry JarOutputStream)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(defn- write-jar!
  "Writes a jar with these entries, names and texts, of long ago."
  ^File [directory file entries]
  (let [jar (File. (path directory file))]
    (with-open [out (JarOutputStream. (FileOutputStream. jar))]
      (doseq [[entry-name text] entries]
        (.putNextEntry out (doto (JarEntry. ^String entry-name)
                             (.setLastModifiedTime (java.nio.file.attribute.FileTime/fromMillis (* 1000 (long site/long-ago-second))))))
        (.write out (raw/latin1 text))
        (.closeEntry out)))
    jar))

(defn- start
  "Starts a server whose thread has these jars and directories in front of its class path."
  ^Closeable [places options]
  (let [thread (Thread/currentThread)
        before (.getContextClassLoader thread)]
    (with-open [loader (URLClassLoader. (into-array URL (map #(.toURL (.toURI (File. (str %)))) places)) before)]
      (try
        (.setContextClassLoader thread loader)
        (server/run-server nil (merge raw/*options* options))
        (finally
          (.setContextClassLoader thread before))))))

(defn- copies
  "The directories in `java.io.tmpdir` that are copies of resources."
  []
  (set (filter #(str/starts-with? (.getName ^File %) "hinny-resources-")
               (.listFiles (File. (System/getProperty "java.io.tmpdir"))))))

(def ^:private routes
  {:routes [["/r/*path" {:resources {:root "site-of-a-test" :cache-control "no-cache" :cache-ms 0}}]]})

(deftest directory-test
  (with-directory [directory]
    (write! directory "classes/site-of-a-test/a.css" "a{}")
    (write! directory "classes/site-of-a-test/index.html" "index")
    (write! directory "classes/secret.txt" "secret")
    (testing "a directory of the class path is served as it is"
      (with-open [server (start [(path directory "classes")] routes)]
        (let [response (asked server "GET" "/r/a.css")]
          (is (= [200 "a{}"] ((juxt :status :body) response)))
          (is (= {"content-type" "text/css; charset=utf-8" "cache-control" "no-cache" "last-modified" long-ago "etag" (site/etag 3)}
                 (site/fields-of response ["content-type" "cache-control" "last-modified" "etag"]))))
        (is (= "index" (:body (asked server "GET" "/r/"))))
        (site/replace! directory "classes/site-of-a-test/a.css" "b{}")
        (is (= "b{}" (:body (asked server "GET" "/r/a.css"))))
        (are [target] (= 404 (:status (asked server "GET" target)))
          "/r/nowhere"
          "/r/../secret.txt"
          "/r/%2e%2e/secret.txt"
          "/secret.txt")))))

(deftest jar-test
  (with-directory [directory]
    (let [unique (str (UUID/randomUUID))
          before (copies)
          jar (write-jar! directory "site.jar" [["META-INF/" ""] ["META-INF/x" "secret"] ["secret.txt" "secret"]
                                                ["site-of-a-test/" ""]
                                                ["site-of-a-test/index.html" "index"]
                                                ["site-of-a-test/sub/a b.txt" "in a jar"]
                                                ["site-of-a-test/large.bin" (site/noise 100000)]
                                                [(str "site-of-a-test/" unique) "unique"]
                                                ["site-of-a-test-2/b.txt" "secret"]])]
      (with-open [server (start [jar] routes)]
        (testing "a directory in a jar is served, from a copy that outlives the jar"
          (Files/delete (.toPath jar))
          (let [response (asked server "GET" "/r/sub/a%20b.txt")]
            (is (= [200 "in a jar" long-ago] [(:status response) (:body response) (raw/header response "last-modified")])))
          (is (= "index" (:body (asked server "GET" "/r/"))))
          (is (= (site/noise 100000) (:body (asked server "GET" "/r/large.bin"))))
          (is (= (subs (site/noise 100000) 50000 50010) (:body (asked server "GET" "/r/large.bin" "Range: bytes=50000-50009"))))
          (is (= 301 (:status (asked server "GET" "/r/sub")))))
        (testing "and nothing else is"
          (are [target] (= 404 (:status (asked server "GET" target)))
            "/r/nowhere"
            "/r/../secret.txt"
            "/r/%2e%2e/secret.txt"
            "/r/META-INF/x"
            "/r/b.txt"
            "/secret.txt"))
        (testing "the copy is its owner's only"
          (let [[copy :as own] (filter #(.exists (File. ^File % unique)) (remove before (copies)))]
            (is (= 1 (count own)))
            (is (= "rwx------" (PosixFilePermissions/toString (Files/getPosixFilePermissions (.toPath ^File copy)
                                                                                             (make-array LinkOption 0)))))
            (is (= "rwx------" (PosixFilePermissions/toString (Files/getPosixFilePermissions (.toPath (File. ^File copy "sub"))
                                                                                             (make-array LinkOption 0)))))
            (site/delete! (.toPath ^File copy))
            (is (= 404 (:status (asked server "GET" "/r/sub/a%20b.txt"))) "a copy that is gone")))))))

(deftest several-places-test
  (with-directory [directory]
    (write! directory "classes/site-of-a-test/both.txt" "directory")
    (let [jar (write-jar! directory "site.jar" [["site-of-a-test/" ""] ["site-of-a-test/both.txt" "jar"] ["site-of-a-test/jar.txt" "jar"]])]
      (doseq [[places body] [[[(path directory "classes") jar] "directory"] [[jar (path directory "classes")] "jar"]]]
        (testing "of files of one name the first in the class path counts"
          (with-open [server (start places routes)]
            (is (= [body "jar"] (map #(:body (asked server "GET" %)) ["/r/both.txt" "/r/jar.txt"])))))))))

(deftest jar-without-directories-test
  (with-directory [directory]
    (write! directory "classes/site-of-a-test/both.txt" "directory")
    (write! directory "classes/site-of-a-test/own.txt" "directory")
    (let [jar (write-jar! directory "site.jar" [["site-of-a-test/both.txt" "jar"] ["site-of-a-test/sub/jar.txt" "jar"]])
          classes (path directory "classes")
          bodies #(map (fn [target] (:body (asked % "GET" target))) ["/r/both.txt" "/r/sub/jar.txt" "/r/own.txt"])]
      (testing "a jar that lists no directories is merged with a directory of that name, in the order of the class path"
        (doseq [[places body] [[[classes jar] "directory"] [[jar classes] "jar"]]]
          (with-open [server (start places routes)]
            (is (= [body "jar" "directory"] (bodies server))))))
      (testing "so is one that only a manifest names"
        (let [naming (File. (path directory "naming.jar"))]
          (with-open [out (JarOutputStream. (FileOutputStream. naming))]
            (.putNextEntry out (JarEntry. "META-INF/MANIFEST.MF"))
            (.write out (raw/latin1 "Manifest-Version: 1.0\r\nClass-Path: site.jar\r\n\r\n"))
            (.closeEntry out))
          (with-open [server (start [naming classes] routes)]
            (is (= ["jar" "jar" "directory"] (bodies server)))))))))

(deftest entry-that-leads-out-test
  (with-directory [directory]
    (let [evil (str "hinny-evil-" (UUID/randomUUID))
          temporary (File. (System/getProperty "java.io.tmpdir"))]
      (doseq [entry-name [(str "site-of-a-test/../" evil)
                          (str "site-of-a-test/sub/../../" evil)
                          (str "site-of-a-test/../../" evil)
                          (str "site-of-a-test/" (File. temporary evil))]]
        (testing entry-name
          (let [jar (write-jar! directory "evil.jar" [["site-of-a-test/" ""] ["site-of-a-test/a" "a"] [entry-name "evil"]])
                failure (try (.close (start [jar] routes)) (catch ExceptionInfo failure failure))]
            (is (= :hinny.error/route-invalid (:type (ex-data failure))))
            (is (re-find #"route \"/r/\*path\".*:resources.*leads out of its directory" (str (ex-message failure))))
            (is (not-any? #(.exists (File. ^File % evil)) [temporary (.getParentFile (.getAbsoluteFile temporary))]))))))))

(deftest wrong-root-test
  (with-directory [directory]
    (write! directory "file.txt" "x")
    (Files/createDirectory (.resolve ^Path directory "sub") (make-array java.nio.file.attribute.FileAttribute 0))
    (are [template data pattern] (let [failure (try
                                                 (.close (start [] {:routes [["/fine" {:file (path directory "file.txt")}] [template data]]}))
                                                 (catch ExceptionInfo failure failure))]
                                   (and (= :hinny.error/route-invalid (:type (ex-data failure)))
                                        (str/includes? (ex-message failure) (pr-str template))
                                        (re-find pattern (ex-message failure))))
      "/s/*path" {:files (path directory "nowhere")} #"no such directory"
      "/s/*path" {:files (path directory "file.txt")} #"no such directory"
      "/s/*path" {:resources "no-such-site-of-a-test"} #"no such directory"
      "/f" {:file (path directory "nowhere.txt")} #"no such file"
      "/f" {:file (path directory "sub")} #"no such file"
      "/s" {:files (str directory)} #"let it end in a catch-all")
    (testing "so are routes that are swapped in, and those before stay"
      (with-server [server nil {:routes [["/s/*path" {:files (str directory)}]]}]
        (is (thrown-with-msg? ExceptionInfo #"\"/t/\*path\".*no such directory"
              (server/swap-routes! server [["/t/*path" {:files (path directory "nowhere")}]])))
        (is (= "x" (:body (asked server "GET" "/s/file.txt"))))))))
