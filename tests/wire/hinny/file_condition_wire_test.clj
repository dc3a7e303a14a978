(ns hinny.file-condition-wire-test
  "Conditional requests, ranges and encoded representations of static files over a socket (RFC 9110 §12.5.3, §13, §14)."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing use-fixtures]]
   [hinny.engines :as engines]
   [hinny.file-site :as site :refer [asked etag fields-of long-ago with-directory write!]]
   [hinny.impl.text :as text]
   [hinny.raw-client :as raw :refer [with-server]]))

(set! *warn-on-reflection* true)

(use-fixtures :each engines/each-engine)

(def ^:private own (etag 10))
(def ^:private earlier (site/http-date (dec (long site/long-ago-second))))
(def ^:private later (site/http-date (inc (long site/long-ago-second))))
(def ^:private in-rfc-850 "Sunday, 06-Nov-94 08:49:37 GMT")
(def ^:private in-asctime "Sun Nov  6 08:49:37 1994")
(def ^:private digits "0123456789")

(def ^:private conditions
  "Section, lines of a request, status of a GET, body of a GET."
  [["13.1.2" [(str "If-None-Match: " own)] 304 ""]
   ["13.1.2 weak comparison" [(str "If-None-Match: W/" own)] 304 ""]
   ["13.1.2 in a list" [(str "If-None-Match: \"x\", W/\"y\" ," own)] 304 ""]
   ["13.1.2 in several fields" ["If-None-Match: \"x\"" (str "If-None-Match: " own)] 304 ""]
   ["13.1.2 any" ["If-None-Match: *"] 304 ""]
   ["13.1.2 another" ["If-None-Match: \"x\""] 200 digits]
   ["13.1.2 none" ["If-None-Match: x"] 200 digits]
   ["13.1.2 empty" ["If-None-Match:"] 200 digits]
   ["13.1.3 same" [(str "If-Modified-Since: " long-ago)] 304 ""]
   ["13.1.3 later" [(str "If-Modified-Since: " later)] 304 ""]
   ["13.1.3 earlier" [(str "If-Modified-Since: " earlier)] 200 digits]
   ["13.1.3 RFC 850" [(str "If-Modified-Since: " in-rfc-850)] 304 ""]
   ["13.1.3 asctime" [(str "If-Modified-Since: " in-asctime)] 304 ""]
   ["13.1.3 no date" ["If-Modified-Since: now"] 200 digits]
   ["13.1.3 ignored beside If-None-Match" [(str "If-Modified-Since: " long-ago) "If-None-Match: \"x\""] 200 digits]
   ["13.1.3 ignored beside If-None-Match" [(str "If-Modified-Since: " earlier) (str "If-None-Match: " own)] 304 ""]
   ["13.1.1" [(str "If-Match: " own)] 200 digits]
   ["13.1.1 any" ["If-Match: *"] 200 digits]
   ["13.1.1 in a list" [(str "If-Match: \"x\", " own)] 200 digits]
   ["13.1.1 another" ["If-Match: \"x\""] 412 "Precondition Failed"]
   ["13.1.1 strong comparison" [(str "If-Match: W/" own)] 412 "Precondition Failed"]
   ["13.1.4 same" [(str "If-Unmodified-Since: " long-ago)] 200 digits]
   ["13.1.4 later" [(str "If-Unmodified-Since: " later)] 200 digits]
   ["13.1.4 earlier" [(str "If-Unmodified-Since: " earlier)] 412 "Precondition Failed"]
   ["13.1.4 no date" ["If-Unmodified-Since: now"] 200 digits]
   ["13.1.4 ignored beside If-Match" [(str "If-Unmodified-Since: " earlier) (str "If-Match: " own)] 200 digits]
   ["13.2.2 If-Match before If-None-Match" ["If-Match: \"x\"" (str "If-None-Match: " own)] 412 "Precondition Failed"]
   ["13.2.2 both" [(str "If-Match: " own) (str "If-None-Match: " own)] 304 ""]
   ["13.2.2 If-Unmodified-Since before If-None-Match" [(str "If-Unmodified-Since: " earlier) (str "If-None-Match: " own)] 412
    "Precondition Failed"]
   ["13.2.2 no condition" ["If-Range: \"x\""] 200 digits]])

