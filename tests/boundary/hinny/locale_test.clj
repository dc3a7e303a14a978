(ns hinny.locale-test
  "What depends on no locale: the same scene in JVMs whose default locale is Turkish (an i is no i in upper case) and Arabic
  (digits are others)."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.forked-jvm :as forked]
   [hinny.raw-client :as raw]
   [hinny.router :as router]
   [hinny.server :as server]
   [hinny.test :as test])
  (:import
   (java.util Locale)))

(set! *warn-on-reflection* true)

(defn- saying [text]
  (constantly {:status 200 :headers {"X-ID" "1"} :body text}))

(defn scene
  "Answers of routes, of a handler, and of `hinny.test`, where letters and digits matter."
  []
  (let [routes [["/id" {:options (saying "options") :get (saying "id") :patch (saying "patch")}]
                ["/other" (fn [request] {:status 200 :headers {} :body (pr-str (:request-method request))})]
                ["/%e2%80%a0/:id" {:name :dagger :get (saying "dagger")}]]
        ask (fn [port bytes]
              (with-open [client (raw/connect port)]
                (raw/send! client bytes)
                (let [{:keys [status body] :as response} (raw/read-response client)]
                  [status body (raw/header response "allow") (raw/header response "x-id")])))]
    (with-open [server (server/run-server nil
                                          {:host "127.0.0.1" :port 0 :routes routes})]
      (let [port (server/server-port server)]
        {:language (.getLanguage (Locale/getDefault))
         :options (ask port "OPTIONS /id HTTP/1.1\r\nHost: x\r\n\r\n")
         :delete (ask port "DELETE /id HTTP/1.1\r\nHost: x\r\n\r\n")
         :unlink (ask port "UNLINK /other HTTP/1.1\r\nHost: x\r\n\r\n")
         :encoded (ask port "GET /%e2%80%a0/7 HTTP/1.1\r\nHost: x\r\n\r\n")
         :path-for (router/path-for (router/router routes) :dagger {:id "ı†"})
         :method (:template (router/match (router/router routes) :options "/id"))
         :in-process (select-keys (test/request (fn [request]
                                                  {:status 200
                                                   :headers {"X-ID" (get-in request [:headers "x-id"])}
                                                   :body (name (:request-method request))})
                                                {:request-method :unlink :headers {"X-ID" "I"}})
                                  [:headers :body])
         :refused (try
                    (test/request (constantly {:status 200 :headers {"X" "\u0001"}}) {})
                    (catch clojure.lang.ExceptionInfo e (re-find #"U\+\S+" (ex-message e))))}))))

(deftest locale-test
  (doseq [[language flags] {"en" ["-Duser.language=en" "-Duser.country=GB"]
                            "tr" ["-Duser.language=tr" "-Duser.country=TR"]
                            "ar" ["-Duser.language=ar" "-Duser.country=EG" "-Duser.extensions=u-nu-arab"]}]
    (testing (str language " is like any other")
      (let [{:keys [value] :as jvm} (forked/call `scene {:flags flags})]
        (is (forked/sound? jvm))
        (is (= {:language language
                :options [200 "options" nil "1"]
                :delete [405 "Method Not Allowed" "GET, HEAD, OPTIONS, PATCH" nil]
                :unlink [200 ":unlink" nil nil]
                :encoded [200 "dagger" nil "1"]
                :path-for "/%E2%80%A0/%C4%B1%E2%80%A0"
                :method "/id"
                :in-process {:headers {"x-id" "I"} :body "unlink"}
                :refused "U+0001"}
               value))))))
