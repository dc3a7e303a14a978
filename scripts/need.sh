#!/usr/bin/env bash
# Checks that the named tools are there and new enough: need.sh TOOL...
# One line for each that is not, with how to get it; then status 1. Changes nothing.
#
# Tools: cargo rustfmt clippy cc c++ jdk mvn npm wrk python3 valgrind
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

missing=0
lacks() {
  echo "missing: $1 -- get it: $2" >&2
  missing=1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# at_least WANTED FOUND: compares dotted numbers.
at_least() {
  [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

need_cargo() {
  local wanted found
  wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml | head -n 1)
  found=$(cargo --version 2>/dev/null | awk '{print $2}') || found=
  if [ -z "$found" ]; then
    lacks "cargo (Rust $wanted or newer)" "https://rustup.rs"
  elif ! at_least "$wanted" "${found%%-*}"; then
    lacks "cargo (Rust $wanted or newer; found $found)" "rustup update stable"
  fi
}

# The compiler and the runtime must be of one JDK, 17 or newer.
need_jdk() {
  local how="apt-get install openjdk-17-jdk-headless (or https://adoptium.net), and JAVA_HOME, if set, naming it" found
  if [ -n "${JAVA_HOME:-}" ] && [ ! -x "$JAVA_HOME/bin/javac" ]; then
    lacks "a JDK 17 or newer (JAVA_HOME=$JAVA_HOME has no bin/javac)" "$how"
    return
  fi
  if ! has "$java" || ! has "${java}c"; then
    lacks "a JDK 17 or newer (java and javac)" "$how"
    return
  fi
  found=$("${java}c" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p' | head -n 1)
  if ! at_least 17 "${found:-0}"; then
    lacks "a JDK 17 or newer (found ${found:-none})" "$how"
  fi
}

need_npm() {
  local how="https://nodejs.org (or apt-get install nodejs npm where that is Node.js 20 or newer)" found
  if ! has npm || ! has node; then
    lacks "npm with Node.js 20.19 or newer (the Clojure formatter)" "$how"
    return
  fi
  found=$(node --version)
  if ! at_least 20.19 "${found#v}"; then
    lacks "Node.js 20.19 or newer (the Clojure formatter; found $found)" "$how"
  fi
}

for tool in "$@"; do
  case $tool in
    cargo) need_cargo ;;
    rustfmt) cargo fmt --version >/dev/null 2>&1 || lacks rustfmt "rustup component add rustfmt" ;;
    clippy) cargo clippy --version >/dev/null 2>&1 || lacks clippy "rustup component add clippy" ;;
    cc) has cc || lacks "cc (the linker cargo calls)" "apt-get install gcc libc6-dev" ;;
    c++) has c++ || lacks "c++ (it compiles libFuzzer)" "apt-get install g++" ;;
    jdk) need_jdk ;;
    mvn) has mvn || lacks "mvn (Maven 3.6.3 or newer)" "apt-get install maven (or https://maven.apache.org)" ;;
    npm) need_npm ;;
    wrk) has wrk || lacks "wrk (the load generator)" "apt-get install wrk" ;;
    valgrind) has valgrind || lacks "valgrind (it counts instructions)" "apt-get install valgrind" ;;
    python3) has python3 || lacks python3 "apt-get install python3" ;;
    *)
      echo "need.sh: unknown tool $tool" >&2
      exit 2
      ;;
  esac
done
exit "$missing"
