(ns hinny.impl.route-regex
  "Regular expressions as paths.

  * `text`   -- a `java.util.regex.Pattern` or string as Rust's `regex` crate reads it, or an `ex-info`
  * `groups` -- the names of its groups, in order
  * `quoted` -- literal text as part of one

      (groups \"/(?<year>\\\\d{4})/(\\\\d+)\")
      ;; => [:year :param1]

  The two languages agree on nearly all; what Java has and Rust has not is refused here, by name. The rest is refused when
  the table is compiled."
  (:require
   [clojure.string :as str]
   [hinny.impl.route-text :as route-text])
  (:import
   (java.util.regex Pattern)))

(set! *warn-on-reflection* true)

(defn quoted
  "Returns a regular expression that matches `literal` and nothing else."
  [literal]
  (str/replace literal #"[^A-Za-z0-9/_%]" "\\\\$0"))

(def ^:private inline-flags
  "The flags that an expression may set in itself, which a Pattern counts among its own."
  {\i Pattern/CASE_INSENSITIVE \x Pattern/COMMENTS \m Pattern/MULTILINE \s Pattern/DOTALL \u Pattern/UNICODE_CASE})

(defn- flags-beside
  "The flags of a Pattern that its text does not set."
  [^Pattern regex]
  (let [letters (mapcat second (re-seq #"\(\?([a-z]+)" (str regex)))]
    (bit-and-not (.flags regex) (reduce bit-or 0 (keep inline-flags letters)))))

(defn text
  "Returns the text of a regular expression, with the flag for upper and lower case in front of it.

  Throws `ex-info` of type `:hinny.error/route-pattern` for other flags."
  ^String [regex]
  (if (instance? Pattern regex)
    (let [flags (flags-beside regex)
          others (bit-and-not flags Pattern/CASE_INSENSITIVE)]
      (when-not (zero? others)
        (route-text/refuse (str regex) (str "is a Pattern with flags other than CASE_INSENSITIVE (" others
                                         "); write them into it, as (?x) for instance")))
      (str (when-not (zero? flags) "(?i)") regex))
    regex))

(defn- class-end
  "Where the character class ends that begins at `from`: behind its bracket."
  [regex from]
  (loop [at (inc from) depth 1]
    (let [ch (get regex at)]
      (cond
        (or (nil? ch) (zero? depth)) at
        (= \\ ch) (recur (+ at 2) depth)
        (= \[ ch) (recur (inc at) (inc depth))
        ;; The first thing in a class is literal, if it is a bracket.
        (and (= \] ch) (#{"[" "[^"} (subs regex from at))) (recur (inc at) depth)
        (= \] ch) (recur (inc at) (dec depth))
        :else (recur (inc at) depth)))))

(defn- refuse-escape
  [regex at]
  (when-let [escape (re-find #"^\\[1-9kQ]" (subs regex at))]
    (route-text/refuse regex (str "has " escape ": back references and quoting are not supported"))))

(defn- group
  "What the parenthesis at `at` begins: a name, `:unnamed`, nil for no group."
  [regex at]
  (let [behind (subs regex (inc at))
        [_ group-name] (re-find #"^\?P?<([^=!>][^>]*)>" behind)]
    (when-let [look (re-find #"^\?(?:<?[=!]|>)" behind)]
      (route-text/refuse regex (str "has (" look ": looking around and atomic groups are not supported")))
    (cond
      group-name group-name
      (str/starts-with? behind "?") nil
      :else :unnamed)))

(defn- found-groups
  [regex]
  (loop [found [] at 0]
    (case (get regex at)
      nil found
      \\ (do (refuse-escape regex at) (recur found (+ at 2)))
      \[ (recur found (long (class-end regex at)))
      \( (let [begun (group regex at)]
           (recur (if begun (conj found begun) found) (inc at)))
      (recur found (inc at)))))

(defn groups
  "Returns the names of the groups of `regex`, a string: the keyword of a named one, `:param0`, `:param1` … of others,
  counted among all.

  Throws `ex-info` of type `:hinny.error/route-pattern` for two groups of one name, and for what Rust has not."
  [regex]
  (let [names (into []
                    (map-indexed (fn [number found]
                                   (if (= :unnamed found) (keyword (str "param" number)) (keyword found))))
                    (found-groups regex))]
    (when-not (or (empty? names) (apply distinct? names))
      (route-text/refuse regex (str "has two groups of one name: " (str/join " " names))))
    names))
