#!/usr/bin/env bash
# Runs one kind of benchmark: bench.sh native|jvm|load [ARGUMENT...]; the arguments go to criterion, JMH or run.py.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

kind=${1:-}
shift || true
case $kind in
  native)
    exec cargo bench --workspace "$@"
    ;;
  jvm)
    # The benchmarks are a project of their own, which finds the jar in Maven's local repository.
    scripts/install.sh >&2
    mvn_quietly -f benches/jvm/pom.xml package
    exec "$java" "${jvm_flags[@]}" -jar benches/jvm/target/benchmarks.jar "$@"
    ;;
  load)
    exec python3 benches/load/run.py "$@"
    ;;
  *)
    echo "usage: bench.sh native|jvm|load [ARGUMENT...]" >&2
    exit 2
    ;;
esac
