#!/usr/bin/env bash
# Prints a class path, building the jar first if need be: classpath.sh [runtime|test|run]
#   runtime  the jar and what it depends on: Clojure and the SLF4J API (the default)
#   test     with the test libraries and Logback
#   run      runtime with a logging backend that writes to stderr, for make run and the benches
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

kind=${1:-runtime}
scripts/jar.sh >/dev/null
case $kind in
  runtime | test) echo "$jar:$(cat "clj/target/classpath/$kind")" ;;
  run) echo "$jar:$(cat clj/target/classpath/runtime):$root/clj/target/classpath/slf4j-simple.jar" ;;
  *)
    echo "classpath.sh: no class path is called $kind" >&2
    exit 2
    ;;
esac
