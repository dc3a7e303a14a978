# Sourced by every script here: the tree's root as the working directory, and where things are built.
# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is used where it is sourced

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit

# The jar takes the library from target/release, whatever the caller's environment says.
export CARGO_TARGET_DIR=$root/target
unset CARGO_BUILD_TARGET

# The value of a property of pom.xml.
pom_property() {
  sed -n "s:.*<$1>\(.*\)</$1>.*:\1:p" pom.xml | head -n 1
}

# The first version in pom.xml is the project's own.
version=$(pom_property version)
jar=$root/clj/target/hinny-$version.jar

# The JDK that builds, and that runs what is not tried on every JDK.
if [ -n "${JAVA_HOME:-}" ]; then
  java=$JAVA_HOME/bin/java
else
  java=java
fi

# Quiet, never a question, and no colour codes where the output is not looked at.
mvn_quietly() {
  MAVEN_OPTS="${MAVEN_OPTS:-} -Djansi.noreset=true" mvn -q -B -ntp "$@"
}

# What every JVM here is started with: no warning from JDK 24 on, and crash logs where .gitignore expects them.
jvm_flags=(--enable-native-access=ALL-UNNAMED "-XX:ErrorFile=$root/target/hs_err_pid%p.log")