(def ^:private ranges
  "Section, lines, status of a GET, Content-Range, body."
  (for [[section lines status content-range body]
        [["14.1.2" ["Range: bytes=2-3"] 206 "bytes 2-3/10" "23"]
         ["14.1.2 one byte" ["Range: bytes=0-0"] 206 "bytes 0-0/10" "0"]
         ["14.1.2 open" ["Range: bytes=7-"] 206 "bytes 7-9/10" "789"]
         ["14.1.2 beyond the end" ["Range: bytes=7-99"] 206 "bytes 7-9/10" "789"]
         ["14.1.2 all" ["Range: bytes=0-"] 206 "bytes 0-9/10" digits]
         ["14.1.2 suffix" ["Range: bytes=-3"] 206 "bytes 7-9/10" "789"]
         ["14.1.2 long suffix" ["Range: bytes=-11"] 206 "bytes 0-9/10" digits]
         ["14.1.1 unit in capitals" ["Range: BYTES=2-3"] 206 "bytes 2-3/10" "23"]
         ["14.1.2 as large as can be" ["Range: bytes=9-18446744073709551615"] 206 "bytes 9-9/10" "9"]
         ["14.2 near ranges are joined" ["Range: bytes=1-2, 4-5"] 206 "bytes 1-5/10" "12345"]
         ["14.2 that there is" ["Range: bytes=2-3,50-60"] 206 "bytes 2-3/10" "23"]
         ["14.1.2 behind the end" ["Range: bytes=10-"] 416 "bytes */10" "Range Not Satisfiable"]
         ["14.1.2 behind the end, several" ["Range: bytes=10-,99-100"] 416 "bytes */10" "Range Not Satisfiable"]
         ["14.1.2 no suffix" ["Range: bytes=-0"] 416 "bytes */10" "Range Not Satisfiable"]
         ["14.2 other unit" ["Range: items=1-2"] 200 nil digits]
         ["14.2 no range" ["Range: bytes=3-2"] 200 nil digits]
         ["14.2 no range" ["Range: bytes=a-b"] 200 nil digits]
         ["14.2 no range" ["Range: bytes"] 200 nil digits]
         ["14.2 no number" ["Range: bytes=-"] 200 nil digits]
         ["14.2 too many" [(str "Range: bytes=" (str/join "," (repeat 17 "0-0")))] 200 nil digits]
         ["13.1.5" ["Range: bytes=2-3" (str "If-Range: " own)] 206 "bytes 2-3/10" "23"]
         ["13.1.5 another" ["Range: bytes=2-3" "If-Range: \"x\""] 200 nil digits]
         ["13.1.5 weak" ["Range: bytes=2-3" (str "If-Range: W/" own)] 200 nil digits]
         ["13.1.5 date" ["Range: bytes=2-3" (str "If-Range: " long-ago)] 206 "bytes 2-3/10" "23"]
         ["13.1.5 another date" ["Range: bytes=2-3" (str "If-Range: " later)] 200 nil digits]
         ["13.1.5 another date" ["Range: bytes=2-3" (str "If-Range: " earlier)] 200 nil digits]
         ["13.1.5 before 416" ["Range: bytes=10-" "If-Range: \"x\""] 200 nil digits]
         ["13.2.2 304 before 206" ["Range: bytes=2-3" (str "If-None-Match: " own)] 304 nil ""]
         ["13.2.2 304 before 416" ["Range: bytes=10-" (str "If-None-Match: " own)] 304 nil ""]
         ["13.2.2 412 before 206" ["Range: bytes=2-3" "If-Match: \"x\""] 412 nil "Precondition Failed"]]]
    [section lines status {"content-range" content-range} body]))

