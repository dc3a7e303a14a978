#!/usr/bin/env bash
# Prints where nginx is, and on a second line the LD_LIBRARY_PATH that it needs, which is empty where it is installed.
#
# One that is installed is taken first. If there is none, Debian's packages are downloaded into target/nginx-packages and
# unpacked there, which takes no root and starts nothing. Where that cannot be: one line on stderr, status 1.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"
# shellcheck source=scripts/debian-packages.sh
. scripts/debian-packages.sh

# The program and the libraries that are not installed here.
select_packages() {
  local package
  while read -r package; do
    case $package in
      nginx) echo "$package" ;;
      libc6 | libcrypt1 | libgcc-s1 | libdebian-installer* | libnewt* | libtextwrap*) ;;
      lib*) [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package" ;;
    esac
  done
}

for nginx in $(command -v nginx) /usr/sbin/nginx; do
  if [ -x "$nginx" ]; then
    echo "$nginx"
    echo
    exit
  fi
done

room=$root/target/nginx-packages
unpack_packages "$room" "program" nginx
nginx=$room/tree/usr/sbin/nginx
libraries=$(find "$room/tree/usr/lib" "$room/tree/lib" -name '*.so*' -path '*-linux-gnu*' -printf '%h\n' 2>/dev/null | sort -u | paste -s -d :)
LD_LIBRARY_PATH=$libraries "$nginx" -v 2>/dev/null || fail "$nginx does not run"
echo "$nginx"
echo "$libraries"
