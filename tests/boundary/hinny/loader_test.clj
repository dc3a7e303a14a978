(ns hinny.loader-test
  "The library in more than one place at once: JVMs that start together, and class loaders of one JVM. Each serves a
  request, for a library that is loaded is not yet one that works. A class loader that nobody needs goes, and its
  library with it.

  `hinny.native-library-test` has the cases of finding and loading it."
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw])
  (:import
   (java.io File)
   (java.lang.ref WeakReference)
   (java.lang.reflect Method)
   (java.net URL URLClassLoader)
   (java.nio.file Files Path)
   (java.util.concurrent Callable FutureTask TimeUnit)))

(set! *warn-on-reflection* true)

(defn serve-scene
  "Has a server answer a request; the outcome. For forked JVMs."
  [body]
  (raw/with-server [server (constantly (probe/ok body)) {}]
    (probe/ask server "/")))

(deftest two-jvms-test
  (testing "JVMs that start at once from the same files all serve"
    (let [jvms (mapv #(forked/start `serve-scene {} (str "jvm " %)) (range 2))
          ended (mapv forked/finish jvms)]
      (is (= [[200 "jvm 0"] [200 "jvm 1"]] (mapv :value ended)))
      (is (every? forked/sound? ended)))))

(defn- new-loader
  "A class loader that has the class path of this JVM and shares none of its classes but the JDK's."
  ^URLClassLoader []
  (URLClassLoader. (into-array URL (map #(.toURL (.toURI (io/file %)))
                                        (str/split (System/getProperty "java.class.path")
                                                   (re-pattern File/pathSeparator))))
                   (ClassLoader/getPlatformClassLoader)))

(defn- evaluate-in
  "The value of the form `text` in Clojure as `loader` loads it, in a thread of its own."
  [^URLClassLoader loader text]
  (let [evaluate (fn []
                   ;; That Clojure is not ours: its function is an object with methods here.
                   (let [^Method var-method (.getMethod (.loadClass loader "clojure.java.api.Clojure")
                                                        "var"
                                                        (into-array Class [Object Object]))
                         function (.invoke var-method nil (object-array ["clojure.core" "load-string"]))
                         ^Method method (.getMethod (.loadClass loader "clojure.lang.IFn")
                                                    "invoke"
                                                    (into-array Class [Object]))]
                     (.invoke method function (object-array [text]))))
        task (FutureTask. ^Callable evaluate)
        thread (doto (Thread. task "other loader")
                 (.setContextClassLoader loader)
                 .start)
        value (.get task 120 TimeUnit/SECONDS)]
    (.join thread)
    value))

(def ^:private start-text
  "Starts a server that answers with the path; its port."
  (pr-str '(do
             (require 'hinny.server)
             (def server (hinny.server/run-server (fn [request] {:status 200 :headers {} :body (:uri request)})
                                                  {:host "127.0.0.1" :port 0 :event-loops 1}))
             (hinny.server/server-port server))))

(defn- mapped-libraries
  "How many copies of the native library this process has mapped."
  []
  (->> (Files/readAllLines (Path/of "/proc/self/maps" (make-array String 0)))
       (keep #(re-find #"\S+/libhinny\.so.*" %))
       distinct
       count))

(defn- serve-in-other-loader
  "Serves in a class loader of its own beside `client`'s server, whose connections panic meanwhile. Returns what
  happened and a weak reference to the loader, which nobody needs any more."
  [client faulty]
  (let [loader (new-loader)
        port (evaluate-in loader start-text)
        outcomes (with-open [other (raw/connect port)]
                   [(probe/exchange other (raw/get-request "/other"))
                    (probe/exchange client (raw/get-request "/here"))
                    (probe/exchange faulty (raw/get-request "/" "x-hinny-fault: connection"))
                    (probe/exchange other (raw/get-request "/other-after"))
                    (probe/exchange client (raw/get-request "/here-after"))])
        own? (not= (probe/shim-class "Native") (.loadClass loader "io.github.hinny.Native"))
        libraries (mapped-libraries)]
    (evaluate-in loader "(.close server)")
    (.close loader)
    {:outcomes outcomes :own? own? :libraries libraries :loader (WeakReference. loader)}))

(defn loaders-scene
  "What a second class loader does to the first; for the forked JVM."
  []
  (System/setProperty "hinny.test.faults" "true")
  (raw/with-server [server #(probe/ok (:uri %)) {:event-loops 1}]
    (with-open [client (probe/connect server)
                faulty (probe/connect server)]
      (let [first-outcome (probe/exchange client (raw/get-request "/first"))
            {:keys [outcomes own? libraries ^WeakReference loader]} (serve-in-other-loader client faulty)]
        {:outcomes (into [first-outcome] outcomes)
         :own? own?
         :libraries libraries
         :loader-gone? (probe/await-that #(do (System/gc) (nil? (.get loader))))
         :libraries-after (do
                            (probe/await-that #(do (System/gc) (= 1 (mapped-libraries))))
                            (mapped-libraries))
         :last (probe/exchange client (raw/get-request "/last"))}))))

(deftest class-loaders-test
  (let [{:keys [value] :as jvm} (forked/call `loaders-scene {:flags ["-XX:SoftRefLRUPolicyMSPerMB=0"]})]
    (is (forked/sound? jvm))
    (testing "a second class loader has classes and a library of its own"
      (is (true? (:own? value)))
      (is (= 2 (:libraries value))))
    (testing "both serve, and a panic in one is nothing to the other"
      (is (= [[200 "/first"] [200 "/other"] [200 "/here"] :ended [200 "/other-after"] [200 "/here-after"]]
             (:outcomes value))))
    (testing "when its server has stopped nothing holds the class loader, and its library is unloaded"
      (is (true? (:loader-gone? value)))
      (is (= 1 (:libraries-after value))))
    (testing "which harms nobody"
      (is (= [200 "/last"] (:last value))))))
