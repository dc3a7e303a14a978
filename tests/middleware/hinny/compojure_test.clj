(ns hinny.compojure-test
  "Compojure's routes: what matches, with which parameters, and each kind of value that a route may return."
  (:require
   [clojure.java.io :as io]
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [compojure.coercions :refer [as-int]]
   [compojure.core :refer [ANY DELETE GET HEAD PATCH POST PUT context let-routes routes wrap-routes]]
   [compojure.route :as route]
   [hinny.middleware-app :refer [edn edn-response fetch header post-form random-bytes sha256 url with-app with-directory write-file!]]
   [hinny.raw-client :as raw :refer [with-client]]
   [ring.middleware.keyword-params :refer [wrap-keyword-params]]
   [ring.middleware.params :refer [wrap-params]]
   [ring.util.response :as response])
  (:import
   (java.io ByteArrayInputStream)))

(set! *warn-on-reflection* true)

(defn- wrap-tag [handler]
  (let [tag #(some-> % (response/header "X-Tag" "routed"))]
    (fn
      ([request] (tag (handler request)))
      ([request respond raise] (handler request #(respond (tag %)) raise)))))

(def ^:private shop
  (-> (routes
        (GET "/" [] "home")
        (GET "/user/:id" [id] (edn-response [:user id]))
        (GET ["/order/:n" :n #"[0-9]+"] [n] (edn-response [:order n]))
        (GET "/square/:n" [n :<< as-int] (edn-response (* n n)))
        (GET "/square/:n" [n] (edn-response [:no-number n]))
        (GET "/search" [q tag :as {:keys [request-method]} & more] (edn-response [request-method q tag more]))
        (GET "/files/*" {{path :*} :route-params} (edn-response [:files path]))
        (GET "/a/:b/c/:d.txt" [b d] (edn-response [b d]))
        (POST "/form" [a b] (edn-response [:post a b]))
        (PUT "/form" [a] (edn-response [:put a]))
        (DELETE "/form" [] (response/status 204))
        (PATCH "/form" [] (edn-response :patch))
        (HEAD "/only-head" [] (response/header (response/response nil) "X-Only" "head"))
        (ANY "/any" {:keys [request-method]} (edn-response request-method))
        (GET "/maybe" [] nil)
        (ANY "/maybe" [] (edn-response :second))
        (context "/shop/:shop" [shop]
          (GET "/" [] (edn-response [:shop shop]))
          (let-routes [prefix (str shop "-")]
            (GET "/item/:item" [item] (edn-response (str prefix item))))
          (context "/deep" []
            (GET "/er" {:keys [uri path-info] request-context :context} (edn-response [uri path-info request-context]))))
        (wrap-routes (GET "/tagged" [] "tagged") wrap-tag)
        (route/not-found "nothing here"))
      wrap-keyword-params
      wrap-params))

(def ^:private route-table
  "The target and the value that its route tells."
  [["/user/1" [:user "1"]]
   ["/user/J%C3%BCrgen%20M" [:user "Jürgen M"]]
   ["/user/a%2Fb" [:user "a/b"]]
   ["/user/a+b" [:user "a+b"]]
   ["/user/%F0%9F%98%80" [:user "😀"]]
   ["/order/12" [:order "12"]]
   ["/square/12" 144]
   ["/square/x" [:no-number "x"]]
   ["/search?q=x+y&tag=a&tag=b&z=%C3%BC" [:get "x y" ["a" "b"] {:z "ü"}]]
   ["/files/" [:files ""]]
   ["/files/a/b%20c/d.txt" [:files "a/b c/d.txt"]]
   ["/a/1/c/x.y.txt" ["1" "x.y"]]
   ["/any" :get]
   ["/maybe" :second]
   ["/shop/7" [:shop "7"]]
   ["/shop/7/item/x" "7-x"]
   ["/shop/%C3%BC/item/x" "ü-x"]
   ["/shop/7/deep/er" ["/shop/7/deep/er" "/er" "/shop/7/deep"]]])

(deftest routes-test
  (with-app [server shop]
    (doseq [[target expected] route-table]
      (testing target
        (is (= expected (edn (fetch server target))))))
    (testing "text is HTML"
      (is (= [200 "text/html; charset=utf-8" "home"] ((juxt :status #(header % "content-type") :body) (fetch server "/")))))
    (testing "middleware of a route that matched"
      (is (= ["routed" nil] (map #(header (fetch server %) "x-tag") ["/tagged" "/"]))))))

(deftest methods-test
  (with-app [server shop]
    (is (= [:post "1" "ü"] (edn (post-form server "/form" "a=1&b=%C3%BC"))))
    (is (= [:put "1"] (edn (fetch server "/form" :method "PUT" :body "a=1" :headers {"Content-Type" "application/x-www-form-urlencoded"}))))
    (is (= [:put "1"] (edn (post-form server "/form" "_method=put&a=1"))) "a form names its method")
    (is (= [204 ""] ((juxt :status :body) (fetch server "/form" :method "DELETE"))))
    (is (= :patch (edn (fetch server "/form" :method "PATCH" :body "x"))))
    (is (= [:post :options :propfind] (map #(edn (fetch server "/any" :method %)) ["POST" "OPTIONS" "PROPFIND"])))))

(deftest not-found-test
  (with-app [server shop]
    (doseq [[method target] [["GET" "/nothing"] ["GET" "/order/x"] ["GET" "/form"] ["GET" "/shop/7/nothing"] ["POST" "/"] ["GET" "/user/"]
                             ["GET" "/only-head"]]]
      (testing (str method " " target)
        (is (= [404 "nothing here"] ((juxt :status :body) (fetch server target :method method))))))))

(deftest head-test
  (testing "HEAD of a GET route, of its own route and of none; all on one connection"
    (with-app [server shop]
      (with-client [client server]
        (doseq [[target status type] [["/" 200 "text/html; charset=utf-8"] ["/user/1" 200 "application/edn; charset=utf-8"]
                                      ["/only-head" 200 nil] ["/nothing" 404 "text/html; charset=utf-8"]]]
          (testing target
            (raw/send! client (raw/head (str "HEAD " target " HTTP/1.1") "Host: x"))
            (let [head (raw/read-response client {:head? true})]
              (is (= status (:status head)))
              (when type (is (= type (raw/header head "content-type")))))))
        (raw/send! client (raw/get-request "/"))
        (is (= "home" (:body (raw/read-response client))))))))

(deftest renderable-test
  (testing "files, resources, streams, sequences and what is delivered"
    (with-directory [directory]
      (let [content (random-bytes 300000 9)
            file (write-file! directory "a.png" content)]
        (with-app [server (routes
                            (GET "/file" [] file)
                            (GET "/stream" [] (ByteArrayInputStream. content))
                            (GET "/seq" [] (map #(str % "ü,") (range 1000)))
                            (GET "/url" [] (io/resource "public/page.html"))
                            (GET "/delay" [] (delay "delayed"))
                            (GET "/fn" [] (fn ([_] "called") ([_ respond _] (respond "called")))))
                   {:blocking? true}]
          (let [got (fetch server "/file")]
            (is (= [200 "image/png" "300000" (sha256 content)]
                   [(:status got) (header got "content-type") (header got "content-length") (sha256 (:bytes got))])))
          (is (= (sha256 content) (sha256 (:bytes (fetch server "/stream")))))
          (let [got (fetch server "/seq")]
            (is (= ["text/html; charset=utf-8" (str/join (map #(str % "ü,") (range 1000)))] [(header got "content-type") (:body got)])))
          (let [got (fetch server "/url")]
            (is (= ["text/html" (slurp "tests/middleware/public/page.html")] [(header got "content-type") (:body got)])))
          (is (= ["delayed" "called"] (map #(:body (fetch server %)) ["/delay" "/fn"]))))))))

(deftest static-routes-test
  (with-directory [directory]
    (write-file! directory "site/index.html" "<p>index</p>")
    (write-file! directory "site/b c.txt" "text")
    (write-file! directory "secret.txt" "secret")
    (with-app [server (routes (route/files "/files" {:root (str directory "/site")})
                              (route/resources "/static")
                              (route/not-found "nothing here"))
               {:blocking? true}]
      (doseq [[target type body] [["/files/b%20c.txt" "text/plain" "text"]
                                  ["/files/" "text/html" "<p>index</p>"]
                                  ["/static/page.html" "text/html" (slurp "tests/middleware/public/page.html")]
                                  ["/static/assets/style.css" "text/css" (slurp "tests/middleware/public/assets/style.css")]]]
        (is (= [200 type body] ((juxt :status #(header % "content-type") :body) (fetch server target))) target))
      (doseq [target ["/files/../secret.txt" "/files/%2e%2e/secret.txt" "/files/..%2fsecret.txt" "/static/../hinny/compojure_test.clj"
                      "/static/%2e%2e/hinny/compojure_test.clj" "/static/nothing" "/static/"]]
        (is (= [404 "nothing here"] ((juxt :status :body) (raw/answer server (raw/get-request target)))) target)))))

(deftest redirect-test
  (with-app [server (routes (GET "/old" [] (response/redirect "/new")) (GET "/new" [] "new"))]
    (let [got (fetch server "/old")]
      (is (= [302 "/new" ""] [(:status got) (header got "location") (:body got)]))
      (is (= "new" (slurp (url server "/old"))) "followed by java.net.URL"))))
