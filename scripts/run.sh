#!/usr/bin/env bash
# Builds everything and starts examples/hello on 127.0.0.1:${PORT:-8080}; status 0 when it has drained after Ctrl-C.
# SIGTERM drains it too; a JVM's status is 143 then.
#
# Signals. A terminal's Ctrl-C goes to every process of the foreground group, and GNU make that receives one always
# ends as interrupted (130). So on a terminal the JVM gets a process group of its own, which is the terminal's
# foreground: Ctrl-C reaches the JVM alone, which drains and exits 0, and so does make. Without a terminal the JVM
# takes this process's place. In both cases a watch tells the JVM to drain when make is interrupted or gone, so that
# no server outlives its make; make's own status is then 130, because it kills itself with that signal.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

export PORT=${PORT:-8080}

# Whether process $1 catches SIGINT; make stops to catch it as soon as it got one.
catches_int() {
  local name value
  while read -r name value; do
    if [ "$name" = SigCgt: ]; then
      return $((!(0x${value: -8} & 2)))
    fi
  done 2>/dev/null <"/proc/$1/status"
  return 1
}

# watch MAKE JVM: drains the JVM when make was told to stop, or is no longer there to wait for it.
watch() {
  local interruptible=false signal=TERM
  if catches_int "$1"; then
    interruptible=true
    signal=INT
  fi
  while sleep 0.5 && [ -d "/proc/$2" ]; do
    if [ ! -d "/proc/$1" ] || { "$interruptible" && ! catches_int "$1"; }; then
      kill "-$signal" "$2"
      return
    fi
  done
}

# serve MAKE: this process becomes the JVM.
serve() {
  watch "$1" $$ </dev/null >/dev/null 2>&1 &
  exec "$java" "${jvm_flags[@]}" -cp "examples/hello/src:$class_path" clojure.main -m hello.main
}

# Whether this process group is the foreground of a terminal (proc(5): pgrp, session, tty_nr, tpgid).
on_terminal() {
  local line group terminal foreground
  read -r line </proc/$$/stat
  read -r _ _ group _ terminal foreground _ <<<"${line##*) }"
  [ "$terminal" != 0 ] && [ "$group" = "$foreground" ]
}

if [ "${1:-}" = serve ]; then
  class_path=$3
  # There is no shell above that could continue a stopped JVM.
  trap '' TSTP
  serve "$2"
fi

class_path=$(scripts/classpath.sh run)
echo "starting examples/hello ..." >&2
if on_terminal; then
  set -m
  status=0
  scripts/run.sh serve "$PPID" "$class_path" || status=$?
  exit "$status"
fi
serve "$PPID"
