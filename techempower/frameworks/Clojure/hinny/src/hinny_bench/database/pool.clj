(ns hinny-bench.database.pool
  "The pool of connections to PostgreSQL.

  * `data-source` -- a pool of a fixed size for a JDBC URL

  Statements are prepared at their first use on a connection and then kept by the driver. Threads: any."
  (:import
   (com.zaxxer.hikari HikariConfig HikariDataSource)))

(set! *warn-on-reflection* true)

(defn- pool-size
  "HikariCP's own rule: two connections a core of the database's machine, which here has as many as ours, and one for
  its disk."
  []
  (inc (* 2 (.availableProcessors (Runtime/getRuntime)))))

(defn data-source
  "Returns a pool of connections to `jdbc-url`, which names user and password too; `.close` ends it."
  ^HikariDataSource [jdbc-url]
  (HikariDataSource.
    (doto (HikariConfig.)
      (.setJdbcUrl jdbc-url)
      (.setMaximumPoolSize (pool-size))
      (.addDataSourceProperty "prepareThreshold" "1"))))
