(ns hinny.file-path-wire-test
  "Which paths of static files lead where: none leads out of the directory, unless a link may."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [clojure.test.check.clojure-test :refer [defspec]]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [hinny.engines :as engines]
   [hinny.file-site :as site :refer [asked link! path with-directory write!]]
   [hinny.raw-client :as raw :refer [with-client with-server]]))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(defn- write-site!
  [directory]
  (write! directory "secret.txt" "secret")
  (write! directory "public-secret/x.txt" "secret")
  (write! directory "public/a.txt" "a")
  (write! directory "public/index.html" "index")
  (write! directory "public/sub/b.txt" "b")
  (write! directory "public/sub/index.html" "sub index")
  (write! directory "public/%2e%2e" "a strange name")
  (write! directory "public/c d+e;f=g&h:@é.txt" "c"))

(def ^:private paths
  "What stands behind `/s/`, and the status, or the body of a 200."
  [["a.txt" "a"]
   ["sub/b.txt" "b"]
   ["%73%75%62/%62.txt" "b"]
   ["%252e%252e" "a strange name"]
   ["c%20d+e;f=g&h:@%C3%A9.txt" "c"]
   ["c%20d%2Be%3Bf%3Dg%26h%3A%40%c3%a9.txt" "c"]
   ["c+d+e;f=g&h:@%C3%A9.txt" 404]
   ["../secret.txt" 404]
   ["%2e%2e/secret.txt" 404]
   ["%2E%2E/secret.txt" 404]
   [".%2e/secret.txt" 404]
   ["..%2fsecret.txt" 404]
   ["..%2Fsecret.txt" 404]
   ["%2e%2e%2fsecret.txt" 404]
   ["..%5csecret.txt" 404]
   ["..\\secret.txt" 404]
   ["%252e%252e/secret.txt" 404]
   ["%252e%252e%252fsecret.txt" 404]
   ["%c0%ae%c0%ae/secret.txt" 404]
   ["%c0%ae%c0%ae%c0%afsecret.txt" 404]
   ["%e0%80%ae%e0%80%ae/secret.txt" 404]
   ["%uff0e%uff0e/secret.txt" 400]
   ["%ef%bc%8e%ef%bc%8e/secret.txt" 404]
   ["..;/secret.txt" 404]
   ["..;x=y/secret.txt" 404]
   ["...//secret.txt" 404]
   ["..../secret.txt" 404]
   ["../../../../../../../../etc/passwd" 404]
   ["/etc/passwd" 404]
   ["%2fetc/passwd" 404]
   ["%2f%2fetc%2fpasswd" 404]
   ["sub/../../secret.txt" 404]
   ["sub/%2e%2e/%2e%2e/secret.txt" 404]
   ["../public-secret/x.txt" 404]
   ["../public/a.txt" 404]
   ["sub/../a.txt" 404]
   ["sub/.." 404]
   ["sub/%2e%2e/" 404]
   [".." 404]
   ["." 404]
   ["./a.txt" 404]
   ["%2e/a.txt" 404]
   ["sub/./b.txt" 404]
   ["sub//b.txt" 404]
   ["sub%2fb.txt" 404]
   ["sub%5cb.txt" 404]
   ["sub\\b.txt" 404]
   ["%00" 404]
   ["a.txt%00" 404]
   ["a.txt%00.html" 404]
   ["sub%00/b.txt" 404]
   ["a.txt/" 404]
   ["a.txt/." 404]
   ["a.txt/.." 404]
   ["a.txt." 404]
   ["a.txt%20" 404]
   ["a.txt::$DATA" 404]
   ["~root/.profile" 404]
   ["%0d%0aSet-Cookie:a=b" 404]
   ["%0d%0aSet-Cookie:a=b/" 404]
   ["%" 400]
   ["%4" 400]
   ["%zz" 400]])

(deftest paths-test
  (with-directory [directory]
    (write-site! directory)
    (with-server [server nil {:routes [["/s/*path" {:files {:root (path directory "public") :hidden? true}}]
                                       ["/shown/*path" {:files (path directory "public")}]
                                       ["/follow/*path" {:files {:root (path directory "public") :symlinks :follow}}]
                                       ["/refuse/*path" {:files {:root (path directory "public") :symlinks :refuse}}]]}]
      (doseq [prefix ["/s/" "http://x/s/" "/shown/" "/follow/" "/refuse/"]
              [below expected] paths
              :let [target (str prefix below)
                    {:keys [status body] :as response} (asked server "GET" target)]]
        (testing target
          (is (= expected (if (= 200 status) body status)))
          (is (nil? (raw/header response "set-cookie"))))))))

(def ^:private links
  "A link in `public`, where it leads, and what is there if the policy is `:inside`, `:follow`, `:refuse`: the body, a
  redirect, or nil. In a target, ROOT is the directory around `public`."
  [["in.txt" "a.txt" "a" "a" nil]
   ["dot.txt" "./sub/../a.txt" "a" "a" nil]
   ["sub/parent.txt" "../a.txt" "a" "a" nil]
   ["chain.txt" "in.txt" "a" "a" nil]
   ["directory" "sub" :redirect :redirect nil]
   ["out.txt" "../secret.txt" nil "secret" nil]
   ["far.txt" "sub/../../secret.txt" nil "secret" nil]
   ["back.txt" "../public/a.txt" nil "a" nil]
   ["absolute.txt" "ROOT/public/a.txt" nil "a" nil]
   ["absolute-out.txt" "ROOT/secret.txt" nil "secret" nil]
   ["chain-out.txt" "out.txt" nil "secret" nil]
   ["out-directory" "../public-secret" nil :redirect nil]
   ["dangling.txt" "nowhere" nil nil nil]
   ["loop.txt" "loop.txt" nil nil nil]
   ["process" "/proc/self/root" nil :redirect nil]])

