#!/usr/bin/env bash
# The lints: clippy and javac's (on every JDK found) with warnings as errors, no reflection in Clojure, and nothing that
# depends on the default locale.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

echo "clippy"
cargo clippy --quiet --locked --workspace --all-targets -- -D warnings

# Building the jar compiles the shim with -Xlint:all -Werror too, but on one JDK only.
scripts/jar.sh >/dev/null
while read -r major home; do
  echo "javac -Xlint:all -Werror (JDK $major)"
  mkdir -p "target/lint/$major"
  find java-shim/src/main/java -name '*.java' -print0 |
    xargs -0 "$home/bin/javac" --release 17 -Xlint:all -Werror -d "target/lint/$major" -cp "$(cat clj/target/classpath/runtime)"
done < <(scripts/jdks.sh)

echo "locale"
scripts/lint-locale.py

echo "reflection"
scripts/check-reflection.sh
