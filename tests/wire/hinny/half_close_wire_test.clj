(ns hinny.half-close-wire-test
  "A client that ends its side when it has asked (`printf … | nc -N`): what was asked whole is answered whole, with
  `Connection: close`, in every mode (RFC 9112 9.6). Who wants to know that a client has left is told, whatever waits behind
  its request; see ADR 12."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.file-site :as site :refer [with-directory write!]]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (java.io ByteArrayInputStream File InputStream)
   (java.util.concurrent CountDownLatch LinkedBlockingQueue TimeUnit)))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private large (delay (stream/text-of 3000000)))

(def ^:private body-table
  "What a handler answers, by the path, and the text that the client gets. `file` is a large one."
  {"/text" [(fn [_] "text") "text"]
   "/large" [(fn [_] @large) large]
   "/file" [(fn [file] file) large]
   "/seq" [(fn [_] (map str (range 10))) "0123456789"]
   "/input-stream" [(fn [_] (ByteArrayInputStream. (raw/latin1 @large))) large]
   "/empty" [(fn [_] nil) ""]})

(defn- text-of [path]
  (force (second (body-table path))))

(defn- answering [file]
  (fn [{:keys [uri ^InputStream body]}]
    (if (= "/echo" uri)
      {:status 200 :body (raw/text (.readAllBytes body))}
      {:status 200 :body ((first (body-table uri)) file)})))