(def ^:private through-links
  "Paths through links, in the same way."
  [["directory/" "sub index" "sub index" nil]
   ["directory/b.txt" "b" "b" nil]
   ["directory/parent.txt" "a" "a" nil]
   ["out-directory/x.txt" nil "secret" nil]
   ["linked-index/" "a" "a" nil]
   ["linked-out-index/" nil "secret" nil]])

(deftest links-test
  (with-directory [directory]
    (write-site! directory)
    (doseq [[link target] links]
      (link! directory (str "public/" link) (str/replace target "ROOT" (str directory))))
    (link! directory "public/linked-index/index.html" "../a.txt")
    (link! directory "public/linked-out-index/index.html" "../../secret.txt")
    (link! directory "current" "public")
    (let [root (path directory "public")]
      (with-server [server nil {:routes (for [policy [:inside :follow :refuse]]
                                          [(str "/" (name policy) "/*path") {:files {:root root :symlinks policy}}])}]
        (doseq [[link & expected] (concat (map (fn [[link _ & more]] (cons link more)) links) through-links)
                [policy wanted] (map vector ["inside" "follow" "refuse"] expected)
                again [false true]
                :let [target (str "/" policy "/" link)
                      {:keys [status body] :as response} (asked server "GET" target)]]
          (testing (str target (when again ", again"))
            (is (= (case wanted
                     nil [404 "Not Found" nil]
                     :redirect [301 "" (str target "/")]
                     [200 wanted nil])
                   [status body (raw/header response "location")])))))
      (testing "a link that is the root itself is followed, and may be turned"
        (with-server [server nil {:routes [["/s/*path" {:files {:root (path directory "current") :symlinks :refuse :cache-ms 0}}]]}]
          (is (= "a" (:body (asked server "GET" "/s/a.txt"))))
          (link! directory "next" "public-secret")
          (java.nio.file.Files/move (.resolve ^java.nio.file.Path directory "next") (.resolve ^java.nio.file.Path directory "current")
                                    (into-array java.nio.file.CopyOption [java.nio.file.StandardCopyOption/ATOMIC_MOVE]))
          (is (= [404 "secret"] [(:status (asked server "GET" "/s/a.txt")) (:body (asked server "GET" "/s/x.txt"))]))))
      (testing "an encoded file that is a link out of the directory is none"
        (write! directory "public/p.js" "plain")
        (write! directory "secret.br" "secret")
        (link! directory "public/p.js.br" "../secret.br")
        (with-server [server nil {:routes [["/s/*path" {:files {:root root :precompressed [:br]}}]]}]
          (is (= "plain" (:body (asked server "GET" "/s/p.js" "Accept-Encoding: br")))))))))

(deftest no-regular-file-test
  (with-directory [directory]
    (write-site! directory)
    (let [fifo (path directory "public/fifo")]
      (when (zero? (.waitFor (.start (ProcessBuilder. ^"[Ljava.lang.String;" (into-array String ["mkfifo" fifo])))))
        (testing "nobody waits for a FIFO"
          (with-server [server nil {:routes [["/s/*path" {:files (path directory "public")}]]}]
            (is (= [404 404] (map #(:status (asked server "GET" %)) ["/s/fifo" "/s/fifo/"])))))))))

(def ^:private served
  "All that may ever come."
  #{"a" "b" "index" "sub index" "a strange name" "c" ""})

(def ^:private gen-target
  (gen/fmap #(str "/s/" (str/join %))
            (gen/vector (gen/elements ["a.txt" "sub" "b.txt" "secret.txt" ".." "." "/" "/" "/" "//" "%2e%2e" ".%2E" "%2f" "\\" "%5c" "%00"
                                       "out" "out-directory" "x.txt" "in" "%252e" "public" "index.html" "?q" ";" "%73ub"])
                        1 8)))

(def ^:dynamic ^:private *connections* nil)

(defn- with-generated-site
  [f]
  (with-directory [directory]
    (write-site! directory)
    (link! directory "public/out" "../secret.txt")
    (link! directory "public/out-directory" "../public-secret")
    (link! directory "public/in" "sub")
    (let [options {:routes [["/s/*path" {:files {:root (path directory "public") :hidden? true}}]]}]
      (with-server [auto nil (assoc options :http1-engine :auto)]
        (with-server [hyper nil (assoc options :http1-engine :hyper)]
          (with-client [auto-client auto]
            (with-client [hyper-client hyper]
              (binding [*connections* [auto-client hyper-client]]
                (f)))))))))

(use-fixtures :once with-generated-site)

(defspec generated-paths-test 300
  (prop/for-all [target gen-target]
    (let [[one other] (map (fn [client]
                             (raw/send! client (raw/get-request target))
                             (select-keys (raw/read-response client) [:status :body]))
                           *connections*)]
      (and (= one other)
           (case (int (:status one))
             200 (contains? served (:body one))
             301 true
             404 true
             false)))))
