#!/usr/bin/env bash
# Runs one kind of benchmark: bench.sh native|jvm|read|load [ARGUMENT...]; the arguments go to criterion, JMH or run.py.
# For read they are sizes, or query: without any, all that docs/json.md and docs/middleware.md tell, on each JDK found.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

kind=${1:-}
shift || true

# The benchmarks are a project of their own, which finds the jar in Maven's local repository.
package_jvm() {
  scripts/install.sh >&2
  mvn_quietly -f benches/jvm/pom.xml package
}

case $kind in
  native)
    exec cargo bench --workspace "$@"
    ;;
  jvm)
    package_jvm
    exec "$java" "${jvm_flags[@]}" -jar benches/jvm/target/benchmarks.jar "$@"
    ;;
  read)
    package_jvm
    # Without Debian's packages, cheshire and ring-codec are left out.
    packages=$(scripts/ring-packages.sh) || packages=
    if [ "$#" = 0 ]; then
      set -- query 100 1000 10000 100000 1000+ 10000+
    fi
    scripts/jdks.sh | while read -r major home; do
      echo "JDK $major"
      # A JVM for each: what the JIT compiles depends on what it saw first.
      for what in "$@"; do
        "$home/bin/java" "${jvm_flags[@]}" -cp "benches/jvm/target/benchmarks.jar:$packages" \
          io.github.hinny.bench.ReadSideBySide "$what" </dev/null
      done
    done
    ;;
  load)
    exec python3 benches/load/run.py "$@"
    ;;
  *)
    echo "usage: bench.sh native|jvm|read|load [ARGUMENT...]" >&2
    exit 2
    ;;
esac
