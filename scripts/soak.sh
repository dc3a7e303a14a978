#!/usr/bin/env bash
# Soaks a server in load of all sorts: soak.sh [MINUTES], 10 by default. Status 1 when it grew, or an answer was wrong.
# A line for each minute (each quarter of one if there are fewer than four) tells what the server's JVM weighs at rest.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

minutes=${1:-10}
case $minutes in
  '' | *[!0-9]* | 0)
    echo "usage: soak.sh [MINUTES]" >&2
    exit 2
    ;;
esac
class_path=$(scripts/classpath.sh test)
exec "$java" "${jvm_flags[@]}" -cp "tests/stress:tests/boundary:tests/wire:clj/test:$class_path" \
  clojure.main -m hinny.soak "$minutes"
