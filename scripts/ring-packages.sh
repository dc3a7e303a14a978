#!/usr/bin/env bash
# Prints a class path of Debian's Ring packages, with what they need but without a Clojure, so that ours is the one they
# run on: ring-packages.sh [middleware|jetty]
#   middleware  ring-core, ring-defaults, ring-json and Compojure (the default): what the tests put on Hinny
#   jetty       ring-jetty-adapter with Jetty, ring-core and ring-json: a rival of benches/load
# The first run downloads them into target/ring-packages (target/ring-jetty-packages) and unpacks them there, which takes
# no root; the next ones only look. Where that cannot be: one line on stderr, status 1.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

# Clojure itself and what only it needs; and packages that hold a POM and no jar.
unwanted='^libclojure|^libspec-alpha-clojure$|^libcore-specs-alpha-clojure$|^libjsr166y-java$|^libapache-pom-java$|^libcommons-parent-java$'
case ${1:-middleware} in
  middleware)
    wanted=(libring-core-clojure libring-defaults-clojure libring-json-clojure libcompojure-clojure)
    room=$root/target/ring-packages
    ;;
  jetty)
    wanted=(libring-jetty-adapter-clojure libring-core-clojure libring-json-clojure)
    # Of the adapter's dependencies, what only its tests need: an HTTP client.
    unwanted+='|^libclj-http-clojure$|^libclj-tuple-clojure$|^libhttp|^libpotemkin-clojure$|^libriddley-clojure$|^libslingshot-clojure$|^libcommons-logging-java$'
    room=$root/target/ring-jetty-packages
    ;;
  *)
    echo "ring-packages.sh: no list is called $1" >&2
    exit 2
    ;;
esac

debs=$room/deb
tree=$room/tree
# Written last, with what was asked for: what it says is there.
complete=$room/complete

fail() {
  echo "ring-packages.sh: $1" >&2
  exit 1
}

# The first error in apt's output, without its mark.
apt_error() {
  sed -n '/^E: /{s///;p;q;}' "$1"
}

# Only an empty list of packages is fetched, and only root may: any other is the machine's own business.
fetch_lists() {
  local lists
  eval "$(apt-config shell lists Dir::State::lists/d)"
  if [ -z "$(find "$lists" -maxdepth 1 -name '*_Packages*' -print -quit 2>/dev/null)" ] && [ "$(id -u)" = 0 ]; then
    echo "fetching apt's package lists ..." >&2
    apt-get -qq -o APT::Update::Error-Mode=any update >"$room/apt.log" 2>&1 || fail "apt-get update: $(apt_error "$room/apt.log")"
  fi
}

# The wanted packages and all that they depend on, one a line.
closure() {
  local flags=()
  for relation in recommends suggests conflicts breaks replaces enhances; do
    flags+=("--no-$relation")
  done
  apt-cache depends --recurse "${flags[@]}" "${wanted[@]}" 2>/dev/null | grep -E '^[a-z0-9]' | grep -Ev "$unwanted" | sort -u
}

# Downloads what $debs lacks; a package is moved there when it is whole and its checksum was right.
download() {
  local package missing=()
  for package in "$@"; do
    [ -n "$(find "$debs" -name "${package}_*.deb" -print -quit)" ] || missing+=("$package")
  done
  [ "${#missing[@]}" != 0 ] || return 0
  echo "downloading ${#missing[@]} Debian packages ..." >&2
  rm -rf "$room/partial"
  mkdir "$room/partial"
  # As root, apt would download as a user of its own, who may not be allowed to write here.
  if ! (cd "$room/partial" && apt-get -qq -o APT::Sandbox::User=root -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 \
    -o Acquire::Retries=2 download "${missing[@]}") >"$room/apt.log" 2>&1; then
    fail "apt-get download: $(apt_error "$room/apt.log")"
  fi
  mv "$room"/partial/*.deb "$debs"
}

# Everything is made anew from the packages, so that nothing of an interrupted run is left.
unpack() {
  local deb
  rm -rf "$tree" "$tree.new"
  mkdir "$tree.new"
  for deb in "$debs"/*.deb; do
    dpkg-deb -x "$deb" "$tree.new" || fail "cannot unpack ${deb#"$root"/}"
  done
  mv "$tree.new" "$tree"
}

if [ ! -f "$complete" ] || [ "$(cat "$complete")" != "${wanted[*]} $unwanted" ]; then
  for tool in apt-get apt-cache apt-config dpkg-deb; do
    command -v "$tool" >/dev/null 2>&1 || fail "no $tool here (Debian's packages are used as they are, on a Debian or a system like it)"
  done
  mkdir -p "$debs"
  fetch_lists
  for package in "${wanted[@]}"; do
    [ -n "$(apt-cache show --no-all-versions "$package" 2>/dev/null)" ] || fail "apt knows no package $package (apt-get update?)"
  done
  mapfile -t packages < <(closure)
  download "${packages[@]}"
  unpack
  echo "${wanted[*]} $unwanted" >"$complete"
fi

# The other names of a jar are links to it.
find "$tree/usr/share/java" -name '*.jar' -type f | sort | paste -s -d :
