#!/usr/bin/env python3
"""Finds code whose outcome depends on the JVM's default locale: lint-locale.py [FILE...], by default all Java and Clojure here.

In Turkish "options" has the upper case "OPTİONS", in German 1.5 is written "1,5", in Arabic digits are others. What is found:
a change of case, a format or a date without a Locale in Java; the functions of clojure.string and clojure.core that do the
same in Clojure, where hinny.impl.text has others. Prints FILE:LINE: TEXT for each; the status is 1 if there are any.
"""

import pathlib
import re
import subprocess
import sys

JAVA = [
    r"\.to(?:Lower|Upper)Case\(\s*\)",
    r"::to(?:Lower|Upper)Case\b",
    r"\bString\.format\((?!\s*Locale\b)",
    r"\.printf\((?!\s*Locale\b)",
    r"\.formatted\(",
    r"\bofPattern\((?![^;]*\bLocale\b)",
    r"\bnew (?:SimpleDateFormat|DecimalFormat|Formatter|Scanner)\(",
    r"\bNumberFormat\.get\w*\(\s*\)",
]
CLOJURE = [
    r"\b(?:str|string|clojure\.string)/(?:lower-case|upper-case|capitalize)\b",
    r"\((?:clojure\.core/)?(?:format|printf)\s",
    r"\((?:apply|partial|comp)\s+(?:clojure\.core/)?(?:format|printf)\b",
    r"\(\.to(?:Lower|Upper)Case(?!.*\bLocale/)",
    r"\(String/format\s+(?!Locale/)",
    r"\bofPattern\s(?!.*\bLocale/)",
    r"\((?:SimpleDateFormat|DecimalFormat|Formatter|Scanner)\.\s",
    r"\(NumberFormat/get\w*\)",
]
PATTERNS = {".java": JAVA, ".clj": CLOJURE, ".cljc": CLOJURE}


def found(path):
    """The numbers and texts of the lines where something of a file is found."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    at = {text.count("\n", 0, match.start()) for pattern in PATTERNS[path.suffix] for match in re.finditer(pattern, text)}
    return [(number + 1, lines[number].strip()) for number in sorted(at)]


def main(arguments):
    if not arguments:
        listed = subprocess.run(["git", "ls-files", "*.java", "*.clj", "*.cljc"], check=True, capture_output=True, text=True)
        arguments = listed.stdout.splitlines()
    status = 0
    for path in map(pathlib.Path, arguments):
        for number, line in found(path) if path.exists() else []:
            print(f"{path}:{number}: depends on the default locale: {line}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
