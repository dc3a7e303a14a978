(ns hinny.target-wire-test
  "What a request is for: the forms of its target, the characters in it, and Host.

  Sections are those of RFC 9112, or of RFC 9110 and RFC 3986 where they begin so."
  (:require
   [clojure.test :refer [deftest use-fixtures]]
   [hinny.engines :as engines]
   [hinny.impl.text :as text]
   [hinny.raw-client :refer [head]]
   [hinny.wire-table :as table :refer [request]]))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(defn- to
  "A GET for a target."
  [target]
  (request (str "GET " target)))

(defn- hosted
  "A GET with these lines and no other."
  [& lines]
  (apply head "GET /a HTTP/1.1" lines))

(def ^:private form-table
  [["3.2.1" "origin form" (to "/a/b") ["get /a/b" :keep]]
   ["3.2.1" "no path but /" (to "/") ["get /" :keep]]
   ["3.2.1" "a query" (to "/a?b=c") ["get /a b=c" :keep]]
   ["3.2.1" "an empty query" (to "/a?") ["get /a " :keep]]
   ["3.2.1" "a question mark in the query" (to "/a?b?c") ["get /a b?c" :keep]]
   ["3.2.1" "two slashes first" (to "//a/b") ["get //a/b" :keep]]
   ["3.2.1" "dots stay" (to "/a/../b/./c") ["get /a/../b/./c" :keep]]
   ["3.2.1" "a URI as a path" (to "/http://x/") ["get /http://x/" :keep]]
   ["3.2" "an empty target" "GET  HTTP/1.1\r\nHost: x\r\n\r\n" [400 :close]]
   ["3.2" "no slash first" (to "a") [400 :close]]
   ["3.2" "no slash first, a path" (to "a/b") [400 :close]]
   ["3.2" "dots first" (to "../a") [400 :close]]
   ["3.2" "a query alone" (to "?a") [400 :close]]
   ["3.2" "a backslash first" (to "\\a") [400 :close]]
   ["3.2" "percent-encoded slash first" (to "%2Fa") [400 :close]]
   ["3.2" "a fragment" (to "/a#b") [400 :close]]
   ["3.2" "an empty fragment" (to "/a#") [400 :close]]
   ["3.2" "a fragment in the query" (to "/a?b#c") [400 :close]]
   ["3.2" "a fragment alone" (to "#") [400 :close]]
   ["3.2" "a fragment in absolute form" (to "http://x/a#b") [400 :close]]
   ["3.2.2" "absolute form" (to "http://x/a?b") ["get /a b" :keep]]
   ["3.2.2" "absolute form, scheme in upper case" (to "HTTP://x/a") ["get /a" :keep]]
   ["3.2.2" "absolute form with a port" (to "http://x:81/a") ["get /a" :keep]]
   ["3.2.2" "absolute form without a path" (to "http://x") ["get /" :keep]]
   ["3.2.2" "absolute form without a path, with a query" (to "http://x?b") ["get / b" :keep]]
   ["3.2.2" "absolute form of IPv6" (to "http://[::1]:81/a") ["get /a" :keep]]
   ["3.2.2" "absolute form, Host differs" (head "GET http://x/a HTTP/1.1" "Host: y") ["get /a" :keep]]
   ["3.2.2" "absolute form without Host" (head "GET http://x/a HTTP/1.1") [400 :close]]
   ["3.2.2" "absolute form in HTTP/1.0 without Host" (head "GET http://x/a HTTP/1.0") ["get /a" :close]]
   ["3.2.2" "absolute form, Host is broken" (head "GET http://x/a HTTP/1.1" "Host: x y") [400 :close]]
   ["9110 4.2.1" "absolute form without a host" (to "http:///a") [400 :close]]
   ["9110 4.2.1" "absolute form with a port only" (to "http://:80/a") [400 :close]]
   ["9110 4.2.4" "absolute form with user information" (to "http://u:p@x/a") [400 :close]]
   ["3.2.2" "absolute form with a port that is none" (to "http://x:a/a") [400 :close]]
   ["3.2.2" "absolute form with a port too large" (to "http://x:65536/a") [400 :close]]
   ["3.2.2" "a scheme and a colon" (to "http:") [400 :close]]
   ["3.2.2" "a scheme and a path" (to "http:/a") [400 :close]]
   ["3.2.3" "authority form" (to "x:80") [400 :close]]
   ["3.2.3" "authority form without a port" (to "x") [400 :close]]
   ["9110 9.3.6" "CONNECT" (head "CONNECT x:80 HTTP/1.1" "Host: x:80") [400 :close]]
   ["9110 9.3.6" "CONNECT with a path" (request "CONNECT /a") [400 :close]]
   ["3.2.4" "asterisk form" (request "OPTIONS *") ["options *" :keep]]
   ["3.2.4" "asterisk form of GET" (to "*") [400 :close]]
   ["3.2.4" "asterisk form with a query" (request "OPTIONS *?a") [400 :close]]
   ["3.2.4" "two asterisks" (request "OPTIONS **") [400 :close]]
   ["3.2.4" "asterisk and a path" (request "OPTIONS */a") [400 :close]]
   ["3.2.1" "OPTIONS of a path" (request "OPTIONS /a") ["options /a" :keep]]])

