"""Which servers there are to compare, how each is built, and with which command it is started.

Everybody gets what it recommends: the rivals the settings and flags of their TechEmpower entries, Hinny
those of its README. A flag that the JDK does not know is left out.
"""

import json
import os
import shutil
import subprocess

from failure import Failure
from server_process import ROOT

APP_SOURCE = os.path.join(ROOT, "techempower", "frameworks", "Clojure", "hinny", "src")

PEERS = ["hyper", "netty", "vertx"]
JVM_PEERS = ["netty", "vertx"]
MODES = ["inline", "worker"]
ENGINES = {"auto": "lane", "hyper": "hyper only"}

# The heap is fixed, so that runs are comparable.
HINNY_FLAGS = ["-XX:+UseParallelGC", "-Xms512m", "-Xmx512m", "--enable-native-access=ALL-UNNAMED"]
NETTY_FLAGS = [
    "-XX:+UseParallelGC", "-XX:+UseNUMA", "-Xms2g", "-Xmx2g", "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow", "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "-Djava.net.preferIPv4Stack=true", "-Dio.netty.noUnsafe=false", "-Dio.netty.buffer.checkBounds=false",
    "-Dio.netty.buffer.checkAccessible=false",
]
VERTX_MORE = [
    "-Dvertx.disableMetrics=true", "-Dvertx.disableWebsockets=true", "-Dvertx.disableContextTimings=true",
    "-Dvertx.disableHttpHeadersValidation=true", "-Dvertx.cacheImmutableHttpResponseHeaders=true",
    "-Dvertx.internCommonHttpRequestHeadersToLowerCase=true",
]
PEER_FLAGS = {"netty": NETTY_FLAGS, "vertx": NETTY_FLAGS + VERTX_MORE}


class Hinny:
    """The kind of server that is Hinny with a handler mode and an engine; rivals are just their names."""

    def __init__(self, mode, engine):
        self.mode = mode
        self.engine = engine

    def __eq__(self, other):
        return isinstance(other, Hinny) and (self.mode, self.engine) == (other.mode, other.engine)

    def __hash__(self):
        return hash((self.mode, self.engine))

    def __str__(self):
        return f"hinny {self.mode} ({ENGINES[self.engine]})"


def find_java(path):
    """The JVM to run: the option, JAVA_HOME, or PATH."""
    home = os.environ.get("JAVA_HOME")
    java = path or (os.path.join(home, "bin", "java") if home else "java")
    found = shutil.which(java)
    if not found:
        raise Failure(f"{java} is missing: install a JDK >= 17 (apt-get install openjdk-17-jdk-headless) "
                      "or say where with --java", 2)
    return os.path.abspath(found)


def known_flags(java, flags):
    """Those of the flags that this JDK knows."""
    return [flag for flag in flags if flag.startswith("-D") or
            subprocess.run([java, flag, "-version"], capture_output=True, check=False).returncode == 0]


def find_class_path():
    """The run-time class path of Hinny, as the Makefile knows it."""
    if not shutil.which("make"):
        raise Failure("make is missing: apt-get install make, or give --class-path", 2)
    make = subprocess.run(["make", "-s", "classpath"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    lines = make.stdout.strip().splitlines()
    if make.returncode != 0 or not lines:
        raise Failure("`make -s classpath` gave no class path")
    return lines[-1]


def build_with_cargo(package):
    """Builds a program in the release profile of the workspace and returns the executable."""
    if not shutil.which("cargo"):
        raise Failure("cargo is missing: install Rust >= 1.95 with rustup", 2)
    build = subprocess.run(
        ["cargo", "build", "--release", "-p", package, "--message-format=json-render-diagnostics"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    for line in build.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == package:
            return message["executable"]
    raise Failure(f"cargo did not build {package}")


def build_with_maven(peer):
    """Builds a rival on the JVM and returns its jar."""
    if not shutil.which("mvn"):
        raise Failure("mvn is missing: apt-get install maven, or leave --peer to hyper", 2)
    room = os.path.join(ROOT, "benches", "load", f"{peer}-peer")
    build = subprocess.run(["mvn", "-q", "-B", "-ntp", "-f", os.path.join(room, "pom.xml"), "package"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if build.returncode != 0:
        raise Failure(f"Maven did not build {peer}-peer:\n{build.stdout}")
    return os.path.join(room, "target", f"{peer}-peer.jar")


def peer_version(peer):
    """What a rival is: its libraries' versions, from what was resolved to build it."""
    if peer == "hyper":
        tree = subprocess.run(["cargo", "tree", "-p", "hinny-hyper-peer", "--depth=1", "--prefix=none"],
                              cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False).stdout
        return next((line for line in tree.splitlines() if line.startswith("hyper v")), "hyper")
    library = os.listdir(os.path.join(ROOT, "benches", "load", f"{peer}-peer", "target", "lib"))
    wanted = ("vertx-core-", "netty-codec-http-")
    return ", ".join(sorted((name.removesuffix(".jar") for name in library
                             if name.startswith(wanted) and name[name.rindex("-") + 1].isdigit()
                             and "logging" not in name), reverse=True))


class Lineup:
    """The commands of this run's servers; whatever they need is built or found when it is first asked for."""

    def __init__(self, arguments, more_flags):
        self._arguments = arguments
        self._more_flags = more_flags
        self._programs = {}
        self._java = None

    @property
    def java(self):
        if self._java is None:
            self._java = find_java(self._arguments.java)
        return self._java

    def _once(self, name, make):
        if name not in self._programs:
            self._programs[name] = make()
        return self._programs[name]

    def _hinny_java(self):
        return [self.java, *known_flags(self.java, HINNY_FLAGS), *self._more_flags]

    def _hinny(self, *source):
        class_path = self._arguments.class_path or self._once("class path", find_class_path)
        return [*self._once("hinny java", self._hinny_java), "-cp", os.pathsep.join([*source, class_path]),
                "clojure.main"]

    def program(self, path):
        """What runs a Clojure program of this folder that uses Hinny."""
        return [*self._hinny(), path]

    def hinny_facts(self):
        return {"jvm flags of Hinny": " ".join(self._once("hinny java", self._hinny_java)[1:])}

    def _peer(self, peer):
        if peer == "hyper":
            named = self._arguments.hyper
            return [os.path.abspath(named) if named else build_with_cargo("hinny-hyper-peer"), "--threads"]
        return [self.java, *known_flags(self.java, PEER_FLAGS[peer]), "-jar", build_with_maven(peer)]

    def command(self, kind):
        """What starts a server of this kind on a free port; `hyper again` is a second hyper."""
        loops = str(self._arguments.loops)
        if isinstance(kind, Hinny):
            return [*self._hinny(APP_SOURCE), "-m", "hinny-bench.app", kind.mode, loops, "0", kind.engine]
        peer = kind.removesuffix(" again")
        program = self._once(peer, lambda: self._peer(peer))
        return [*program, loops] if peer == "hyper" else [*program, loops, "0"]

    def facts(self, kinds):
        """What the header of a result says of these servers."""
        facts = {}
        if any(isinstance(kind, Hinny) for kind in kinds):
            facts.update(self.hinny_facts())
        for peer in PEERS:
            if peer in kinds:
                self.command(peer)
                facts[peer] = peer_version(peer)
        if any(peer in kinds for peer in JVM_PEERS):
            facts["jvm flags of Netty and Vert.x"] = " ".join(known_flags(self.java, NETTY_FLAGS))
        if "vertx" in kinds:
            facts["more of Vert.x's"] = " ".join(VERTX_MORE)
        return facts
