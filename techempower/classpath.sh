#!/usr/bin/env bash
# Prints the class path of the applications: their sources, the jar of this tree, and the libraries of their pom.xml.
# The jar is built if need be; the libraries are fetched once, and again when pom.xml has changed.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/../scripts/env.sh"

project=$root/techempower/frameworks/Clojure/hinny
room=$root/target/techempower
# Written last: where it is newer than pom.xml, the libraries are there.
stamp=$room/libraries-complete

scripts/jar.sh >/dev/null
if [ ! -f "$stamp" ] || [ "$project/pom.xml" -nt "$stamp" ]; then
  echo "fetching the libraries of the TechEmpower applications ..." >&2
  rm -rf "$room/build"
  techempower/publish.sh "$room/repository" >&2
  mvn_quietly -U -f "$project/pom.xml" package -Dhinny.repository="file://$room/repository" -Dhinny.version="$version" \
    -DbuildDirectory="$room/build" >&2
  # The jar is taken from where it is built: it may be newer than this copy.
  rm "$room/build/lib/hinny-"*.jar
  touch "$stamp"
fi
echo "$project/src:$jar:$(find "$room/build/lib" -name '*.jar' | sort | paste -s -d :)"
