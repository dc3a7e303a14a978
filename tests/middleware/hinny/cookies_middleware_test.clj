(ns hinny.cookies-middleware-test
  "`wrap-cookies`: what clients send, what they are told to keep, and that they bring it back."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.middleware-app :as app :refer [answering cookie-client curl edn edn-response fetch url with-app with-directory]]
   [hinny.raw-client :as raw]
   [ring.middleware.cookies :refer [wrap-cookies]]
   [ring.util.response :refer [response set-cookie]])
  (:import
   (java.time Duration ZoneOffset ZonedDateTime)))

(set! *warn-on-reflection* true)

(def ^:private tell-cookies
  (wrap-cookies (answering (fn [{:keys [cookies]}] (edn-response (update-vals cookies :value))))))

(deftest request-cookies-test
  (with-app [server tell-cookies]
    (doseq [[what lines expected]
            [["none" [] {}]
             ["an empty field" ["Cookie: "] {}]
             ["one" ["Cookie: a=1"] {"a" "1"}]
             ["several" ["Cookie: a=1; b=2; c="] {"a" "1" "b" "2" "c" ""}]
             ["quoted values" ["Cookie: a=\"1\"; b=\"\""] {"a" "1" "b" ""}]
             ["percent and plus" ["Cookie: a=J%C3%BCrgen; b=x+y%3B"] {"a" "Jürgen" "b" "x y;"}]
             ["an equals sign in the value" ["Cookie: a=b=c=="] {"a" "b=c=="}]
             ["the same name twice: the last" ["Cookie: a=1; a=2"] {"a" "2"}]
             ["two fields, joined by a semicolon" ["Cookie: a=1; b=2" "Accept: */*" "cookie: c=3"] {"a" "1" "b" "2" "c" "3"}]]]
      (testing what
        (is (= expected (edn (raw/answer server (apply raw/get-request "/" lines)))))))))

(def ^:private expiry (ZonedDateTime/of 2031 2 3 4 5 6 0 ZoneOffset/UTC))

(deftest set-cookie-test
  (with-app [server (wrap-cookies
                      (answering (fn [_]
                                   (-> {:status 200 :headers {"Set-Cookie" ["own=1" "own2=2; Path=/x"]} :body "set"}
                                       (set-cookie "plain" "1")
                                       (set-cookie "encoded" "Jürgen; \"x\"")
                                       (set-cookie "all" "2" (array-map :domain "example.org" :path "/a" :max-age 60 :secure true
                                                                        :http-only true :same-site :lax
                                                                        :expires "Mon, 03 Feb 2031 04:05:06 GMT"))
                                       (set-cookie "times" "3" (array-map :max-age (Duration/ofMinutes 2) :expires expiry))
                                       (set-cookie "none" "4" (array-map :secure false :same-site :none))))))]
    (testing "each cookie is a field of its own, in order, after those that the handler wrote itself"
      (is (= ["own=1"
              "own2=2; Path=/x"
              "plain=1"
              "encoded=J%C3%BCrgen%3B+%22x%22"
              "all=2;Domain=example.org;Path=/a;Max-Age=60;Secure;HttpOnly;SameSite=Lax;Expires=Mon, 03 Feb 2031 04:05:06 GMT"
              "times=3;Max-Age=120;Expires=Mon, 03 Feb 2031 04:05:06 +0000"
              "none=4;SameSite=None"]
             (raw/header-values (raw/answer server (raw/get-request "/")) "set-cookie")
             (get-in (fetch server "/") [:headers "set-cookie"]))))))

(def ^:private keep-or-tell
  "Sets the cookies of its query on /set, ends one on /end, tells what came anywhere else."
  (wrap-cookies
    (answering (fn [{:keys [uri query-string cookies]}]
                 (case uri
                   "/set" (-> (response "set") (set-cookie "first" query-string {:path "/" :http-only true}) (set-cookie "second" "ü 2" {:path "/"}))
                   "/end" (-> (response "ended") (set-cookie "first" "" {:path "/" :max-age 0}))
                   (edn-response (update-vals cookies :value)))))))

(deftest cookie-jar-test
  (with-app [server keep-or-tell]
    (let [client (cookie-client)]
      (is (= {} (edn (fetch server "/" :client client))))
      (is (= "set" (:body (fetch server "/set?one" :client client))))
      (is (= {"first" "one" "second" "ü 2"} (edn (fetch server "/" :client client))))
      (is (= "set" (:body (fetch server "/set?two" :client client))))
      (is (= {"first" "two" "second" "ü 2"} (edn (fetch server "/" :client client))) "replaced")
      (is (= "ended" (:body (fetch server "/end" :client client))))
      (is (= {"second" "ü 2"} (edn (fetch server "/" :client client))) "ended by Max-Age=0")
      (is (= {} (edn (fetch server "/" :client (cookie-client)))) "another client has none"))))

(deftest curl-cookie-jar-test
  (when app/curl?
    (with-app [server keep-or-tell]
      (with-directory [directory]
        (let [jar (str directory "/jar")
              ask #(curl "--cookie" jar "--cookie-jar" jar (url server %))]
          (is (= "set" (ask "/set?one")))
          (is (= {"first" "one" "second" "ü 2"} (edn {:status 200 :bytes (.getBytes ^String (ask "/") "UTF-8")})))
          (is (= "ended" (ask "/end")))
          (is (= {"second" "ü 2"} (edn {:status 200 :bytes (.getBytes ^String (ask "/") "UTF-8")}))))))))
