(ns hinny.kernel-sockets
  "What the kernel knows of the sockets of 127.0.0.1, from its table of them.

  * `sockets?` -- whether it shows one
  * `socket`   -- the state of an end of a connection, how much its owner has not read, and whether it has one

      (socket 8080 49213)
      ;; => {:state :established :unread 0 :owned? true}"
  (:require
   [clojure.string :as str]
   [hinny.impl.text :as text])
  (:import
   (java.io File FileInputStream)
   (java.nio.charset StandardCharsets)))

(set! *warn-on-reflection* true)

(def ^:private table (File. "/proc/net/tcp"))

(def ^:private states
  {"01" :established "04" :fin-wait-1 "05" :fin-wait-2 "06" :time-wait "08" :close-wait "09" :last-ack})

(defn sockets?
  "Whether the kernel shows its table of sockets."
  []
  (.canRead ^File table))

(defn socket
  "The socket with port `own` that is connected to port `other`: its `:state`, nil if it is none of those that matter here,
  `:unread`, the bytes that came for it and were not read, and `:owned?`, whether a process has a descriptor of it. nil if
  there is no such row, or no table."
  [own other]
  (when (sockets?)
    (let [ends (text/formatted ":%04X 0100007F:%04X " own other)
          rows (with-open [in (FileInputStream. ^File table)]
                 (str/split-lines (String. (.readAllBytes in) StandardCharsets/ISO_8859_1)))]
      (when-let [row (first (filter #(str/includes? % ends) rows))]
        (let [[_ state unread inode] (re-find #" (\p{XDigit}{2}) \p{XDigit}{8}:(\p{XDigit}{8}) \S+ \S+ +\d+ +\d+ (\d+)" row)]
          {:state (states state) :unread (Long/parseLong unread 16) :owned? (not= "0" inode)})))))
