(ns hinny.impl.cookies
  "Cookies of requests, and those that responses set.

  * `parse-cookies` -- the `:cookies` of a request
  * `set-cookies`   -- a response with a `Set-Cookie` header for its `:cookies`
  * `form-encode`   -- the default `:encoder`

  Requests are parsed by the native codec. What is written is the handler's, a few Strings, so it is written here."
  (:require
   [clojure.string :as str]
   [hinny.impl.refusal :refer [refuse]])
  (:import
   (io.github.hinny ClientMaps LogText Params RingRequest)
   (java.net URLEncoder)
   (java.nio.charset StandardCharsets)
   (java.time Duration ZoneOffset ZonedDateTime)
   (java.time.format DateTimeFormatter)
   (java.util Locale Map)))

(set! *warn-on-reflection* true)

;;; What came

(defn- header
  ^String [request]
  (get (:headers request) "cookie"))

(defn- decoded
  "The cookies in names and values that take turns, decoded by `decoder`; without those that it returns nil for. Nil if many
  names have one hash."
  [^objects texts decoder]
  (when-not (ClientMaps/isFlood texts 2)
    (loop [cookies (transient {})
           at 0]
      (if (= at (alength texts))
        (persistent! cookies)
        (recur (if-let [value (decoder (aget texts (inc at)))]
                 (assoc! cookies (aget texts at) {:value value})
                 cookies)
               (+ 2 at))))))

(defn parse-cookies
  "Returns the cookies of `request`, at most `most`; their values decoded by `decoder`, nil for as in a form."
  [request decoder most]
  (let [cookies (cond
                  (and (nil? decoder) (instance? RingRequest request)) (.cookies ^RingRequest request (int most))
                  (nil? (header request)) {}
                  (nil? decoder) (Params/ofCookies (header request) (int most))
                  :else (some-> (Params/encodedCookies (header request) (int most)) (decoded decoder)))]
    (if (nil? cookies)
      (refuse :too-many-params (str "more than " most " cookies, or many names of one hash") {:max-params most})
      cookies)))

;;; What is set

(defn- encoded-text
  ^String [value]
  (URLEncoder/encode (str value) StandardCharsets/UTF_8))

(defn form-encode
  "Returns a name and its value, or several, as in a form: `\"a=1\"` for `{\"a\" 1}`, as ring-codec's `form-encode` does."
  [value]
  (if (instance? Map value)
    (str/join "&" (mapcat (fn [[k v]]
                            (let [pair #(str (encoded-text (name k)) "=" (form-encode %))]
                              (cond
                                (sequential? v) (map pair v)
                                (set? v) (sort (map pair v))
                                :else [(pair v)])))
                          value))
    (encoded-text value)))

(def ^:private attribute-names
  {:domain "Domain" :max-age "Max-Age" :path "Path" :secure "Secure" :expires "Expires" :http-only "HttpOnly"
   :same-site "SameSite" :partitioned "Partitioned"})

(def ^:private same-sites
  {:strict "Strict" :lax "Lax" :none "None"})

(def ^:private ^DateTimeFormatter date-format
  (-> (DateTimeFormatter/ofPattern "EEE, dd MMM yyyy HH:mm:ss Z" Locale/US)
      (.withZone ZoneOffset/UTC)))

(defn- rings-writer
  "The function of `ring.middleware.cookies`, if that is loaded, for values that somebody extended its `protocol` to (Ring
  itself does to Joda-Time's); nil if `value` is none."
  [protocol function value]
  (when-let [ring (find-ns 'ring.middleware.cookies)]
    (when-let [protocol (some-> (ns-resolve ring protocol) deref)]
      (when (satisfies? protocol value)
        (ns-resolve ring function)))))

(def ^:private seconds-of #(rings-writer 'CookieInterval '->seconds %))
(def ^:private date-of #(rings-writer 'CookieDateTime 'rfc822-format %))

(defn- valid-attribute?
  [attribute value]
  (and (contains? attribute-names attribute)
       (not (str/includes? (str value) ";"))
       (case attribute
         :max-age (or (integer? value) (instance? Duration value) (seconds-of value))
         :expires (or (string? value) (instance? ZonedDateTime value) (date-of value))
         :same-site (contains? same-sites value)
         true)))

(defn- attribute-text
  "An attribute as it follows a cookie."
  [attribute value]
  (when-not (valid-attribute? attribute value)
    (throw (IllegalArgumentException. (LogText/escape (str "no attribute of a cookie: " (pr-str attribute value))))))
  (let [with-value #(str ";" (attribute-names attribute) "=" %)]
    (cond
      (instance? Duration value) (with-value (.getSeconds ^Duration value))
      (instance? ZonedDateTime value) (with-value (.format date-format ^ZonedDateTime value))
      (true? value) (str ";" (attribute-names attribute))
      (false? value) ""
      (= :same-site attribute) (with-value (same-sites value))
      (and (= :max-age attribute) (not (integer? value))) (with-value ((seconds-of value) value))
      (and (= :expires attribute) (not (string? value))) (with-value ((date-of value) value))
      :else (with-value value))))

(defn- cookie-text
  [cookie value encoder]
  (if (map? value)
    (reduce-kv (fn [text attribute value]
                 (if (= :value attribute)
                   text
                   (str text (attribute-text attribute value))))
               (encoder {cookie (:value value)})
               value)
    (encoder {cookie value})))

(defn set-cookies
  "Returns `response` with its `:cookies` in the Set-Cookie header, after what that has already."
  [response encoder]
  (if-let [cookies (:cookies response)]
    (let [written (get-in response [:headers "Set-Cookie"])
          written (if (string? written) [written] written)]
      (-> response
          (assoc-in [:headers "Set-Cookie"]
            (into (vec written) (map (fn [[cookie value]] (cookie-text cookie value encoder))) cookies))
          (dissoc :cookies)))
    (dissoc response :cookies)))
