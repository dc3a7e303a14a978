(ns hinny.route-files-test
  "Static files in route data: their options, and directories of the class path."
  (:require
   [clojure.java.io :as io]
   [clojure.test :refer [are deftest is testing]]
   [hinny.impl.route-files :as route-files]
   [hinny.impl.route-table :as route-table]
   [hinny.route-failure :refer [failure]])
  (:import
   (io.github.hinny ClassPathFiles)
   (java.io File FileOutputStream IOException)
   (java.net URL URLClassLoader)
   (java.nio.charset Charset)
   (java.nio.file Files LinkOption Path)
   (java.nio.file.attribute FileAttribute PosixFilePermissions)
   (java.util.jar JarEntry JarOutputStream)))

(set! *warn-on-reflection* true)

(defn- new-directory
  ^File []
  (.toFile (.toRealPath (Files/createTempDirectory "hinny-test-" (make-array FileAttribute 0)) (make-array LinkOption 0))))

(defn- put
  "Writes a file below a directory."
  [^File directory ^String file-name text]
  (let [file (File. directory file-name)]
    (io/make-parents file)
    (spit file text)
    file))

(def ^:private directory
  (delay (doto (new-directory) (put "a.html" "a") (put "sub/b.css" "b"))))

(defn- words
  [answer value]
  (route-files/words "/s/*path" answer value true))

(deftest options-test
  (let [root (str @directory)]
    (testing "of a directory by name"
      (is (= [["files" root] ["files-single" "false"] ["files-index" "index.html"]]
             (words :files root)
             (words :files @directory)
             (words :files (.toPath ^File @directory))
             (words :files {:root root}))))
    (testing "each option"
      (are [option value expected] (= expected (into [] (drop 2) (words :files {:root root :index [] option value})))
        :index ["a.html" "b.html"] [["files-index" "a.html"] ["files-index" "b.html"]]
        :index [] []
        :precompressed [:br :gzip] [["files-precompressed" "br"] ["files-precompressed" "gzip"]]
        :precompressed ["gzip"] [["files-precompressed" "gzip"]]
        :symlinks :refuse [["files-symlinks" "refuse"]]
        :hidden? true [["files-hidden" "true"]]
        :cache-control "max-age=60, public" [["files-cache-control" "max-age=60, public"]]
        :headers {"X-A" "b"} [["files-header" "X-A: b"]]
        :mime-types {"edn" "application/edn" ".wasm" "application/wasm"}
        [["files-mime" "edn application/edn"] ["files-mime" "wasm application/wasm"]]
        :cache-ms 0 [["files-cache-ms" "0"]]
        :cache-bytes 1048576 [["files-cache-bytes" "1048576"]]))
    (testing "one file"
      (is (= [["files" (str root "/a.html")] ["files-single" "true"] ["files-cache-control" "no-cache"]]
             (route-files/words "/a" :file {:root (str root "/a.html") :cache-control "no-cache"} false))))))

