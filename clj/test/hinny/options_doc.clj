(ns hinny.options-doc
  "Writes `docs/options.md` from the options table, and the tables of other servers' options in `docs/migration.md`:
  `clojure.main -m hinny.options-doc`, in the root of the tree. `hinny.options-test` and
  `hinny.server-foreign-options-test` see to it that the files are up to date."
  (:require
   [clojure.string :as str]
   [hinny.impl.foreign :as foreign]
   [hinny.impl.options :as options])
  (:import
   (java.util.regex Matcher Pattern)))

(set! *warn-on-reflection* true)

(def path "The file that is written." "docs/options.md")

(defn- default-text
  [{:keys [default unit]}]
  (cond
    (= :cores default) "one per processor"
    (vector? default) (str "the largest heap / " (peek default))
    (int? default) (str default (when (seq unit) (str " " unit)))
    :else (str "`" (pr-str default) "`")))

(defn- row
  [{:keys [doc] :as spec}]
  (str "| `" (:name spec) "` | " doc " | " (default-text spec) " | " (options/expected spec) " |\n"))

(defn document
  "The text of the file."
  []
  (str "# Options of `hinny.server/run-server`\n\n"
       "Generated from the table in `native/core/src/options.rs` by `make docs`; do not edit.\n\n"
       "An option that is not in this table, or out of its range, is refused with an `ex-info` before a socket is bound:\n"
       "`:hinny.error/option-unknown` names the nearest known option, `:hinny.error/option-invalid` the range.\n\n"
       "| option | meaning | default | allowed |\n|---|---|---|---|\n"
       (str/join (map row @options/table))
       "\nA route may have other values of "
       (str/join ", " (for [{:keys [route? name]} @options/table :when route?] (str "`" name "`")))
       " for itself: see `docs/routing.md`.\n"
       "\nNot options: the JVM properties `hinny.native.path` and `hinny.native.workdir` (where the native library is\n"
       "loaded from, see the README).\n"))

(def migration-path "The file of which the tables between markers are written." "docs/migration.md")

(defn- native-text
  "Options of Hinny's with their values, as Clojure."
  [natives]
  (str/join " " (for [[option value] natives]
                  (str "`" option " " (pr-str value) "`"))))

(defn- accepted
  "The values that a row accepts, as Clojure."
  [{:keys [accept accepts]}]
  (or accepts (str/join " or " (for [text (sort (map pr-str accept))] (str "`" text "`")))))

(defn- meaning
  "What the table's row says about a foreign option, in sentences."
  [option {:keys [to values accept refuse ignore note] :as row}]
  (str/join
    " "
    (remove
      nil?
      [(cond
         to (str (if (= to option) "the same" (str "`" to "`"))
                 (when accept (str "; " (accepted row) " for the default"))
                 ".")
         values (str (str/join "; " (for [[value natives] (sort-by (comp str key) values)
                                          :when (seq natives)]
                                      (str "`" value "`: " (native-text natives))))
                     ".")
         ignore (str "ignored with a warning: " ignore ".")
         refuse (str "refused, but for " (accepted row) ": " refuse ".")
         :else (str "accepted, " (accepted row) "."))
       (some-> note (str/replace #"\s+" " "))])))

(defn foreign-table
  "The Markdown table of the options of `source`, in alphabetical order."
  [source]
  (str "| option there | here |\n|---|---|\n"
       (str/join (for [[option row] (sort-by key (foreign/all-tables source))]
                   (str "| `" option "` | " (meaning option row) " |\n")))))

(defn migration-document
  "The text of `docs/migration.md` with its tables of options as they should be."
  []
  (reduce
    (fn [text source]
      (let [begin (str "<!-- options of " (name source) ", written by make docs -->\n")
            end "<!-- end -->\n"]
        (str/replace-first text
                           (re-pattern (str "(?s)" (Pattern/quote begin) ".*?" (Pattern/quote end)))
                           (Matcher/quoteReplacement (str begin "\n" (foreign-table source) "\n" end)))))
    (slurp migration-path)
    (sort (keys foreign/all-tables))))

(defn -main
  "Writes the files."
  [& _]
  (spit path (document))
  (spit migration-path (migration-document)))
