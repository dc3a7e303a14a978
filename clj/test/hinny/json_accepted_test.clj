(ns hinny.json-accepted-test
  "JSON that is read, and what is read of it: the grammar of RFC 8259, and what it leaves open with what Hinny does there.
  Texts are written a character a byte."
  (:require
   [clojure.test :refer [deftest is testing]]
   [hinny.json :as json])
  (:import
   (clojure.lang ExceptionInfo)))

(set! *warn-on-reflection* true)

(def ^:private valid
  "Name, text, value."
  [["empty array" "[]" []]
   ["array in an array, with spaces" "[[]   ]" [[]]]
   ["array of an empty string" "[\"\"]" [""]]
   ["array of false" "[false]" [false]]
   ["values of all sorts" "[null, 1, \"1\", {}]" [nil 1 "1" {}]]
   ["array of null" "[null]" [nil]]
   ["array with leading space" " [1]" [1]]
   ["several nulls" "[1,null,null,null,2]" [1 nil nil nil 2]]
   ["array with trailing space" "[2] " [2]]
   ["large exponent" "[123e65]" [1.23e+67]]
   ["zero with plus exponent" "[0e+1]" [0.0]]
   ["zero with exponent" "[0e1]" [0.0]]
   ["number behind a space" "[ 4]" [4]]
   ["close to zero" "[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]" [-1e-78]]
   ["whole number with exponent" "[20e1]" [200.0]]
   ["minus zero" "[-0]" [0]]
   ["negative number" "[-123]" [-123]]
   ["minus one" "[-1]" [-1]]
   ["capital E" "[1E22]" [1e+22]]
   ["capital E, negative exponent" "[1E-2]" [0.01]]
   ["capital E, positive exponent" "[1E+2]" [100.0]]
   ["exponent" "[123e45]" [1.23e+47]]
   ["fraction and exponent" "[123.456e78]" [1.23456e+80]]
   ["negative exponent" "[1e-2]" [0.01]]
   ["positive exponent" "[1e+2]" [100.0]]
   ["whole number" "[123]" [123]]
   ["fraction" "[123.456789]" [123.456789]]
   ["object" "{\"asd\":\"sdf\", \"dfg\":\"fgh\"}" {"asd" "sdf" "dfg" "fgh"}]
   ["object of one" "{\"asd\":\"sdf\"}" {"asd" "sdf"}]
   ["key twice" "{\"a\":\"b\",\"a\":\"c\"}" {"a" "c"}]
   ["key and value twice" "{\"a\":\"b\",\"a\":\"b\"}" {"a" "b"}]
   ["empty object" "{}" {}]
   ["empty key" "{\"\":0}" {"" 0}]
   ["escaped null in a key" "{\"foo\\u0000bar\": 42}" {"foo\u0000bar" 42}]
   ["extreme numbers" "{ \"min\": -1.0e+28, \"max\": 1.0e+28 }" {"min" -1e+28 "max" 1e+28}]
   ["object in an array in an object" "{\"a\":[]}" {"a" []}]
   ["escapes of Cyrillic" "{\"title\":\"\\u041f\\u043e\\u043b\\u0442\\u043e\\u0440\\u0430 \\u0417\\u0435\\u043c\\u043b\\u0435\\u043a\\u043e\\u043f\\u0430\" }" {"title" "\u041F\u043E\u043B\u0442\u043E\u0440\u0430 \u0417\u0435\u043C\u043B\u0435\u043A\u043E\u043F\u0430"}]
   ["escapes of one, two and three bytes" "[\"\\u0060\\u012a\\u12AB\"]" ["`\u012A\u12AB"]]
   ["surrogate pair" "[\"\\uD801\\udc37\"]" ["\uD801\uDC37"]]
   ["surrogate pairs" "[\"\\ud83d\\ude39\\ud83d\\udc8d\"]" ["\uD83D\uDE39\uD83D\uDC8D"]]
   ["all escapes" "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]" ["\"\\/\u0008\u000C\u000A\u000D\u0009"]]
   ["escaped backslash before u0000" "[\"\\\\u0000\"]" ["\\u0000"]]
   ["escaped quote" "[\"\\\"\"]" ["\""]]
   ["comments in a string" "[\"a/*b*/c/*d//e\"]" ["a/*b*/c/*d//e"]]
   ["escaped backslash before a" "[\"\\\\a\"]" ["\\a"]]
   ["escaped backslash before n" "[\"\\\\n\"]" ["\\n"]]
   ["escaped control character" "[\"\\u0012\"]" ["\u0012"]]
   ["escaped non-character" "[\"\\uFFFF\"]" ["\uFFFF"]]
   ["string in an array" "[\"asd\"]" ["asd"]]
   ["string in an array behind a space" "[ \"asd\"]" ["asd"]]
   ["last surrogates" "[\"\\uDBFF\\uDFFF\"]" ["\uDBFF\uDFFF"]]
   ["escaped no-break space" "[\"new\\u00A0line\"]" ["new\u00A0line"]]
   ["escaped null" "[\"\\u0000\"]" ["\u0000"]]
   ["escape of one byte" "[\"\\u002c\"]" [","]]
   ["string with a space" "[\" \"]" [" "]]
   ["escape of a clef" "[\"\\uD834\\uDd1e\"]" ["\uD834\uDD1E"]]
   ["escape of three bytes" "[\"\\u0821\"]" ["\u0821"]]
   ["escape of two bytes" "[\"\\u0123\"]" ["\u0123"]]
   ["escapes of Katakana" "[\"\\u0061\\u30af\\u30EA\\u30b9\"]" ["a\u30AF\u30EA\u30B9"]]
   ["escaped newline" "[\"new\\u000Aline\"]" ["new\u000Aline"]]
   ["escape of a Cyrillic letter" "[\"\\uA66D\"]" ["\uA66D"]]
   ["escape of a backslash" "[\"\\u005C\"]" ["\\"]]
   ["escape of a noncharacter at the end of a plane" "[\"\\uDBFF\\uDFFE\"]" ["\uDBFF\uDFFE"]]
   ["escape of U+1FFFE" "[\"\\uD83F\\uDFFE\"]" ["\uD83F\uDFFE"]]
   ["escape of a zero width space" "[\"\\u200B\"]" ["\u200B"]]
   ["escape of an invisible plus" "[\"\\u2064\"]" ["\u2064"]]
   ["escape of U+FDD0" "[\"\\uFDD0\"]" ["\uFDD0"]]
   ["escape of U+FFFE" "[\"\\uFFFE\"]" ["\uFFFE"]]
   ["escape of a quote" "[\"\\u0022\"]" ["\""]]
   ["false alone" "false" false]
   ["number alone" "42" 42]
   ["negative fraction alone" "-0.1" -0.1]
   ["null alone" "null" nil]
   ["string alone" "\"asd\"" "asd"]
   ["true alone" "true" true]
   ["empty string" "\"\"" ""]
   ["true in an array" "[true]" [true]]
   ["array and newline" "[\"a\"]\n" ["a"]]
   ["newline in an array" "[1\n]" [1]]
   ["long strings" "{\"x\":[{\"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}], \"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}" {"x" [{"id" "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}] "id" "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}]
   ["object with newlines" "{\n\"a\": \"b\"\n}" {"a" "b"}]
   ["U+10FFFF" "[\"\u00F4\u008F\u00BF\u00BF\"]" ["\uDBFF\uDFFF"]]
   ["U+FFFF" "[\"\u00EF\u00BF\u00BF\"]" ["\uFFFF"]]
   ["pi" "[\"\u00CF\u0080\"]" ["\u03C0"]]
   ["U+1BFFF" "[\"\u00F0\u009B\u00BF\u00BF\"]" ["\uD82F\uDFFF"]]
   ["line separator" "[\"\u00E2\u0080\u00A8\"]" ["\u2028"]]
   ["paragraph separator" "[\"\u00E2\u0080\u00A9\"]" ["\u2029"]]
   ["delete" "[\"\u007F\"]" ["\u007F"]]
   ["delete between letters" "[\"a\u007Fa\"]" ["a\u007Fa"]]
   ["APL and brackets" "[\"\u00E2\u008D\u0082\u00E3\u0088\u00B4\u00E2\u008D\u0082\"]" ["\u2342\u3234\u2342"]]
   ["euro and clef" "[\"\u00E2\u0082\u00AC\u00F0\u009D\u0084\u009E\"]" ["\u20AC\uD834\uDD1E"]]
   ["newline behind" "[\"a\"]\n" ["a"]]
   ["whitespace around" " [] " []]
   ["all whitespace" "\t\n\r [\t\n\r 1\t\n\r ,\t\n\r {\t\n\r \"a\"\t\n\r :\t\n\r 2\t\n\r }\t\n\r ]\t\n\r " [1 {"a" 2}]]])

(def ^:private open
  "Name, text, value or the reason for which it is refused. Behind it: why."
  [["huge negative exponent" "[123.456e-789]" [0.0]] ; the nearest double
   ["underflow" "[123e-10000000]" [0.0]] ; the nearest double
   ["fraction, huge exponent" "[0.4e006699999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999969999999006]" :range] ; an infinity could not be written again
   ["negative, huge exponent" "[-1e+9999]" :range] ; the same
   ["positive, huge exponent" "[1.5e+9999]" :range] ; the same
   ["negative overflow" "[-123123e100000]" :range] ; the same
   ["positive overflow" "[123123e100000]" :range] ; the same
   ["negative, too large for a long" "[-123123123123123123123123123123]" [-123123123123123123123123123123N]] ; integers stay exact
   ["too large for a long" "[100000000000000000000]" [100000000000000000000N]] ; the same
   ["very large and negative" "[-237462374673276894279832749832423479823246327846]" [-237462374673276894279832749832423479823246327846N]] ; the same
   ["second half of a pair as a key" "{\"\\uDFAA\":0}" :surrogate] ; it could not be written again
   ["second half of a pair missing" "[\"\\uDADA\"]" :surrogate] ; the same
   ["second half of a pair wrong" "[\"\\uD888\\u1234\"]" :surrogate] ; the same
   ["first half, then an escape" "[\"\\uD800\\n\"]" :surrogate] ; the same
   ["second half, then letters" "[\"\\uDd1ea\"]" :surrogate] ; the same
   ["two first halves, then an escape" "[\"\\uD800\\uD800\\n\"]" :surrogate] ; the same
   ["first half alone" "[\"\\ud800\"]" :surrogate] ; the same
   ["first half, then letters" "[\"\\ud800abc\"]" :surrogate] ; the same
   ["halves in the wrong order" "[\"\\uDd1e\\uD834\"]" :surrogate] ; the same
   ["second half alone" "[\"\\uDFAA\"]" :surrogate] ; the same
   ["UTF-16LE with a byte order mark" "\u00FF\u00FE[\u0000\"\u0000\u00E9\u0000\"\u0000]\u0000" :encoding] ; RFC 8259, 8.1: UTF-8
   ["invalid UTF-8" "[\"\u00E6\u0097\u00A5\u00D1\u0088\u00FA\"]" :encoding] ; the same
   ["surrogate in UTF-8" "[\"\u00ED\u00A0\u0080\"]" :encoding] ; the same
   ["byte FF in a string" "[\"\u00FF\"]" :encoding] ; the same
   ["Latin-1" "[\"\u00E9\"]" :encoding] ; the same
   ["continuation byte alone" "[\"\u0081\"]" :encoding] ; the same
   ["beyond Unicode" "[\"\u00F4\u00BF\u00BF\u00BF\"]" :encoding] ; the same
   ["overlong, two bytes" "[\"\u00C0\u00AF\"]" :encoding] ; the same
   ["overlong, six bytes" "[\"\u00FC\u0083\u00BF\u00BF\u00BF\u00BF\"]" :encoding] ; the same
   ["overlong null" "[\"\u00FC\u0080\u0080\u0080\u0080\u0080\"]" :encoding] ; the same
   ["cut UTF-8" "[\"\u00E0\u00FF\"]" :encoding] ; the same
   ["UTF-16BE without a byte order mark" "\u0000[\u0000\"\u0000\u00E9\u0000\"\u0000]" :encoding] ; the same
   ["UTF-16LE without a byte order mark" "[\u0000\"\u0000\u00E9\u0000\"\u0000]\u0000" :encoding] ; the same
   ["byte order mark and an object" "\u00EF\u00BB\u00BF{}" :character]]) ; RFC 8259, 8.1: a sender must not add one

(defn- read-text
  "The value, or the reason why there is none."
  [^String text options]
  (try
    (json/read-value (.getBytes text "ISO-8859-1") options)
    (catch ExceptionInfo e
      (:reason (ex-data e)))))

(deftest valid-texts-test
  (doseq [[title text value] valid
          lazy? [false true]]
    (testing title
      (is (= value (read-text text {:lazy? lazy?}))))))

(deftest texts-that-the-grammar-leaves-open-test
  (doseq [[title text value] open]
    (testing title
      (is (= value (read-text text {}))))))

(deftest nested-arrays-test
  (testing "500 arrays in each other"
    (is (= [] (nth (iterate first (read-text (str (apply str (repeat 500 "[")) (apply str (repeat 500 "]"))) {})) 499)))))
