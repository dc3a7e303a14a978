(ns hinny.raw-stream
  "Messages that come in pieces, as bytes on a socket; beside `hinny.raw-client`, which reads sized ones.

  * `read-head`, `read-chunk` -- a response as far as it has come
  * `read-any`    -- one whole response, however it is framed, and how that was
  * `read-rest`   -- the bytes that are left, and how the connection ended
  * `chunk-of`, `last-chunk`, `chunked-head` -- a request body in pieces
  * `send-until-blocked!` -- write until nobody takes it

      (raw/send! client (raw/get-request \"/\"))
      (read-head client)  ;; => {:status 200 :headers [[\"transfer-encoding\" \"chunked\"] ...] ...}
      (read-chunk client) ;; => \"first\"

  Text is Latin-1, so a character is a byte."
  (:require
   [clojure.string :as str]
   [hinny.impl.text :as text]
   [hinny.raw-client :as raw])
  (:import
   (hinny.raw_client Client)
   (java.io ByteArrayOutputStream IOException InputStream)
   (java.net Socket SocketTimeoutException)
   (java.nio ByteBuffer)
   (java.nio.channels SocketChannel)
   (java.security MessageDigest)))

(set! *warn-on-reflection* true)

;; Reading

(defn read-head
  "Reads a response up to the end of its head; nil if the connection ends before it."
  [client]
  (some-> (raw/read-response client {:head? true}) (dissoc :body)))

(defn- read-line-of
  "The next line without its CRLF; nil if the stream ends before it is whole."
  [^InputStream in]
  (loop [line (StringBuilder.)]
    (let [b (.read in)]
      (cond
        (neg? b) nil
        (= 10 b) (str/replace (str line) #"\r$" "")
        :else (recur (.append line (char b)))))))

(defn read-chunk
  "Reads one chunk as text: \"\" for the last one with its trailer, nil if the connection ends first."
  [^Client client]
  (try
    (let [in ^InputStream (.-in client)]
      (when-let [line (read-line-of in)]
        (let [length (Long/parseLong line 16)
              bytes (.readNBytes in (int length))
              end (read-line-of in)]
          (when (and (= length (alength bytes)) (= "" end))
            (raw/text bytes)))))
    (catch SocketTimeoutException hung (throw hung))
    (catch IOException _ nil)))

(defn read-chunks
  "Reads chunks to the last one, which is left out; nil behind them if the connection ends first."
  [client]
  (loop [chunks []]
    (let [chunk (read-chunk client)]
      (cond
        (nil? chunk) (conj chunks nil)
        (= "" chunk) chunks
        :else (recur (conj chunks chunk))))))

(defn read-rest
  "Reads to the end of the connection: `[text end]`, where the end is `:eof` or `:reset`."
  [^Client client]
  (let [in ^InputStream (.-in client)
        out (ByteArrayOutputStream.)
        piece (byte-array 65536)
        end (loop []
              (let [length (int (try
                                  (.read in piece)
                                  (catch SocketTimeoutException hung (throw hung))
                                  (catch IOException _ -2)))]
                (cond
                  (= -1 length) :eof
                  (= -2 length) :reset
                  :else (do (.write out piece 0 length) (recur)))))]
    [(raw/text (.toByteArray out)) end]))

(defn- bodiless? [{:keys [status]} head?]
  (or head? (< status 200) (contains? #{204 205 304} status)))

(defn read-any
  "Reads one response: its `:body` as text, its `:framing` (`:none`, `:sized`, `:chunked` or `:to-end`), and `:cut?`,
  whether the connection ended before the body did.

  `:head? true` for the response to a HEAD request."
  ([client] (read-any client nil))
  ([^Client client {:keys [head?]}]
   (when-let [response (read-head client)]
     (let [length (raw/header response "content-length")
           framing (cond
                     (bodiless? response head?) :none
                     (raw/header response "transfer-encoding") :chunked
                     length :sized
                     :else :to-end)
           chunks (when (= :chunked framing) (read-chunks client))
           body (case framing
                  :none ""
                  :chunked (str/join (remove nil? chunks))
                  :sized (raw/text (.readNBytes ^InputStream (.-in client) (parse-long length)))
                  :to-end (first (read-rest client)))]
       (assoc response
         :framing framing
         :body body
         :cut? (boolean (case framing
                          :chunked (some nil? chunks)
                          :sized (not= (parse-long length) (count body))
                          false)))))))

(defn ask
  "Sends `request` on a connection of its own and returns the response to it, as `read-any` does."
  ([server request] (ask server request nil))
  ([server request options]
   (raw/with-client [client server]
     (raw/send! client request)
     (read-any client options))))

(defn sha256
  "The SHA-256 of bytes, or of the bytes of a Latin-1 text, in hexadecimal."
  [data]
  (let [digest (.digest (MessageDigest/getInstance "SHA-256") (if (string? data) (raw/latin1 data) data))]
    (str/join (map #(text/formatted "%02x" %) digest))))

;; Writing

(defn chunked-head
  "The head of a request with a chunked body."
  [target & lines]
  (apply raw/head (str "POST " target " HTTP/1.1") "Host: x" "Transfer-Encoding: chunked" lines))

(defn sized-head
  "The head of a request with a body of `length` bytes."
  [target length & lines]
  (apply raw/head (str "POST " target " HTTP/1.1") "Host: x" (str "Content-Length: " length) lines))

(defn chunk-of
  "One chunk of a request body."
  [text]
  (str (Long/toHexString (count text)) "\r\n" text "\r\n"))

(def last-chunk "0\r\n\r\n")

(defn text-of
  "A text of `length` characters that tells where in it a piece comes from."
  [length]
  (subs (str/join (map #(text/formatted "%07d " %) (range (inc (quot length 8))))) 0 length))

(defn send-until-blocked!
  "Writes on a non-blocking connection until `blocked?` says that the other side has stopped, which is asked whenever the
  kernel takes no more; returns how many bytes went out."
  [^SocketChannel channel blocked?]
  (let [piece (ByteBuffer/allocate 65536)]
    (loop [sent 0]
      (let [written (.write channel (.clear piece))]
        (cond
          (pos? written) (recur (+ sent written))
          (blocked? sent) sent
          :else (recur sent))))))

(defn small-buffers
  "A connection to `port` of 127.0.0.1 that takes few bytes before it is read."
  ^Client [port]
  (let [socket (doto (Socket.)
                 (.setReceiveBufferSize 4096)
                 (.setTcpNoDelay true)
                 (.setSoTimeout raw/guard-ms)
                 (.connect (java.net.InetSocketAddress. "127.0.0.1" (int port))))]
    (raw/->Client socket (.getInputStream socket))))