(defn- seen-end?
  "Waits until the kernel has the end of the client's side with the server, and its one loop has come round since."
  [client neighbour]
  (and (raw/await-until #(contains? #{nil :close-wait} (raw/server-state client)))
       (do (raw/come-round! neighbour) true)))

(deftest asked-whole-test
  (with-directory [directory]
    (write! directory "large" @large)
    (each-mode [mode]
      (with-handler [server mode (answering (File. (str directory) "large")) nil]
        (doseq [path (keys body-table)
                turn (range 5)]
          (testing (str path ", turn " turn)
            (with-client [client server]
              (raw/send! client (raw/get-request path))
              (raw/finish! client)
              (let [response (stream/read-any client)]
                (is (= [200 false] ((juxt :status :cut?) response)))
                (is (= (text-of path) (:body response)))
                (is (raw/eof? client))))))))))

(deftest answered-later-test
  (with-directory [directory]
    (write! directory "large" @large)
    (each-mode [mode modes/may-block?]
      (let [gate (atom nil)
            handler (answering (File. (str directory) "large"))]
        (with-handler [server mode (fn [{:keys [uri] :as request}]
                                     (if (= "/neighbour" uri)
                                       {:status 200}
                                       (do (raw/await-latch @gate) (handler request))))
                       {:event-loops 1}]
          (with-open [neighbour (raw/connect (server/server-port server))]
            (doseq [path (keys body-table)]
              (testing (str path ": the server has seen the end when its handler answers")
                (reset! gate (CountDownLatch. 1))
                (with-client [client server]
                  (raw/send! client (raw/get-request path))
                  (raw/finish! client)
                  (is (seen-end? client neighbour))
                  (.countDown ^CountDownLatch @gate)
                  (let [response (stream/read-any client)]
                    (is (= [200 false ["close"]] [(:status response) (:cut? response) (raw/header-values response "connection")]))
                    (is (= (text-of path) (:body response)))
                    (is (raw/eof? client))))))))))))

(deftest pipeline-test
  (with-directory [directory]
    (write! directory "large" @large)
    (each-mode [mode modes/may-block?]
      (testing "every request that came whole is answered, in order"
        (with-handler [server mode (answering (File. (str directory) "large")) nil]
          (doseq [paths [["/text" "/text" "/text"] ["/text" "/file" "/text"] ["/seq" "/large" "/empty"] ["/file" "/file" "/input-stream" "/text"]]
                  echo ["" "small" (stream/text-of 200000)]]
            (with-client [client server]
              (raw/send! client (str (str/join (map raw/get-request paths)) (raw/post "/echo" echo) (raw/get-request "/text")))
              (raw/finish! client)
              (doseq [path paths]
                (is (= (text-of path) (:body (stream/read-any client)))))
              (is (= echo (:body (stream/read-any client))))
              (is (= "text" (:body (stream/read-any client))))
              (is (raw/eof? client)))))))))

(deftest files-test
  (testing "and what the core answers by itself"
    (with-directory [directory]
      (write! directory "large" @large)
      (write! directory "small" "small")
      (with-server [server nil {:routes [["/s/*path" {:files (str directory)}]
                                         ["/constant" {:get {:response {:status 202 :body "constant"}}}]]}]
        (doseq [[path status body] [["/s/large" 200 @large] ["/s/small" 200 "small"] ["/constant" 202 "constant"] ["/no" 404 "Not Found"]]
                turn (range 10)]
          (testing (str path ", turn " turn)
            (with-client [client server]
              (raw/send! client (str (raw/get-request path) (raw/get-request path)))
              (raw/finish! client)
              (dotimes [_ 2]
                (is (= [status body false] ((juxt :status :body :cut?) (stream/read-any client)))))
              (is (raw/eof? client)))))))))

(deftest nothing-is-left-test
  (testing "a socket is closed when its connection has ended, and not when its loop has something else to do"
    (with-directory [directory]
      (write! directory "small" "small")
      (doseq [mode [:inline :async]]
        (let [file (File. (str directory) "small")
              handler (if (= :async mode)
                        (fn [_ respond _] (respond {:status 200 :body file}))
                        (fn [_] {:status 200 :body file}))]
          (with-server [server handler {:handler-mode mode :event-loops 1}]
            (is (every? true?
                  (repeatedly 400
                    (fn []
                      (with-client [client server]
                        (raw/send! client (str/join (repeat 4 (raw/get-request "/"))))
                        (raw/finish! client)
                        (and (= 4 (count (re-seq #"HTTP/1.1 200 OK" (first (stream/read-rest client)))))
                             (raw/await-until #(zero? (:connections-open (server/server-metrics server))))
                             (raw/await-until #(not= :close-wait (raw/server-state client))))))))
                (str mode))))))))

;; Who is told

(defn- told?
  "Whether a handler may ask to be told: an inline one has answered before."
  [mode]
  (and (modes/may-block? mode) (not= :inline (get-in mode [:options :handler-mode]))))

(def ^:private behind-table
  "What may wait behind a request."
  {"nothing" ""
   "a request" (raw/get-request "/behind")
   "a request that waits for its turn" (raw/post "/behind" "body")
   ;; Of a larger one the kernel would keep a part with the client, and the end of its side behind that.
   "a request with a body that is streamed" (raw/post "/behind" (stream/text-of 40000))
   "half a request" "GET /behind HTTP/1.1\r\nHost"
   "an odd request" (raw/head "GET /behind HTTP/1.1" "Host: x" "A: 1" "a: 2")
   "a framing fault" (str (raw/get-request "/behind") "POST /behind HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n")
   "no request" "\u0000\r\n\r\n"
   "an empty line" "\r\n"
   "two empty lines" "\r\n\r\n"})

(deftest on-close-test
  (each-mode [mode told?]
    (doseq [[how leave!] {"ends its side" raw/finish!, "is reset" raw/reset-connection!}
            [what behind] behind-table]
      (testing (str "the client " how ", and behind its request is " what)
        (let [reasons (LinkedBlockingQueue.)
              called (CountDownLatch. 1)
              gate (CountDownLatch. 1)]
          (with-handler [server mode (fn [{:keys [uri] :as request}]
                                       (when (= "/wait" uri)
                                         (server/on-close request #(.add reasons %))
                                         (.countDown called)
                                         (raw/await-latch gate))
                                       {:status 200 :body "late"})
                         {:handler-timeout-ms 3600000 :inline-body-bytes 1000 :header-read-timeout-ms 400}]
            (with-client [client server]
              (raw/send! client (str (raw/get-request "/wait") behind))
              (is (raw/await-latch called))
              (leave! client)
              (is (= :disconnected (.poll reasons raw/guard-ms TimeUnit/MILLISECONDS)))
              (is (raw/await-until #(zero? (:connections-open (server/server-metrics server)))))
              (is (zero? (:exchanges-open (server/server-metrics server)))))
            (.countDown gate))
          (is (empty? reasons) "once"))))))

(deftest not-told-test
  (each-mode [mode told?]
    (doseq [[what behind] behind-table]
      (testing (str "a handler that does not ask to be told answers, and behind its request is " what)
        (let [gate (CountDownLatch. 1)]
          (with-handler [server mode (fn [{:keys [uri]}]
                                       (when (= "/wait" uri)
                                         (raw/await-latch gate))
                                       {:status 200 :body uri})
                         {:header-read-timeout-ms 400 :inline-body-bytes 1000}]
            (with-client [client server]
              (raw/send! client (str (raw/get-request "/wait") behind))
              (raw/finish! client)
              (is (raw/await-until #(= :close-wait (raw/server-state client))))
              (.countDown gate)
              (is (= [200 "/wait"] ((juxt :status :body) (raw/read-response client)))))))))))

(deftest half-closed-stream-test
  (each-mode [mode told?]
    (testing "a response that stands still for a client that has ended its side ends; its producer learns of it"
      (let [more (CountDownLatch. 1)
            produced (LinkedBlockingQueue.)]
        (with-handler [server mode (fn [{:keys [uri]}]
                                     {:status 200
                                      :body (if (= "/stream" uri)
                                              (concat ["first"]
                                                      (lazy-seq (raw/await-latch more)
                                                                (.add produced :more)
                                                                (repeat (str/join (repeat 1000 "more")))))
                                              "ok")})
                       {:turned-clock? true}]
          (with-client [client server]
            (raw/send! client (raw/get-request "/stream"))
            (is (= 200 (:status (stream/read-head client))))
            (is (= "first" (stream/read-chunk client)))
            (raw/finish! client)
            (is (raw/await-until #(= :close-wait (raw/server-state client))))
            (is (raw/pass-until-heard! server 10000 client))
            (is (nil? (stream/read-chunk client)))
            (is (= [0 0] ((juxt :exchanges-open :connections-open) (server/server-metrics server)))))
          (.countDown more)
          (is (= :more (.poll produced raw/guard-ms TimeUnit/MILLISECONDS)))
          (is (= "ok" (:body (raw/answer server (raw/get-request "/after"))))))))))
