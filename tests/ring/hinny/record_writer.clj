(ns hinny.record-writer
  "Request records for tests, written from the layout and not with the code under test.

  * `request-record` -- the bytes of a REQUEST record
  * `ring-request`   -- the plain Ring map that the record must look like

      (RingRequest/of (request-record {:uri \"/a\" :headers [[\"host\" \"x\"]]}))
      ;; => {:uri \"/a\", :request-method :get, …}

  A request is described by a map; `defaults` lists its keys. `:headers` is a vector of `[name value]`, or
  `[name value :literal]` to send a well-known name as text."
  (:require
   [clojure.string :as str])
  (:import
   (io.github.hinny HeaderNames)
   (java.nio ByteBuffer ByteOrder)
   (java.nio.charset StandardCharsets)))

(set! *warn-on-reflection* true)

(def defaults
  {:exchange 1
   :method "GET"
   :uri "/"
   :query-string nil
   :server-name "localhost"
   :server-port 8080
   :remote-addr "127.0.0.1"
   :http-10? false
   :https? false
   :headers []
   :body nil})

(def ^:private method-ids
  (zipmap ["GET" "HEAD" "POST" "PUT" "DELETE" "OPTIONS" "PATCH" "TRACE" "CONNECT"] (range 1 10)))

(defn- latin1 ^bytes [^String text]
  (.getBytes text StandardCharsets/ISO_8859_1))

(defn- flags [{:keys [http-10? https? query-string body]}]
  (+ (if http-10? 1 0) (if https? 2 0) (if query-string 4 0) (if body 8 0)))

(defn- header-entry [[header-name value literal]]
  (let [id (if literal 0 (HeaderNames/id header-name))]
    {:id id
     :name (if (zero? id) (latin1 header-name) (byte-array 0))
     :value (latin1 value)}))

(defn- record-length [texts entries]
  (let [length (+ 32
                  (* 8 (count entries))
                  (reduce + (map #(alength ^bytes %) texts))
                  (reduce + (map #(+ (alength ^bytes (:name %)) (alength ^bytes (:value %))) entries)))]
    (* 8 (quot (+ length 7) 8))))

(defn request-record
  "Returns the REQUEST record of `request`, a map with any of the keys of `defaults`; `:body` is a byte array or nil."
  ^bytes [request]
  (let [{:keys [exchange method uri query-string server-name server-port remote-addr headers body] :as request}
        (merge defaults request)
        method-id (method-ids method 0)
        method-text (latin1 (if (zero? method-id) method ""))
        uri (latin1 uri)
        query (latin1 (or query-string ""))
        server-name (latin1 server-name)
        remote-addr (latin1 remote-addr)
        body ^bytes (or body (byte-array 0))
        entries (mapv header-entry headers)
        length (record-length [method-text uri query server-name remote-addr body] entries)
        buffer (.order (ByteBuffer/allocate length) ByteOrder/LITTLE_ENDIAN)
        u8 #(.put buffer (unchecked-byte %))
        u16 #(.putShort buffer (unchecked-short %))
        u32 #(.putInt buffer (unchecked-int %))
        text #(.put buffer ^bytes %)]
    (u32 length)
    (u8 1)
    (u8 (flags request))
    (u8 method-id)
    (u8 (alength ^bytes remote-addr))
    (.putLong buffer exchange)
    (u16 (alength ^bytes method-text))
    (u16 (count entries))
    (u16 (alength ^bytes uri))
    (u16 (alength ^bytes query))
    (u16 (alength ^bytes server-name))
    (u16 server-port)
    (u32 (alength ^bytes body))
    (doseq [{:keys [id value] entry-name :name} entries]
      (u16 id)
      (u16 (alength ^bytes entry-name))
      (u32 (alength ^bytes value)))
    (run! text [method-text uri query server-name remote-addr])
    (doseq [entry entries]
      (text (:name entry))
      (text (:value entry)))
    (text body)
    (.array buffer)))

(defn- charset [content-type]
  (second (re-find #"(?i);\s*charset=\"?([^\";\s]+)" (str content-type))))

(defn ring-request
  "Returns the plain map that the record of `request` must look like; `body` stands for its `:body`."
  [request body]
  (let [{:keys [method query-string http-10? https? headers] :as request} (merge defaults request)
        headers (into {} (map (fn [[header-name value]] [header-name value])) headers)
        content-type (get headers "content-type")
        content-length (get headers "content-length")]
    (cond-> {:uri (:uri request)
             :request-method (keyword (str/lower-case method))
             :headers headers
             :scheme (if https? :https :http)
             :server-name (:server-name request)
             :server-port (Integer/valueOf (int (:server-port request)))
             :remote-addr (:remote-addr request)
             :protocol (if http-10? "HTTP/1.0" "HTTP/1.1")}
      query-string (assoc :query-string query-string)
      (:body request) (assoc :body body)
      content-type (assoc :content-type content-type)
      content-length (assoc :content-length (parse-long content-length))
      (charset content-type) (assoc :character-encoding (charset content-type)))))
