#!/usr/bin/env bash
# Prints where PostgreSQL's programs are (initdb, postgres, psql), and on a second line the LD_LIBRARY_PATH that they
# need, which is empty where they are installed.
# postgres-programs.sh [--download]
#
# PostgreSQL 15 as Debian installs it is taken first, then the newest other version. If there is none, or with
# --download, Debian's packages are downloaded into target/postgres-packages and unpacked there, which takes no root and
# starts nothing. Where that cannot be: one line on stderr, status 1.
set -eu
download=${1:-}
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/../../scripts/env.sh"
# shellcheck source=scripts/debian-packages.sh
. scripts/debian-packages.sh

installed() {
  local bin
  for bin in /usr/lib/postgresql/15/bin $(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -rV); do
    if [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] && [ -x "$bin/psql" ]; then
      echo "$bin"
      return
    fi
  done
  return 1
}

# The programs and the libraries that are not installed here. LLVM is for the JIT, which is off.
select_packages() {
  local package
  while read -r package; do
    case $package in
      postgresql-15 | postgresql-client-15) echo "$package" ;;
      libllvm* | libc6 | libelogind0 | *-perl | libperl*) ;;
      lib*) [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package" ;;
    esac
  done
}

if [ "$download" != --download ] && bin=$(installed); then
  echo "$bin"
  echo
  exit
fi

room=$root/target/postgres-packages
unpack_packages "$room" "programs" postgresql-15 postgresql-client-15
bin=$room/tree/usr/lib/postgresql/15/bin
libraries=$(find "$room/tree/usr/lib" "$room/tree/lib" -name '*.so*' -path '*-linux-gnu*' -printf '%h\n' 2>/dev/null | sort -u | paste -s -d :)
LD_LIBRARY_PATH=$libraries "$bin/postgres" --version >/dev/null || fail "$bin/postgres does not run (see above)"
echo "$bin"
echo "$libraries"
