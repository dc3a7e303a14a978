#!/usr/bin/env bash
# The formatters of the three languages over the whole tree: format.sh check | format.sh fix
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

case ${1:-} in
  check) rust=(--check) java_goal=check clojure=check ;;
  fix) rust=() java_goal=apply clojure=fix ;;
  *)
    echo "usage: format.sh check|fix" >&2
    exit 2
    ;;
esac

# Files of this tree, built and fetched ones left out.
sources() {
  find . \( -name target -o -name node_modules -o -name '.?*' \) -prune -o -type f -name "$1" -print
}

failed=0

# A lock file stands beside the root of each workspace (the benches' peers are workspaces of their own).
while read -r lock; do
  cargo fmt --all --manifest-path "${lock%.lock}.toml" -- "${rust[@]}" || failed=1
done < <(sources Cargo.lock)

mvn_quietly -N "spotless:$java_goal" || failed=1

if [ ! -x node_modules/.bin/standard-clj ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --silent --no-audit --no-fund
fi
mapfile -t clojure_files < <(sources '*.clj')
if [ "${#clojure_files[@]}" -gt 0 ]; then
  NO_COLOR=1 node_modules/.bin/standard-clj "$clojure" --log-level ignore-already-formatted "${clojure_files[@]}" deps.edn || failed=1
fi

if [ "$failed" != 0 ] && [ "$1" = check ]; then
  echo "not formatted; make fmt mends it" >&2
fi
exit "$failed"
