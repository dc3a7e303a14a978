"""The rivals, one table: what each is, what it needs, how it is built and started, its version, the paths it serves.

Nothing else knows a rival's particulars. Each has the settings that its own project or its TechEmpower entry
recommends; of a rival on the JVM, a flag that the JDK does not know is left out. In a command, `{loops}` and `{port}`
stand for the number of event loops and a port that was chosen; without `{port}`, the server chooses, and says where
it listens.
"""

import os
import re
import shlex
import subprocess
import tempfile

import nginx_peer
import toolchain
from failure import Failure
from server_process import ROOT, free_port

BOTH = ("/plaintext", "/json")
HEAP = ["-XX:+UseParallelGC", "-XX:+UseNUMA", "-Xms2g", "-Xmx2g"]
NETTY_FLAGS = [
    *HEAP, "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
    "--add-opens=java.base/java.lang=ALL-UNNAMED", "-Djava.net.preferIPv4Stack=true", "-Dio.netty.noUnsafe=false",
    "-Dio.netty.buffer.checkBounds=false", "-Dio.netty.buffer.checkAccessible=false",
]
VERTX_FLAGS = NETTY_FLAGS + [
    "-Dvertx.disableMetrics=true", "-Dvertx.disableWebsockets=true", "-Dvertx.disableContextTimings=true",
    "-Dvertx.disableHttpHeadersValidation=true", "-Dvertx.cacheImmutableHttpResponseHeaders=true",
    "-Dvertx.internCommonHttpRequestHeadersToLowerCase=true",
]


class Peer:
    """A rival. `title` is its name for readers; `paths` are those that it serves, without queries; `tools` are the
    programs that building it needs; `smallest_jdk` is the least major version it runs on, None when it needs none."""

    smallest_jdk = None
    flags = ()

    def __init__(self, name, title, language, paths=BOTH, tools=()):
        self.name = name
        self.title = title
        self.language = language
        self.paths = paths
        self.tools = tools

    def serves(self, target):
        """Whether it has the path of this request target."""
        return target.partition("?")[0] in self.paths

    def lack(self, tools):
        """What this machine lacks for it, and how to get that; None when nothing."""
        found = next(filter(None, map(toolchain.lacks, self.tools)), None)
        if found or self.smallest_jdk is None or tools.java_version >= self.smallest_jdk:
            return found
        return (f"{self.title} needs a JDK >= {self.smallest_jdk}, {tools.java} is {tools.java_version}: install one "
                "(Debian: apt-get install openjdk-NN-jdk-headless, or https://adoptium.net) and say where with --java")

    def known_flags(self, tools):
        """Its JVM flags that the JDK of this run knows."""
        return tools.known_flags(self.flags)

    def start(self, servers, name, command, loops):
        """Starts it with this command, as a server called `name`."""
        port = free_port() if any("{port}" in part for part in command) else None
        return servers.start(name, filled(command, loops, port), port)


def filled(command, loops, port=None):
    """A command with what its placeholders stand for."""
    return [part.replace("{loops}", str(loops)).replace("{port}", str(port)) for part in command]


class Hyper(Peer):
    """hyper alone, in Rust, in the release profile of this workspace."""

    def command(self, tools):
        named = tools.arguments.hyper
        program = os.path.abspath(named) if named else tools.once(self.name, toolchain.build_with_cargo,
                                                                  "hinny-hyper-peer")
        return [program, "--threads", "{loops}"]

    def version(self, _tools):
        tree = subprocess.run(["cargo", "tree", "-p", "hinny-hyper-peer", "--depth=1", "--prefix=none"],
                              cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False).stdout
        return next((line for line in tree.splitlines() if line.startswith("hyper v")), "hyper")


class MavenPeer(Peer):
    """A server in Java that Maven builds; its version is that of the libraries that Maven resolved."""

    def __init__(self, name, title, flags, libraries, smallest_jdk=17):
        super().__init__(name, title, "Java", tools=("mvn",))
        self.flags = flags
        self.smallest_jdk = smallest_jdk
        self._libraries = libraries

    def _target(self, tools):
        return tools.once(self.name, toolchain.build_with_maven, self.name,
                          tools.java if self.smallest_jdk > 17 else None)

    def command(self, tools):
        jar = os.path.join(self._target(tools), f"{self.name}-peer.jar")
        return [tools.java, *self.known_flags(tools), "-jar", jar, "{loops}", "0"]

    def version(self, tools):
        return toolchain.library_versions(self._target(tools), self._libraries)


class Helidon(MavenPeer):
    """Its connections are served on virtual threads, so its event loops are what carries those."""

    def command(self, tools):
        java, *command, _, port = super().command(tools)
        return [java, "-Djdk.virtualThreadScheduler.parallelism={loops}", *command, port]


