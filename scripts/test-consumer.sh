#!/usr/bin/env bash
# Publishes the jar to a repository below target/, builds tests/consumer on it, and on each JDK starts that program
# with no Hinny setting, sends it a request on a raw socket and ends it by its process id.
# Counts its checks; the last line is "N passed, N failed".
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

repository=$root/target/repository
work=$root/target/consumer
passed=0
failed=0
server=

stop_server() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
  fi
}
trap stop_server EXIT

# check SENTENCE COMMAND...: the sentence holds when the command succeeds.
check() {
  local sentence=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
    echo "ok: $sentence"
  else
    failed=$((failed + 1))
    echo "FAILED: $sentence"
  fi
}

# Waits up to 30 s for the port that the program prints; prints it.
await_port() {
  local line
  for _ in $(seq 300); do
    line=$(sed -n 's/^port //p' "$work/stdout")
    if [ -n "$line" ]; then
      echo "$line"
      return
    fi
    kill -0 "$server" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

# request PORT: one HTTP/1.1 exchange over bash's own socket.
request() {
  exec 3<>"/dev/tcp/127.0.0.1/$1"
  printf 'GET /from-afar HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$1" >&3
  timeout 10 cat <&3
  exec 3>&-
}

# try_on MAJOR HOME FLAG...: the whole life of the program on one JDK.
try_on() {
  local major=$1 home=$2 port answer
  shift 2
  # Emptied here, so that a port of the run before is not taken for this one's.
  : >"$work/stdout"
  "$home/bin/java" "$@" -cp "$class_path" clojure.main -m consumer.main >"$work/stdout" 2>"$work/stderr" &
  server=$!
  if ! port=$(await_port); then
    cat "$work/stdout" "$work/stderr" >&2
    check "JDK $major: the program starts" false
    stop_server
    return
  fi
  answer=$(request "$port" | tr -d '\r') || true
  check "JDK $major: the status line is 200" grep -qx 'HTTP/1.1 200 OK' <<<"$answer"
  check "JDK $major: the body is the handler's" grep -qx 'consumer /from-afar' <<<"$answer"
  stop_server
  if [ "$#" != 0 ]; then
    check "JDK $major: with $* there is no warning" no_warning
  fi
}

no_warning() {
  if grep -iE 'restricted method|enable-native-access' "$work/stderr"; then
    return 1
  fi
}

scripts/jar.sh >/dev/null
rm -rf "$repository" "$work"
mkdir -p "$work"

mvn_quietly -N deploy:deploy-file -Dmaven.deploy.skip=false -Dfile="$jar" -DpomFile=clj/target/published.pom \
  -DrepositoryId=hinny-local -Durl="file://$repository"
mvn_quietly -U -f tests/consumer/pom.xml package -Dhinny.repository="file://$repository" -Dhinny.version="$version" \
  -DbuildDirectory="$work/build"
class_path=$work/build/classes:$(cat "$work/build/classpath")
check "its only dependency brings Clojure, its specs and the SLF4J API" \
  [ "$(tr ':' '\n' <"$work/build/classpath" | sed 's:.*/::; s:-[0-9].*::' | sort | tr '\n' ' ')" = \
  "clojure core.specs.alpha hinny slf4j-api spec.alpha " ]

while read -r major home; do
  try_on "$major" "$home"
  if [ "$major" -ge 24 ]; then
    try_on "$major" "$home" --enable-native-access=ALL-UNNAMED
  fi
done < <(scripts/jdks.sh)

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