(defn- check-head
  "A HEAD has the status of the GET without its range, and the length that the whole has."
  [server target lines status]
  (let [response (apply asked server "HEAD" target lines)]
    (is (= (if (contains? #{206 416} status) 200 status) (:status response)))
    (is (nil? (raw/header response "content-range")))
    (when (= 200 (:status response))
      (is (= "10" (raw/header response "content-length"))))))

(deftest conditions-and-ranges-test
  (with-directory [directory]
    (write! directory "a.txt" digits)
    (write! directory "empty.txt" "")
    (with-server [server nil {:routes [["/s/*path" {:files (str directory)}] ["/new/*path" {:files {:root (str directory) :cache-ms 0}}]]}]
      (doseq [target ["/s/a.txt" "/new/a.txt"]
              [section lines status fields body] (concat (for [[section lines status body] conditions]
                                                           [section lines status {"content-range" nil} body])
                                                         ranges)]
        (testing (str section " " target " " (pr-str lines))
          (let [response (apply asked server "GET" target lines)]
            (is (= status (:status response)))
            (is (= fields (fields-of response (keys fields))))
            (is (= body (:body response)))
            (is (= (case (int status)
                     (200 206) {"etag" own "last-modified" long-ago "accept-ranges" "bytes" "content-length" (str (count body))
                                "content-type" "text/plain; charset=utf-8"}
                     304 {"etag" own "last-modified" long-ago "accept-ranges" "bytes" "content-length" nil "content-type" nil}
                     (412 416) {"etag" nil "last-modified" nil "accept-ranges" nil "content-length" (str (count body))
                                "content-type" "text/plain"})
                   (fields-of response ["etag" "last-modified" "accept-ranges" "content-length" "content-type"]))))
          (check-head server target lines status)))
      (testing "9110 14.1.2: an empty file has no range"
        (is (= [200 ""] ((juxt :status :body) (asked server "GET" "/s/empty.txt" "Range: bytes=0-")))))
      (testing "13.2.1: no condition counts where there is nothing"
        (is (= 404 (:status (asked server "GET" "/s/nowhere" "If-Match: *"))))
        (is (= 404 (:status (asked server "GET" "/s/nowhere" "If-None-Match: *" "Range: bytes=0-"))))))))

(def ^:private several
  "A Range of a file of `length` bytes, and where its parts are."
  (fn [length]
    {"bytes=0-1,500-501,-1" [[0 1] [500 501] [(dec length) (dec length)]]
     "bytes=800-899,0-99" [[800 899] [0 99]]
     "bytes=0-0, 200-299, 250-399, 390-390, 600-" [[0 0] [200 399] [600 (dec length)]]
     "bytes=0-9,100-109,9999999-" [[0 9] [100 109]]}))

(deftest several-ranges-test
  (with-directory [directory]
    (doseq [length [1000 65536 65537 300000]]
      (write! directory (str length ".txt") (site/noise length)))
    (with-server [server nil {:routes [["/s/*path" {:files (str directory)}]]}]
      (doseq [length [1000 65536 65537 300000]
              [field places] (several length)
              again [false true]]
        (testing (str "9110 14.6: " field " of " length (when again ", again"))
          (let [text (site/noise length)
                response (asked server "GET" (str "/s/" length ".txt") (str "Range: " field))]
            (is (= 206 (:status response)))
            (is (= (str (count (:body response))) (raw/header response "content-length")))
            (is (nil? (raw/header response "content-range")))
            (is (= {"etag" (etag length) "last-modified" long-ago} (fields-of response ["etag" "last-modified"])))
            (is (= (for [[from to] places]
                     {"content-type" "text/plain; charset=utf-8"
                      "content-range" (text/formatted "bytes %d-%d/%d" from to length)
                      :body (subs text from (inc (long to)))})
                   (site/parts response)))))))))

(def ^:private codings
  "File, Accept-Encoding, coding that is sent."
  [["a.js" "gzip, deflate, br, zstd" "br"]
   ["a.js" "br" "br"]
   ["a.js" "BR" "br"]
   ["a.js" "gzip" "gzip"]
   ["a.js" "x-gzip" "gzip"]
   ["a.js" "gzip;q=1.0, br;q=0.5" "gzip"]
   ["a.js" "gzip;q=0.5, br;q=0.5" "br"]
   ["a.js" "*" "br"]
   ["a.js" "*;q=0.1, br;q=0" "gzip"]
   ["a.js" "gzip;q=0, br;q=0" nil]
   ["a.js" "identity" nil]
   ["a.js" "br;q=0.1, identity;q=0.2" nil]
   ["a.js" "deflate" nil]
   ["a.js" "" nil]
   ["a.js" nil nil]
   ["only.js" "br, gzip" nil]
   ["only.js" "br, identity;q=0" nil]
   ["gz.js" "br, gzip;q=0.1" "gzip"]
   ["gz.js" "br, gzip;q=0.1, identity;q=0.2" nil]
   ["gz.js" "br, gzip" "gzip"]
   ["old.js" "br" nil]
   ["dir/" "br" "br"]])

(deftest precompressed-test
  (with-directory [directory]
    (doseq [file ["a.js" "only.js" "gz.js" "old.js" "dir/index.html"]]
      (write! directory file "plain"))
    (doseq [[file text] {"a.js.br" "brotli" "a.js.gz" "gzip!" "gz.js.gz" "gzip!" "old.js.br" "stale" "dir/index.html.br" "brotli"}]
      (write! directory file text))
    (site/touch! directory "old.js.br" (dec (long site/long-ago-second)))
    (with-server [server nil {:routes [["/s/*path" {:files {:root (str directory) :precompressed [:br :gzip]}}]
                                       ["/none/*path" {:files (str directory)}]]}]
      (doseq [[file accepted coding] codings
              again [false true]]
        (testing (str file " " (pr-str accepted) (when again ", again"))
          (let [response (apply asked server "GET" (str "/s/" file) (when accepted [(str "Accept-Encoding: " accepted)]))
                body ({"br" "brotli" "gzip" "gzip!"} coding "plain")]
            (is (= [200 body] ((juxt :status :body) response)))
            (is (= {"content-encoding" coding "vary" "accept-encoding" "etag" (etag (count body) coding)
                    "content-type" (if (str/ends-with? file "/") "text/html; charset=utf-8" "text/javascript; charset=utf-8")
                    "content-length" (str (count body))}
                   (fields-of response ["content-encoding" "vary" "etag" "content-type" "content-length"]))))))
      (testing "each representation has validators and ranges of its own"
        (doseq [[lines status body] [[["Accept-Encoding: br" (str "If-None-Match: " (etag 6 "br"))] 304 ""]
                                     [["Accept-Encoding: br" (str "If-None-Match: " (etag 5))] 200 "brotli"]
                                     [[(str "If-None-Match: " (etag 6 "br"))] 200 "plain"]
                                     [["Accept-Encoding: br" "Range: bytes=0-1"] 206 "br"]
                                     [["Accept-Encoding: br" "Range: bytes=0-1" (str "If-Range: " (etag 6 "br"))] 206 "br"]
                                     [["Accept-Encoding: br" "Range: bytes=0-1" (str "If-Range: " (etag 5))] 200 "brotli"]]
                :let [response (apply asked server "GET" "/s/a.js" lines)]]
          (testing (pr-str lines)
            (is (= [status body "accept-encoding"] [(:status response) (:body response) (raw/header response "vary")])))))
      (testing "not where it is not asked for; the encoded file has a name of its own"
        (let [response (asked server "GET" "/none/a.js" "Accept-Encoding: br")]
          (is (= ["plain" nil nil] [(:body response) (raw/header response "vary") (raw/header response "content-encoding")])))
        (let [response (asked server "GET" "/s/a.js.gz")]
          (is (= ["gzip!" nil] [(:body response) (raw/header response "content-encoding")])))))))
