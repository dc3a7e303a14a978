(ns hinny.record-writer
  "Request records for tests, as maps.

  * `request-record` -- the bytes of a REQUEST record
  * `ring-request`   -- the plain Ring map that the record must look like

      (RingRequest/of (request-record {:uri \"/a\" :headers [[\"host\" \"x\"]]}))
      ;; => {:uri \"/a\", :request-method :get, …}

  A request is described by a map; `defaults` lists its keys. `:headers` is a vector of `[name value]`, or
  `[name value :literal]` to send a well-known name as text."
  (:require
   [hinny.impl.text :as text])
  (:import
   (io.github.hinny RequestWriter RequestWriter$Field RequestWriter$Head)))

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

(defn request-record
  "Returns the REQUEST record of `request`, a map with any of the keys of `defaults`; `:body` is a byte array or nil."
  ^bytes [request]
  (let [{:keys [exchange method uri query-string server-name server-port remote-addr http-10? https? headers body]}
        (merge defaults request)
        head (RequestWriter$Head. exchange method uri query-string server-name (int server-port) remote-addr
                                  (boolean http-10?) (boolean https?))
        fields (mapv (fn [[header-name value literal]] (RequestWriter$Field. header-name value (some? literal))) headers)]
    (RequestWriter/write head fields body)))

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
             :request-method (keyword (text/lower-case method))
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
