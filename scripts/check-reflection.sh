#!/usr/bin/env bash
# Loads every namespace of clj/src, of the examples, of the TechEmpower applications and of the load benches with
# *warn-on-reflection* and fails if one warns, or if a source of clj/src does not switch the warning on for its users' REPLs.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

roots=(clj/src techempower/frameworks/Clojure/hinny/src benches/load/hinny-server/src/clojure)
for directory in examples/*/src; do
  if [ -d "$directory" ]; then
    roots+=("$directory")
  fi
done

silent=$(find clj/src -name '*.clj' -exec grep -L '(set! \*warn-on-reflection\* true)' {} +)
if [ -n "$silent" ]; then
  printf 'no (set! *warn-on-reflection* true) in:\n%s\n' "$silent" >&2
  exit 1
fi

namespaces=$(for directory in "${roots[@]}"; do
  (cd "$directory" && find . -name '*.clj' | sort)
done | sed 's:^\./::; s:\.clj$::; s:/:.:g; s:_:-:g')

class_path=$(IFS=:; echo "${roots[*]}"):$(scripts/classpath.sh run):$(techempower/classpath.sh)
warnings=$("$java" "${jvm_flags[@]}" -cp "$class_path" clojure.main -e \
  "(binding [*warn-on-reflection* true] (run! require '[${namespaces//$'\n'/ }]))" 2>&1 >/dev/null) || {
  echo "$warnings" >&2
  exit 1
}
if grep 'Reflection warning' <<<"$warnings" >&2; then
  exit 1
fi
