#!/usr/bin/env bash
# Runs parts of the test suite, each to its end, and sums them up: test.sh [PART...], without one every part.
#
# Parts: format lint rust bench instructions jar jvm middleware boundary stress consumer techempower. Those that start a JVM
# run on each JDK that jdks.sh finds, on all at once as they mostly wait, but for stress, which takes the default one. A part
# counts its tests (assertions on the JVM) or, where it has none to count, itself. Its output is shown and kept in
# target/test-logs. What this machine cannot test is said on stderr, and again in a note after the summary; it counts for
# nothing. The last line is "N passed, N failed"; the status is 0 when none failed.
set -u
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

logs=$root/target/test-logs
mkdir -p "$logs"
rm -f "$logs"/*.log

passed=0
failed=0
summary=()
notes=()

# The counts in a part's output, as "PASSED FAILED": cargo's result lines, or the last "N passed, N failed".
counts() {
  awk '
    /^test result: / { passed += $4; failed += $6; found = 1 }
    /^[0-9]+ passed, [0-9]+ failed$/ { passed = $1; failed = $3; found = 1 }
    END { if (found) print passed + 0, failed + 0 }
  ' "$1"
}

log_of() {
  printf '%s/%s.log' "$logs" "$(printf '%s' "$1" | tr -cs 'A-Za-z0-9.' '-')"
}

# part NAME COMMAND...: runs the command and adds what it counted.
part() {
  local name=$1 began=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$(log_of "$name")"
  add "$name" "${PIPESTATUS[0]}" "$began"
}

# add NAME STATUS BEGAN: adds what the log of a part counts.
add() {
  local name=$1 status=$2 began=$3 here_passed=0 here_failed=0
  read -r here_passed here_failed <<<"$(counts "$(log_of "$name")")"
  here_passed=${here_passed:-0}
  here_failed=${here_failed:-0}
  if [ "$status" != 0 ] && [ "$here_failed" = 0 ]; then
    here_failed=1
  elif [ "$status" = 0 ] && [ "$((here_passed + here_failed))" = 0 ]; then
    here_passed=1
  fi
  passed=$((passed + here_passed))
  failed=$((failed + here_failed))
  summary+=("$(printf '%-52s %6d passed %4d failed %5d s' "$name" "$here_passed" "$here_failed" $((SECONDS - began)))")
  return "$status"
}

# Process groups of parts that run in the background, by the names of these: none outlives this script.
declare -A running=()
end_running() {
  local group
  for group in "${running[@]}"; do
    kill -- "-$group" 2>/dev/null
  done
}
trap end_running EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# on_each_jdk NAME COMMAND...: a part for each JDK, with its home as a last argument, all at once. The output of one is shown
# after that of another.
on_each_jdk() {
  local name=$1 title major home began=$SECONDS status titles=()
  shift
  while read -r major home; do
    title="$name (JDK $major)"
    titles+=("$title")
    : >"$(log_of "$title")"
    set -m # a process group of its own
    "$@" "$home" >"$(log_of "$title")" 2>&1 </dev/null &
    set +m
    running[$title]=$!
  done <<<"$jdks"
  for title in "${titles[@]}"; do
    printf '\n== %s\n' "$title"
    tail -n +1 -f --pid="${running[$title]}" "$(log_of "$title")"
    wait "${running[$title]}"
    status=$?
    unset "running[$title]"
    add "$title" "$status" "$began"
  done
}

# skip WHAT REASON: says that something is not tested and why, where it happens and in the summary.
skip() {
  printf '\n!! NOT TESTED: %s\n!! %s\n\n' "$1" "$2" >&2
  notes+=("not tested: $1 ($2)")
}

# jvm_tests CLASS_PATH FLAGS DIRECTORY... HOME: the test runner over the directories, on the JDK in HOME.
jvm_tests() {
  local class_path=$1 flags home=${*: -1}
  read -r -a flags <<<"$2"
  "$home/bin/java" "${jvm_flags[@]}" "${flags[@]}" -cp "clj/test:tests/ring:tests/wire:tests/boundary:tests/stress:$class_path" \
    clojure.main -m hinny.test-runner "${@:3:$#-3}"
}

# boundary_tests CLASS_PATH HOME: the boundary tests with every JNI call checked by the JVM; what it reports fails the part.
boundary_tests() {
  local output status
  output=$(mktemp "$logs/checked-jni.XXXXXX") || return
  jvm_tests "$1" -Xcheck:jni tests/boundary "$2" 2>&1 | tee "$output"
  status=${PIPESTATUS[0]}
  if grep -E 'FATAL ERROR in native method|WARNING in native method' "$output"; then
    echo "-Xcheck:jni reported a fault: see above" >&2
    status=1
  fi
  rm "$output"
  return "$status"
}

# locale_tests CLASS_PATH DIRECTORY... HOME: the test runner, on the newest JDK in Turkish, whose I and i are no pair.
locale_tests() {
  local flags="" home=${*: -1}
  if [ "$home" != "$default_home" ]; then
    flags="-Duser.language=tr -Duser.country=TR"
    echo "in Turkish: $flags"
  fi
  jvm_tests "$1" "$flags" "${@:2}"
}

# in_locale LOCALE COMMAND...: the command with this locale in its environment.
in_locale() {
  LC_ALL=$1 "${@:2}"
}

rust_tests() {
  cargo test --quiet --locked --no-fail-fast --workspace
}

# What a call or request costs in Rust, and whether the scripts that say so would say that it is too much.
instructions_parts() {
  local log=$logs/instructions-ready.log
  if ! scripts/bench-instructions.sh --ready >"$log" 2>&1; then
    skip "instructions of requests and codecs (benches/native/instructions.tsv)" "$(tail -n 1 "$log")"
    return
  fi
  part "instructions" scripts/bench-instructions.sh --check
}

# The test class path with the oldest supported Clojure in place of the one the jar depends on.
oldest_class_path() {
  local file=$root/clj/target/classpath/test-oldest
  mvn_quietly -pl clj dependency:build-classpath -Dclojure.version="$oldest" -DincludeScope=test -Dmdep.outputFile="$file" >&2 &&
    echo "$jar:$(cat "$file")"
}

jvm_parts() {
  local class_path
  class_path=$(scripts/classpath.sh test) || return
  on_each_jdk "JVM tests" locale_tests "$class_path" clj/test tests/ring tests/wire
  # Where file names are ASCII.
  if class_path=$(oldest_class_path); then
    part "JVM tests (JDK $default_major, Clojure $oldest, LC_ALL=C)" in_locale C jvm_tests "$class_path" "" clj/test tests/ring "$default_home"
  else
    part "JVM tests (JDK $default_major, Clojure $oldest, LC_ALL=C)" false
  fi
}

# Ring's own middleware, of Debian's packages, which not every machine can have.
middleware_parts() {
  local class_path packages log=$logs/ring-packages.log
  class_path=$(scripts/classpath.sh test) || return
  if ! packages=$(scripts/ring-packages.sh 2>"$log"); then
    skip "Ring's middleware on Hinny (tests/middleware)" "$(tail -n 1 "$log")"
    return
  fi
  if ! command -v curl >/dev/null 2>&1; then
    skip "curl against Ring's middleware" "no curl here"
  fi
  on_each_jdk "middleware tests" jvm_tests "tests/middleware:$class_path:$packages" "" tests/middleware
}

boundary_parts() {
  local class_path
  class_path=$(scripts/classpath.sh test) || return
  on_each_jdk "boundary tests, -Xcheck:jni" boundary_tests "$class_path"
}

stress_parts() {
  local class_path log=$logs/nginx.log
  class_path=$(scripts/classpath.sh test) || return
  if ! scripts/nginx.sh >/dev/null 2>"$log"; then
    skip "nginx in front of a server" "$(tail -n 1 "$log")"
  fi
  part "stress tests (JDK $default_major)" jvm_tests "$class_path" "" tests/stress "$default_home"
}

consumer_parts() {
  part "consumer project" scripts/test-consumer.sh
}

# The verifier against servers that are wrong, then the applications against the verifier.
techempower_parts() {
  local log=$logs/postgres-programs.log options=()
  part "the TechEmpower verifier itself" python3 techempower/verify/tests
  if ! techempower/database/postgres-programs.sh >/dev/null 2>"$log"; then
    skip "TechEmpower's tests with a database" "$(tail -n 1 "$log")"
    options+=(--without-database)
  fi
  part "TechEmpower applications verified" techempower/verify/run.py "${options[@]}"
}

jdks=$(scripts/jdks.sh)
read -r default_major default_home <<<"$jdks"
oldest=$(pom_property clojure.oldest.version)
if [ "$(wc -l <<<"$jdks")" = 1 ]; then
  other=$([ "$default_major" -lt 25 ] && echo 25 || echo 17)
  notes+=("only JDK $default_major found; JDK $other not tested (install it below /usr/lib/jvm, or set JAVA_HOME_$other)")
  echo "make test: ${notes[0]}" >&2
fi

if [ "$#" = 0 ]; then
  set -- format lint rust bench instructions jar jvm middleware boundary stress consumer techempower
fi
for wanted in "$@"; do
  case $wanted in
    format) part "format" scripts/format.sh check ;;
    lint) part "lint" scripts/lint.sh ;;
    rust) part "Rust tests" rust_tests ;;
    bench) part "the load benches' own code" python3 benches/load/tests ;;
    instructions) instructions_parts ;;
    jar) part "jar" scripts/jar.sh ;;
    jvm | middleware | boundary | stress | consumer | techempower)
      if scripts/jar.sh >/dev/null; then
        "${wanted}_parts"
      else
        part "$wanted (no jar)" false
      fi
      ;;
    *)
      echo "test.sh: no part is called $wanted" >&2
      exit 2
      ;;
  esac
done

printf '\n== summary\n'
printf '%s\n' "${summary[@]}"
for note in "${notes[@]}"; do
  echo "note: $note"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
