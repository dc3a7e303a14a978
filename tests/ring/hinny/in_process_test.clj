(ns hinny.in-process-test
  "`hinny.test/request` against a server: the same handler and the same request give the same response in process and
  over a socket, sync and async. `hinny.in-process-failure-test` has what goes wrong."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.impl.text :as text]
   [hinny.protocols :as protocols]
   [hinny.raw-client :as raw]
   [hinny.server :as server]
   [hinny.test :as hinny :refer [url with-server]])
  (:import
   (io.github.hinny RingRequest)
   (java.io ByteArrayInputStream File InputStream OutputStream)
   (java.util.concurrent CompletableFuture)
   (java.util.function Supplier)))

(set! *warn-on-reflection* true)

;;; One table, four ways

(defrecord Counted [n])

(extend-type Counted
  protocols/StreamableResponseBody
  (write-body-to-stream [{:keys [n]} _ ^OutputStream out]
    (dotimes [i n]
      (.write out (.getBytes (str i " ")))
      (.flush out))
    (.close out)))

(def ^:private large (str/join (repeat 100000 "0123456789")))

(defn- temporary-file
  ^File [text]
  (doto (File/createTempFile "hinny test " ".txt")
    (.deleteOnExit)
    (spit text)))

(defn- ok
  ([body] (ok {"Content-Type" "text/plain"} body))
  ([headers body] {:status 200 :headers headers :body body}))

(defn- described
  "A response that says what the handler was given."
  [{:keys [body] :as request}]
  (ok (pr-str [(into (sorted-map) (select-keys request [:request-method :uri :query-string :scheme :protocol :content-type
                                                        :content-length :character-encoding :remote-addr]))
               (select-keys (:headers request) ["x-own" "content-length" "content-type" "cookie"])
               (some-> body slurp)])))

