#!/usr/bin/env bash
# Builds the jar and puts it into Maven's local repository, where other projects on this machine find it.
set -eu
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

scripts/jar.sh >/dev/null
mvn_quietly -N install:install-file -Dmaven.install.skip=false -Dfile="$jar" -DpomFile=clj/target/published.pom
echo "io.github.hinny/hinny $version"
