(ns params
  "Hinny's middleware for parameters and cookies beside Ring's, in microseconds.

  Run with Ring's jars on the class path, see benches/middleware/README.md. Both sides take turns in one process; each
  figure is the median of many short rounds, in brackets the lowest and the highest quartile."
  (:require
   [hinny.impl.text :as text]
   [hinny.middleware :as hinny]
   [ring.middleware.cookies :as ring-cookies]
   [ring.middleware.keyword-params :as ring-keywords]
   [ring.middleware.nested-params :as ring-nested]
   [ring.middleware.params :as ring-params]
   [ring.util.codec :as codec])
  (:import
   (io.github.hinny Params RequestWriter RequestWriter$Field RequestWriter$Head RingRequest)
   (java.io ByteArrayInputStream)
   (java.nio.charset StandardCharsets)
   (java.util Arrays)))

(set! *warn-on-reflection* true)

(def ^:private query "q=native+codecs&page=2&size=50&sort=name&tag=http%2F1.1&lang=en")

(def ^:private nested-query
  "user[name]=A&user[mail]=a%40b.c&user[address][city]=B&tags[]=x&tags[]=y&page=2&size=50&sort=name&order=asc&lang=en")

(def ^:private cookie
  "session=0123456789abcdef0123456789abcdef; theme=dark; lang=en-US; consent=%7B%22all%22%3Atrue%7D")

(defn- record
  "The bytes of a request record."
  ^bytes [query-string headers ^String body]
  (RequestWriter/write (RequestWriter$Head. 1 "POST" "/a" query-string "localhost" 8080 "127.0.0.1" false false)
                       (mapv (fn [[field value]] (RequestWriter$Field. field value false)) headers)
                       (some-> body .getBytes)))

(def ^:private form-headers
  {"host" "localhost:8080" "content-type" "application/x-www-form-urlencoded"})

(defn- round-ns
  "Nanoseconds of a call of `f`, measured over `calls` of them."
  ^double [f ^long calls]
  (let [began (System/nanoTime)]
    (loop [left calls
           sink nil]
      (if (pos? left)
        (recur (dec left) (f))
        (when (= sink ::never) (println sink))))
    (/ (double (- (System/nanoTime) began)) calls)))

(defn- quartiles
  [times]
  (let [sorted (double-array times)]
    (Arrays/sort sorted)
    (mapv #(aget sorted (int (* % (dec (alength sorted))))) [0.25 0.5 0.75])))

(defn- compare-all
  "Rounds of every side in turn; prints a line for each."
  [what sides]
  (let [calls 500
        rounds 300]
    (dotimes [_ 200]
      (doseq [[_ f] sides] (round-ns f calls)))
    (let [times (apply mapv vector (repeatedly rounds #(mapv (fn [[_ f]] (round-ns f calls)) sides)))
          medians (mapv quartiles times)
          ring (second (last medians))]
      (doseq [[[side] [low median high]] (map vector sides medians)]
        (println (text/formatted "%-16s %-34s %7.3f µs  [%.3f %.3f]  %5.1f ×" what side (/ median 1e3) (/ low 1e3) (/ high 1e3)
                   (/ ring median)))))))

(defn- requests
  "A function that makes the request of Hinny's with this record, which costs little beside the rest."
  [^bytes bytes]
  #(RingRequest/of bytes))

(defn -main
  "Prints what everything costs; the last side of each is Ring's, on the plain map."
  []
  (println "JDK" (System/getProperty "java.version"))
  (let [utf8 StandardCharsets/UTF_8
        request (requests (record query {"host" "localhost:8080"} nil))
        own ^RingRequest (request)
        ;; Ampersands that mean nothing, as many as make it a long one; the codec passes 450 of them in 0.2 µs or so.
        padded ^RingRequest ((requests (record (str (apply str (repeat 450 \&)) query) {"host" "localhost:8080"} nil)))]
    (compare-all "query, 6"
                 [["record to map" #(.queryParams own utf8 1024)]
                  ["record to map, padded: the codec" #(.queryParams padded utf8 1024)]
                  ["String to map" #(Params/ofForm ^String query utf8 1024)]
                  ["ring-codec form-decode" #(codec/form-decode query "UTF-8")]])
    (compare-all "wrap-params, 6"
                 [["hinny, own request" #(hinny/params-request (request))]
                  ["hinny, plain map" #(hinny/params-request {:query-string query :headers {"host" "x"}})]
                  ["ring, own request" #(ring-params/params-request (request))]
                  ["ring, plain map" #(ring-params/params-request {:query-string query :headers {"host" "x"}})]]))
  (let [form (requests (record nil form-headers query))]
    (compare-all "form, 6"
                 [["hinny, own request" #(hinny/params-request (form))]
                  ["hinny, plain map" #(hinny/params-request {:headers form-headers :body (ByteArrayInputStream. (.getBytes ^String query))})]
                  ["ring, plain map" #(ring-params/params-request {:headers form-headers :body (ByteArrayInputStream. (.getBytes ^String query))})]]))
  (let [text (str "text=" (apply str (repeat 300 "Gr%C3%BC%C3%9Fe+aus+M%C3%BCnchen.+")))
        form (requests (record nil form-headers text))]
    (compare-all "form, 10 KB"
                 [["hinny, own request" #(hinny/params-request (form))]
                  ["String to map, Java" #(Params/ofForm ^String text StandardCharsets/UTF_8 1024)]
                  ["ring, plain map" #(ring-params/params-request {:headers form-headers :body (ByteArrayInputStream. (.getBytes ^String text))})]]))
  (let [request (requests (record nil {"host" "localhost:8080" "cookie" cookie} nil))]
    (compare-all "cookies, 4"
                 [["hinny, own request" #(hinny/cookies-request (request))]
                  ["hinny, plain map" #(hinny/cookies-request {:headers {"cookie" cookie}})]
                  ["ring, plain map" #(let [request (ring-cookies/cookies-request {:headers {"cookie" cookie}})]
                                        (count (:cookies request))
                                        request)]]))
  (let [params (:params (hinny/params-request {:query-string nested-query}))]
    (compare-all "nested, 10"
                 [["hinny" #(hinny/nested-params-request {:params params})]
                  ["ring" #(ring-nested/nested-params-request {:params params})]])
    (compare-all "keyword+nested"
                 [["hinny" #(hinny/keyword-params-request (hinny/nested-params-request {:params params}))]
                  ["ring" #(ring-keywords/keyword-params-request (ring-nested/nested-params-request {:params params}))]])))
