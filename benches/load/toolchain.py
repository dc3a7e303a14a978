"""Finds the tools of this machine and builds servers with them: JVMs, cargo, Maven, Go, Debian's Clojure packages.

What is missing is a Failure with exit code 2 that says how to get it.
"""

import json
import os
import re
import shutil
import subprocess

from failure import Failure
from server_process import ROOT

HERE = os.path.join(ROOT, "benches", "load")

# Programs that not every machine has, and how to get each.
HOW_TO_GET = {
    "cargo": "install Rust >= 1.95 with rustup",
    "go": "apt-get install golang-go",
    "make": "apt-get install make",
    "mvn": "apt-get install maven",
}


def lacks(tool):
    """What to say when a program is not there; None when it is."""
    return None if shutil.which(tool) else f"{tool} is missing: {HOW_TO_GET[tool]}"


def require(tool):
    """A Failure when a program is not there."""
    lack = lacks(tool)
    if lack:
        raise Failure(lack, 2)


def find_java(path):
    """The JVM to run: the option, JAVA_HOME, or PATH."""
    home = os.environ.get("JAVA_HOME")
    java = path or (os.path.join(home, "bin", "java") if home else "java")
    found = shutil.which(java)
    if not found:
        raise Failure(f"{java} is missing: install a JDK >= 17 (apt-get install openjdk-17-jdk-headless) "
                      "or say where with --java", 2)
    return os.path.abspath(found)


def java_version(java):
    """The major version of a JVM."""
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    match = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    if not match:
        raise Failure(f"{java} -version does not say which version it is")
    return int(match.group(1))


def known_flags(java, flags):
    """Those of the flags that this JDK knows."""
    return [flag for flag in flags if flag.startswith("-D") or
            subprocess.run([java, flag, "-version"], capture_output=True, check=False).returncode == 0]


def find_class_path():
    """The run-time class path of Hinny, as the Makefile knows it."""
    if lacks("make"):
        raise Failure(f"{lacks('make')}, or give --class-path", 2)
    make = subprocess.run(["make", "-s", "classpath"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    lines = make.stdout.strip().splitlines()
    if make.returncode != 0 or not lines:
        raise Failure("`make -s classpath` gave no class path")
    return lines[-1]


def build_with_cargo(package):
    """Builds a program in the release profile of the workspace and returns the executable."""
    require("cargo")
    build = subprocess.run(
        ["cargo", "build", "--release", "-p", package, "--message-format=json-render-diagnostics"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    for line in build.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == package:
            return message["executable"]
    raise Failure(f"cargo did not build {package}")


def build_with_maven(name, java=None):
    """Builds the project NAME-peer, with the JDK of `java` if one is given, and returns its target directory."""
    require("mvn")
    room = os.path.join(HERE, f"{name}-peer")
    home = {"JAVA_HOME": os.path.dirname(os.path.dirname(os.path.realpath(java)))} if java else {}
    build = subprocess.run(["mvn", "-q", "-B", "-ntp", "-f", os.path.join(room, "pom.xml"), "package"],
                           env={**os.environ, **home}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           check=False)
    if build.returncode != 0:
        raise Failure(f"Maven did not build {name}-peer:\n{build.stdout}")
    return os.path.join(room, "target")


def library_versions(target, names):
    """The named libraries with their versions, of those that Maven put beside a jar."""
    jars = os.listdir(os.path.join(target, "lib"))
    return ", ".join(jar.removesuffix(".jar") for name in names for jar in jars
                     if re.fullmatch(rf"{re.escape(name)}-\d[\w.]*\.jar", jar))


def build_with_go(name):
    """Builds the module NAME-peer and returns the executable."""
    require("go")
    room = os.path.join(HERE, f"{name}-peer")
    program = os.path.join(room, "target", f"{name}-peer")
    build = subprocess.run(["go", "build", "-o", program, "."], cwd=room, env={**os.environ, "GOTOOLCHAIN": "local"},
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if build.returncode != 0:
        raise Failure(f"go did not build {name}-peer:\n{build.stdout}")
    return program


def debian_class_path(which):
    """A class path of Debian's Clojure packages, downloaded when it is first asked for; `which` is a list that
    scripts/ring-packages.sh knows."""
    script = subprocess.run([os.path.join(ROOT, "scripts", "ring-packages.sh"), which], capture_output=True, text=True,
                            check=False)
    if script.returncode != 0:
        raise Failure((script.stderr.strip().splitlines() or ["scripts/ring-packages.sh failed"])[-1], 2)
    return script.stdout.strip()


def debian_versions(which, packages):
    """These packages of a list with their versions."""
    debs = os.listdir(os.path.join(ROOT, "target", f"ring-{which}-packages", "deb"))
    return ", ".join(" ".join(deb.split("_")[:2]) for package in packages for deb in debs
                     if deb.startswith(f"{package}_"))


def techempower_class_path():
    """The class path of the TechEmpower application, with the libraries of its database tests."""
    script = subprocess.run([os.path.join(ROOT, "techempower", "classpath.sh")], stdout=subprocess.PIPE, text=True,
                            check=False)
    if script.returncode != 0:
        raise Failure("techempower/classpath.sh gave no class path")
    return script.stdout.strip()


class Toolchain:
    """What this run uses, each found or built when it is first asked for."""

    def __init__(self, arguments):
        self.arguments = arguments
        self._made = {}

    def once(self, name, make, *arguments):
        """What `make` gave when this name was first asked for."""
        if name not in self._made:
            self._made[name] = make(*arguments)
        return self._made[name]

    @property
    def java(self):
        return self.once("java", find_java, self.arguments.java)

    @property
    def java_version(self):
        return self.once("java version", java_version, self.java)

    def known_flags(self, flags):
        """Those of the flags that the JDK of this run knows."""
        return [flag for flag in flags
                if self.once(f"flag {flag}", known_flags, self.java, [flag])]

    @property
    def class_path(self):
        """The run-time class path of Hinny."""
        return self.arguments.class_path or self.once("class path", find_class_path)
