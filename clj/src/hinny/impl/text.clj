(ns hinny.impl.text
  "Letters and numbers that are the same in every locale.

  * `lower-case` `upper-case` `capitalize` -- as in clojure.string
  * `formatted`                            -- as `format`

  Those of Clojure ask the JVM's default locale: in Turkish \"options\" becomes \"OPTİONS\", in German 1.5 is \"1,5\". A lint
  (`scripts/lint-locale.py`) sees to it that nobody calls them."
  (:import
   (java.util Locale)))

(set! *warn-on-reflection* true)

(defn lower-case
  "Returns `s` in lower case."
  ^String [^CharSequence s]
  (.toLowerCase (.toString s) Locale/ROOT))

(defn upper-case
  "Returns `s` in upper case."
  ^String [^CharSequence s]
  (.toUpperCase (.toString s) Locale/ROOT))

(defn capitalize
  "Returns `s` with its first character in upper case and the others in lower case."
  ^String [^CharSequence s]
  (let [s (.toString s)]
    (if (< (count s) 2)
      (upper-case s)
      (str (upper-case (subs s 0 1)) (lower-case (subs s 1))))))

(defn formatted
  "Returns `template`, a format string of `java.util.Formatter`, with `arguments` in it."
  ^String [template & arguments]
  (String/format Locale/ROOT template (to-array arguments)))
