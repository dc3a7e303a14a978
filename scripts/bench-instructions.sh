#!/usr/bin/env bash
# Prints how many instructions a GET request takes in Rust, in the fast lane and in hyper, without and with routes:
# bench-instructions.sh
#
# Counted by callgrind, so the figures hardly move with the machine's load. Each is the difference of a long and a short
# run, so what happens once is not in it; the little that the client does, in the same process, is.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

if ! command -v valgrind >/dev/null 2>&1; then
  echo "nothing counted: valgrind is missing -- get it: apt-get install valgrind" >&2
  exit 0
fi

connections=32
short=10
long=210

cargo build --quiet --release --locked -p hinny-benches

# counted ENGINE DEPTH BATCHES REQUEST: all instructions of a run.
counted() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/hinny-benches "$@" 2>&1 >/dev/null |
    sed -n 's/.*Collected : *\([0-9]*\).*/\1/p'
}

# report ENGINE DEPTH REQUEST WHAT: the instructions for one request.
report() {
  local more=$(($(counted "$1" "$2" "$long" "$3") - $(counted "$1" "$2" "$short" "$3")))
  echo "$1 ×$2$4: $((more / (connections * (long - short) * $2))) instructions per request"
}

for engine in auto hyper; do
  for depth in 1 16; do
    report "$engine" "$depth" bare ""
  done
done

# The same request to a server with routes, then what only such a server has.
for depth in 1 16; do
  report auto "$depth" text ", handler behind a route"
  report auto "$depth" params ", handler behind a route with 2 parameters"
  report auto "$depth" constant ", constant response"
  report auto "$depth" missing ", not found"
done
