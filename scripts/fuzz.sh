#!/usr/bin/env bash
# Fuzzes the fast lane beside hyper, and the codecs: fuzz.sh run SECONDS | fuzz.sh corpus
#
# run: each target of tests/fuzz/targets for so long, all at once, from the committed corpus. Stops at the first
# difference; the test case is saved, and named on the last line. Status 1 then.
# corpus: writes what earlier runs on this machine have found and the committed corpus lacks to tests/fuzz/corpus, as few
# and as small files as reach the same code.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

usage() {
  echo "usage: fuzz.sh run SECONDS | fuzz.sh corpus" >&2
  exit 2
}

targets=(exchanges heads json multipart negotiation params cookies ranges conditions paths)
out=$root/target/fuzz
# Test cases of a target that are committed.
most=500
limits=(-max_len=3000 -timeout=60 -rss_limit_mb=4096)
triple=$(rustc -vV | sed -n 's/^host: //p')
binaries=$out/$triple/release

# libFuzzer's instrumentation, which a stable compiler has too. Naming the machine's own triple keeps it out of build scripts.
build() {
  RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing" \
    CARGO_TARGET_DIR=$out cargo build --quiet --release --target "$triple" --manifest-path tests/fuzz/targets/Cargo.toml
}

# The last number that a target's log has behind a word.
number() {
  sed -n "s/.*$2 *\([0-9][0-9]*\).*/\1/p" "$out/$1.log" | tail -n 1
}

run() {
  local target status=0 pids=()
  for target in "${targets[@]}"; do
    mkdir -p "$out/corpus/$target" "tests/fuzz/found/$target"
    "$binaries/$target" "${limits[@]}" -max_total_time="$1" -print_final_stats=1 -artifact_prefix="$out/found-$target-" \
      "$out/corpus/$target" "tests/fuzz/corpus/$target" "tests/fuzz/found/$target" >"$out/$target.log" 2>&1 &
    pids+=($!)
  done
  trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT
  for target in "${targets[@]}"; do
    wait -n || { status=1 && break; }
  done
  kill "${pids[@]}" 2>/dev/null || true
  wait
  for target in "${targets[@]}"; do
    echo "$target: $(number "$target" stat::number_of_executed_units:) executions, $(number "$target" 'corp:') test cases"
    if grep -q '^SUMMARY: libFuzzer' "$out/$target.log"; then
      sed -n '/ panicked at /,/^stack backtrace/p' "$out/$target.log" | grep -v '^stack backtrace' | head -n 60
      sed -n 's/.*Test unit written to \(.*\)/difference saved: \1/p' "$out/$target.log"
    fi
  done
  return "$status"
}

corpus() {
  local target from small fewer
  for target in "${targets[@]}"; do
    small=$(mktemp -d)
    fewer=$(mktemp -d)
    mkdir -p "$out/corpus/$target" "tests/fuzz/corpus/$target"
    for from in "$out/corpus/$target" "tests/fuzz/corpus/$target"; do
      find "$from" -type f -size -1000c -exec cp -t "$small" {} +
    done
    # Without counters: which code is reached, not how often, so that a few hundred files are enough.
    "$binaries/$target" "${limits[@]}" -set_cover_merge=1 -use_counters=0 "$fewer" "$small" >"$out/$target.log" 2>&1
    rm -f "tests/fuzz/corpus/$target"/*
    find "$fewer" -type f -printf '%s %p\n' | sort -n | head -n "$most" | cut -d ' ' -f 2- |
      xargs -r cp -t "tests/fuzz/corpus/$target"
    rm -r "$small" "$fewer"
    echo "$target: $(find "tests/fuzz/corpus/$target" -type f | wc -l) test cases"
  done
}

case ${1:-} in
  run)
    case ${2:-} in
      '' | *[!0-9]* | 0) usage ;;
    esac
    build
    run "$2"
    ;;
  corpus)
    build
    corpus
    ;;
  *) usage ;;
esac
