(ns hinny.file-name-test
  "File names that are not ASCII, in JVMs whose locale has them (LC_ALL=C.UTF-8) and has not (LC_ALL=C). What a program says in
  characters is found either way; what the JVM itself could not read is said to be so."
  (:require
   [clojure.java.io :as io]
   [clojure.test :refer [deftest is testing]]
   [hinny.file-site :as site]
   [hinny.forked-jvm :as forked]
   [hinny.raw-client :as raw]
   [hinny.server :as server]
   [hinny.test :as test])
  (:import
   (clojure.lang Compiler ExceptionInfo)
   (io.github.hinny FilePaths)
   (java.io ByteArrayOutputStream File FilenameFilter)
   (java.net URL URLClassLoader)
   (java.nio.file Files OpenOption Path)
   (java.nio.file.attribute FileAttribute)
   (java.util.jar JarEntry JarOutputStream)))

(set! *warn-on-reflection* true)

(defn- write!
  "Writes a file by the bytes of its name, so that it is the same in every locale."
  [directory file text]
  (let [^Path target (FilePaths/path (File. (str directory "/" file)))]
    (Files/createDirectories (.getParent target) (make-array FileAttribute 0))
    (Files/write target (.getBytes ^String text) ^"[Ljava.nio.file.OpenOption;" (make-array OpenOption 0))))

(defn- write-jar!
  "Writes a jar of entries, names and texts, that lists no directories."
  [directory file entries]
  (let [jar (ByteArrayOutputStream.)]
    (with-open [out (JarOutputStream. jar)]
      (doseq [[entry-name text] entries]
        (.putNextEntry out (JarEntry. ^String entry-name))
        (.write out (.getBytes ^String text))
        (.closeEntry out)))
    (io/copy (.toByteArray jar) (io/file (str directory) file))))

(defn- ask
  [port target]
  (with-open [client (raw/connect port)]
    (raw/send! client (raw/get-request target))
    ((juxt :status :body) (raw/read-response client))))

(defn- start
  [routes]
  (server/run-server nil {:host "127.0.0.1" :port 0 :event-loops 1 :routes routes}))

(defn- outcome
  "What `f` returns, or type and message of what it throws."
  [f]
  (try
    (f)
    (catch ExceptionInfo e
      [(:type (ex-data e)) (ex-message e)])))

(defn- in-process
  [body]
  (:body (test/request (constantly {:status 200 :headers {} :body body}) {})))

(defn scene
  "What is answered of files and directories with names beyond ASCII."
  []
  (site/with-directory [directory]
    (write! directory "ö/é.txt" "file")
    (write! directory "classes/wörter/ü.txt" "class path")
    (write! directory "classes/site/ä.txt" "beside a jar")
    (write-jar! directory "words.jar" [["wörter/jär.txt" "jar"] ["site/jär.txt" "jar"]])
    (let [places (into-array URL (map #(.toURL (.toURI (io/file (str directory) %))) ["classes" "words.jar"]))
          file (io/file (str directory) "ö" "é.txt")
          no-ascii (reify FilenameFilter
                     (accept [_ _ child] (not (re-matches #"\p{ASCII}+" child))))
          ^File listed (first (.listFiles (io/file (str directory)) no-ascii))]
      (with-open [loader (URLClassLoader. places (.getContextClassLoader (Thread/currentThread)))]
        (with-bindings {Compiler/LOADER loader}
          {:served (with-open [^java.io.Closeable server
                               (start [["/text/*path" {:files (str directory "/ö")}]
                                       ["/io/*path" {:files (io/file (str directory) "ö")}]
                                       ["/nio/*path" {:files (FilePaths/path (io/file (str directory) "ö"))}]
                                       ["/file" {:file file}]
                                       ["/words/*path" {:resources "wörter"}]
                                       ["/site/*path" {:resources "site"}]
                                       ["/body" {:get (constantly {:status 200 :headers {} :body file})}]])]
                     (mapv #(ask (server/server-port server) %)
                           ["/text/%c3%a9.txt" "/io/%c3%a9.txt" "/nio/%c3%a9.txt" "/file" "/body" "/words/%c3%bc.txt"
                            "/words/j%c3%a4r.txt" "/site/%c3%a4.txt" "/site/j%c3%a4r.txt"]))
           :in-process (in-process file)
           :listed (outcome #(with-open [^java.io.Closeable server (start [["/listed/*path" {:files listed}]])]
                               (ask (server/server-port server) "/listed/%c3%a9.txt")))
           :listed-body (outcome #(in-process (first (.listFiles listed))))
           :listed-child (outcome #(in-process (io/file listed "x")))})))))

(defn- said?
  "Whether this failure tells of the charset and what to do."
  [[type message] failure-type pattern]
  (and (= failure-type type)
       (re-find pattern message)
       (re-find #"the JVM cannot read this name, its charset of file names is US-ASCII; start it with LC_ALL=C\.UTF-8" message)))

(def ^:private served
  (concat (repeat 5 [200 "file"]) [[200 "class path"] [200 "jar"] [200 "beside a jar"] [200 "jar"]]))

(deftest file-name-test
  (testing "in a locale that has the characters"
    (let [{:keys [value] :as jvm} (forked/call `scene {:environment {"LC_ALL" "C.UTF-8"}})]
      (is (forked/sound? jvm))
      (is (= {:served served :in-process "file" :listed [200 "file"] :listed-body "file"}
             (dissoc value :listed-child)))))
  (testing "in one that has them not"
    (let [{:keys [value] :as jvm} (forked/call `scene {:environment {"LC_ALL" "C"}})]
      (is (forked/sound? jvm))
      (is (= {:served served :in-process "file"} (select-keys value [:served :in-process])))
      (testing "what the JVM itself could not read is said to be so"
        (is (said? (:listed value) :hinny.error/route-invalid #"route \"/listed/\*path\": :files .*: no such directory"))
        (is (said? (:listed-child value) :hinny.error/response-invalid #"response :body: cannot send the file "))))))
