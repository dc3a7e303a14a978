#!/usr/bin/env bash
# Builds the native library and the jar, if anything that they are made of is newer than the jar.
# Progress and errors go to stderr; the one line on stdout is the jar's path.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

# The time at which the last good build began: what is newer than that is not in the jar.
stamp=target/jar-began

# The first of the named files and directories, or of what is in them, that is newer than $1.
# A directory is newer when a file in it was deleted.
newer_than() {
  local than=$1
  shift
  find "$@" -newer "$than" -print -quit
}

library=target/release/libhinny.so
if [ ! -f "$library" ] || [ -n "$(newer_than "$library" Cargo.toml Cargo.lock native)" ]; then
  echo "building the native library ..." >&2
fi
cargo build --quiet --release --manifest-path native/jni/Cargo.toml >&2

# The class paths name files of Maven's local repository, which may have been emptied since.
dependencies_exist() {
  local file
  for file in $(tr ':' ' ' <clj/target/classpath/test) clj/target/classpath/slf4j-simple.jar; do
    [ -f "$file" ] || return 1
  done
}

is_current() {
  local sources=("$library" LICENSE pom.xml java-shim/pom.xml java-shim/src clj/pom.xml clj/src)
  if [ -d clj/resources ]; then
    sources+=(clj/resources)
  fi
  [ -f "$jar" ] && [ -f "$stamp" ] && [ -f clj/target/classpath/test ] && dependencies_exist &&
    [ -z "$(newer_than "$stamp" "${sources[@]}")" ]
}

if ! is_current; then
  echo "building the jar ..." >&2
  touch "$stamp.new"
  mvn_quietly package >&2
  mv "$stamp.new" "$stamp"
fi
echo "$jar"
