(ns hinny.session-middleware-test
  "`wrap-session` over both stores, and `wrap-flash`: what a client's cookie brings back, and what ends it."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.middleware-app :as app :refer [answering cookie-client curl edn edn-response fetch header url with-app with-directory]]
   [hinny.raw-client :as raw]
   [ring.middleware.flash :refer [wrap-flash]]
   [ring.middleware.session :refer [wrap-session]]
   [ring.middleware.session.cookie :refer [cookie-store]]
   [ring.middleware.session.memory :refer [memory-store]]
   [ring.util.response :refer [redirect response]]))

(set! *warn-on-reflection* true)

(def ^:private counter
  "Counts a session's requests of /count, ends the session on /end, begins another with the same values on /renew."
  (answering (fn [{:keys [uri session]}]
               (case uri
                 "/count" (let [n (inc (:n session 0))]
                            (assoc (edn-response n) :session (assoc session :n n)))
                 "/look" (edn-response session)
                 "/end" (assoc (response "ended") :session nil)
                 "/renew" (assoc (response "renewed") :session (vary-meta session assoc :recreate true))))))

(def ^:private stores
  "How each store is made."
  {"memory" memory-store
   "cookie" #(cookie-store {:key (byte-array (range 16))})})

(defn- session-cookie
  "The value of the session cookie that a response sets, nil if it sets none."
  [response]
  (some->> (header response "set-cookie") (re-find #"^ring-session=([^;]*)") second))

(deftest session-test
  (doseq [[store-name store] stores]
    (testing store-name
      (with-app [server (wrap-session counter {:store (store)})]
        (let [client (cookie-client)
              ask #(fetch server % :client client)]
          (is (= {} (edn (ask "/look"))))
          (is (= [1 2 3] (repeatedly 3 #(edn (ask "/count")))))
          (is (= {:n 3} (edn (ask "/look"))))
          (testing "another client has a session of its own"
            (is (= 1 (edn (fetch server "/count" :client (cookie-client))))))
          (testing "a new session may keep the values"
            (is (= "renewed" (:body (ask "/renew"))))
            (is (= 4 (edn (ask "/count")))))
          (testing "a session that was ended is gone"
            (is (= "ended" (:body (ask "/end"))))
            (is (= {} (edn (ask "/look"))))
            (is (= 1 (edn (ask "/count"))))))))))

(deftest memory-session-key-test
  (with-app [server (wrap-session counter {:store (memory-store)})]
    (let [first-key (session-cookie (fetch server "/count"))
          ask (fn [uri session-key] (fetch server uri :headers {"Cookie" (str "a=b; ring-session=" session-key)}))]
      (testing "the key is told once"
        (is (re-matches #"[0-9a-f-]{36}" first-key))
        (is (nil? (session-cookie (ask "/count" first-key)))))
      (testing "a new session has a new key, and the old one opens nothing"
        (let [second-key (session-cookie (ask "/renew" first-key))]
          (is (not= first-key second-key))
          (is (= {:n 2} (edn (ask "/look" second-key))))
          (is (= {} (edn (ask "/look" first-key)))))))))

(deftest cookie-store-is-sealed-test
  (with-app [server (wrap-session counter {:store (cookie-store {:key (byte-array (range 16))})})]
    (let [sealed (session-cookie (fetch server "/count"))
          ;; Base64 still: a plus or a slash is three characters of the cookie.
          tampered (str/replace sealed #"^(%..|.)" (if (str/starts-with? sealed "A") "B" "A"))
          look #(edn (fetch server "/look" :headers {"Cookie" (str "ring-session=" %)}))]
      (is (= {:n 1} (look sealed)))
      (is (= {} (look tampered)) "what was tampered with is no session"))))

(deftest session-cookie-attributes-test
  (doseq [[options attributes] [[{} #{"Path=/" "HttpOnly"}]
                                [{:root "/app"} #{"Path=/app" "HttpOnly"}]
                                [{:cookie-attrs {:max-age 60 :secure true :same-site :strict}}
                                 #{"Path=/" "HttpOnly" "Max-Age=60" "Secure" "SameSite=Strict"}]]]
    (testing options
      (with-app [server (wrap-session counter options)]
        (is (= attributes (set (rest (str/split (header (fetch server "/count") "set-cookie") #";")))))))))

(deftest sessions-in-parallel-test
  (doseq [[store-name store] stores]
    (testing (str store-name ": many clients at once, each counts alone")
      (with-app [server (wrap-session counter {:store (store)})]
        (let [counts (doall (for [_ (range 8)]
                              (future
                                (let [client (cookie-client)]
                                  (vec (repeatedly 20 #(edn (fetch server "/count" :client client))))))))]
          (is (= (repeat 8 (range 1 21)) (map #(deref % raw/guard-ms :late) counts))))))))

(def ^:private guest-book
  "Keeps what is posted as a message for the next page."
  (-> (answering (fn [{:keys [request-method flash body]}]
                   (if (= :post request-method)
                     (assoc (redirect "/" :see-other) :flash {:said (slurp body :encoding "UTF-8")})
                     (edn-response flash))))
      wrap-flash
      wrap-session))

(deftest flash-test
  (with-app [server guest-book]
    (let [client (cookie-client)
          page #(edn (fetch server "/" :client client))]
      (is (nil? (page)))
      (let [posted (fetch server "/" :client client :method "POST" :body "grüß dich")]
        (is (= [303 "/"] [(:status posted) (header posted "location")])))
      (is (= {:said "grüß dich"} (page)) "on the next request")
      (is (nil? (page)) "and not on the one after"))))

(deftest flash-by-curl-test
  (when app/curl?
    (with-app [server guest-book]
      (with-directory [directory]
        (let [jar (str directory "/jar")]
          (testing "the redirect is followed with the cookie that it sets"
            (is (= (pr-str {:said "hello"})
                   (curl "--cookie-jar" jar "--location" "--data" "hello" (url server "/")))))
          (is (= "nil" (curl "--cookie" jar (url server "/")))))))))
