#!/usr/bin/env bash
# Prints a class path of Debian's Ring packages, with what they need but without a Clojure, so that ours is the one they
# run on: ring-packages.sh [middleware|jetty]
#   middleware  ring-core, ring-defaults, ring-json and Compojure (the default): what the tests put on Hinny
#   jetty       ring-jetty-adapter with Jetty, ring-core and ring-json: a rival of benches/load
# The first run downloads them into target/ring-packages (target/ring-jetty-packages) and unpacks them there, which takes
# no root; the next ones only look. Where that cannot be: one line on stderr, status 1.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"
# shellcheck source=scripts/debian-packages.sh
. scripts/debian-packages.sh

# Clojure itself and what only it needs; and packages that hold a POM and no jar.
unwanted='^libclojure|^libspec-alpha-clojure$|^libcore-specs-alpha-clojure$|^libjsr166y-java$|^libapache-pom-java$|^libcommons-parent-java$'
case ${1:-middleware} in
  middleware)
    wanted=(libring-core-clojure libring-defaults-clojure libring-json-clojure libcompojure-clojure)
    room=$root/target/ring-packages
    ;;
  jetty)
    wanted=(libring-jetty-adapter-clojure libring-core-clojure libring-json-clojure)
    # Of the adapter's dependencies, what only its tests need: an HTTP client.
    unwanted+='|^libclj-http-clojure$|^libclj-tuple-clojure$|^libhttp|^libpotemkin-clojure$|^libriddley-clojure$|^libslingshot-clojure$|^libcommons-logging-java$'
    room=$root/target/ring-jetty-packages
    ;;
  *)
    echo "ring-packages.sh: no list is called $1" >&2
    exit 2
    ;;
esac

select_packages() {
  grep -Ev "$unwanted"
}

unpack_packages "$room" "$unwanted" "${wanted[@]}"

# The other names of a jar are links to it.
find "$room/tree/usr/share/java" -name '*.jar' -type f | sort | paste -s -d :
