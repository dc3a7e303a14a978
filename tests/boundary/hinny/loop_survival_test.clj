(ns hinny.loop-survival-test
  "What fails in an event loop costs one exchange or one connection; a loop that cannot go on loses its connections, says so
  in /live and /ready, and is opened again.

  The scenes run in a JVM of their own and return what was seen; the tests compare."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.probe :as probe]
   [hinny.raw-client :as raw]
   [hinny.server :as server])
  (:import
   (java.io Closeable)
   (java.util.concurrent CountDownLatch)))

(set! *warn-on-reflection* true)

(defn- fault-request
  [path kind]
  (raw/get-request path (str "x-hinny-fault: " kind)))

(defn- in-one-outbox
  "An async handler that keeps what `/a` and `/b` are to be answered with until `/c` comes, and then answers all three."
  [kept]
  (fn [{:keys [uri]} respond _raise]
    (if (= "/c" uri)
      (do (run! #(%) @kept)
          (respond (probe/ok uri)))
      (swap! kept conj #(respond (probe/ok uri))))))

(defn- command-scene
  "The first of three commands of an outbox panics."
  []
  (let [kept (atom [])]
    (raw/with-server [server (in-one-outbox kept) {:event-loops 1 :handler-mode :async}]
      (with-open [a (probe/connect server)
                  b (probe/connect server)
                  c (probe/connect server)]
        (raw/send! a (fault-request "/a" "command"))
        (probe/await-that #(= 1 (count @kept)))
        (raw/send! b (raw/get-request "/b"))
        (probe/await-that #(= 2 (count @kept)))
        (raw/send! c (raw/get-request "/c"))
        (let [outcomes (mapv probe/outcome [a b c])]
          {:outcomes outcomes
           :metrics (probe/await-metrics server {:panics 1 :exchanges-open 0 :replies-stale 0})})))))

(defn- accept-scene
  "The loop panics when it accepts a connection."
  []
  (raw/with-server [server #(probe/ok (:uri %)) {:event-loops 1}]
    (with-open [faulty (probe/connect server)]
      [(probe/exchange faulty (fault-request "/faulty" "accept"))
       (try
         (probe/ask server "/lost")
         (catch java.io.IOException _ :ended))
       (probe/ask server "/next")
       (probe/exchange faulty (raw/get-request "/again"))
       (probe/await-metrics server {:panics 1})])))

(defn- sweep-scene
  "The sweep that ends idle connections panics, and ends one after that."
  []
  (raw/with-server [server #(probe/ok (:uri %)) {:event-loops 1 :keep-alive-timeout-ms 400}]
    (with-open [faulty (probe/connect server)]
      (let [outcome (probe/exchange faulty (fault-request "/faulty" "sweep"))]
        (probe/await-metrics server {:panics 1})
        [outcome (probe/ended? faulty) (:panics (server/server-metrics server))]))))

(defn- until-seen
  "Runs `scene` until its result has `key`, a few times at most: on a machine that stands still what is short may be missed."
  [key scene]
  (first (drop-while (complement key) (repeatedly 5 scene))))

(defn- reopen-scene
  "One of two loops fails without end."
  []
  (probe/with-log-events [events "hinny.server"]
    (raw/with-server [server #(probe/ok (:uri %)) {:event-loops 2 :health true}]
      (let [clients (vec (repeatedly 32 #(probe/connect server)))
            ask (fn [client path] (try
                                    (first (probe/exchange client (raw/get-request path)))
                                    (catch java.io.IOException _ nil)
                                    (catch IllegalArgumentException _ nil)))
            before (mapv #(ask % "/live") clients)
            _ (raw/send! (first clients) (fault-request "/faulty" "every-poll"))
            cut? (probe/ended? (first clients))
            seen (fn [path status] (some #(= status (ask % path)) (rest clients)))
            down? (probe/await-that #(or (seen "/live" 503) (pos? (:loops-reopened (server/server-metrics server)))))
            ready-down? (seen "/ready" 503)]
        (probe/await-metrics server {:loops-reopened 1})
        (let [after (vec (repeatedly 32 #(probe/ask server "/after")))
              live? (probe/await-that #(= [200 200] (mapv (fn [path] (first (probe/ask server path))) ["/live" "/ready"])))]
          (run! #(.close ^Closeable %) clients)
          {:before (set before)
           :cut? cut?
           :seen-down? (and down? ready-down?)
           :after (set after)
           :live? live?
           :open (probe/await-metrics server {:connections-open 0 :exchanges-open 0 :loops-reopened 1})
           :ends (count (filter #(re-find #"failed too often in a row" (:message %)) @events))})))))

(defn- late-reply-scene
  "A handler answers an exchange of a loop that was opened again since; the next exchange there has the same id."
  []
  (let [slow (CountDownLatch. 1)
        next-begun (CountDownLatch. 1)
        next-goes-on (CountDownLatch. 1)
        closed (CountDownLatch. 1)
        slow-done (CountDownLatch. 1)
        begun (CountDownLatch. 1)]
    (raw/with-server [server
                      (fn [{:keys [uri] :as request}]
                        (case uri
                          "/slow" (do (server/on-close request (fn [_] (.countDown closed)))
                                      (.countDown begun)
                                      (raw/await-latch slow)
                                      (.countDown slow-done)
                                      (probe/ok "of the slow one"))
                          "/next" (do (.countDown next-begun)
                                      (raw/await-latch next-goes-on)
                                      (probe/ok "of the next one"))
                          (probe/ok uri)))
                      {:event-loops 1}]
      (with-open [first-client (probe/connect server)
                  faulty (probe/connect server)]
        (raw/send! first-client (raw/get-request "/slow"))
        (raw/await-latch begun)
        (raw/send! faulty (fault-request "/faulty" "every-poll"))
        (let [ended? (probe/ended? first-client)]
          (probe/await-metrics server {:loops-reopened 1})
          (with-open [client (probe/connect server)]
            (raw/send! client (raw/get-request "/next"))
            (raw/await-latch next-begun)
            (.countDown slow)
            (raw/await-latch slow-done)
            (.countDown next-goes-on)
            {:ended? ended?
             :on-close? (raw/await-latch closed)
             :next (probe/outcome client)}))))))

(defn scenes
  "What the tests below look at; for the forked JVM."
  []
  (System/setProperty "hinny.test.faults" "true")
  {:command (command-scene)
   :accept (accept-scene)
   :sweep (sweep-scene)
   :reopen (until-seen :seen-down? reopen-scene)
   :late-reply (late-reply-scene)})

(def ^:private forked-scenes
  (delay (forked/call `scenes {})))

(defn- seen
  [scene]
  (get-in @forked-scenes [:value scene]))

(deftest jvm-test
  (is (forked/sound? @forked-scenes)))

(deftest command-fault-test
  (testing "a panic while a command is applied fails its exchange, and those behind it are answered"
    (is (= {:outcomes [[500 "Internal Server Error"] [200 "/b"] [200 "/c"]]
            :metrics {:panics 1 :exchanges-open 0 :replies-stale 0}}
           (seen :command)))))

(deftest accept-fault-test
  (testing "a panic while a connection is accepted costs that connection, and the next one is served"
    (is (= [[200 "/faulty"] :ended [200 "/next"] [200 "/again"] {:panics 1}] (seen :accept)))))

(deftest sweep-fault-test
  (testing "timeouts come up after a panic in the sweep"
    (is (= [[200 "/faulty"] true 1] (seen :sweep)))))

(deftest reopen-test
  (testing "a loop that fails without end is closed, said to be down, and opened again"
    (is (= {:before #{200}
            :cut? true
            :seen-down? true
            :after #{[200 "/after"]}
            :live? true
            :open {:connections-open 0 :exchanges-open 0 :loops-reopened 1}
            :ends 1}
           (seen :reopen)))))

(deftest late-reply-test
  (testing "an answer to an exchange of before reaches nobody after that"
    (is (= {:ended? true :on-close? true :next [200 "of the next one"]} (seen :late-reply)))))
