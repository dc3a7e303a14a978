(ns hinny.file-site
  "Directories of files for tests of static files, and requests for them.

  * `with-directory` -- a directory for a body of code, removed behind it
  * `write!`, `link!`, `replace!`, `touch!` -- what is in it
  * `etag`, `long-ago` -- the validators of what `write!` writes
  * `asked`, `fields-of` -- the response to a request, and some of its fields
  * `parts` -- those of a response with several ranges
  * `open-files` -- how many files of a directory this process has open
  * `noise` -- a text that differs from place to place

      (with-directory [directory]
        (write! directory \"public/a.txt\" \"hello\")
        (raw/with-server [server nil {:routes [[\"/s/*path\" {:files (path directory \"public\")}]]}]
          (fields-of (asked server \"GET\" \"/s/a.txt\") [\"etag\"])))
      ;; => {\"etag\" \"\\\"5-ae1b981bc490a00\\\"\"}

  Text is Latin-1, so a character is a byte."
  (:require
   [clojure.string :as str]
   [hinny.impl.text :as text]
   [hinny.raw-client :as raw])
  (:import
   (java.io File)
   (java.nio.file CopyOption Files LinkOption NoSuchFileException Path StandardCopyOption)
   (java.nio.file.attribute FileAttribute FileTime)
   (java.time Instant ZoneOffset ZonedDateTime)
   (java.time.format DateTimeFormatter)
   (java.util Locale)))

(set! *warn-on-reflection* true)

;; Times

(def long-ago-second
  "When files that a test writes were modified last: the date in the examples of RFC 9110."
  784111777)

(defn http-date
  "A second since 1970 as an HTTP-date."
  [second]
  (.format (DateTimeFormatter/ofPattern "EEE, dd MMM yyyy HH:mm:ss 'GMT'" Locale/US)
           (ZonedDateTime/ofInstant (Instant/ofEpochSecond second) ZoneOffset/UTC)))

(def long-ago
  "The Last-Modified of files that a test writes."
  (http-date long-ago-second))

(defn etag
  "The ETag of a file of so many bytes that a test has written; of the file that `coding` made of it."
  ([length] (etag length nil))
  ([length coding]
   (text/formatted "\"%x-%x%s\"" length (* 1000000000 (long long-ago-second)) (if coding (str "-" coding) ""))))

;; Directories

(defn new-directory
  "A new directory."
  ^Path []
  (.toRealPath (Files/createTempDirectory "hinny-file-" (make-array FileAttribute 0)) (make-array LinkOption 0)))

(defn delete!
  "Deletes a directory and all that is in it; no link is followed."
  [^Path directory]
  (with-open [below (Files/walk directory (make-array java.nio.file.FileVisitOption 0))]
    (doseq [^Path file (reverse (iterator-seq (.iterator below)))]
      (try (Files/deleteIfExists file) (catch NoSuchFileException _)))))

(defmacro with-directory
  "Runs `body` with a new directory bound to `directory`."
  [[directory] & body]
  `(let [~directory (new-directory)]
     (try
       ~@body
       (finally (delete! ~directory)))))

(defn path
  "The path of a file in a directory, as text."
  ^String [^Path directory file]
  (str (.resolve directory ^String file)))

(defn touch!
  "Sets the time of modification of a file, a second since 1970."
  [directory file second]
  (Files/setLastModifiedTime (Path/of (path directory file) (make-array String 0)) (FileTime/from (Instant/ofEpochSecond second))))

(defn write!
  "Writes a file of long ago, and the directories it is in."
  [^Path directory file text]
  (let [target (.resolve directory ^String file)]
    (Files/createDirectories (.getParent target) (make-array FileAttribute 0))
    (Files/write target (raw/latin1 text) ^"[Ljava.nio.file.OpenOption;" (make-array java.nio.file.OpenOption 0))
    (touch! directory file long-ago-second)
    target))

(defn replace!
  "Puts a new file in the place of one, in one step, as a deployment does."
  [^Path directory file text]
  (let [beside (write! directory (str file ".new") text)]
    (Files/setLastModifiedTime beside (FileTime/from (Instant/now)))
    (Files/move beside (.resolve directory ^String file)
                (into-array CopyOption [StandardCopyOption/ATOMIC_MOVE StandardCopyOption/REPLACE_EXISTING]))))

(defn link!
  "Makes a symbolic link to `target`."
  [^Path directory file target]
  (let [link (.resolve directory ^String file)]
    (Files/createDirectories (.getParent link) (make-array FileAttribute 0))
    (Files/createSymbolicLink link (.toPath (File. (str target))) (make-array FileAttribute 0))))

(defn noise
  "A text of so many bytes that differs from place to place."
  ^String [length]
  (let [bytes (byte-array length)]
    (dotimes [n length]
      (aset bytes n (unchecked-byte (bit-xor n (bit-shift-right n 8) (* 31 (bit-shift-right n 13))))))
    (raw/text bytes)))

(defn open-files
  "How many descriptors this process has on regular files in a directory, deleted ones too."
  [^Path directory]
  (with-open [descriptors (Files/list (Path/of "/proc/self/fd" (make-array String 0)))]
    (count (for [^Path descriptor (iterator-seq (.iterator descriptors))
                 :let [target (try (Files/readSymbolicLink descriptor) (catch NoSuchFileException _))]
                 :when (and target (.startsWith ^Path target directory) (not= target directory))]
             target))))

;; Requests

(defn request
  "A request for `target` with these lines."
  [method target & lines]
  (apply raw/head (str method " " target " HTTP/1.1") "Host: x" lines))

(defn asked
  "The response to a request on a connection of its own."
  [server method target & lines]
  (raw/answer server (apply request method target lines) {:head? (= "HEAD" method)}))

(defn fields-of
  "Field -> its value for some fields of a response; several values as a vector, nil for none."
  [response fields]
  (into {}
        (for [field fields
              :let [values (raw/header-values response field)]]
          [field (if (next values) values (first values))])))

(defn parts
  "The parts of a multipart/byteranges response: fields of each, in lower case, and its `:body`. Each body is as long as
  its Content-Range says; that nothing else stands between them is checked."
  [{:keys [body] :as response}]
  (let [boundary (second (re-matches #"multipart/byteranges; boundary=([0-9a-zA-Z]+)" (raw/header response "content-type")))
        opening (str "--" boundary "\r\n")
        closing (str "\r\n--" boundary "--\r\n")]
    (loop [rest-text (str "\r\n" body)
           found []]
      (if (= closing rest-text)
        found
        (let [_ (assert (str/starts-with? rest-text (str "\r\n" opening)) rest-text)
              head-end (str/index-of rest-text "\r\n\r\n")
              lines (str/split (subs rest-text (+ 2 (count opening)) head-end) #"\r\n")
              fields (into {} (map #(str/split % #": " 2)) lines)
              [_ from to] (re-matches #"bytes (\d+)-(\d+)/\d+" (fields "content-range"))
              start (+ 4 (long head-end))
              end (+ start 1 (- (parse-long to) (parse-long from)))]
          (recur (subs rest-text end) (conj found (assoc fields :body (subs rest-text start end)))))))))