class Jetty(Peer):
    """Debian's ring-jetty-adapter and what it needs, on the Clojure that Hinny runs on. Jetty reckons its threads by
    the processors that the JVM sees, so these stand for event loops."""

    smallest_jdk = 17
    flags = HEAP
    # Its own, and what it shares with Hinny's side.
    _sources = os.pathsep.join(os.path.join(toolchain.HERE, *path) for path in
                               (("jetty-peer", "src"), ("hinny-server", "src", "clojure")))

    def lack(self, tools):
        try:
            self._packages(tools)
        except Failure as failure:
            return f"{self.title}: {failure}"
        return super().lack(tools)

    def _packages(self, tools):
        return tools.once(self.name, toolchain.debian_class_path, "jetty")

    def _program(self, tools, namespace, class_path):
        class_path = os.pathsep.join([self._sources, class_path, self._packages(tools)])
        return [tools.java, *self.known_flags(tools), "-XX:ActiveProcessorCount={loops}", "-cp", class_path,
                "clojure.main", "-m", namespace, "0"]

    def command(self, tools):
        return self._program(tools, "jetty-peer.app", tools.class_path)

    def database_command(self, tools, jdbc_url):
        """What starts it with the database tests of the TechEmpower application."""
        class_path = tools.once("techempower", toolchain.techempower_class_path)
        return ["env", f"DATABASE_URL={jdbc_url}", *self._program(tools, "jetty-peer.database", class_path)]

    def version(self, tools):
        self._packages(tools)
        return toolchain.debian_versions("jetty", ["libring-jetty-adapter-clojure", "libjetty9-java"])


class Go(Peer):
    """net/http, of the standard library."""

    def command(self, tools):
        return [tools.once(self.name, toolchain.build_with_go, self.name), "{loops}", "0"]

    def version(self, _tools):
        said = subprocess.run(["go", "version"], capture_output=True, text=True, check=False)
        return f"net/http of {said.stdout.strip().removeprefix('go version ')}"


class Nginx(Peer):
    """nginx with a constant answer in its configuration."""

    def lack(self, _tools):
        return None if nginx_peer.find() else f"nginx is missing: {nginx_peer.HOW_TO_GET}"

    def command(self, _tools):
        return [nginx_peer.find()]

    def version(self, _tools):
        return nginx_peer.version(nginx_peer.find())

    def start(self, servers, name, command, loops):
        room = tempfile.TemporaryDirectory(prefix="hinny-bench-")
        os.chmod(room.name, 0o755)  # its workers may be another user
        server = nginx_peer.start(servers, name, command[0], os.path.join(room.name, "nginx"), loops, self.paths[0])
        server.keep(room)
        return server


class Other(Peer):
    """A server that the reader built himself: its command is all that is known."""

    def __init__(self, name, text):
        super().__init__(name, name, "unknown")
        self._text = text

    def command(self, _tools):
        return shlex.split(self._text)

    def version(self, _tools):
        return f"`{self._text}`, by --other"


def parse_other(text):
    """The server that NAME=COMMAND describes; a Failure that says what is wrong with it."""
    name, equals, command = text.partition("=")
    if not equals or not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise Failure(f"{text!r} is not NAME=COMMAND with a name of lower-case letters, digits and hyphens", 2)
    if name in PEERS or name in ("all", "hinny"):
        raise Failure(f"{name} is the name of another server", 2)
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise Failure(f"the command of {name}: {error}", 2) from None
    if not words:
        raise Failure(f"{name} has no command", 2)
    return Other(name, command)


PEERS = {peer.name: peer for peer in (
    Hyper("hyper", "hyper", "Rust", (*BOTH, "/order", "/service"), tools=("cargo",)),
    MavenPeer("netty", "Netty", NETTY_FLAGS, ["netty-codec-http"]),
    MavenPeer("vertx", "Vert.x", VERTX_FLAGS, ["vertx-core", "netty-codec-http"]),
    MavenPeer("undertow", "Undertow", HEAP, ["undertow-core", "xnio-api"]),
    Helidon("helidon", "Helidon", [*HEAP, "-XX:+UseStringDeduplication"], ["helidon-webserver"], smallest_jdk=21),
    Jetty("jetty", "Ring on Jetty", "Clojure", (*BOTH, "/service")),
    Go("go", "Go", "Go", tools=("go",)),
    Nginx("nginx", "nginx", "C", ("/plaintext",)),
)}

# Those in Java: what is written in Clojure has another measure.
JVM_PEERS = [name for name, peer in PEERS.items() if peer.language == "Java"]
