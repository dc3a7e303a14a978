(ns hinny.route-path-test
  "Path templates: what they mean, what is wrong with them, and the paths that are made of them."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [are deftest is testing]]
   [clojure.test.check :as test-check]
   [clojure.test.check.generators :as gen]
   [clojure.test.check.properties :as prop]
   [hinny.impl.route-path :as route-path]
   [hinny.route-failure :refer [failure]]
   [hinny.route-generators :as generators]
   [hinny.route-reference :as reference])
  (:import
   (io.github.hinny LogText)))

(set! *warn-on-reflection* true)

(defn- parse
  [template]
  (route-path/parse template nil))

(deftest parse-test
  (are [template pattern params] (= [pattern params] ((juxt :pattern :params) (parse template)))
    "/" "/" []
    "/users" "/users" []
    "/users/" "/users/" []
    "/users/:id" "/users/{p0}" [:id]
    "/users/:id/" "/users/{p0}/" [:id]
    "/users/:user-id/orders/:order_id" "/users/{p0}/orders/{p1}" [:user-id :order_id]
    "/files/file-:number" "/files/file-{p0}" [:number]
    "/users/{id}" "/users/{p0}" [:id]
    "/users/{:id}" "/users/{p0}" [:id]
    "/users/{user/id}" "/users/{p0}" [:user/id]
    "/users/{:user/id}" "/users/{p0}" [:user/id]
    "/users/:user/id" "/users/{p0}/id" [:user]
    "/files/{name}.json" "/files/{p0}.json" [:name]
    "/files/file-{number}.pdf" "/files/file-{p0}.pdf" [:number]
    "/:a/{b}/*c" "/{p0}/{p1}/{*p2}" [:a :b :c]
    "/*path" "/{*p0}" [:path]
    "/static/{*path}" "/static/{*p0}" [:path]
    "/static/{*the/path}" "/static/{*p0}" [:the/path]))

(deftest normalise-test
  (testing "literal text is what a client sends, normalised"
    (are [template pattern] (= pattern (:pattern (parse template)))
      "/café" "/caf%C3%A9"
      "/caf%c3%a9" "/caf%C3%A9"
      "/\uD83D\uDE00" "/%F0%9F%98%80"
      "/%41%7E%2d" "/A~-"
      "/a%2fb" "/a%2Fb"
      "/a%2525" "/a%2525"
      "/a|b^c\"d`e\\f[g]" "/a%7Cb%5Ec%22d%60e%5Cf%5Bg%5D"
      "/a!$&'()+,;=@b" "/a!$&'()+,;=@b"
      "/%3Aid" "/%3Aid"
      "/%7Bid%7D" "/%7Bid%7D"))
  (testing "with one syntax, the other's characters are literal"
    (are [syntax template pattern] (= pattern (:pattern (route-path/parse template syntax)))
      :bracket "/users/{id}:archive" "/users/{p0}:archive"
      :bracket "/a*b/:c" "/a*b/:c"
      #{:bracket} "/:c" "/:c"
      :colon "/{id}/:id" "/%7Bid%7D/{p0}"
      [:colon :bracket] "/{id}/:name" "/{p0}/{p1}")))

