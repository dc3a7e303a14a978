(ns hinny.defaults-middleware-test
  "ring-defaults: `site-defaults` with its anti-forgery tokens, headers and session, `api-defaults`, and the secure
  variants behind a proxy."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.middleware-app :as app :refer [answering cookie-client curl edn edn-response fetch header multipart post-form sha256 url with-app with-directory]]
   [hinny.raw-client :as raw :refer [with-client]]
   [ring.middleware.anti-forgery :refer [*anti-forgery-token*]]
   [ring.middleware.defaults :refer [api-defaults secure-api-defaults secure-site-defaults site-defaults wrap-defaults]]
   [ring.util.codec :refer [form-encode]]
   [ring.util.response :refer [content-type not-found redirect response]])
  (:import
   (java.io File)
   (java.nio.file Files)))

(set! *warn-on-reflection* true)

(def ^:private guest-book
  "A form with a token on /, what was posted in the session on /said, an upload on /upload."
  (answering (fn [{:keys [request-method uri params session flash remote-addr scheme]}]
               (case [request-method uri]
                 [:get "/"] (content-type (response (str "<input name='__anti-forgery-token' value='" *anti-forgery-token* "'>")) "text/html")
                 [:post "/say"] (assoc (redirect "/said") :session (assoc session :said (:text params)) :flash "thank you")
                 [:get "/said"] (edn-response [(:said session) flash])
                 [:post "/upload"] (edn-response (let [file ^File (get-in params [:form :file :tempfile])
                                                       bytes (Files/readAllBytes (.toPath file))]
                                                   (.delete file)
                                                   [(get-in params [:form :title]) (sha256 bytes)]))
                 [:get "/whence"] (edn-response [remote-addr scheme])
                 (not-found "nothing here")))))

