(ns hinny.request-bytes
  "Generators of what clients send: mostly well-formed pipelines of requests, now and then odd or broken ones.

  * `gen-pipeline` -- the bytes of one to six requests, as a Latin-1 text
  * `gen-pieces`   -- such bytes cut into pieces
  * `plain-requests`, `long-pipeline` -- well-formed ones, short to be cut anywhere, and long"
  (:require
   [clojure.string :as str]
   [clojure.test.check.generators :as gen]
   [hinny.answers :as answers]
   [hinny.raw-client :as raw])
  (:import
   (java.util Random)))

(set! *warn-on-reflection* true)

;; The request line

(def ^:private gen-method
  (gen/frequency
    [[10 (gen/return "GET")]
     [8 (gen/elements ["HEAD" "POST" "PUT" "DELETE" "OPTIONS" "PATCH" "TRACE"])]
     [1 (gen/elements ["get" "M-SEARCH" "CONNECT" "PRI" "GE" "GETS" "X" "QUERY" "A!#$%&'*+-.^_`|~9"])]]))

(def ^:private gen-segment
  (gen/fmap str/join (gen/vector (gen/elements ["a" "B" "7" "-" "." "_" "~" "!" "$" "&" "'" "(" ")" "*" "+" "," ";" "=" ":" "@" "%20" "%c3%A9" "/" "|"]) 0 6)))

(def ^:private gen-query
  (gen/fmap str/join (gen/vector (gen/elements ["a" "=" "&" "?" "/" "%20" "%" "{" "}" "\"" "<" "`" "^" "\\" "[" "+"]) 0 6)))

