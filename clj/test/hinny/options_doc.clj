(ns hinny.options-doc
  "Writes `docs/options.md` from the options table: `clojure.main -m hinny.options-doc`, in the root of the tree.
  `hinny.options-test` sees to it that the file is up to date."
  (:require
   [clojure.string :as str]
   [hinny.impl.options :as options]))

(set! *warn-on-reflection* true)

(def path "The file that is written." "docs/options.md")

(defn- default-text
  [{:keys [default unit]}]
  (cond
    (= :cores default) "one per processor"
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
       "\nNot options: the JVM properties `hinny.native.path` and `hinny.native.workdir` (where the native library is\n"
       "loaded from, see the README).\n"))

(defn -main
  "Writes the file."
  [& _]
  (spit path (document)))