(deftest options-failure-test
  (are [answer value pattern] (let [{:keys [type message]} (failure (words answer value))]
                                (and (= :hinny.error/route-invalid type) (re-find pattern message)))
    :files "" #"route \"/s/\*path\": :files must be a path, or a map with one as :root, is \"\""
    :files 7 #"must be a path, or a map with one as :root, is 7"
    :files {} #"must be a path, or a map with one as :root"
    :files "no/such" #":files \"no/such\": no such directory, looked for at /"
    :file "clj" #":file \"clj\": no such file"
    :resources "no/such" #":resources \"no/such\": the class path has no such directory"
    :files {:root "clj" :indexes []} #":files has no option :indexes, did you mean :index\? See docs/routing\.md\.$"
    :files {:root "clj" "index" []} #":files has no option \"index\"; see docs/routing\.md\.$"
    :files {:root "clj" :index "index.html"} #":files :index must be a collection of file names, is \"index.html\""
    :files {:root "clj" :index ["../x"]} #"a collection of file names"
    :files {:root "clj" :precompressed [:zstd]} #"a collection of :br and :gzip"
    :files {:root "clj" :symlinks true} #":inside, :follow or :refuse"
    :files {:root "clj" :hidden? nil} #"true or false"
    :files {:root "clj" :cache-control "a\r\nb"} #"the value of a header field"
    :files {:root "clj" :headers {"a b" "c"}} #"a map of header fields"
    :files {:root "clj" :headers {"a" "b\nc"}} #"a map of header fields"
    :files {:root "clj" :mime-types {"edn" "edn"}} #"a map of file name extensions"
    :files {:root "clj" :cache-ms -1} #"an integer from 0 to 86400000"
    :files {:root "clj" :cache-bytes 1.5} #"an integer from 0")
  (testing "a directory needs a catch-all"
    (is (re-find #"let it end in a catch-all, as \"/s/\*path\", or say :file for a single one"
                 (:message (failure (route-table/routes ["/s" {:files "clj"}] nil))))))
  (testing "files are only got"
    (is (= [[:get]] (map :methods (:endpoints (first (route-table/routes ["/s/*path" {:files "clj"}] nil))))))
    (is (re-find #":files answers :get and :head, not :post"
                 (:message (failure (route-table/routes ["/s/*path" {:files "clj" :methods [:post]}] nil)))))))

(defn- write-jar
  "A jar with entries, a sequence of names and texts."
  ^File [entries]
  (let [jar (File. (new-directory) "x.jar")]
    (with-open [out (JarOutputStream. (FileOutputStream. jar))]
      (doseq [[entry-name text] entries]
        (.putNextEntry out (doto (JarEntry. ^String entry-name) (.setTime 1000000000000)))
        (.write out (.getBytes ^String text))
        (.closeEntry out)))
    jar))

(defn- below
  "What stands below `prefix` in the class path of some jars and directories: relative path -> text, and the directory."
  [prefix places]
  (let [urls (into-array URL (map #(.toURL (.toURI ^File %)) places))
        ^Path path (ClassPathFiles/directory prefix (URLClassLoader. urls nil))]
    (when path
      [(into {}
             (for [^File file (file-seq (.toFile path))
                   :when (.isFile file)]
               [(str (.relativize path (.toPath file))) (slurp file)]))
       path])))

(defn- spelled?
  "Whether the JVM has the bytes of a file name with these characters."
  [characters]
  (.canEncode (.newEncoder (Charset/forName (System/getProperty "sun.jnu.encoding"))) ^CharSequence characters))

(deftest class-path-test
  (testing "a directory is taken as it is, so that edits are seen"
    (let [root (doto (new-directory) (put "public/a" "1"))
          [files path] (below "public" [root])]
      (is (= {"a" "1"} files))
      (is (= (.toPath (File. root "public")) path))))
  (testing "a jar is copied, with times, for its owner only, once"
    (let [jar (write-jar [["public/" ""] ["public/a" "1"] ["public/sub/b" "2"] ["publicity" "no"] ["other/c" "no"]])
          [files ^Path path] (below "public" [jar])]
      (is (= {"a" "1" "sub/b" "2"} files))
      (is (= 1000000000000 (.lastModified (.toFile (.resolve path "a")))))
      (is (= "rwx------" (PosixFilePermissions/toString (Files/getPosixFilePermissions path (make-array LinkOption 0)))))
      (is (= path (second (below "public" [jar]))))))
  (testing "of files of one name the first in the class path counts"
    (let [root (doto (new-directory) (put "public/a" "directory") (put "public/d/e" "directory"))
          jar (write-jar [["public/" ""] ["public/a" "jar"] ["public/b" "jar"] ["public/d" "a file in the way"]])]
      (is (= {"a" "directory" "b" "jar" "d/e" "directory"} (first (below "public" [root jar]))))
      (is (= {"a" "jar" "b" "jar" "d" "a file in the way"} (first (below "public" [jar root]))))))
  (testing "a jar that lists no directories is found where the loader looks, and merged in its order"
    (let [jar (write-jar [["unlisted/a" "jar"] ["unlisted/b" "jar"]])
          root (doto (new-directory) (put "unlisted/a" "directory") (put "unlisted/c" "directory"))]
      (is (= {"a" "jar" "b" "jar"} (first (below "unlisted" [jar]))))
      (is (= {"a" "jar" "b" "jar" "c" "directory"} (first (below "unlisted" [jar root]))))
      (is (= {"a" "directory" "b" "jar" "c" "directory"} (first (below "unlisted" [root jar]))))))
  (testing "and in the class path of the JVM"
    (let [jar (write-jar [["unlisted/a" "1"]])
          class-path (System/getProperty "java.class.path")]
      (try
        (System/setProperty "java.class.path" (str class-path File/pathSeparator jar File/pathSeparator "none.jar"))
        (is (= {"a" "1"} (first (below "unlisted" []))))
        (finally
          (System/setProperty "java.class.path" class-path)))))
  (testing "names with spaces and, where this JVM can list files of such names (file-name-test does without), others"
    (let [[directory file] (if (spelled? "öé") ["öffentlich x" "é ü"] ["public x" "e u"])]
      (is (= {file "1"}
             (first (below directory [(write-jar [[(str directory "/") ""] [(str directory "/" file) "1"]])]))))))
  (testing "nothing there"
    (is (nil? (below "public" [(new-directory)])))
    (is (nil? (below "public" [(doto (new-directory) (put "public" "a file"))]))))
  (testing "no entry leaves its directory"
    (are [entry-name] (thrown-with-msg? IOException #"leads out of its directory"
                        (below "public" [(write-jar [["public/" ""] [entry-name "evil"]])]))
      "public/../../evil"
      "public//etc/evil"
      "public/a/../../../evil"
      "public/..")))

(deftest resources-test
  (testing "the class path of this very JVM"
    (let [[[word path]] (words :resources "/hinny/")]
      (is (= "files" word))
      (is (.isDirectory (File. ^String path)))
      (is (.isFile (File. ^String path "router.clj"))))))
