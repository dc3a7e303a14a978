#!/usr/bin/env bash
# Writes docs/options.md and the tables of docs/migration.md from the options tables, and builds the reference of the
# Rust crates and of the shim; a broken link or tag is an error. Prints where they are.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

"$java" "${jvm_flags[@]}" -cp "clj/test:$(scripts/classpath.sh test)" clojure.main -m hinny.options-doc
echo "$root/docs/options.md"
echo "$root/docs/migration.md"
RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --quiet --locked --workspace --no-deps --document-private-items
mvn_quietly -pl java-shim javadoc:javadoc
echo "$root/target/doc"
echo "$root/java-shim/target/reports/apidocs/index.html"
