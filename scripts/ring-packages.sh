#!/usr/bin/env bash
# Prints a class path of Debian's Ring packages: ring-core, ring-defaults, ring-json and Compojure, with what they need
# but without a Clojure, so that ours is the one they run on. The first run downloads them into target/ring-packages and
# unpacks them there, which takes no root; the next ones only look. Where that cannot be: one line on stderr, status 1.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"
# shellcheck source=scripts/debian-packages.sh
. scripts/debian-packages.sh

wanted=(libring-core-clojure libring-defaults-clojure libring-json-clojure libcompojure-clojure)
# Clojure itself and what only it needs; and packages that hold a POM and no jar.
unwanted='^libclojure|^libspec-alpha-clojure$|^libcore-specs-alpha-clojure$|^libjsr166y-java$|^libapache-pom-java$|^libcommons-parent-java$'

select_packages() {
  grep -Ev "$unwanted"
}

unpack_packages "$root/target/ring-packages" "$unwanted" "${wanted[@]}"

# The other names of a jar are links to it.
find "$root/target/ring-packages/tree/usr/share/java" -name '*.jar' -type f | sort | paste -s -d :
