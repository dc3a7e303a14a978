#!/usr/bin/env bash
# Compares this tree with a commit, which it builds in target/compare: bench-compare.sh BASE [ARGUMENT...]
# The arguments go to benches/load/compare.py, which says what there are with --help.
#
# What was built of a commit is kept there for the next time; it has a target directory of its own.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

# A make that called this one must not rule those that build the trees.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

fail() {
  echo "bench-compare.sh: $1" >&2
  exit 2
}

base=${1:-}
case $base in
  '' | -*) fail "compare with which commit? make bench-compare BASE=main, or bench-compare.sh main" ;;
esac
shift
commit=$(git rev-parse --verify --quiet --end-of-options "$base^{commit}") || fail "no commit is called $base"
tree=$root/target/compare/${commit:0:12}
log=$tree.log

# What make clean deleted is still listed.
git worktree prune
if [ ! -e "$tree/.git" ]; then
  rm -rf "$tree"
  git worktree add --quiet --detach "$tree" "$commit"
fi
git -C "$tree" checkout --quiet --force --detach "$commit"
if [ ! -f "$tree/techempower/frameworks/Clojure/hinny/src/hinny_bench/app.clj" ]; then
  fail "$base has no techempower application to load: it is older than that"
fi

# build DIRECTORY: the jar and what instructions are counted of; prints the class path. All else goes to stderr.
build() {
  local class_path
  class_path=$(make -s -C "$1" classpath) || return
  if [ -d "$1/benches/native" ]; then
    CARGO_TARGET_DIR=$1/target cargo build --quiet --release --locked --manifest-path "$1/benches/native/Cargo.toml" >&2 ||
      return
  fi
  tail -n 1 <<<"$class_path"
}

echo "building $base (${commit:0:12}) in ${tree#"$root"/} ..." >&2
if ! base_class_path=$(build "$tree" 2>"$log"); then
  tail -n 30 "$log" >&2
  fail "$base does not build; all that was said is in ${log#"$root"/}"
fi
echo "building this tree ..." >&2
head_class_path=$(build "$root")

exec python3 benches/load/compare.py --base-tree "$tree" --base-class-path "$base_class_path" \
  --base-name "$base" --head-class-path "$head_class_path" "$@"