(def ^:private cases
  "Name, handler, request."
  [["a request without anything" described {}]
   ["method and path" described {:request-method :delete :uri "/a/b%20c"}]
   ["a method of one's own" described {:request-method :propfind :uri "/"}]
   ["a query string" described {:uri "/a" :query-string "b=c&d=%C3%A4"}]
   ["a query string in the path" described {:uri "/a?b=c?d"}]
   ["an empty query string" described {:uri "/a?"}]
   ["header fields in any case" described {:headers {"X-Own" "a, b" "COOKIE" "c=d"}}]
   ["a String" described {:request-method :post :body "grün" :headers {"Content-Type" "text/plain; charset=utf-8"}}]
   ["an empty body" described {:request-method :post :body ""}]
   ["bytes" described {:request-method :put :body (.getBytes "bytes")}]
   ["a large body" #(ok (str (count (slurp (:body %))))) {:request-method :post :body large}]
   ["status" (constantly {:status 418}) {}]
   ["header fields" (constantly (ok {"X-One" "1" "x-none" [] "Set-Cookie" ["a=b" "c=d"] "Via" "e"} nil)) {}]
   ["a Server field" (constantly (ok {"Server" "mine"} "x")) {}]
   ["a nil body" (constantly {:status 200 :headers {} :body nil}) {}]
   ["text in UTF-8" (constantly (ok "größer €")) {}]
   ["text in Latin-1" (constantly (ok {"Content-Type" "text/plain; charset=iso-8859-1"} "größer")) {}]
   ["byte array" (constantly (ok (byte-array [104 105]))) {}]
   ["sequence" (fn [_] (ok (map str (range 100)))) {}]
   ["empty sequence" (constantly (ok ())) {}]
   ["stream" (fn [_] (ok (ByteArrayInputStream. (.getBytes "stream")))) {}]
   ["large stream" (fn [_] (ok (ByteArrayInputStream. (.getBytes ^String large)))) {}]
   ["file" (fn [_] (ok (temporary-file "in a file"))) {}]
   ["large file" (fn [_] (ok (temporary-file large))) {}]
   ["protocol" (constantly (ok (->Counted 1000))) {}]
   ["stage" (fn [_] (CompletableFuture/completedFuture (ok "later"))) {}]
   ["stage of a body" (fn [_] (ok (CompletableFuture/supplyAsync (reify Supplier (get [_] "later"))))) {}]
   ["HEAD, text" (constantly (ok "unseen")) {:request-method :head}]
   ["HEAD, stream" (fn [_] (ok (ByteArrayInputStream. (.getBytes "unseen")))) {:request-method :head}]
   ["HEAD, its length" (constantly (ok {"Content-Length" "77"} nil)) {:request-method :head}]
   ["204" (constantly {:status 204 :body "unseen"}) {}]
   ["304" (constantly {:status 304 :headers {"ETag" "\"x\"" "Content-Length" "5"} :body "unseen"}) {}]
   ["wrong lengths" (constantly (ok {"Content-Length" "3" "Transfer-Encoding" "gzip"} "12345")) {}]])

(defn- as-async
  "The handler in its 3-arity; it responds on another thread."
  [handler]
  (fn [request respond raise]
    (future (try
              (respond (handler request))
              (catch Throwable thrown (raise thrown))))))

(defn- utf-8
  "The bytes of a text in UTF-8, one character for each."
  [^String text]
  (raw/text (.getBytes text "UTF-8")))

(defn- answer-of
  "What `server` answers to `request`, in the shape of `hinny.test/request`, without what the server adds."
  [server {:keys [request-method uri query-string headers body]}]
  (let [text (if (bytes? body) (raw/text body) (some-> body utf-8))
        target (str (or uri "/") (when query-string (str "?" query-string)))
        lines (concat [(str (text/upper-case (name (or request-method :get))) " " target " HTTP/1.0") "host: localhost"]
                      (map (fn [[field value]] (str field ": " value)) headers)
                      (when text [(str "content-length: " (count text))]))
        response (raw/answer server (str (apply raw/head lines) text) {:head? (= :head request-method)})
        values (update-vals (group-by (comp text/lower-case first) (:headers response)) #(mapv second %))
        own (cond-> (dissoc values "date" "connection" "content-length" "transfer-encoding")
              (= ["hinny"] (values "server")) (dissoc "server"))]
    {:status (:status response)
     :headers (update-vals own #(if (next %) % (first %)))
     :body (:body response)}))

(defn- in-process
  [handler request options]
  (-> (hinny/request handler (assoc request :protocol "HTTP/1.0") (assoc options :as :byte-array))
      (update :body #(if % (raw/text %) ""))
      ;; On the wire it cannot be told who has set it.
      (update :headers dissoc "content-length")))

(deftest same-as-over-a-socket-test
  (let [current (atom nil)]
    (with-server [sync-server #(@current %)]
      (with-server [async-server (as-async #(@current %)) {:handler-mode :async}]
        (doseq [[case-name handler request] cases]
          (reset! current handler)
          (testing case-name
            (is (= (answer-of sync-server request)
                   (answer-of async-server request)
                   (in-process handler request {})
                   (in-process (as-async handler) request {:async? true})))))))))

;;; What the caller gets

(defn- handle
  ([response] (handle response {}))
  ([response request] (hinny/request (constantly response) request)))

(deftest response-test
  (testing "the whole response, without what a server adds"
    (is (= {:status 200 :headers {"content-type" "text/plain" "x-a" "b"} :body "größer"}
           (handle (ok {"Content-Type" "text/plain" "X-A" "b" "Content-Length" "1"} "größer")))))
  (testing "a field that comes several times is a vector, in order"
    (is (= {"set-cookie" ["a=b" "c=d"]} (:headers (handle (ok {"Set-Cookie" ["a=b" "c=d"]} nil))))))
  (testing "the body is nil where there is none"
    (are [response request] (nil? (:body (handle response request)))
      (ok nil) {}
      {:status 204 :body "x"} {}
      {:status 304 :body "x"} {}
      (ok "x") {:request-method :head})
    (is (= "" (:body (handle (ok ""))))))
  (testing "Content-Length stays where nothing else tells of the body"
    (is (= {"content-length" "77"} (:headers (handle (ok {"Content-Length" "77"} nil) {:request-method :head}))))
    (is (= {"content-length" "77"} (:headers (handle {:status 304 :headers {"Content-Length" "77"}} {})))))
  (testing ":as says what the body is"
    (are [as text] (= "äb" (text (:body (hinny/request (constantly (ok (list "ä" "b"))) {} {:as as}))))
      :string identity
      :byte-array #(String. ^bytes % "UTF-8")
      :stream #(do (assert (instance? InputStream %)) (slurp %)))
    (is (= "ä" (:body (handle (ok {"Content-Type" "a/b; charset=utf-16le"} "ä")))))))

(deftest request-test
  (let [given (fn [request] (let [seen (promise)]
                              (hinny/request #(do (deliver seen (assoc % ::type (class %))) (ok nil)) request)
                              @seen))]
    (testing "the handler gets the map that it gets from a server"
      (is (= RingRequest (::type (given {}))))
      (is (= {:request-method :get :uri "/" :headers {"host" "localhost"} :scheme :http :protocol "HTTP/1.1"
              :server-name "localhost" :server-port 80 :remote-addr "127.0.0.1"}
             (dissoc (given {}) ::type))))
    (testing "host and port come from the Host field, which comes from them if it is not given"
      (are [request expected] (= expected ((juxt :server-name :server-port #(get-in % [:headers "host"])) (given request)))
        {:headers {"Host" "a:81"}} ["a" 81 "a:81"]
        {:headers {"Host" "[::1]:81"}} ["[::1]" 81 "[::1]:81"]
        {:headers {"Host" "a"} :server-port 9} ["a" 80 "a"]
        {:server-name "a" :server-port 81} ["a" 81 "a:81"]
        {:scheme :https} ["localhost" 443 "localhost"]))
    (testing "scheme, protocol and address are what the test says"
      (is (= {:scheme :https :protocol "HTTP/1.0" :remote-addr "::1"}
             (select-keys (given {:scheme :https :protocol "HTTP/1.0" :remote-addr "::1"})
                          [:scheme :protocol :remote-addr]))))
    (testing "a body has its true length, unless it has none"
      (is (= 5 (:content-length (given {:body "ab€" :headers {"content-length" "7"}}))))
      (is (nil? (:content-length (given {:body "a" :headers {"transfer-encoding" "chunked"}})))))
    (testing "a stream or file as body is read"
      (are [body] (= "text" (:body (hinny/request #(ok (slurp (:body %))) {:request-method :post :body body})))
        (ByteArrayInputStream. (.getBytes "text"))
        (temporary-file "text")))
    (testing "other keys are there, as from middleware"
      (is (= {:a 1} (:params (given {:params {:a 1}})))))))

(defn without-library-scene
  "A response in a JVM that cannot load the native library; for the forked JVM."
  []
  (hinny/request (constantly (ok "fine")) {}))

(deftest without-library-test
  (testing "the native library is not needed"
    (let [{:keys [value] :as jvm} (forked/call `without-library-scene {:flags ["-Dhinny.native.path=/no/such/library"]})]
      (is (forked/sound? jvm))
      (is (= "fine" (:body value))))))

(deftest bindings-test
  (testing "a handler runs with the caller's bindings"
    (is (= "7" (binding [*print-length* 7]
                 (:body (hinny/request (fn [_] (ok (str *print-length*))) {})))))))

;;; Servers

(deftest with-server-test
  (testing "a server for the time of the body"
    (let [kept (with-server [server described]
                 (is (= :running (server/server-status server)))
                 (is (str/includes? (slurp (url server "/a?b=c")) ":query-string \"b=c\""))
                 server)]
      (is (= :stopped (server/server-status kept)))))
  (testing "with options, and stopped after an exception"
    (let [kept (atom nil)]
      (is (thrown? ArithmeticException
            (with-server [server (as-async described) {:handler-mode :async}]
              (reset! kept server)
              (is (str/includes? (slurp (url server "/a")) ":uri \"/a\""))
              (/ 1 0))))
      (is (= :stopped (server/server-status @kept))))))
