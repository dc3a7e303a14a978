(ns hinny.middleware
  "Ring's middleware with Hinny's codecs: the same names, options and results, without Ring.

  * `wrap-params`           -- parameters of query strings and forms
  * `wrap-keyword-params`   -- keywords for the keys of `:params`
  * `wrap-nested-params`    -- `:params` nested as their names say
  * `wrap-cookies`          -- cookies of requests, and those that responses set
  * `wrap-multipart-params` -- fields and files of `multipart/form-data`
  * `wrap-json-body`, `wrap-json-params` -- JSON bodies of requests
  * `wrap-json-response`    -- collections as JSON bodies of responses

  Each works with the requests of any server, in its synchronous and its asynchronous arity; `docs/middleware.md` says what
  differs from Ring, and why."
  (:require
   [hinny.impl.cookies :as cookies]
   [hinny.impl.json-middleware :as json-middleware]
   [hinny.impl.multipart :as multipart]
   [hinny.impl.nested-params :as nested-params]
   [hinny.impl.params :as params]
   [hinny.impl.refusal :as refusal])
  (:import
   (java.nio.charset Charset)))

(set! *warn-on-reflection* true)

(defn- with-request
  "A handler, of both arities, for what `change` makes of a request; where that is nil it answers with `otherwise`."
  [handler change otherwise]
  (fn
    ([request]
     (if-some [request (change request)]
       (handler request)
       otherwise))
    ([request respond raise]
     (if-some [request (change request)]
       (handler request respond raise)
       (respond otherwise)))))

(defn- with-accepted
  "As `with-request`, where `change` throws for requests that it refuses, which are answered with 400."
  [handler change]
  (with-request handler (refusal/unless-refused change) refusal/bad-request))

;;; Query strings and forms

(defn assoc-query-params
  "Returns `request` with the parameters of its query string in `:query-params` and `:params`.

  `encoding` is the name of a charset; there are no parameters if there is no such charset. Throws for more than 1,024
  parameters (`:reason` `:too-many-params`)."
  {:added "0.1"}
  [request encoding]
  (params/with-query-params request (params/charset-named encoding) (params/most-params nil)))

(defn assoc-form-params
  "Returns `request` with the parameters of its body, if that is a form, in `:form-params` and `:params`. The body is read
  to its end.

  `encoding` is the name of a charset. Throws for more than 1,024 parameters (`:reason` `:too-many-params`) and for a form
  if there is no such charset (`:charset`)."
  {:added "0.1"}
  [request encoding]
  (params/with-form-params request (params/charset-named encoding) (params/most-params nil)))

(defn- charset-option
  ^Charset [{:keys [encoding]}]
  (when encoding
    (Charset/forName encoding)))

(defn params-request
  "Returns `request` with the parameters of its query string and its body; `options` as for `wrap-params`."
  {:added "0.1"}
  ([request] (params-request request nil))
  ([request options]
   (params/params-request request (charset-option options) (params/most-params options))))

