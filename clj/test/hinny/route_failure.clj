(ns hinny.route-failure
  "What a test sees of an exception.

  * `failure` -- a macro: the data of the `ex-info` that its body throws, with its `:message`")

(set! *warn-on-reflection* true)

(defn caught
  "The data and message of what `f` throws, nil if it throws nothing."
  [f]
  (try
    (f)
    nil
    (catch clojure.lang.ExceptionInfo e
      (assoc (ex-data e) :message (ex-message e)))))

(defmacro failure
  "The data of the `ex-info` that `body` throws, with its `:message`; nil if it throws none."
  [& body]
  `(caught (fn [] ~@body)))
