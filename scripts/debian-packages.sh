# Sourced by scripts that use Debian's packages without installing them: packages are downloaded into a directory below
# target/ and unpacked there, which takes no root. The first call downloads; the next ones only look.
# The script that sources this one defines select_packages, a filter of package names, one a line.
# shellcheck shell=bash

fail() {
  echo "$(basename "$0"): $1" >&2
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
    apt-get -qq -o APT::Update::Error-Mode=any update >"$1/apt.log" 2>&1 || fail "apt-get update: $(apt_error "$1/apt.log")"
  fi
}

# The named packages and those of all that they depend on that select_packages lets through, one a line.
closure() {
  local flags=()
  for relation in recommends suggests conflicts breaks replaces enhances; do
    flags+=("--no-$relation")
  done
  apt-cache depends --recurse "${flags[@]}" "$@" 2>/dev/null | grep -E '^[a-z0-9]' | select_packages | sort -u
}

# download ROOM PACKAGE...: what ROOM/deb lacks; a package is moved there when it is whole and its checksum was right.
download() {
  local room=$1 package missing=()
  shift
  for package in "$@"; do
    [ -n "$(find "$room/deb" -name "${package}_*.deb" -print -quit)" ] || missing+=("$package")
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
  mv "$room"/partial/*.deb "$room/deb"
}

# Everything is made anew from the packages, so that nothing of an interrupted run is left.
unpack() {
  local deb
  rm -rf "$1/tree" "$1/tree.new"
  mkdir "$1/tree.new"
  for deb in "$1"/deb/*.deb; do
    dpkg-deb -x "$deb" "$1/tree.new" || fail "cannot unpack ${deb#"$root"/}"
  done
  mv "$1/tree.new" "$1/tree"
}

# unpack_packages ROOM KEY PACKAGE...: afterwards ROOM/tree holds the packages and what they depend on. KEY names the
# selection, so that another one is not taken for it.
unpack_packages() {
  local room=$1 asked="${*:2}" packages package tool
  shift 2
  # Written last, with what was asked for: what it says is there.
  if [ -f "$room/complete" ] && [ "$(cat "$room/complete")" = "$asked" ]; then
    return
  fi
  for tool in apt-get apt-cache apt-config dpkg-deb; do
    command -v "$tool" >/dev/null 2>&1 || fail "no $tool here (Debian's packages are used as they are, on a Debian or a system like it)"
  done
  mkdir -p "$room/deb"
  fetch_lists "$room"
  for package in "$@"; do
    [ -n "$(apt-cache show --no-all-versions "$package" 2>/dev/null)" ] || fail "apt knows no package $package (apt-get update?)"
  done
  mapfile -t packages < <(closure "$@")
  download "$room" "${packages[@]}"
  unpack "$room"
  echo "$asked" >"$room/complete"
}
