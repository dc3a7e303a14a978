(ns hinny.native-library-test
  "How the native library is found and loaded, and what a user reads when it cannot be.

  A JVM loads it once and keeps the outcome, so each case runs in a JVM of its own."
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing]])
  (:import
   (java.io File RandomAccessFile)
   (java.nio.file CopyOption Files Path)
   (java.nio.file.attribute FileAttribute)
   (java.util.concurrent TimeUnit)
   (java.util.jar JarEntry JarFile JarOutputStream)
   (javax.tools JavaCompiler ToolProvider)))

(set! *warn-on-reflection* true)

(defn- temporary-directory
  ^File []
  (.toFile (Files/createTempDirectory "hinny-test-" (make-array FileAttribute 0))))

(defn- delete-tree
  [^File directory]
  (run! io/delete-file (reverse (file-seq directory))))

(defmacro ^:private with-directory
  "Binds `directory` to a fresh directory, which is deleted after `body`."
  [directory & body]
  `(let [~directory (temporary-directory)]
     (try
       ~@body
       (finally (delete-tree ~directory)))))

(def ^:private load-once
  "Loads the library; prints `loaded` or the error's text."
  '(try
     (io.github.hinny.NativeLibrary/load)
     (println "loaded")
     (catch UnsatisfiedLinkError e
       (println (.getMessage e)))))

(defn- start-jvm
  "A JVM that evaluates `form`, with `flags`; `before` are class path entries that come first, `class-path` the others,
  `access?` is whether it may load native code, `wrapper` a command that runs it."
  ^Process [form {:keys [flags before class-path access? wrapper]
                  :or {class-path (System/getProperty "java.class.path") access? true}}]
  (let [java (str (io/file (System/getProperty "java.home") "bin" "java"))
        class-path (str/join File/pathSeparator (concat before [class-path]))
        command (concat wrapper
                        [java "-XX:TieredStopAtLevel=1"]
                        (when access? ["--enable-native-access=ALL-UNNAMED"])
                        flags
                        ["-cp" class-path "clojure.main" "-e" (pr-str form)])]
    (-> (ProcessBuilder. ^java.util.List command)
        (.redirectErrorStream true)
        .start)))

(defn- finish
  "Waits for `jvm`, returns what it printed."
  [^Process jvm]
  (let [output (slurp (.getInputStream jvm))]
    (when-not (.waitFor jvm 60 TimeUnit/SECONDS)
      (.destroyForcibly jvm))
    (str/trim output)))

(defn- run-jvm
  [form options]
  (finish (start-jvm form options)))

(defn- workdir
  [directory]
  (str "-Dhinny.native.workdir=" directory))

(defn- path
  [file]
  (str "-Dhinny.native.path=" file))

(defn- carried-library
  "Copies the library that the jar carries into `directory`; the copy."
  ^File [directory]
  (let [copy (io/file directory "copy.so")]
    (with-open [library (io/input-stream (io/resource "native/linux-x86_64/libhinny.so"))]
      (io/copy library copy))
    copy))

(defn- names-the-platform?
  [text]
  (every? #(str/includes? text %)
          ["Hinny's native library cannot be loaded."
           (str "os " (System/getProperty "os.name"))
           "arch "
           "libc glibc"
           (str "JDK " (System/getProperty "java.version"))
           "tried: "
           "reason: "
           "what to do: "]))

(deftest load-test
  (testing "with no setting the library of the jar is loaded"
    (is (= "loaded" (run-jvm load-once {}))))
  (testing "a second call does nothing and the class says so"
    (is (= "[true nil]"
           (run-jvm '(do
                       (io.github.hinny.NativeLibrary/load)
                       (io.github.hinny.NativeLibrary/load)
                       (prn [(io.github.hinny.NativeLibrary/isAvailable)
                             (io.github.hinny.NativeLibrary/unavailabilityCause)]))
                    {}))))
  (testing "the working directory is empty again as soon as the library is loaded"
    (with-directory directory
      (is (= "loaded" (run-jvm load-once {:flags [(workdir directory)]})))
      (is (empty? (.list directory)))))
  (testing "a named file is loaded from where it is, and stays"
    (with-directory directory
      (let [library (carried-library directory)]
        (is (= "loaded" (run-jvm load-once {:flags [(path library) (workdir "/nowhere")]})))
        (is (.exists library))))))

(deftest many-threads-test
  (testing "threads that load at once all see one loaded library"
    (is (= "#{true}"
           (run-jvm '(do
                       (prn (set (map deref (doall (repeatedly 16 #(future (io.github.hinny.NativeLibrary/isAvailable)))))))
                       (shutdown-agents))
                    {})))))

(deftest two-jvms-test
  (testing "JVMs that load at once from one working directory do not meet"
    (with-directory directory
      (let [jvms (doall (repeatedly 3 #(start-jvm load-once {:flags [(workdir directory)]})))]
        (is (= ["loaded" "loaded" "loaded"] (mapv finish jvms)))
        (is (empty? (.list directory)))))))

(deftest two-class-loaders-test
  (testing "each class loader of one JVM has a library of its own"
    (is (= "[nil nil]"
           (run-jvm '(let [urls (into-array java.net.URL
                                            (for [entry (.split (System/getProperty "java.class.path") ":")]
                                              (.toURL (.toURI (java.io.File. ^String entry)))))
                           load-in (fn []
                                     (let [loader (java.net.URLClassLoader. urls (ClassLoader/getPlatformClassLoader))
                                           library (Class/forName "io.github.hinny.NativeLibrary" true loader)]
                                       (.invoke (.getMethod library "load" (make-array Class 0))
                                                nil
                                                (object-array 0))))]
                       (prn [(load-in) (load-in)]))
                    {})))))

(deftest named-file-test
  (testing "a named file that does not exist is refused; nothing else is tried"
    (let [text (run-jvm load-once {:flags [(path "/nowhere/libhinny.so")]})]
      (is (names-the-platform? text))
      (is (str/includes? text "tried: file /nowhere/libhinny.so (-Dhinny.native.path)"))
      (is (str/includes? text "reason: there is no such file"))
      (is (not (str/includes? text "resource")))))
  (testing "the failure is kept: every call throws an error of its own with the same text"
    (is (= "[false true true]"
           (run-jvm '(let [failure #(io.github.hinny.NativeLibrary/unavailabilityCause)
                           [one two] [(failure) (failure)]]
                       (prn [(identical? one two)
                             (= (ex-message one) (ex-message two))
                             (not (io.github.hinny.NativeLibrary/isAvailable))]))
                    {:flags [(path "/nowhere/libhinny.so")]}))))
  (testing "a file that is no library is refused with the loader's reason"
    (with-directory directory
      (let [file (io/file directory "text.so")]
        (spit file "not a library, but long enough to be read as the head of one ........................")
        (is (re-find #"reason: .*(invalid ELF header|file too short).* \(the file is no ELF library\)"
                     (run-jvm load-once {:flags [(path file)]}))))))
  (testing "a library for another processor is refused with both"
    (with-directory directory
      (let [file (carried-library directory)]
        (with-open [bytes (RandomAccessFile. file "rw")]
          (.seek bytes 18)
          (.write bytes 183))
        (is (re-find #"reason: .* \(the file is for aarch64, the JVM runs on x86_64\)"
                     (run-jvm load-once {:flags [(path file)]}))))))
  (testing "a directory is refused as that"
    (is (str/includes? (run-jvm load-once {:flags [(path "/tmp")]}) "reason: that is no file")))
  (testing "a name that can be no file's is refused, not thrown"
    (is (names-the-platform? (run-jvm `(do
                                         (System/setProperty "hinny.native.path" (str "a" (char 0)))
                                         ~load-once)
                                      {}))))
  (testing "another library is refused"
    (with-directory directory
      (let [file (io/file directory "other.so")]
        (Files/copy (Path/of (System/getProperty "java.home") (into-array ["lib" "libprefs.so"]))
                    (.toPath file)
                    ^"[Ljava.nio.file.CopyOption;" (make-array CopyOption 0))
        (is (str/includes? (run-jvm load-once {:flags [(path file)]})
                           "reason: the file is a library, but not Hinny's"))))))

