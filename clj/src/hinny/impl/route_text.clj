(ns hinny.impl.route-text
  "Text of paths that stands for itself.

  * `normalise` -- as the matcher has it, or an `ex-info`
  * `percent-encode` `unreserved` -- of any text, what may stand in a path
  * `well-formed?` -- whether text can be encoded
  * `refuse`    -- throws that a template is no path"
  (:require
   [clojure.string :as str]
   [hinny.impl.error :as error]
   [hinny.impl.text :as text])
  (:import
   (java.nio.charset StandardCharsets)))

(set! *warn-on-reflection* true)

(def unreserved
  "The characters that no URI has a reason to encode."
  (set "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"))

(def ^:private literal
  "The characters of a path that stand for themselves: RFC 3986 pchar, and the slash."
  (into unreserved "!$&'()*+,;=:@/"))

(defn refuse
  "Throws that `template` is no path, for `reason`."
  [template reason]
  (throw (error/failure "route-pattern" (str "path " (pr-str template) " " reason) {:template template})))

(defn well-formed?
  "Whether no half of a surrogate pair is in `text`."
  [^String text]
  (loop [at 0]
    (or (= at (.length text))
        (let [point (.codePointAt text at)]
          (and (or (< point 0xD800) (> point 0xDFFF))
               (recur (+ at (Character/charCount point))))))))

(defn percent-encode
  "Returns `text` with all but the characters in `kept` percent-encoded."
  [^String text kept]
  (let [encoded (StringBuilder.)]
    (doseq [b (.getBytes text StandardCharsets/UTF_8)
            :let [value (bit-and (int b) 0xFF)]]
      (if (kept (char value))
        (.append encoded (char value))
        (.append encoded (text/formatted "%%%02X" value))))
    (str encoded)))

(defn- normalise-escape
  [escape]
  (let [ch (char (Integer/parseInt (subs escape 1) 16))]
    (if (unreserved ch) (str ch) (text/upper-case escape))))

(defn- normalise-special
  "Literal text of `template` that has characters to be looked at, as the matcher has it."
  [template text]
  (when-let [stray (re-find #"%(?![0-9A-Fa-f]{2}).{0,2}" text)]
    (refuse template (str "has a % without two hex digits behind it: " (pr-str stray) "; write %25 for the character")))
  (when-let [found (re-find #"[\s\p{Cntrl}]" text)]
    (refuse template (str "has white space or a control character, " (pr-str found) "; write it percent-encoded")))
  (when-let [found (re-find #"[?#]" text)]
    (refuse template (str "has a " found ", which begins what is no part of a path")))
  (str/replace text
               #"%[0-9A-Fa-f]{2}|[^%]+"
               (fn [piece]
                 (if (str/starts-with? piece "%")
                   (normalise-escape piece)
                   (percent-encode piece literal)))))

(defn- plain?
  "Whether `text` is normal as it is: nearly all text is, and a table may have ten thousand paths."
  [^String text]
  (loop [at 0]
    (or (= at (.length text))
        (let [ch (int (.charAt text at))]
          (and (< ch 128)
               (or (Character/isLetterOrDigit ch) (<= 0 (.indexOf "/-._~" ch)))
               (recur (inc at)))))))

(defn normalise
  "Returns literal text of `template` as the matcher has it.

  Throws `ex-info` of type `:hinny.error/route-pattern`."
  [template text]
  (if (plain? text)
    text
    (normalise-special template text)))