(defn- token-of [{:keys [body]}]
  (second (re-find #"value='([^']+)'" body)))

(deftest anti-forgery-test
  (with-app [server (wrap-defaults guest-book site-defaults)]
    (let [client (cookie-client)
          token (token-of (fetch server "/" :client client))
          form #(form-encode {"__anti-forgery-token" % "text" "grüß dich"})]
      (is (re-matches #"[A-Za-z0-9+/=]{80}" token))
      (is (= token (token-of (fetch server "/" :client client))) "one token for a session")
      (testing "refused: no token, a wrong one, the token of another session, a token without the session"
        (doseq [refused [(post-form server "/say" "text=x" :client client)
                         (post-form server "/say" (form (str "x" token)) :client client)
                         (post-form server "/say" (form (token-of (fetch server "/" :client (cookie-client)))) :client client)
                         (post-form server "/say" (form token))
                         (fetch server "/say" :client client :method "PUT" :body "x")]]
          (is (= [403 "<h1>Invalid anti-forgery token</h1>"] ((juxt :status :body) refused))))
        (is (= [nil nil] (edn (fetch server "/said" :client client)))))
      (testing "accepted: the token in the form, or in a header; the redirect is absolute"
        (doseq [[body headers] [[(form token) {}]
                                ["text=gr%C3%BC%C3%9F+dich" {"X-CSRF-Token" token}]]
                :let [accepted (post-form server "/say" body :client client :headers headers)]]
          (is (= [302 (url server "/said")] [(:status accepted) (header accepted "location")]))
          (is (= ["grüß dich" "thank you"] (edn (fetch server "/said" :client client))))
          (is (= ["grüß dich" nil] (edn (fetch server "/said" :client client))) "the flash is gone"))))))

(deftest upload-test
  (testing "a nested name in a form with a file and its token"
    (with-app [server (wrap-defaults guest-book site-defaults) {:blocking? true}]
      (let [client (cookie-client)
            token (token-of (fetch server "/" :client client))
            content (app/random-bytes 200000 5)
            body (multipart "b" [{:name "__anti-forgery-token" :content token}
                                 {:name "form[title]" :content "Füße"}
                                 {:name "form[file]" :filename "f" :content-type "a/b" :content content}])]
        (is (= ["Füße" (sha256 content)]
               (edn (fetch server "/upload" :client client :method "POST" :body body
                           :headers {"Content-Type" "multipart/form-data; boundary=b"}))))))))

(deftest curl-test
  (when app/curl?
    (with-app [server (wrap-defaults guest-book site-defaults)]
      (with-directory [directory]
        (let [jar (str directory "/jar")
              ask (partial curl "--cookie" jar "--cookie-jar" jar)
              token (token-of {:body (ask (url server "/"))})]
          (is (= (pr-str ["x & y" "thank you"])
                 (ask "--location" "--data-urlencode" (str "__anti-forgery-token=" token) "--data-urlencode" "text=x & y"
                      (url server "/say"))))
          (is (= "403" (ask "--data" "text=x" "--output" "/dev/null" "--write-out" "%{http_code}" (url server "/say")))))))))

(def ^:private security-headers
  {"x-frame-options" "SAMEORIGIN" "x-xss-protection" "1; mode=block" "x-content-type-options" "nosniff"})

(deftest site-headers-test
  (with-app [server (wrap-defaults guest-book site-defaults)]
    (doseq [[target status] [["/" 200] ["/nothing" 404]]]
      (testing target
        (let [got (fetch server target)]
          (is (= status (:status got)))
          (is (= security-headers (into {} (map (juxt identity #(header got %))) (keys security-headers)))))))
    (is (= "text/html; charset=utf-8" (header (fetch server "/") "content-type")))
    (let [[value & attributes] (str/split (header (fetch server "/") "set-cookie") #";")]
      (is (re-matches #"ring-session=[0-9a-f-]{36}" value))
      (is (= #{"Path=/" "HttpOnly" "SameSite=Strict"} (set attributes))))))

(deftest site-static-test
  (testing "resources of public/, with type, length and 304"
    (with-app [server (wrap-defaults guest-book site-defaults) {:blocking? true}]
      (let [page (slurp "tests/middleware/public/page.html")
            got (fetch server "/page.html")]
        (is (= [200 "text/html; charset=utf-8" page "SAMEORIGIN"]
               [(:status got) (header got "content-type") (:body got) (header got "x-frame-options")]))
        (is (= (str (count (.getBytes page "UTF-8"))) (header got "content-length")))
        (with-client [client server]
          (raw/send! client (raw/get-request "/page.html" (str "If-Modified-Since: " (header got "last-modified"))))
          (is (= [304 ""] ((juxt :status :body) (raw/read-response client))))
          (raw/send! client (raw/head "HEAD /page.html HTTP/1.1" "Host: x"))
          (let [head (raw/read-response client {:head? true})]
            (is (= [200 (header got "content-length")] [(:status head) (raw/header head "content-length")])))
          (raw/send! client (raw/get-request "/said"))
          (is (= [nil nil] (edn (raw/read-response client)))))))))

(deftest api-test
  (with-app [server (wrap-defaults (answering (fn [{:keys [uri params session cookies]}]
                                                (if (= "/go" uri)
                                                  (redirect "target?a=b")
                                                  (edn-response [params session cookies]))))
                                   api-defaults)]
    (testing "keyword parameters, no session, no token"
      (is (= [{:q "1" :a ["x" "y"]} nil nil] (edn (post-form server "/?q=1" "a=x&a=y" :headers {"Cookie" "a=b"})))))
    (testing "a relative redirect becomes absolute, on the host that the client named"
      (is (= (url server "/target?a=b") (header (fetch server "/go") "location")))
      (is (= "http://example.org:81/target?a=b"
             (raw/header (raw/answer server (raw/head "GET /go HTTP/1.1" "Host: example.org:81")) "location"))))
    (testing "no cookie is set and no header added"
      (is (empty? (keep #(header (fetch server "/") %) (cons "set-cookie" (keys security-headers))))))))

(deftest secure-defaults-test
  (doseq [[what defaults] {"site" (assoc secure-site-defaults :proxy true) "api" (assoc secure-api-defaults :proxy true)}]
    (testing what
      (with-app [server (wrap-defaults guest-book defaults)]
        (testing "plain requests are sent to HTTPS, a POST with its method"
          (let [got (raw/answer server (raw/get-request "/said?a=1"))]
            (is (= [301 "https://x/said?a=1"] [(:status got) (raw/header got "location")])))
          (is (= 307 (:status (raw/answer server (raw/post "/say" "text=x"))))))
        (testing "a proxy tells the scheme and whom it saw"
          (let [got (fetch server "/whence" :headers {"X-Forwarded-Proto" "https" "X-Forwarded-For" "203.0.113.7, 198.51.100.1"})]
            (is (= ["198.51.100.1" :https] (edn got)))
            (is (= "max-age=31536000; includeSubDomains" (header got "strict-transport-security")))))))))

(deftest secure-session-cookie-test
  (with-app [server (wrap-defaults guest-book (assoc secure-site-defaults :proxy true))]
    (let [[value & attributes] (str/split (header (fetch server "/" :headers {"X-Forwarded-Proto" "https"}) "set-cookie") #";")]
      (is (str/starts-with? value "secure-ring-session="))
      (is (= #{"Path=/" "HttpOnly" "SameSite=Strict" "Secure"} (set attributes))))))
