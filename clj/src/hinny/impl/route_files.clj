(ns hinny.impl.route-files
  "Static files in route data: `:files`, `:file` and `:resources`.

  * `words` -- what the native library is told of them, or an `ex-info`

  The value is where they are (a string, `java.io.File` or `java.nio.file.Path`), or a map of it as `:root` and options."
  (:require
   [clojure.string :as str]
   [hinny.impl.options :as options]
   [hinny.impl.route-data :as route-data])
  (:import
   (clojure.lang RT)
   (io.github.hinny ClassPathFiles FilePaths)
   (java.io File IOException)
   (java.nio.charset StandardCharsets)
   (java.nio.file FileSystems Files LinkOption Path)
   (java.util Arrays)))

(set! *warn-on-reflection* true)

(def ^:private token #"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

(defn- field-value?
  [value]
  (and (string? value) (boolean (re-matches #"[\x21-\x7E](?:[\x20-\x7E\t]*[\x21-\x7E])?|" value))))

(defn- file-name?
  [value]
  (and (string? value) (not (contains? #{"" "." ".."} value)) (not (re-find #"[/\u0000]" value))))

(def ^:private encodings {:br "br" :gzip "gzip" "br" "br" "gzip" "gzip"})

(defn- integer-to
  [maximum]
  #(and (int? %) (<= 0 % maximum)))

(defn- collection-of
  [valid?]
  #(and (coll? %) (not (map? %)) (every? valid? %)))

(defn- map-of
  [valid-key? valid-value?]
  #(and (map? %) (every? (fn [[k v]] (and (valid-key? k) (valid-value? v))) %)))

(def ^:private rows
  "Option -> its word, whether a value is one, in words, and the texts that it is encoded as."
  {:index {:word "files-index" :valid? (collection-of file-name?) :text identity
           :expected "a collection of file names"}
   :precompressed {:word "files-precompressed" :valid? (collection-of encodings) :text #(map encodings %)
                   :expected "a collection of :br and :gzip"}
   :symlinks {:word "files-symlinks" :valid? #{:inside :follow :refuse} :text (comp vector name)
              :expected ":inside, :follow or :refuse"}
   :hidden? {:word "files-hidden" :valid? boolean? :text (comp vector str)
             :expected "true or false"}
   :cache-control {:word "files-cache-control" :valid? field-value? :text vector
                   :expected "the value of a header field"}
   :headers {:word "files-header" :valid? (map-of #(and (string? %) (re-matches token %)) field-value?)
             :text #(map (fn [[field value]] (str field ": " value)) %)
             :expected "a map of header fields, strings to strings"}
   :mime-types {:word "files-mime" :valid? (map-of file-name? #(and (field-value? %) (str/includes? % "/")))
                :text #(map (fn [[extension type]] (str (str/replace-first extension #"^\." "") " " type)) %)
                :expected "a map of file name extensions to media types"}
   :cache-ms {:word "files-cache-ms" :valid? (integer-to 86400000) :text (comp vector str)
              :expected "an integer from 0 to 86400000"}
   :cache-bytes {:word "files-cache-bytes" :valid? (integer-to 1099511627776) :text (comp vector str)
                 :expected "an integer from 0 to 1099511627776"}})

(def ^:private directory-defaults
  "What is always said of a directory: an option without a word would be the same as an empty one."
  {:index ["index.html"]})

(defn- place?
  [value]
  (or (and (string? value) (not (str/blank? value)) (not (str/includes? value "\u0000")))
      (instance? File value)
      (and (instance? Path value) (= (FileSystems/getDefault) (.getFileSystem ^Path value)))))

(defn- settings
  "The value of an answer as a map with `:root`."
  [template answer value]
  (let [{:keys [root] :as given} (if (place? value) {:root value} value)]
    (when-not (and (map? given) (place? root))
      (throw (route-data/invalid template
                                 (str answer " must be a path, or a map with one as :root, is " (pr-str value))
                                 {:key answer :value value})))
    (doseq [[option option-value] (dissoc given :root)
            :let [{:keys [valid? expected]} (rows option)
                  nearest (when (keyword? option) (options/nearest option (keys rows)))]]
      (cond
        (nil? valid?)
        (throw (route-data/invalid template
                                   (str answer " has no option " (pr-str option)
                                        (if nearest (str ", did you mean " nearest "? See ") "; see ") "docs/routing.md.")
                                   {:key option :nearest nearest}))
        (not (valid? option-value))
        (throw (route-data/invalid template
                                   (str answer " " option " must be " expected ", is " (pr-str option-value))
                                   {:key option :value option-value}))))
    given))

(defn- path-word
  "The word of a path: text, or bytes if these are not its UTF-8."
  [path]
  (let [path-bytes (FilePaths/bytes ^Path path)
        text (String. path-bytes StandardCharsets/UTF_8)]
    (if (Arrays/equals path-bytes (.getBytes text StandardCharsets/UTF_8))
      text
      path-bytes)))

(def ^:private ^"[Ljava.nio.file.LinkOption;" follow-links (make-array LinkOption 0))

(defn- existing
  "The word of a file or directory that must be there."
  [template answer root directory?]
  (let [path (if (instance? Path root) (.toAbsolutePath ^Path root) (FilePaths/path (File. (str root))))]
    (when-not (if directory? (Files/isDirectory path follow-links) (Files/isRegularFile path follow-links))
      (throw (route-data/invalid template
                                 (str answer " " (pr-str (str root)) ": no such " (if directory? "directory" "file")
                                      ", looked for at " path (FilePaths/unreadable (str path)))
                                 {:key answer :value root})))
    (path-word path)))

(defn- resource-directory
  [template root]
  (let [prefix (str/replace (str root) #"^/+|/+$" "")
        directory (try
                    (ClassPathFiles/directory prefix (RT/baseLoader))
                    (catch IOException failure
                      (throw (route-data/invalid template
                                                 (str ":resources " (pr-str root) ": " (ex-message failure))
                                                 {:key :resources :value root}))))]
    (when-not directory
      (throw (route-data/invalid template
                                 (str ":resources " (pr-str root) ": the class path has no such directory"
                                      (FilePaths/unreadable (System/getProperty "java.class.path")))
                                 {:key :resources :value root})))
    (path-word directory)))

(defn words
  "Returns pairs of key and value for the native library. `answer` is `:files`, `:file` or `:resources`, `value` what the
  route at `template` says of it; `catch-all?` is whether the template ends in one.

  Throws `ex-info` of type `:hinny.error/route-invalid`."
  [template answer value catch-all?]
  (let [{:keys [root] :as given} (settings template answer value)
        single? (= :file answer)]
    (when-not (or single? catch-all?)
      (throw (route-data/invalid template
                                 (str answer " serves what the end of the path names: let it end in a catch-all, as "
                                      (pr-str (str (str/replace template #"/$" "") "/*path"))
                                      ", or say :file for a single one")
                                 {:key answer})))
    (into [["files" (if (= :resources answer)
                      (resource-directory template root)
                      (existing template answer root (not single?)))]
           ["files-single" (str single?)]]
          (for [[option option-value] (merge (when-not single? directory-defaults) (dissoc given :root))
                :let [{:keys [word text]} (rows option)]
                value-text (text option-value)]
            [word value-text]))))
