#!/usr/bin/env bash
# Prints how many instructions a call of each codec takes, and a request in the fast lane and in hyper, all in Rust:
# bench-instructions.sh [--ready|--check|--record|--save]
#   --ready   only whether this machine can check; status 3 where not
#   --check   compares with benches/native/instructions.tsv; status 1 when one takes more, 3 where this machine cannot check
#   --record  writes that table
#   --save    writes benches/load/results/instructions.json
#
# Counted by callgrind, so the figures hardly move with the machine's load.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

for tool in valgrind python3; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "nothing counted: $tool is missing -- get it: apt-get install $tool" >&2
    exit 3
  fi
done

case ${1:-} in
  --ready) exec python3 benches/load/instructions.py --ready ;;
  --check) python3 benches/load/instructions.py --ready ;;
esac
cargo build --quiet --release --locked -p hinny-benches
exec python3 benches/load/instructions.py --program "$root/target/release/hinny-benches" "$@"
