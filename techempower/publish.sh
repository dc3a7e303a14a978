#!/usr/bin/env bash
# Puts the jar of this tree into a Maven repository in a directory: publish.sh [DIRECTORY]
# Without one it is frameworks/Clojure/hinny/repository, where pom.xml and the Docker files look for it.
set -eu
directory=${1:-}
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/../scripts/env.sh"

directory=$(realpath -m "${directory:-techempower/frameworks/Clojure/hinny/repository}")
scripts/jar.sh >/dev/null
rm -rf "$directory"
mvn_quietly -N deploy:deploy-file -Dmaven.deploy.skip=false -Dfile="$jar" -DpomFile=clj/target/published.pom \
  -DrepositoryId=hinny-local -Durl="file://$directory"