(deftest pattern-failure-test
  (are [template pattern] (let [{:keys [type message] failed :template} (failure (parse template))]
                            (and (= :hinny.error/route-pattern type)
                                 (= template failed)
                                 (str/includes? message (LogText/escape (pr-str template)))
                                 (re-find pattern message)))
    "" #"does not begin with a slash"
    "users" #"does not begin with a slash"
    ":id" #"does not begin with a slash"
    "/:" #"a parameter without a name"
    "/a/:/b" #"a parameter without a name"
    "/{}" #"a parameter without a name"
    "/{:}" #"a parameter without a name"
    "/*" #"a parameter without a name"
    "/{*}" #"a parameter without a name"
    "/{id" #"a \{ without its \}"
    "/{id/{x}" #"a \{ without its \}"
    "/id}" #"a \} without its \{"
    "/:id.json" #"write \{id\} for one with text behind it"
    "/{a}/{a}" #"two parameters of one name: :a :a"
    "/:a/*a" #"two parameters of one name"
    "/{a}{b}" #"two parameters in one segment"
    "/{a}-{b}" #"two parameters in one segment"
    "/{a}-:b" #"two parameters in one segment"
    "/{id}:archive" #"two parameters in one segment"
    "/*rest/x" #"a catch-all that is not at its end"
    "/{*rest}/x" #"a catch-all that is not at its end"
    "/{*rest}x" #"a catch-all that is not at its end"
    "/a*rest" #"a catch-all that does not begin a segment"
    "/a{*rest}" #"a catch-all that does not begin a segment"
    "/a b" #"white space or a control character, \" \"; write it percent-encoded"
    "/a\tb" #"white space or a control character"
    "/a\u0000" #"white space or a control character"
    "/{a b}" #"a parameter whose name has \" \""
    "/{a/b/c}" #"a parameter whose name has"
    "/a%" #"a % without two hex digits behind it: \"%\"; write %25"
    "/a%zz" #"a % without two hex digits"
    "/a?b" #"a \?, which begins what is no part of a path"
    "/a#b" #"a #, which begins"
    "//a" #"an empty segment: does a path that it continues end with a slash\?"
    "/a//{b}" #"an empty segment"
    "/a/../b" #"a segment \. or \.\."
    "/a/%2e" #"a segment \. or \.\."
    "/\uD83D" #"half of a surrogate pair")
  (testing "a syntax that there is not"
    (is (= :hinny.error/option-invalid (:type (failure (route-path/parse "/" :star)))))))

(deftest fill-test
  (are [template params path] (= path (route-path/fill (parse template) params))
    "/" {} "/"
    "/users/:id" {:id 7} "/users/7"
    "/users/:id" {:id "7" :other 1} "/users/7"
    "/users/{user/id}" {:user/id :a/b} "/users/a%2Fb"
    "/users/:id" {:id 'sym} "/users/sym"
    "/users/:id" {:id false} "/users/false"
    "/users/:id" {:id \x} "/users/x"
    "/users/:id" {:id 1/2} "/users/1%2F2"
    "/users/:id" {:id #uuid "00000000-0000-0000-0000-000000000001"} "/users/00000000-0000-0000-0000-000000000001"
    "/days/:day" {:day (java.time.LocalDate/of 2024 2 29)} "/days/2024-02-29"
    "/users/:id" {:id "a/b ?#%é+&=@:"} "/users/a%2Fb%20%3F%23%25%C3%A9%2B%26%3D%40%3A"
    "/files/{name}.json" {:name ".."} "/files/...json"
    "/café/:x" {:x "é"} "/caf%C3%A9/%C3%A9"
    "/s/*path" {:path "a b/c/"} "/s/a%20b/c/"
    "/s/*path" {:path ""} "/s/"
    "/s/*path" {:path "a//b"} "/s/a//b"))

(deftest fill-failure-test
  (testing "what is missing, and all that is needed"
    (is (= {:type :hinny.error/route-parameter-missing
            :template "/:a/:b/:c"
            :missing [:a :c]
            :required [:a :b :c]
            :message "path \"/:a/:b/:c\" needs :a :b :c, without a value are :a :c"}
           (failure (route-path/fill (parse "/:a/:b/:c") {:a nil :b 1})))))
  (testing "values that no path leads back to"
    (are [template params pattern] (let [{:keys [type message]} (failure (route-path/fill (parse template) params))]
                                     (and (= :hinny.error/route-parameter-invalid type) (re-find pattern message)))
      "/:a" {:a ""} #"parameter :a must not be empty, is \"\""
      "/:a" {:a "."} #"which clients read as another one"
      "/:a/x" {:a ".."} #"would become \"/\.\./x\""
      "/s/*p" {:p "a/../../b"} #"which clients read as another one"
      "/*p" {:p "/evil.example"} #"would become \"//evil.example\""
      "/:a" {:a [1]} #"must be a string, number, keyword, symbol, boolean, UUID or time, is \[1\]"
      "/:a" {:a {}} #"must be a string"
      "/:a" {:a "\uD83D"} #"half of a surrogate pair")))

(deftest query-test
  (are [params query] (= query (route-path/query params))
    nil ""
    {} ""
    {:a 1} "a=1"
    (array-map :a 1 "b c" "d e" :n/k :v) "a=1&b%20c=d%20e&n%2Fk=v"
    {:a [1 2]} "a=1&a=2"
    {:a #{1}} "a=1"
    {:a []} ""
    {:a nil} ""
    {:a ""} "a="
    {:a "&=+#?"} "a=%26%3D%2B%23%3F")
  (testing "a value that is none"
    (is (= :hinny.error/route-parameter-invalid (:type (failure (route-path/query {:a {}})))))))

(deftest round-trip-test
  (testing "the path of any values, matched by the reference, gives the values back"
    (let [property (prop/for-all [[template params path] generators/filled]
                     (let [{:keys [pattern] names :params} (route-path/parse template nil)
                           [number values] (reference/find-match [[["route" ""] ["pattern" pattern]]] "GET" path)]
                       (and (= 1 number)
                            (= params (zipmap names values))
                            (re-matches #"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})+" path)
                            (= path (reference/normalise path)))))
          {:keys [pass? shrunk seed]} (test-check/quick-check 500 property)]
      (is pass? {:seed seed :smallest (:smallest shrunk)})))
  (testing "a pattern is normalised already"
    (let [property (prop/for-all [template generators/template]
                     (let [{:keys [pattern]} (parse template)]
                       (= pattern (reference/normalise pattern))))
          {:keys [pass? shrunk seed]} (test-check/quick-check 300 property)]
      (is pass? {:seed seed :smallest (:smallest shrunk)})))
  (testing "anything is read or refused, and the refusal is one of ours"
    (let [property (prop/for-all [text (gen/fmap #(str "/" (str/join %))
                                                 (gen/vector (gen/one-of [(gen/elements [":" "*" "{" "}" "/" "a" "." "%"])
                                                                          generators/text])
                                                             0
                                                             6))]
                     (try
                       (some? (:pattern (parse text)))
                       (catch clojure.lang.ExceptionInfo e
                         (= :hinny.error/route-pattern (:type (ex-data e))))))
          {:keys [pass? shrunk seed]} (test-check/quick-check 500 property)]
      (is pass? {:seed seed :smallest (:smallest shrunk)}))))
