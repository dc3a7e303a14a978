"""Which servers a run compares, and with which command each is started.

Everybody gets what it recommends: the rivals what peers.py says, Hinny the flags of its README. A flag that the JDK does
not know is left out.
"""

import os

from failure import Failure
from peers import PEERS
from progress import say
from server_process import ROOT
from toolchain import Toolchain, known_flags

APP_SOURCE = os.path.join(ROOT, "techempower", "frameworks", "Clojure", "hinny", "src")

MODES = ["inline", "worker"]
ENGINES = {"auto": "lane", "hyper": "hyper only"}

# What the Hinny application serves.
HINNY_PATHS = ("/plaintext", "/json", "/order")

# The heap is fixed, so that runs are comparable.
HINNY_FLAGS = ["-XX:+UseParallelGC", "-Xms512m", "-Xmx512m", "--enable-native-access=ALL-UNNAMED"]


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


class Lineup:
    """The servers of this run; whatever they need is built or found when it is first asked for."""

    def __init__(self, arguments, more_flags):
        self._arguments = arguments
        self._more_flags = more_flags
        self._tools = Toolchain(arguments)
        self._others = {other.name: other for other in arguments.other}
        self._left_out = {}

    @property
    def java(self):
        return self._tools.java

    def rivals(self):
        """The names of the rivals that were asked for and can be had. One that was asked for by name and cannot is a
        Failure; one that `all` asked for is left out, and the header says why."""
        return self._tools.once("rivals", self._find_rivals)

    def _find_rivals(self):
        found = []
        for name in self._arguments.peer:
            lack = PEERS[name].lack(self._tools)
            if lack and name in self._arguments.named_peers:
                raise Failure(lack, 2)
            if lack:
                say(f"{name} is left out: {lack}")
                self._left_out[name] = f"left out: {lack}"
            else:
                found.append(name)
        return found + list(self._others)

    def peer(self, kind):
        """The rival of this name; `hyper again` is a second hyper."""
        name = kind.removesuffix(" again")
        return self._others.get(name) or PEERS[name]

    def serves(self, kind, target):
        """Whether a server of this kind has the path of this request target."""
        if isinstance(kind, Hinny):
            return target.partition("?")[0] in HINNY_PATHS
        return self.peer(kind).serves(target)

    def on_jvm(self, kind):
        return isinstance(kind, Hinny) or self.peer(kind).smallest_jdk is not None

    def _hinny_java(self):
        return [self.java, *known_flags(self.java, HINNY_FLAGS), *self._more_flags]

    def _hinny(self, *source):
        return [*self._tools.once("hinny java", self._hinny_java), "-cp",
                os.pathsep.join([*source, self._tools.class_path]), "clojure.main"]

    def program(self, path):
        """What runs a Clojure program of this folder that uses Hinny."""
        return [*self._hinny(), path]

    def hinny_facts(self):
        return {"jvm flags of Hinny": " ".join(self._tools.once("hinny java", self._hinny_java)[1:])}

    def command(self, kind):
        """What starts a server of this kind; that of a rival may have placeholders."""
        if isinstance(kind, Hinny):
            return [*self._hinny(APP_SOURCE), "-m", "hinny-bench.app", kind.mode, str(self._arguments.loops), "0",
                    kind.engine]
        return self.peer(kind).command(self._tools)

    def start(self, servers, kind):
        """Starts a server of this kind, which is ended with `servers`."""
        if isinstance(kind, Hinny):
            return servers.start(str(kind), self.command(kind))
        return self.peer(kind).start(servers, kind, self.command(kind), self._arguments.loops)

    def facts(self, kinds):
        """What the header of a result says of these servers, and of those that were left out."""
        facts = {}
        if any(isinstance(kind, Hinny) for kind in kinds):
            facts.update(self.hinny_facts())
        for name in [*PEERS, *self._others]:
            if name in kinds:
                peer = self.peer(name)
                facts[name] = peer.version(self._tools)
                flags = peer.known_flags(self._tools)
                if flags:
                    facts[f"jvm flags of {peer.title}"] = " ".join(flags)
        return {**facts, **self._left_out}
