"""Which servers a run compares, and with which command each is started.

Everybody gets what it recommends: the rivals what peers.py says, Hinny the flags of its README. A flag that the JDK
does not know is left out.
"""

import hinny
from failure import Failure
from hinny import Hinny
from peers import PEERS
from progress import say
from toolchain import Toolchain, known_flags


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
        return (kind if isinstance(kind, Hinny) else self.peer(kind)).serves(target)

    def possible(self, kinds, named):
        """Those of Hinny's kinds that this JDK can run. Where the one that was `named` cannot, that is a Failure; another
        is left out, and the header says why."""
        found = []
        for kind in kinds:
            lack = kind.lack(self._tools.java_version)
            if lack and named:
                raise Failure(lack, 2)
            if lack:
                self._left_out[str(kind)] = f"left out: {lack}"
            else:
                found.append(kind)
        return found

    def on_jvm(self, kind):
        return isinstance(kind, Hinny) or self.peer(kind).smallest_jdk is not None

    def _hinny_java(self):
        return [self.java, *known_flags(self.java, hinny.FLAGS), *self._more_flags]

    @property
    def _java_with_flags(self):
        return self._tools.once("hinny java", self._hinny_java)

    def program(self, path):
        """What runs a Clojure program of this folder that uses Hinny."""
        return [*self._java_with_flags, "-cp", self._tools.class_path, "clojure.main", path]

    def hinny_facts(self):
        return {"jvm flags of Hinny": " ".join(self._java_with_flags[1:])}

    @property
    def class_path(self):
        """What Hinny's side needs beside its own sources."""
        return self._tools.class_path

    def command(self, kind):
        """What starts a server of this kind; that of a rival may have placeholders."""
        if not isinstance(kind, Hinny):
            return self.peer(kind).command(self._tools)
        if kind.program == hinny.JAVA:
            self._tools.once("java handler", hinny.compile_java_handler, self.java, self._tools.class_path)
        return kind.command(self._java_with_flags, self.class_path, self._arguments.loops)

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