(defn wrap-params
  "Adds to requests the parameters of the query string and, if the body is a form (`application/x-www-form-urlencoded`), of
  the body, which is read to its end:

      :query-params   a map of String to String, or to a vector of Strings for a name that comes again
      :form-params    the same of the body
      :params         both; the query's win

  `options`:

      key           meaning                                                                             default
      :encoding     name of the charset of escapes, and of the body         what Content-Type says, or \"UTF-8\"
      :max-params   most parameters of a query string or form, beyond it 400                            1024

  Throws `java.nio.charset.UnsupportedCharsetException` for an `:encoding` that there is not."
  {:added "0.1"}
  ([handler] (wrap-params handler nil))
  ([handler options]
   (let [charset (charset-option options)
         most (params/most-params options)]
     (with-accepted handler #(params/params-request % charset most)))))

;;; The keys of parameters

(defn keyword-params-request
  "Returns `request` with keywords in `:params`; `options` as for `wrap-keyword-params`."
  {:added "0.1"}
  ([request] (keyword-params-request request nil))
  ([request options]
   (assoc request :params (params/keyword-params (:params request) (boolean (:parse-namespaces? options))))))

(defn wrap-keyword-params
  "Makes keywords of those String keys in `:params`, at every depth, that look like keywords: letters, digits and
  `* + ! _ ? -`, without a digit in front. Others stay Strings, as do the keys of `:query-params` and the like.

  `options`:

      key                  meaning                                                    default
      :parse-namespaces?   whether \"a.b/c\" is a keyword with a namespace              false"
  {:added "0.1"}
  ([handler] (wrap-keyword-params handler nil))
  ([handler options]
   (with-accepted handler #(keyword-params-request % options))))

(defn parse-nested-keys
  "Returns the keys in the name of a parameter: `[\"foo\" \"bar\" \"\" \"baz\"]` for `\"foo[bar][][baz]\"`."
  {:added "0.1"}
  [param-name]
  (nested-params/parse-keys param-name))

(defn nested-params-request
  "Returns `request` with nested `:params`; `options` as for `wrap-nested-params`."
  {:added "0.1"}
  ([request] (nested-params-request request nil))
  ([request options]
   (let [{:keys [key-parser max-depth] :or {key-parser nested-params/parse-keys max-depth 100}} options]
     (assoc request :params (nested-params/nested-params (:params request) key-parser max-depth)))))

(defn wrap-nested-params
  "Nests `:params` as their names say:

      {\"foo[bar]\" \"baz\"}   ;; => {\"foo\" {\"bar\" \"baz\"}}
      {\"foo[]\" \"bar\"}      ;; => {\"foo\" [\"bar\"]}

  `options`:

      key           meaning                                                                            default
      :key-parser   a function that makes a sequence of keys of a name; an empty one is a vector's   `parse-nested-keys`
      :max-depth    most keys in a name, beyond it 400                                                 100

  A name that needs a map where another parameter has put a value is answered with 400 too (`:params-conflict`)."
  {:added "0.1"}
  ([handler] (wrap-nested-params handler nil))
  ([handler options]
   (with-accepted handler #(nested-params-request % options))))

;;; Cookies

(defn cookies-request
  "Returns `request` with its `:cookies`, unless it has some; `options` as for `wrap-cookies`."
  {:added "0.1"}
  ([request] (cookies-request request nil))
  ([request options]
   (if (:cookies request)
     request
     (assoc request :cookies (cookies/parse-cookies request (:decoder options) (params/most-params options))))))

(defn cookies-response
  "Returns `response` with its `:cookies` in the header Set-Cookie; `options` as for `wrap-cookies`."
  {:added "0.1"}
  ([response] (cookies-response response nil))
  ([response options]
   (cookies/set-cookies response (:encoder options cookies/form-encode))))

(defn wrap-cookies
  "Adds the cookies of the Cookie header (RFC 6265) to requests, as `:cookies`, a map of name to `{:value value}`; writes
  the `:cookies` of responses to Set-Cookie, a map of name to a value or to a map:

      key           meaning
      :value        the value
      :path         the path it is for, a String
      :domain       the domain it is for, a String
      :max-age      how long it lives, seconds or a `java.time.Duration`
      :expires      when it ends, a String as in HTTP or a `java.time.ZonedDateTime`
      :secure       true: for HTTPS only
      :http-only    true: not for scripts
      :same-site    :strict, :lax or :none
      :partitioned  true: for the site alone that embeds this one (CHIPS)

  `options`:

      key           meaning                                                                             default
      :decoder      a function of an encoded value to its text, or nil to drop the cookie               as in a form
      :encoder      a function of a map of one name and value to the text of the cookie                 as in a form
      :max-params   most cookies of a request, beyond it 400                                            1024

  Where `ring.middleware.cookies` is loaded, `:max-age` and `:expires` may be what its protocols are extended to.

  Throws `IllegalArgumentException` for other attributes, and values that are not theirs."
  {:added "0.1"}
  ([handler] (wrap-cookies handler nil))
  ([handler options]
   (with-accepted
     (fn
       ([request]
        (cookies-response (handler request) options))
       ([request respond raise]
        (handler request (fn [response] (respond (cookies-response response options))) raise)))
     #(cookies-request % options))))

;;; Multipart forms

(defn temp-file-store
  "Returns a store that puts files of forms into files in `java.io.tmpdir`, for `wrap-multipart-params`.

  `options`:

      key           meaning                                                                      default
      :expires-in   a file that has not changed for so many seconds is deleted, nil for never    3600

  Only the JVM's user may read the files. All are deleted at the end of the JVM; those of a form that is malformed or too
  large, at once.

  A file's parameter is a map of `:filename`, `:content-type` (nil if there is none), `:tempfile`, a `java.io.File`, and
  `:size` in bytes."
  {:added "0.1"
   :arglists '([] [options])}
  ([] (temp-file-store {:expires-in 3600}))
  ([options] (multipart/temp-file-store options)))

(defn byte-array-store
  "Returns a store that keeps files of forms in memory, for `wrap-multipart-params`. Give that a `:max-file-size` too.

  A file's parameter is a map of `:filename`, `:content-type` (nil if there is none) and `:bytes`."
  {:added "0.1"}
  []
  (multipart/byte-array-store))

(defn multipart-params-request
  "Returns `request` with the parameters in its body, if that is of `multipart/form-data`; see `wrap-multipart-params`,
  whose `options` these are, without the handlers.

  Throws `ex-info` with `:type` `:hinny.error/request-malformed` and `:reason`, a keyword; or
  `:hinny.error/multipart-too-large`, `:limit` and `:max`. What reading the body, the store or the progress function
  throws is thrown on."
  {:added "0.1"}
  ([request] (multipart-params-request request {}))
  ([request options] (multipart/multipart-params-request request options)))

(defn wrap-multipart-params
  "Parses bodies of `multipart/form-data` (RFC 7578). Adds to the request:

      :multipart-params   a map of names to values: text for a field, what the store returned for a file, a vector of
                          these for a name that occurs again
      :params             the same, merged into what is there

  `options`:

      key                  meaning                                                               default
      :store               function of a map of :filename, :content-type and :stream, an         (temp-file-store)
                           InputStream that it must read before it returns the file's parameter
      :encoding            charset of names and fields, whatever the request says                nil
      :fallback-encoding   charset of names, and of fields that neither a field _charset_ nor    the request's, or
                           their own Content-Type gives one                                      \"UTF-8\"
      :progress-fn         function of request, bytes read, Content-Length (-1 if unknown) and   nil
                           number of parts so far; called after each read and for each part
      :max-file-size       largest file, bytes                                                   nil
      :max-file-count      most files                                                            1024
      :max-fields          most fields that are no files                                         1024
      :max-field-bytes     contents and names of all fields together, bytes                      10485760
      :error-handler       answers in place of `handler` when a limit is exceeded                one that answers 413
      :malformed-handler   answers in place of `handler` when the body is malformed              one that answers 400

  nil as a limit is none. The size of the whole body is the server's to limit, see `:max-body-bytes`.

  The body is read on the thread that calls: an asynchronous handler on an event loop takes small forms only."
  {:added "0.1"}
  ([handler] (wrap-multipart-params handler {}))
  ([handler options]
   (fn
     ([request]
      (let [[request handler] (multipart/request-or-error request handler options)]
        (handler request)))
     ([request respond raise]
      (let [[request handler] (multipart/request-or-error request handler options)]
        (handler request respond raise))))))

;;; JSON

(defn json-body-request
  "Returns `request` with the value of its body as `:body`, nil if that is malformed; `options` as for `wrap-json-body`."
  {:added "0.1"}
  ([request] (json-body-request request nil))
  ([request options] (json-middleware/body-request request (json-middleware/read-settings options))))

(defn wrap-json-body
  "Makes the value of a JSON body (Content-Type `application/json` or `application/…+json`) the `:body` of the request; other
  requests stay as they are. An empty body is nil.

  `options`:

      key                   meaning                                                        default
      :keywords?            keys of objects become keywords                                false
      :key-fn               function of each key, a String, that returns the key           nil
      :bigdecimals?         numbers with a fraction or an exponent become BigDecimals      false
      :malformed-response   the response to a body that is malformed                       400, text/plain

  Throws for options that `hinny.json/read-value` does not allow."
  {:added "0.1"}
  ([handler] (wrap-json-body handler nil))
  ([handler options]
   (let [settings (json-middleware/read-settings options)]
     (with-request handler
                   #(json-middleware/body-request % settings)
                   (:malformed-response options json-middleware/malformed-response)))))

(defn json-params-request
  "Returns `request` with the parameters in its JSON body, nil if that is malformed; `options` as for `wrap-json-params`."
  {:added "0.1"}
  ([request] (json-params-request request nil))
  ([request options] (json-middleware/params-request request (json-middleware/read-settings (dissoc options :keywords?)))))

(defn wrap-json-params
  "Adds to requests with a JSON object as body (Content-Type `application/json` or `application/…+json`):

      :json-params   the object, a map of Strings to values
      :params        the same, merged into what is there

  An empty body and other values than objects add nothing. `options` as for `wrap-json-body`, but for `:keywords?`, which is
  ignored as by Ring: see `wrap-keyword-params`."
  {:added "0.1"}
  ([handler] (wrap-json-params handler nil))
  ([handler options]
   (let [settings (json-middleware/read-settings (dissoc options :keywords?))]
     (with-request handler
                   #(json-middleware/params-request % settings)
                   (:malformed-response options json-middleware/malformed-response)))))

(defn json-response
  "Returns `response` with its `:body` as JSON text, if that is a collection; `options` as for `wrap-json-response`."
  {:added "0.1"}
  ([response] (json-response response nil))
  ([response options] (json-middleware/json-response response (json-middleware/write-settings options))))

(defn wrap-json-response
  "Makes JSON text of responses whose body is a collection: a map, vector, set or sequence. Their Content-Type is
  `application/json; charset=utf-8` unless they have one. `hinny.json/body` does the same for one response, and faster.

  `options`:

      key                 meaning                                            default
      :pretty             one entry a line, indented                         false
      :escape-non-ascii   all beyond ASCII as \\uXXXX                        false
      :key-fn             function of each key that returns the key          nil

  Throws `ex-info` of `:hinny.error/option-unknown`; for a value that has no JSON `:hinny.error/json-unwritable`."
  {:added "0.1"}
  ([handler] (wrap-json-response handler nil))
  ([handler options]
   (let [settings (json-middleware/write-settings options)]
     (fn
       ([request]
        (some-> (handler request) (json-middleware/json-response settings)))
       ([request respond raise]
        (handler request
                 (fn [response] (respond (some-> response (json-middleware/json-response settings))))
                 raise))))))
