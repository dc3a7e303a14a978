(ns hinny-bench.database.fortunes
  "The Fortune table, as a page.

  * `fortunes` -- all rows and the one that is added at each request, in the order of their messages
  * `page`     -- the HTML of them

  Messages come from the database and are not trusted: what HTML has a meaning for is escaped. Threads: any."
  (:require
   [clojure.string :as str])
  (:import
   (java.sql ResultSet)
   (javax.sql DataSource)))

(set! *warn-on-reflection* true)

(def ^:private select "SELECT id, message FROM fortune")

(def ^:private entities
  {\& "&amp;" \< "&lt;" \> "&gt;" \" "&quot;" \' "&#39;"})

(defn- read-rows
  [^ResultSet result]
  (loop [rows []]
    (if (.next result)
      (recur (conj rows {:id (.getInt result 1) :message (.getString result 2)}))
      rows)))

(defn fortunes
  "Returns all fortunes of the table and one more, maps of `:id` and `:message`, sorted by message."
  [^DataSource data-source]
  (with-open [connection (.getConnection data-source)
              statement (.prepareStatement connection ^String select)
              result (.executeQuery statement)]
    (sort-by :message (conj (read-rows result) {:id 0 :message "Additional fortune added at request time."}))))

(defn page
  "Returns the HTML page of `fortunes`, a string."
  ^String [fortunes]
  (let [html (StringBuilder. "<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table>")]
    (.append html "<tr><th>id</th><th>message</th></tr>")
    (doseq [{:keys [id message]} fortunes]
      (-> html
          (.append "<tr><td>")
          (.append (long id))
          (.append "</td><td>")
          (.append (str/escape message entities))
          (.append "</td></tr>")))
    (str (.append html "</table></body></html>"))))