(def ^:private load-in-two
  "Loads the library in two class loaders; what each said."
  '(let [urls (into-array java.net.URL
                          (for [entry (.split (System/getProperty "java.class.path") ":")]
                            (.toURL (.toURI (java.io.File. ^String entry)))))
         load-in (fn []
                   (let [loader (java.net.URLClassLoader. urls (ClassLoader/getPlatformClassLoader))
                         library (Class/forName "io.github.hinny.NativeLibrary" true loader)
                         cause (.invoke (.getMethod library "unavailabilityCause" (make-array Class 0))
                                        nil
                                        (object-array 0))]
                     ;; The loader must live on, or its library goes with it.
                     [loader (if cause (.getMessage ^Throwable cause) "loaded")]))
         both [(load-in) (load-in)]]
     (println (second (both 0)))
     (println (second (both 1)))))

(deftest named-file-in-two-class-loaders-test
  (testing "a named file that another class loader has loaded is refused with what to do about that"
    (with-directory directory
      (let [[first-line & others] (str/split-lines (run-jvm load-in-two {:flags [(path (carried-library directory))]}))
            text (str/join "\n" others)]
        (is (= "loaded" first-line))
        (is (names-the-platform? text))
        (is (re-find #"reason: .*already loaded in another classloader" text))
        (is (re-find #"what to do: leave -Dhinny.native.path out: .* each class loader gets a copy" text))))))

(deftest denied-test
  (if (<= 24 (.feature (Runtime/version)))
    (let [denied {:flags ["--illegal-native-access=deny"] :access? false}]
      (testing "a JVM that forbids native code is told of the flag that allows it"
        (let [text (run-jvm load-once denied)]
          (is (names-the-platform? text))
          (is (re-find #"reason: the JVM forbids native code: " text))
          (is (str/includes? text "what to do: start the JVM with --enable-native-access=ALL-UNNAMED"))))
      (testing "whatever needs it first"
        (doseq [form '[(hinny.server/run-server identity {:port 0})
                       (hinny.server/options)
                       (hinny.router/router ["/a" identity])]]
          (is (re-find #"(?s)^:hinny\.error/native-library Hinny's native library cannot be loaded\..*--enable-native-access=ALL-UNNAMED$"
                       (run-jvm `(do
                                   (require 'hinny.server)
                                   (try
                                     ~form
                                     (catch clojure.lang.ExceptionInfo e#
                                       (println (:type (ex-data e#)) (ex-message e#)))))
                                denied)))))
      (testing "and with the flag nothing is wrong"
        (is (= "loaded" (run-jvm load-once {:flags ["--illegal-native-access=deny"]})))))
    (println "not tried: --illegal-native-access, which JDK 24 has first")))

(defn- without-library
  "A copy in `directory` of Hinny's jar without the directory native/."
  ^File [directory]
  (let [from (first (filter #(re-find #"hinny-[^/]*\.jar$" %) (str/split (System/getProperty "java.class.path") #":")))
        copy (io/file directory "merged.jar")]
    (with-open [jar (JarFile. (io/file from))
                out (JarOutputStream. (io/output-stream copy))]
      (doseq [^JarEntry entry (enumeration-seq (.entries jar))
              :when (not (str/starts-with? (.getName entry) "native/"))]
        (.putNextEntry out (JarEntry. (.getName entry)))
        (io/copy (.getInputStream jar entry) out)))
    copy))

(deftest merged-jar-test
  (testing "a jar that was merged of others without the library says what is missing"
    (with-directory directory
      (let [others (remove #(re-find #"hinny-[^/]*\.jar$" %) (str/split (System/getProperty "java.class.path") #":"))
            text (run-jvm load-once {:class-path (str/join ":" (cons (str (without-library directory)) others))})]
        (is (names-the-platform? text))
        (is (str/includes? text "reason: the jar carries no library for linux-x86_64"))
        (is (str/includes? text "what to do: let the directory native/ of Hinny's jar be in yours too"))))))

(defn- advice
  "What is said where the system's loader said `reason`."
  [reason file carried?]
  (let [of (doto (.getDeclaredMethod (Class/forName "io.github.hinny.LibraryFailure")
                                     "of"
                                     (into-array Class [String Throwable Path Boolean/TYPE]))
             (.setAccessible true))]
    (ex-message (.invoke of nil (object-array ["…" (UnsatisfiedLinkError. reason) file carried?])))))

(deftest advice-test
  (let [file (Path/of "/a/libhinny.so" (make-array String 0))]
    (are [reason file carried? pattern] (re-find pattern (advice reason file carried?))
      "/lib/libc.so.6: version `GLIBC_2.99' not found (required by /a)" nil true
      #"(?s)GLIBC_2.99.*what to do: use a system with a newer glibc, or build it from source"
      "/a/libhinny.so: failed to map segment from shared object" nil true #"what to do: name an existing directory .* -Dhinny.native.workdir$"
      "/a/libhinny.so: failed to map segment from shared object" file false #"what to do: put /a/libhinny.so on a file system"
      "anything else" nil true #"(?s)reason: anything else\n.*-Dhinny.native.workdir$"
      "anything else" file false #"(?s)reason: anything else\n.*what to do: name a Hinny library of this version")))

(deftest working-directory-test
  (testing "a working directory that cannot take the library is named, with the property to set"
    (with-directory directory
      (let [file (io/file directory "file")]
        (spit file "")
        (doseq [unusable [(io/file directory "missing") file "/proc"]
                :let [text (run-jvm load-once {:flags [(workdir unusable)]})]]
          (is (names-the-platform? text))
          (is (str/includes? text (str "unpacked below " unusable " (-Dhinny.native.workdir)")))
          (is (re-find #"what to do: name an existing directory .* -Dhinny.native.workdir" text)))))))

(deftest noexec-test
  (testing "a working directory on a noexec file system is reported as that, and is left empty"
    (with-directory directory
      (let [in-namespace ["unshare" "-rm" "sh" "-c" "mount -t tmpfs -o noexec tmpfs \"$0\" && \"$@\"; ls \"$0\"" (str directory)]
            possible? (try
                        (zero? (.waitFor (.start (ProcessBuilder. ^java.util.List (conj in-namespace "true")))))
                        (catch java.io.IOException _ false))]
        (if possible?
          (let [text (run-jvm load-once {:flags [(workdir directory)] :wrapper in-namespace})]
            (is (names-the-platform? text))
            (is (str/includes? text "failed to map segment"))
            (is (str/ends-with? text "not mounted noexec with -Dhinny.native.workdir")))
          (println "not tried: noexec (mounting a file system is not permitted here)"))))))

(deftest platform-test
  (testing "a platform that the jar carries nothing for is told how to get a library"
    (let [text (run-jvm load-once {:flags ["-Dos.arch=riscv64"]})]
      (is (names-the-platform? text))
      (is (str/includes? text "tried: resource /native/linux-riscv64/libhinny.so of the jar"))
      (is (re-find #"what to do: build it from source .* -Dhinny.native.path" text))))
  (testing "another system than Linux is told that it is none, and no C library is guessed"
    (let [text (run-jvm load-once {:flags ["-Dos.name=Mac OS X" "-Dos.arch=aarch64"]})]
      (is (re-find #"platform: os Mac OS X, arch aarch64, JDK " text))
      (is (str/includes? text "reason: Hinny's engine runs on Linux only, not on Mac OS X"))
      (is (str/includes? text "what to do: run it on Linux"))))
  (testing "platform names"
    (let [platform (doto (.getDeclaredMethod (Class/forName "io.github.hinny.NativeLibrary")
                                             "platform"
                                             (into-array Class [String String Boolean/TYPE]))
                     (.setAccessible true))]
      (are [expected os arch musl?] (= expected (.invoke platform nil (object-array [os arch musl?])))
        "linux-x86_64" "Linux" "amd64" false
        "linux-x86_64" "Linux" "x86_64" false
        "linux-x86_64-musl" "Linux" "amd64" true
        "linux-aarch64" "Linux" "aarch64" false
        "mac_os_x-aarch64" "Mac OS X" "aarch64" false))))

(defn- compile-class
  "Compiles the Java class `class-name` of package io.github.hinny into `directory`."
  [directory class-name source]
  (let [file (io/file directory (str class-name ".java"))
        ^JavaCompiler compiler (ToolProvider/getSystemJavaCompiler)]
    (spit file (str "package io.github.hinny; " source))
    (assert (zero? (.run compiler nil nil nil (into-array ["-d" (str directory) (str file)]))))))

(deftest abi-test
  (testing "a library of another ABI version is refused with both numbers"
    (with-directory directory
      ;; The file is any library that loads; the version comes from a class that stands for its native method.
      (compile-class directory "Native" "final class Native { static int abiVersion() { return 4711; } }")
      (let [library (io/file directory "any.so")]
        (Files/copy (Path/of (System/getProperty "java.home") (into-array ["lib" "libprefs.so"]))
                    (.toPath library)
                    ^"[Ljava.nio.file.CopyOption;" (make-array CopyOption 0))
        (let [text (run-jvm load-once {:flags [(path library)] :before [(str directory)]})]
          (is (names-the-platform? text))
          (is (re-find #"ABI version 4711, the Java classes need ABI version \d+" text)))))))
