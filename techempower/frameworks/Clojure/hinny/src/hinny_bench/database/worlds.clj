(ns hinny-bench.database.worlds
  "The World table: rows of an id and a random number.

  * `world`          -- one random row
  * `worlds`         -- so many random rows, a query for each, as the rules want it
  * `update-worlds!` -- so many random rows, each given another number
  * `cache`          -- a cache of the table
  * `cached-worlds`  -- so many random rows, from the cache where it has them

  A row is a map `{:id 7 :randomNumber 4711}`, as it is written as JSON. Threads: any; each call has a connection of the
  pool for as long as it runs."
  (:import
   (com.github.benmanes.caffeine.cache Cache Caffeine)
   (java.sql Connection PreparedStatement ResultSet)
   (java.util.concurrent ThreadLocalRandom)
   (java.util.function Function)
   (javax.sql DataSource)))

(set! *warn-on-reflection* true)

(def ^:private rows 10000)
(def ^:private select "SELECT id, randomnumber FROM world WHERE id = ?")
(def ^:private update-one "UPDATE world SET randomnumber = ? WHERE id = ?")

(defn- random-number
  "A number from 1 to 10000, as ids and random numbers are."
  []
  (.nextLong (ThreadLocalRandom/current) 1 (inc rows)))

(defn- random-ids
  "A set of `n` ids, in their order."
  [n]
  (loop [ids (sorted-set)]
    (if (< (count ids) n)
      (recur (conj ids (random-number)))
      ids)))

(defn- fetch
  [^PreparedStatement statement id]
  (.setInt statement 1 (int id))
  (with-open [^ResultSet result (.executeQuery statement)]
    (.next result)
    {:id (.getInt result 1) :randomNumber (.getInt result 2)}))

(defn- fetch-all
  [^Connection connection ids]
  (with-open [statement (.prepareStatement connection ^String select)]
    (mapv #(fetch statement %) ids)))

(defn worlds
  "Returns a vector of `n` random rows."
  [^DataSource data-source n]
  (with-open [connection (.getConnection data-source)]
    (fetch-all connection (repeatedly n random-number))))

(defn world
  "Returns a random row."
  [data-source]
  (first (worlds data-source 1)))

(defn- write-all
  "Writes the rows as one batch."
  [^Connection connection worlds]
  (with-open [statement (.prepareStatement connection ^String update-one)]
    (doseq [{:keys [id randomNumber]} worlds]
      (.setInt statement 1 (int randomNumber))
      (.setInt statement 2 (int id))
      (.addBatch statement))
    (.executeBatch statement)))

(defn update-worlds!
  "Reads `n` random rows, gives each another random number, writes them and returns them, a vector.

  No row comes twice, and they are written in the order of their ids: two requests never wait for each other's locks."
  [^DataSource data-source n]
  (with-open [connection (.getConnection data-source)]
    (let [worlds (mapv #(assoc % :randomNumber (random-number)) (fetch-all connection (random-ids n)))]
      (write-all connection worlds)
      worlds)))

(defn cache
  "Returns an empty cache of rows by id, which may hold the whole table."
  ^Cache []
  (-> (Caffeine/newBuilder) (.maximumSize rows) .build))

(defn- load-from
  "Returns the function that the cache calls for a row which it does not have."
  ^Function [^DataSource data-source]
  (reify Function
    (apply [_ id]
      (with-open [connection (.getConnection data-source)]
        (first (fetch-all connection [id]))))))

(defn cached-worlds
  "Returns a vector of `n` random rows of `cache`; one that it lacks is read from the database."
  [^Cache cache data-source n]
  (let [load-row (load-from data-source)]
    (mapv #(.get cache % load-row) (repeatedly n random-number))))