(def ^:private character-table
  (concat
    [["3986 3.3" "every character of a path" (to "/azAZ09-._~!$&'()*+,;=:@/%20%C3%A9%00") ["get /azAZ09-._~!$&'()*+,;=:@/%20%C3%A9%00" :keep]]
     ["3986 3.4" "every character of a query" (to "/a?azAZ09-._~!$&'()*+,;=:@/?%20") ["get /a azAZ09-._~!$&'()*+,;=:@/?%20" :keep]]
     ["3986 2.1" "hexadecimal in either case" (to "/%aA%Ff") ["get /%aA%Ff" :keep]]
     ["URL" "what browsers leave raw in a query" (to "/a?b={c}|d^[e]`f\\'") ["get /a b={c}|d^[e]`f\\'" :keep]]
     ["URL" "what browsers leave raw in a path" (to "/a|b[c]") ["get /a|b[c]" :keep]]]
    (for [path ["/%" "/%2" "/a%" "/a%/b" "/%zz" "/%2g" "/%g2" "/%%20" "/%u0041" "/% 20" "/a%2"]]
      ["3986 2.1" "a path that is not percent-encoded" (to path) [400 :close]])
    (for [query ["%" "%2" "a=%zz" "100%" "%u0041"]]
      ["URL" "a query that is not percent-encoded is the handler's business" (to (str "/a?" query)) [(str "get /a " query) :keep]])
    (for [b [0x00 0x01 0x08 0x09 0x0b 0x0c 0x0d 0x1b 0x1f 0x7f]
          [where target] [["path" "/a%sb"] ["query" "/a?b%sc"] ["absolute form" "http://x/%sa"]]]
      ["3.2" (str "byte " b " in the " where) (to (text/formatted target (char b))) [400 :close]])
    (for [text ["\u00c3\u00a9" "\u00e9" "\u0080" "\u00ff" "\u00f0\u009f\u0098\u0080" "\u00c0\u00af"]
          [where target] [["path" "/a%sb"] ["query" "/a?b%sc"] ["absolute form" "http://x/%s"]]]
      ["3986 2" (str "a byte beyond ASCII in the " where) (to (text/formatted target text)) [400 :close]])))

(def ^:private refused-characters
  "The visible characters of ASCII that no place takes: `#` begins a fragment, and `http::Uri`, which reads targets for
  hyper, refuses the others. nginx and Go take them as they are."
  {:path #{\# \< \> \`}
   :query #{\# \" \< \>}})

(def ^:private visible-table
  "Every visible character of ASCII in every place, raw. A `%` in a path must begin an escape."
  (for [b (range 0x21 0x7f)
        :let [c (char b)]
        [place target seen] [[:path (str "/a" c "b") (if (= \? c) "/a b" (str "/a" c "b"))]
                             [:query (str "/a?b" c "c") (str "/a b" c "c")]]]
    ["3986 2" (str "a raw " c " in the " (name place)) (to target)
     (if (or (contains? (refused-characters place) c) (and (= :path place) (= \% c)))
       [400 :close]
       [(str "get " seen) :keep])]))

(def ^:private host-table
  (concat
    (for [host ["x" "x:80" "x:" "x:0" "x:65535" "X.Example" "x_1" "127.0.0.1" "127.0.0.1:8080" "[::1]" "[::1]:80" "[::1]:" "[2001:db8::1]" "[v1.a:b]"
                "x.example." "a,b" "x%41" "1" " \tx \t"]]
      ["9110 7.2" "Host" (hosted (str "Host: " host)) ["get /a" :keep]])
    (for [host ["" " " ":" ":80" "x y" "x, y" "x/y" "x?y" "x#y" "x\\y" "u@x" "u:p@x" "http://x" "x:a" "x:+1" "x:-1" "x:65536" "x:99999999999" "x:1:2" "x:8 0"
                "::1" "[::1" "::1]" "[::1]x" "[::g]" "[]" "[]:80" "[x]" "x[" "<x>" "\"x\"" "x\u0000" "x\u007f" "x\ty" "\u00e9" "x\u00ff" "x^" "x|y" "{x}" "%" "%4"
                "%zz" "x%2"]]
      ["3.2" "not a Host" (hosted (str "Host: " host)) [400 :close]])
    [["3.2" "no Host" (hosted) [400 :close]]
     ["3.2" "no Host but others" (hosted "X-Host: x" "Forwarded: host=x" "X-Forwarded-Host: x") [400 :close]]
     ["3.2" "two" (hosted "Host: x" "Host: y") [400 :close]]
     ["3.2" "two equal" (hosted "Host: x" "hOST: x") [400 :close]]
     ["3.2" "two apart" (hosted "Host: x" "A: b" "Host: x") [400 :close]]
     ["3.2" "one of two empty" (hosted "Host: x" "Host:") [400 :close]]
     ["3.2" "space before the colon" (hosted "Host : x") [400 :close]]
     ["3.2" "with a body" (head "POST /a HTTP/1.1" "Host: x y" "Content-Length: 1") [400 :close]]
     ["3.2" "HTTP/1.0 without Host" (head "GET /a HTTP/1.0") ["get /a" :close]]
     ["3.2" "HTTP/1.0 with a broken Host" (head "GET /a HTTP/1.0" "Host: x y") [400 :close]]
     ["3.2" "HTTP/1.0 with two" (head "GET /a HTTP/1.0" "Host: x" "Host: x") [400 :close]]
     ["3.2" "the second request has none" (str (request "GET /a") (head "GET /b HTTP/1.1")) ["get /a" 400 :close]]
     ["3.2" "the second request has another" (str (request "GET /a") (head "GET /b HTTP/1.1" "Host: y")) ["get /a" "get /b" :keep]]]))

(def tables
  "Every table above."
  [form-table character-table visible-table host-table])

(deftest form-test (table/check-table form-table))
(deftest character-test (table/check-table character-table))
(deftest visible-test (table/check-table visible-table))
(deftest host-test (table/check-table host-table))
