(ns hinny.pipeline-wire-test
  "Requests that one connection sends ahead: which of them are with their handlers at the same time, and that the
  responses keep their order (RFC 9112 section 9.3.2).

  With `:http1-engine :auto`, up to 64 requests with safe methods run on workers at once, when some responses of the
  connection were small. A request with another method is alone with its handler, with either engine."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.engines :as engines]
   [hinny.modes :as modes :refer [each-mode with-handler]]
   [hinny.raw-client :as raw :refer [with-client with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (hinny.raw_client Client)
   (java.io InputStream)
   (java.util.concurrent CountDownLatch Semaphore TimeUnit)
   (java.util.concurrent.atomic AtomicInteger)
   (java.util.concurrent.locks LockSupport)))

(set! *warn-on-reflection* true)

(def ^:private at-once
  "How many requests of one connection may be with their handlers."
  64)

(def ^:private most-unread-responses
  "Of 100000 bytes: what a connection has ready, and more than the kernel holds of them (4 MiB and little)."
  (+ at-once at-once 100))

(def ^:private most-unread-bytes
  "More than the kernel holds of requests (4 MiB and 6 MiB)."
  14000000)

(def ^:private many-workers
  "Options with which no request waits for a worker, and one loop."
  {:worker-threads 200 :event-loops 1})

(defn- gets [numbers]
  (str/join (for [n numbers] (raw/get-request (str "/" n)))))

(defn- number-of [{:keys [uri]}]
  (parse-long (subs uri 1)))

(defn- warm-up!
  "Has so many small responses that a connection may have all requests with their handlers that it may have at once."
  [client]
  (dotimes [_ 6]
    (raw/send! client (raw/get-request "/999"))
    (raw/read-response client)))

(defn- bodies [client n]
  (doall (repeatedly n #(:body (raw/read-response client)))))

(defn- came-round?
  "Whether others were served meanwhile, so that what could be dispatched has been."
  [server]
  (= ["/999" "/999"] (repeatedly 2 #(:body (raw/answer server (raw/get-request "/999"))))))

(deftest finished-out-of-order-test
  (each-mode [mode modes/may-block?]
    (doseq [n [2 7 at-once]]
      (testing (str n " handlers that run at once and finish last to first are answered first to last")
        (let [finished (vec (repeatedly (inc n) #(CountDownLatch. 1)))]
          (.countDown ^CountDownLatch (finished n))
          (with-handler [server mode (fn [{:keys [uri] :as request}]
                                       (if (= "/999" uri)
                                         {:status 200 :body uri}
                                         (let [k (number-of request)
                                               waited? (raw/await-latch (finished (inc k)))]
                                           (.countDown ^CountDownLatch (finished k))
                                           {:status 200 :body (str uri (when-not waited? " alone"))})))
                         many-workers]
            (with-client [client server]
              (warm-up! client)
              (raw/send! client (gets (range n)))
              (is (= (map #(str "/" %) (range n)) (bodies client n))))))))))

(deftest finished-in-any-order-test
  (testing "whatever finishes when, each response has its place"
    (let [n 1000
          random (java.util.Random. 7)
          spins (vec (repeatedly n #(.nextInt random 20000)))]
      (with-server [server (fn [{:keys [uri] :as request}]
                             (dotimes [_ (spins (number-of request))] (Thread/onSpinWait))
                             {:status 200 :body uri})
                    {:worker-threads 8}]
        (with-client [client server]
          (let [sending (future (raw/send! client (gets (range n))))]
            (is (= (map #(str "/" %) (range n)) (bodies client n)))
            (is (not= :hung (deref sending raw/guard-ms :hung)))))))))

(deftest first-is-not-withheld-test
  (testing "a response goes out when those before it are out, whether or not those behind it are ready"
    (let [gate (CountDownLatch. 1)
          last-done (CountDownLatch. 1)]
      (with-server [server (fn [{:keys [uri]}]
                             (case uri
                               "/1" (raw/await-latch gate)
                               "/2" (.countDown last-done)
                               nil)
                             {:status 200 :body uri})
                    many-workers]
        (with-client [client server]
          (warm-up! client)
          (raw/send! client (gets (range 3)))
          (is (= ["/0"] (bodies client 1)))
          (is (raw/await-latch last-done))
          (is (came-round? server))
          (is (zero? (.available ^InputStream (.-in ^Client client))) "the third waits for the second")
          (.countDown gate)
          (is (= ["/1" "/2"] (bodies client 2))))))))

(deftest at-once-test
  (testing "no more than 64 requests of a connection are with their handlers; each answer lets one more in"
    (let [n 200
          running (AtomicInteger.)
          most (AtomicInteger.)
          started (AtomicInteger.)
          permits (vec (repeatedly n #(Semaphore. 0)))]
      (with-server [server (fn [{:keys [uri] :as request}]
                             (when-not (= "/999" uri)
                               (.incrementAndGet started)
                               (let [now (.incrementAndGet running)]
                                 (.accumulateAndGet most now max))
                               (.tryAcquire ^Semaphore (permits (number-of request)) raw/guard-ms TimeUnit/MILLISECONDS)
                               (.decrementAndGet running))
                             {:status 200 :body uri})
                    many-workers]
        (with-client [client server]
          (warm-up! client)
          (raw/send! client (gets (range n)))
          (is (raw/await-until #(= at-once (.get started))))
          (is (came-round? server))
          (is (= at-once (.get started)) "the next one is not dispatched")
          (testing "while the first is not answered, though those behind it are done"
            (run! #(.release ^Semaphore (permits %)) (range 1 at-once))
            (is (raw/await-until #(= 1 (.get running))))
            (is (came-round? server))
            (is (= at-once (.get started))))
          (.release ^Semaphore (permits 0))
          (is (= (map #(str "/" %) (range at-once)) (bodies client at-once)))
          (is (raw/await-until #(= (* 2 at-once) (.get started))))
          (run! #(.release ^Semaphore (permits %)) (range at-once n))
          (is (= (map #(str "/" %) (range at-once n)) (bodies client (- n at-once))))
          (is (= n (.get started)))
          (is (= at-once (.get most))))))))

(deftest unsafe-request-is-alone-test
  (doseq [engine engines/engines
          method ["POST" "PUT" "DELETE" "PATCH" "M-SEARCH"]]
    (testing (str method " among GETs is dispatched when all before it are answered, and what follows waits for it, " engine)
      (let [gates (vec (repeatedly 5 #(CountDownLatch. 1)))
            started (vec (repeatedly 5 #(CountDownLatch. 1)))
            order (atom [])]
        (with-server [server (fn [{:keys [uri] :as request}]
                               (when-not (= "/999" uri)
                                 (let [n (number-of request)]
                                   (swap! order conj n)
                                   (.countDown ^CountDownLatch (started n))
                                   (raw/await-latch (gates n))))
                               {:status 200 :body uri})
                      (assoc many-workers :http1-engine engine)]
          (with-client [client server]
            (raw/send! client (str (gets [0 1]) (raw/head (str method " /2 HTTP/1.1") "Host: x" "Content-Length: 0") (gets [3 4])))
            (doseq [n [0 1]]
              (is (raw/await-latch (started n)))
              (is (came-round? server))
              (is (not-any? #{2 3 4} @order))
              (.countDown ^CountDownLatch (gates n)))
            (is (raw/await-latch (started 2)))
            (is (came-round? server))
            (is (= #{0 1 2} (set @order)))
            (is (= ["/0" "/1"] (bodies client 2)))
            (run! #(.countDown ^CountDownLatch %) (drop 2 gates))
            (is (= ["/2" "/3" "/4"] (bodies client 3)))))))))

(deftest who-runs-with-whom-test
  (testing "an unsafe method is never with its handler together with another request of its connection"
    (doseq [engine engines/engines
            seed (range 5)]
      (let [n 300
            random (java.util.Random. seed)
            methods (vec (repeatedly n #(["GET" "GET" "GET" "HEAD" "OPTIONS" "TRACE" "POST" "PUT" "DELETE" "PATCH"] (.nextInt random 10))))
            unsafe? #{"POST" "PUT" "DELETE" "PATCH"}
            running (atom #{})
            wrong (atom [])]
        (with-server [server (fn [{:keys [uri] :as request}]
                               (let [k (number-of request)
                                     with (first (swap-vals! running conj k))]
                                 (when (and (seq with) (some (comp unsafe? methods) (conj with k)))
                                   (swap! wrong conj [k with]))
                                 (dotimes [_ 2000] (Thread/onSpinWait))
                                 (swap! running disj k)
                                 {:status 200 :headers {"X-Path" uri} :body uri}))
                      {:http1-engine engine :worker-threads 8}]
          (with-client [client server]
            (let [sending (future (raw/send! client (str/join (map-indexed #(raw/head (str %2 " /" %1 " HTTP/1.1") "Host: x") methods))))]
              (is (= (map #(str "/" %) (range n))
                     (doall (for [method methods]
                              (raw/header (raw/read-response client {:head? (= "HEAD" method)}) "x-path")))))
              (is (not= :hung (deref sending raw/guard-ms :hung))))))
        (is (= [] @wrong) (str engine " " seed))))))

(defn- await-still
  "Waits until a count has not changed over many looks; returns it."
  [count-now]
  (loop [before -1
         looks 0]
    (LockSupport/parkNanos 1000000)
    (let [now (long (count-now))]
      (cond
        (not= now before) (recur now 0)
        (< looks 200) (recur now (inc looks))
        :else now))))

(deftest reader-that-does-not-read-test
  (doseq [engine engines/engines
          mode [:inline :worker]]
    (testing (str "a client that sends and does not read: soon its requests are neither dispatched nor read, until it reads, " engine " " mode)
      (let [n 700
            body (stream/text-of 100000)
            request (raw/get-request "/0" (str "X-Long: " (stream/text-of 30000)))
            calls (AtomicInteger.)
            sent (AtomicInteger.)]
        (with-server [server (fn [_] (.incrementAndGet calls) {:status 200 :body body}) {:http1-engine engine :handler-mode mode :event-loops 1}]
          (with-open [client (stream/small-buffers (server/server-port server))]
            (let [sending (future (dotimes [_ n]
                                    (raw/send! client request)
                                    (.incrementAndGet sent)))]
              (await-still #(+ (.get calls) (.get sent)))
              (is (< (.get calls) most-unread-responses))
              (is (< (* (.get sent) (count request)) most-unread-bytes))
              (is (= 200 (:status (raw/answer server (raw/get-request "/0")))) "others are served")
              (is (every? #(= body (:body %)) (repeatedly n #(raw/read-response client))))
              (is (not= :hung (deref sending raw/guard-ms :hung))))))))))
