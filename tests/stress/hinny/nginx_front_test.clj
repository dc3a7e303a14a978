(ns hinny.nginx-front-test
  "nginx in front of a server: what the server answers to an upload that it has not read is what nginx passes on, and no 502.
  Where `scripts/nginx.sh` finds no nginx nothing is tested, and `scripts/test.sh` says so."
  (:require
   [clojure.string :as str]
   [clojure.test :refer [deftest is testing]]
   [hinny.engines :as engines]
   [hinny.file-site :refer [with-directory write!]]
   [hinny.impl.text :as text]
   [hinny.raw-client :as raw :refer [with-server]]
   [hinny.raw-stream :as stream]
   [hinny.server :as server])
  (:import
   (java.io ByteArrayOutputStream File IOException)
   (java.net StandardProtocolFamily UnixDomainSocketAddress)
   (java.nio ByteBuffer)
   (java.nio.channels Channels SocketChannel)
   (java.util List)
   (java.util.concurrent TimeUnit)))

(set! *warn-on-reflection* true)

(def ^:private nginx
  "Its path, and the LD_LIBRARY_PATH that it needs; nil if there is none."
  (delay
    (let [^List command ["scripts/nginx.sh"]
          process (-> (ProcessBuilder. command) (.redirectError (File. "/dev/null")) .start)
          lines (future (str/split-lines (raw/text (.readAllBytes (.getInputStream process)))))]
      (when (and (.waitFor process 10 TimeUnit/MINUTES) (zero? (.exitValue process)))
        (deref lines raw/guard-ms nil)))))

(defn- config [directory port]
  (text/formatted "daemon off;
master_process off;
pid %1$s/pid;
error_log %1$s/error.log warn;
events { }
http {
    access_log off;
    client_max_body_size 0;
    client_body_temp_path %1$s/body;
    proxy_temp_path %1$s/proxy;
    fastcgi_temp_path %1$s/fastcgi;
    uwsgi_temp_path %1$s/uwsgi;
    scgi_temp_path %1$s/scgi;
    upstream hinny { server 127.0.0.1:%2$d; keepalive 8; }
    server {
        listen unix:%1$s/socket;
        proxy_http_version 1.1;
        proxy_set_header Connection \"\";
        proxy_next_upstream off;
        location / { proxy_pass http://hinny; }
        location /unbuffered/ { proxy_request_buffering off; proxy_pass http://hinny/; }
    }
}
" (str directory) port))

(defn- connect ^SocketChannel [directory]
  (let [channel (SocketChannel/open StandardProtocolFamily/UNIX)]
    (try
      (.connect channel (UnixDomainSocketAddress/of (str directory "/socket")))
      channel
      (catch IOException refused
        (.close channel)
        (throw refused)))))

(defn- accepts? [directory]
  (try
    (.close (connect directory))
    true
    (catch IOException _ false)))

(defn- call-with-nginx [port f]
  (with-directory [directory]
    (write! directory "nginx.conf" (config directory port))
    (let [[program libraries] @nginx
          ^List command [program "-p" (str directory) "-e" (str directory "/error.log") "-c" (str directory "/nginx.conf")]
          builder (ProcessBuilder. command)
          _ (when (seq libraries) (.put (.environment builder) "LD_LIBRARY_PATH" libraries))
          process (-> builder (.redirectErrorStream true) (.redirectOutput (File. (str directory "/output"))) .start)]
      (try
        (is (raw/await-until #(accepts? directory)) (str "nginx: " (slurp (str directory "/output"))))
        (f directory)
        (finally
          (.destroy process)
          (when-not (.waitFor process raw/guard-ms TimeUnit/MILLISECONDS)
            (.destroyForcibly process)))))))

(defn- status-of
  "The status that nginx answers to a POST, sent whole before anything is read; `:hung` if that takes too long."
  [directory target length]
  (let [channel (connect directory)
        asking (future
                 (try
                   (let [head (stream/sized-head target length "Connection: close" "Content-Type: text/plain")
                         out (ByteArrayOutputStream.)]
                     (doseq [data [(raw/latin1 head) (byte-array length)]
                             :let [buffer (ByteBuffer/wrap ^bytes data)]]
                       (while (.hasRemaining buffer)
                         (.write channel buffer)))
                     (.transferTo (Channels/newInputStream channel) out)
                     (parse-long (subs (raw/text (.toByteArray out)) 9 12)))
                   (catch IOException lost lost)))]
    (try
      (deref asking raw/guard-ms :hung)
      (finally
        (.close channel)))))

(def ^:private routes
  [["/no" {:post (fn [_] {:status 403 :body "no"})}]
   ["/small" {:post {:handler (fn [_] {:status 200}) :max-body-bytes 1000}}]
   ["/json" {:post {:handler (fn [_] {:status 200}) :consumes ["application/json"]}}]
   ["/get" {:get (fn [_] {:status 200})}]])

(deftest upload-that-is-refused-test
  (when @nginx
    (doseq [engine engines/engines
            mode [:worker :inline]]
      (with-server [server nil {:routes routes :http1-engine engine :handler-mode mode}]
        (call-with-nginx (server/server-port server)
          (fn [directory]
            (doseq [way ["" "/unbuffered"]
                    [target status] {"/no" 403, "/nowhere" 404, "/get" 405, "/small" 413, "/json" 415}]
              (testing (str engine " " mode " " way target)
                (is (= (repeat 10 status) (doall (repeatedly 10 #(status-of directory (str way target) 5000000)))))))))))))