(def ^:private gen-path
  (gen/frequency
    [[6 (gen/fmap #(str "/" %) gen-segment)]
     [6 (gen/elements answers/plain-paths)]
     [1 (gen/elements ["/close" "/close-in-list" "/all-own" "/long-header" "/many-headers"])]]))

(def ^:private gen-target
  (gen/frequency
    [[20 gen-path]
     [6 (gen/let [path gen-path
                  query gen-query]
          (str path "?" query))]
     [1 (gen/elements ["*" "http://x/a?b" "HTTP://y:81" "x:80" "" "a" "/a#b" "/%" "/%2" "/a b" "/a\u0001" "/caf\u00e9" "//a//../b" "/a?b#c" "/a?\u007f"
                       "http://u@x/" "\\"])]
     [1 (gen/fmap #(str "/" (str/join (repeat % "a"))) (gen/elements [250 255 256 299 300 5000]))]]))

(def ^:private gen-version
  (gen/frequency
    [[30 (gen/return "HTTP/1.1")]
     [2 (gen/return "HTTP/1.0")]
     [1 (gen/elements ["HTTP/1.2" "HTTP/2.0" "HTTP/0.9" "http/1.1" "HTTP/1.1 " "HTTP/1" "HTTP/1.10" ""])]]))

;; Fields

(def ^:private gen-host
  (gen/frequency
    [[30 (gen/return ["Host: x"])]
     [5 (gen/elements [["hOST:x:81"] ["Host: [::1]:80"] ["Host: h.example:"] ["Host: \t127.0.0.1 "] ["HOST: x%41_~"]])]
     [2 (gen/elements [[] ["Host: x" "Host: x"] ["Host:"] ["Host: x y"] ["Host: x:65536"] ["Host : x"] ["Host: \u00e9"]])]]))

(def ^:private gen-value
  (gen/frequency
    [[6 (gen/fmap str/join (gen/vector gen/char-alphanumeric 0 12))]
     [2 (gen/fmap str/join (gen/vector (gen/elements ["a" " " "\t" "," ";" "=" "\"" ":" "\u00e9" "\u00ff" "\u0080" "~"]) 0 8))]]))

(def ^:private gen-name
  (gen/frequency
    [[6 (gen/elements ["Accept" "User-Agent" "Cookie" "Content-Type" "X-Forwarded-For" "If-None-Match" "accept-encoding" "ORIGIN" "Te" "Content-Encoding"])]
     [3 (gen/fmap #(str "X-" (str/join %)) (gen/vector gen/char-alphanumeric 1 10))]
     [1 (gen/elements ["!#$%&'*+-.^_`|~9Z" "a" "X_Y" "Content-Length-X" "Trailer" "Date" "Server" "Via"])]]))

(def ^:private gen-field
  (gen/let [field gen-name
            space (gen/elements [": " ": " ": " ":" ":\t "])
            value gen-value
            behind (gen/elements ["" "" "" " " "\t"])]
    (str field space value behind)))

(def ^:private gen-odd-fields
  (gen/elements
    [["Connection: close"] ["connection: CLOSE"] ["Connection: keep-alive"] ["Connection: Keep-Alive "] ["Connection: a, close"] ["Connection:"]
     ["Connection: close" "Connection: close"] ["Connection: upgrade" "Upgrade: h2c"] ["Upgrade: websocket"] ["Keep-Alive: timeout=5"]
     ["Proxy-Connection: close"] ["Expect: 100-continue"] ["Expect: x"] ["X-A: 1" "x-a: 2"] ["Accept: a" "accept: b" "ACCEPT: c"]
     ["Cookie: a=1" "cookie: b=2"] ["X-Long: " (str "X-Long: " (str/join (repeat 1500 "v")))] [(str "X-Long: " (str/join (repeat 2100 "v")))]
     ["X-A : b"] ["X-A: b" " folded"] ["no-colon"] [": no name"] ["X(: b"] ["X-A: b\u0000c"] ["X-A: b\rc"] ["X-A: b\u007f"] ["X-A: \u0001"]]))

(def ^:private gen-fields
  (gen/frequency
    [[5 (gen/return [])]
     [6 (gen/vector gen-field 0 5)]
     [1 (gen/vector gen-field 10 25)]
     [4 (gen/let [fields (gen/vector gen-field 0 3)
                  odd gen-odd-fields]
          (into fields odd))]]))

;; Bodies

(def ^:private gen-text
  (gen/one-of
    [(gen/fmap str/join (gen/vector (gen/fmap char (gen/choose 0 255)) 0 40))
     (gen/elements ["GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n" "\r\n\r\n" "0\r\n\r\n"])
     (gen/fmap #(str/join (repeat % "b")) (gen/elements [500 1000 1001 2000 2001 3000]))]))

(defn- chunk-of [text]
  (str (Long/toHexString (count text)) "\r\n" text "\r\n"))

(def ^:private gen-content
  "A body of a type that `:parse` knows, which may or may not parse, with the fields that say so."
  (gen/let [[types texts] (gen/elements
                            [[["application/json" "application/json;charset=utf-8" "Application/A+JSON"]
                              ["{\"a\":[1,2.5e3,null]}" "[]" " \"x\\n\\u00fc\" " "12345678901234567890" "{\"a\":1,}" "[1" "" "nul" "\u00ff"]]
                             [["application/x-www-form-urlencoded" "application/x-www-form-urlencoded; charset=ISO-8859-1"]
                              ["a=1&b=%C3%BC" "a&&=&a=2" "%" "\u00fc=\u00fc" "" "+=+%2B"]]])
            type (gen/elements types)
            text (gen/elements texts)
            chunked? (gen/frequency [[4 (gen/return false)] [1 (gen/return true)]])]
    (if chunked?
      [[(str "Content-Type: " type) "Transfer-Encoding: chunked"] (str (str/join (map chunk-of (remove empty? [text]))) "0\r\n\r\n")]
      [[(str "Content-Type: " type) (str "Content-Length: " (count text))] text])))

(def ^:private gen-body
  "The fields that frame a body, and its bytes."
  (gen/frequency
    [[10 (gen/return [[] ""])]
     [4 gen-content]
     [8 (gen/fmap (fn [text] [[(str "Content-Length: " (count text))] text]) gen-text)]
     [3 (gen/fmap (fn [texts] [["Transfer-Encoding: chunked"] (str (str/join (map chunk-of (remove empty? texts))) "0\r\n\r\n")]) (gen/vector gen-text 0 3))]
     [1 (gen/elements [[["content-length:\t003 "] "abc"] [["Content-Length: 0"] ""] [["Content-Length: 3" "Content-Length: 3"] "abc"]
                       [["Content-Length: 3, 3"] "abc"] [["Content-Length: +3"] "abc"] [["Content-Length: 99999"] ""] [["Content-Length: 4"] "abc"]
                       [["Content-Length: 99999999999999999999"] ""] [["Content-Length:"] ""] [["Transfer-Encoding: gzip, chunked"] "0\r\n\r\n"]
                       [["Transfer-Encoding: chunked" "Content-Length: 5"] "0\r\n\r\n"] [["Transfer-Encoding: chunked"] "1;a=b\r\nx\r\n0\r\nA: b\r\n\r\n"]
                       [["Transfer-Encoding: chunked"] "x\r\n"] [["Transfer-Encoding: identity"] ""]])]]))

;; Requests

(def ^:private gen-request
  (gen/let [method gen-method
            target gen-target
            version gen-version
            host gen-host
            [before after] (gen/tuple gen-fields gen-fields)
            [framing body] gen-body
            empty-line (gen/frequency [[30 (gen/return "")] [1 (gen/elements ["\r\n" "\r\n\r\n" "\n"])]])
            line-end (gen/frequency [[40 (gen/return "\r\n")] [1 (gen/return "\n")]])]
    (let [lines (concat [(str method " " target (when-not (= "" version) " ") version)] before host after framing)]
      (str empty-line (str/join line-end lines) line-end line-end body))))

(def ^:private gen-byte
  (gen/one-of [(gen/elements ["\r" "\n" " " "\t" ":" "\u0000" "/" "0" "\r\n" "\u007f" "\u00ff"])
               (gen/fmap (comp str char) (gen/choose 0 255))]))

(def ^:private gen-mutation
  "A change of a text: where, as a fraction of it, how much goes, what comes."
  (gen/tuple (gen/choose 0 9999) (gen/elements [0 1 1 1 2 10]) (gen/one-of [gen-byte (gen/return "")])))

(defn- at [text fraction]
  (quot (* fraction (count text)) 10000))

(defn- mutate [text [fraction length replacement]]
  (let [start (at text fraction)]
    (str (subs text 0 start) replacement (subs text (min (count text) (+ start length))))))

(def ^:private gen-mutations
  (gen/frequency [[7 (gen/return [])] [2 (gen/vector gen-mutation 1 2)]]))

(def ^:private gen-others
  "Requests that have nothing to do with one another."
  (gen/let [requests (gen/vector gen-request 1 6)
            mutations gen-mutations]
    (reduce mutate (str/join requests) mutations)))

(def ^:private gen-repeats
  "One request again and again, now and then with a few bytes changed, as a server that remembers the last one may get it."
  (gen/let [request gen-request
            changes (gen/vector gen-mutations 2 6)]
    (str/join (map #(reduce mutate request %) changes))))

(def gen-pipeline
  "The bytes of one to six requests; of some a few bytes are changed."
  (gen/frequency [[2 gen-others] [1 gen-repeats]]))

(defn cut
  "`text` in pieces, cut at these fractions of 10000."
  [text fractions]
  (let [places (distinct (sort (concat [0 (count text)] (map #(at text %) fractions))))]
    (mapv (fn [[from to]] (subs text from to)) (partition 2 1 places))))

(def gen-pieces
  "A pipeline in up to nine pieces."
  (gen/let [bytes gen-pipeline
            fractions (gen/frequency [[2 (gen/return [])] [3 (gen/vector (gen/choose 1 9999) 1 8)]])]
    (cut bytes fractions)))

(defn long-pipeline
  "A pipeline of `n` whole requests of every method, with and without bodies, in pieces of up to `most` bytes."
  [^Random random n most]
  (let [one-of #(nth % (.nextInt random (count %)))
        request (fn [k]
                  (let [body (str/join (repeat (one-of [0 0 0 1 100 3000]) "b"))]
                    (str (apply raw/head
                           (str (one-of ["GET" "GET" "GET" "HEAD" "POST" "DELETE"]) " " (one-of ["/echo" "/empty" "/large" "/status/404" "/headers"]) "?" k " HTTP/1.1")
                           "Host: x"
                           (cond-> [(str "X-Long: " (str/join (repeat (one-of [0 10 500]) "v")))]
                             (seq body) (conj (str "Content-Length: " (count body)))))
                         body)))
        bytes (str/join (map request (range n)))]
    (loop [pieces []
           from 0]
      (if (< from (count bytes))
        (let [to (min (count bytes) (+ from 1 (.nextInt random most)))]
          (recur (conj pieces (subs bytes from to)) to))
        pieces))))

(def plain-requests
  "Pipelines of every sort that may be cut at every byte."
  [(raw/get-request "/a?b")
   (str (raw/get-request "/a") (raw/get-request "/b" "X-A: c") (raw/head "HEAD /status/404 HTTP/1.1" "Host: y:81"))
   (str (raw/post "/c" "sized") (raw/get-request "/d") (raw/head "DELETE /e HTTP/1.1" "Host: x"))
   (str (raw/get-request "/f") (raw/post "/g" "hello" "Connection: close") (raw/get-request "/after"))
   (str (raw/get-request "/h") (raw/head "POST /i HTTP/1.1" "Host: x" "Transfer-Encoding: chunked") (raw/chunked "chu" "nked") (raw/get-request "/j"))
   (str (raw/get-request "/flushed") (raw/get-request "/seq") (raw/get-request "/k"))
   (str (raw/get-request "/l") (raw/head "GET /m HTTP/1.0" "Connection: keep-alive") (raw/get-request "/n"))
   (str (raw/get-request "/o") (raw/head "GET /p HTTP/1.1") (raw/get-request "/after"))
   (str (raw/get-request "/q") "GET /r HTTP/1.1\r\nHost: x\nA: b\r\n\r\n")
   (str (raw/get-request "/s") "\r\n" (raw/get-request "/t") "\r\n\r\n" (raw/get-request "/after"))
   (str (raw/get-request "/throw") (raw/get-request "/nil") (raw/get-request "/close") (raw/get-request "/after"))
   (str (raw/post "/u" "abc" "Expect: 100-continue") (raw/get-request "/v" "A: b" "a: c"))
   (str (raw/get-request "/w") "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd")])
