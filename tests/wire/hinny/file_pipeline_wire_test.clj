(ns hinny.file-pipeline-wire-test
  "Static files among other answers on one connection: they come in the order of their requests, whole, and the connection
  ends when it was said to. Routes that are swapped meanwhile."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.file-site :as site :refer [etag path request with-directory write!]]
   [hinny.modes :as modes :refer [each-mode]]
   [hinny.raw-client :as raw :refer [send! with-client with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (java.util Random)
   (java.util.concurrent.atomic AtomicBoolean)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private large-bytes 5000000)

(def ^:private large-text (delay (site/noise large-bytes)))

(defn- write-site!
  [directory]
  (write! directory "a.txt" "file a")
  (write! directory "sub/index.html" "index")
  (write! directory "middle.bin" (site/noise 66000))
  (write! directory "large.bin" @large-text))

(defn- routes
  [directory handler]
  [["/s/*path" {:files (str directory)}]
   ["/new/*path" {:files {:root (str directory) :cache-ms 0}}]
   ["/constant" {:get {:response {:status 200 :body "constant"}}}]
   ["/handler/:id" {:get handler}]])

(defn- handler
  [{:keys [path-params]}]
  {:status 200 :body (str "handler " (:id path-params))})

(def ^:private kinds
  "A request of each kind, and the status and body of its response."
  [[(request "GET" "/s/a.txt") 200 "file a"]
   [(request "HEAD" "/s/a.txt") 200 ""]
   [(request "GET" "/new/a.txt") 200 "file a"]
   [(request "GET" "/s/sub/") 200 "index"]
   [(request "GET" "/s/sub") 301 ""]
   [(request "GET" "/s/nowhere") 404 "Not Found"]
   [(request "GET" "/new/nowhere") 404 "Not Found"]
   [(request "GET" "/s/../a.txt") 404 "Not Found"]
   [(request "GET" "/s/a.txt" "Range: bytes=0-3") 206 "file"]
   [(request "GET" "/s/a.txt" "Range: bytes=9-") 416 "Range Not Satisfiable"]
   [(request "GET" "/s/a.txt" (str "If-None-Match: " (etag 6))) 304 ""]
   [(request "GET" "/s/a.txt" "If-Match: \"x\"") 412 "Precondition Failed"]
   [(str (request "POST" "/s/a.txt" "Content-Length: 3") "abc") 405 "Method Not Allowed"]
   [(request "GET" "/constant") 200 "constant"]
   [(request "GET" "/handler/1") 200 "handler 1"]
   [(request "GET" "/handler/2") 200 "handler 2"]
   [(request "GET" "/nowhere") 404 "Not Found"]
   [(request "GET" "/s/middle.bin") 200 (site/noise 66000)]
   [(request "HEAD" "/s/middle.bin") 200 ""]])

(def ^:private large [(request "GET" "/s/large.bin") 200 large-text])

(defn- check-pipeline
  "Sends the requests of some kinds in one piece; whether their responses come in order."
  [client pipeline]
  (let [sending (future (send! client (str/join (map first pipeline))))]
    (is (every? true?
                (map-indexed (fn [n [sent status body]]
                               (let [response (raw/read-response client {:head? (str/starts-with? sent "HEAD")})
                                     expected (if (delay? body) @body body)]
                                 (or (and (= status (:status response)) (= expected (:body response)))
                                     [n sent (:status response)])))
                             pipeline)))
    (is (not= :hung (deref sending raw/guard-ms :hung)))))

(deftest mixed-pipeline-test
  (with-directory [directory]
    (write-site! directory)
    (each-mode [{:keys [adapt options]}]
      (with-server [server nil (assoc options :routes (routes directory (adapt handler)))]
        (with-client [client server]
          (doseq [seed (range 12)
                  :let [random (Random. seed)
                        pipeline (vec (repeatedly (+ 2 (* 8 (long seed))) #(nth kinds (.nextInt random (count kinds)))))]]
            (testing (str "seed " seed)
              (check-pipeline client pipeline)))
          (testing "with the large file in the middle, twice in a row, at both ends"
            (let [[front behind] (split-at 10 kinds)]
              (check-pipeline client (concat front [large] behind))
              (check-pipeline client [large large])
              (check-pipeline client (concat [large] kinds [large])))))
        (is (raw/await-until #(zero? (:exchanges-open (server/server-metrics server)))))))))

(deftest close-test
  (with-directory [directory]
    (write-site! directory)
    (with-server [server nil {:routes (routes directory handler)}]
      (doseq [[target body] {"/s/a.txt" "file a" "/new/a.txt" "file a" "/s/large.bin" @large-text "/s/middle.bin" (site/noise 66000)
                             "/s/nowhere" "Not Found"}
              again [false true]]
        (testing (str target (when again ", again"))
          (testing "Connection: close ends the connection behind the response, and nothing behind it is answered"
            (with-client [client server]
              (send! client (str (request "GET" target "Connection: close") (request "GET" "/constant")))
              (let [response (raw/read-response client)]
                (is (= [body "close"] [(:body response) (raw/header response "connection")])))
              (is (contains? #{:eof :reset} (raw/end-of client)))))
          (testing "HTTP/1.0"
            (let [text (raw/conversation server (raw/head (str "GET " target " HTTP/1.0")))]
              (is (re-find #"^HTTP/1\.[01] (200|404) " text))
              (is (str/includes? text (str "\r\ncontent-length: " (count body) "\r\n")))
              (is (= body (subs text (+ 4 (long (str/index-of text "\r\n\r\n")))))))
            (with-client [client server]
              (dotimes [_ 2]
                (send! client (raw/head (str "GET " target " HTTP/1.0") "Connection: keep-alive"))
                (let [response (raw/read-response client)]
                  (is (= [body "keep-alive"] [(:body response) (raw/header response "connection")]))))
              (send! client (raw/head (str "HEAD " target " HTTP/1.0")))
              (is (= (str (count body)) (raw/header (raw/read-response client {:head? true}) "content-length")))
              (is (raw/eof? client)))))))))

;; Swaps

(defn- two-sites!
  "Two directories with the same names, whose files differ."
  [directory]
  (doseq [site ["one" "two"]]
    (write! directory (str site "/a.txt") (str "file of " site))
    (write! directory (str site "/middle.bin") (str/join (repeat 30000 site)))
    (write! directory (str site "/large.bin") (str/join (repeat 1000000 site)))
    (write! directory (str site "/only-" site ".txt") site)))

(defn- site-routes
  "Routes to one of the sites, in an order of its own."
  [directory site]
  (cond-> [["/s/*path" {:files (path directory site)}]
           ["/new/*path" {:files {:root (path directory site) :cache-ms 0}}]]
    (= "two" site) (conj ["/a" {:get {:response {:status 200 :body "a"}}}])
    (= "two" site) rseq
    true vec))

(defn- of-one-site?
  [{:keys [status body]}]
  (and (= 200 status)
       (contains? #{"file of one" "file of two"
                    (str/join (repeat 30000 "one")) (str/join (repeat 30000 "two"))} body)))

(deftest swap-test
  (with-directory [directory]
    (two-sites! directory)
    (with-server [server nil {:routes (site-routes directory "one") :event-loops 2}]
      (let [done (AtomicBoolean.)
            loads (mapv (fn [targets]
                          (future
                            (with-client [client server]
                              (loop [count-right 0]
                                (if (.get done)
                                  count-right
                                  (do (send! client (str/join (map raw/get-request targets)))
                                      (let [responses (doall (repeatedly (count targets) #(raw/read-response client)))]
                                        (if (every? of-one-site? responses)
                                          (recur (inc count-right))
                                          [:wrong (map #(select-keys % [:status]) responses)]))))))))
                        [["/s/a.txt"] ["/new/a.txt" "/s/middle.bin"] ["/new/middle.bin" "/new/a.txt" "/s/a.txt" "/s/a.txt"]])]
        (try
          (testing "when a swap has returned it counts, whatever was known before"
            (with-client [client server]
              (doseq [site (take 60 (cycle ["two" "one"]))]
                (server/swap-routes! server (site-routes directory site))
                (doseq [target ["/s/a.txt" "/new/a.txt"]]
                  (send! client (raw/get-request target))
                  (is (= (str "file of " site) (:body (raw/read-response client))))))))
          (finally
            (.set done true)))
        (testing "while requests come, each is answered by one of both"
          (doseq [load loads]
            (is (nat-int? (deref load raw/guard-ms :hangs))))))
      (testing "a file that is being sent is sent to its end"
        (server/swap-routes! server (site-routes directory "one"))
        (with-client [client server]
          (send! client (raw/get-request "/s/large.bin"))
          (is (= "3000000" (raw/header (stream/read-head client) "content-length")))
          (server/swap-routes! server (site-routes directory "two"))
          (is (= (str/join (repeat 1000000 "one"))
                 (raw/text (.readNBytes ^java.io.InputStream (.-in ^hinny.raw_client.Client client) 3000000))))
          (are [target expected] (= expected (do (send! client (raw/get-request target))
                                                 (:status (raw/read-response client))))
            "/s/only-one.txt" 404
            "/s/only-two.txt" 200
            "/a" 200)
          (server/swap-routes! server [["/a" {:get {:response {:status 200 :body "a"}}}]])
          (send! client (raw/get-request "/s/only-two.txt"))
          (is (= 404 (:status (raw/read-response client)))))
        (is (raw/await-until #(zero? (:exchanges-open (server/server-metrics server)))))
        (is (raw/await-until #(zero? (site/open-files directory))))))))
