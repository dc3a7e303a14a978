(ns hinny.impl.error
  "What Hinny throws: `ex-info` whose data has `:type`, a keyword of this list.

  * `:hinny.error/handler-invalid`    -- the handler cannot be called
  * `:hinny.error/option-unknown`     -- no option has this name; `:nearest` may be the one that was meant
  * `:hinny.error/option-invalid`     -- the value is of the wrong type or out of range
  * `:hinny.error/option-unsupported` -- an option of another server asks for what Hinny does not do, for `:reason`
  * `:hinny.error/option-conflict`    -- two names of one option are given, with different values
  * `:hinny.error/port-in-use`        -- somebody else listens on `:port`
  * `:hinny.error/bind-failed`        -- `:host` and `:port` cannot be listened on
  * `:hinny.error/native-library`     -- the native library cannot be loaded; thrown by whatever needs it, each time
  * `:hinny.error/request-invalid`    -- `hinny.test/request` cannot make a request of this map
  * `:hinny.error/request-malformed`  -- middleware cannot read a request, for `:reason`
  * `:hinny.error/response-invalid`   -- in `hinny.test/request`: what the handler returned is no response
  * `:hinny.error/json-malformed`     -- a text is no JSON that Hinny reads, for `:reason`, at byte `:position`
  * `:hinny.error/json-unwritable`    -- a value that has no JSON; `:path` leads to it, `:class` is its class
  * `:hinny.error/multipart-too-large` -- a multipart form has more than `:max` of what `:limit` names
  * `:hinny.error/timeout`            -- in `hinny.test/request`: no complete response in time
  * `:hinny.error/route-invalid`      -- a route, at `:template`, whose data are not what they must be
  * `:hinny.error/route-pattern`      -- the path of a route, `:template`, or a regular expression, cannot be read
  * `:hinny.error/route-conflict`     -- two routes, `:templates`, answer the same requests
  * `:hinny.error/route-name-duplicate` -- two routes, `:templates`, have one `:name`
  * `:hinny.error/route-unknown`      -- no route has this `:name`; `:nearest` may be the one that was meant
  * `:hinny.error/route-parameter-missing` -- a path cannot be made without `:missing`; `:required` are all it needs
  * `:hinny.error/route-parameter-invalid` -- no path can be made of this value
  * `:hinny.error/internal`           -- a defect of Hinny

  Messages are one line each, whatever they quote."
  (:import
   (io.github.hinny LogText)))

(set! *warn-on-reflection* true)

(defn failure
  "Returns an `ex-info` of `type-name` (the name of a keyword above) with `message`, `data` and, if given, `cause`."
  (^Throwable [type-name message data] (failure type-name message data nil))
  (^Throwable [type-name message data cause]
   (ex-info (LogText/escape message) (assoc data :type (keyword "hinny.error" type-name)) cause)))
