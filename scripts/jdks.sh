#!/usr/bin/env bash
# Prints the JDKs to test on, one "MAJOR HOME" a line: the default one (JAVA_HOME, or the java on the PATH),
# then the newest other one of 17 or newer, if there is one.
# Looks at JAVA_HOME, JAVA_HOME_*, update-java-alternatives and /usr/lib/jvm.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

# The major version of the JDK in a directory; nothing when there is none.
major_of() {
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] || return 0
  "$1/bin/javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p' | head -n 1
}

default=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")}
default_major=$(major_of "$default")
echo "$default_major $default"

candidates() {
  env | sed -n 's/^JAVA_HOME_[^=]*=//p'
  if command -v update-java-alternatives >/dev/null 2>&1; then
    update-java-alternatives -l 2>/dev/null | awk '{print $3}'
  fi
  for directory in /usr/lib/jvm/*; do
    echo "$directory"
  done
}

candidates | while read -r home; do
  major=$(major_of "$home")
  if [ -n "$major" ] && [ "$major" -ge 17 ] && [ "$major" != "$default_major" ]; then
    echo "$major $home"
  fi
done | sort -n -s -k 1,1 | tail -n 1
