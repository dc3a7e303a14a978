"""The kinds of server that are Hinny, and the programs that serve its side of the scenarios.

`application` is TechEmpower's without a database, `service` adds what is ours (hinny-server/), `java` is the first one's
handler in Java, `database` the tests with a database.
"""

import os
import shutil
import subprocess

from failure import Failure
from server_process import ROOT

MODES = ["inline", "worker", "virtual"]
ENGINES = {"auto": "lane", "hyper": "hyper only"}
VIRTUAL_JDK = 21

# The heap is fixed, so that runs are comparable.
FLAGS = ["-XX:+UseParallelGC", "-Xms512m", "-Xmx512m", "--enable-native-access=ALL-UNNAMED"]

APPLICATION, SERVICE, JAVA, DATABASE = "application", "service", "java", "database"

_TECHEMPOWER = os.path.join(ROOT, "techempower", "frameworks", "Clojure", "hinny", "src")
_ROOM = os.path.join(ROOT, "benches", "load", "hinny-server")
_CLASSES = os.path.join(_ROOM, "target", "classes")

PATHS = {
    APPLICATION: ("/plaintext", "/json"),
    SERVICE: ("/plaintext", "/json", "/order", "/service"),
    JAVA: ("/plaintext", "/json"),
    DATABASE: ("/db", "/queries", "/fortunes", "/updates", "/cached-queries"),
}
_MAINS = {
    APPLICATION: ["clojure.main", "-m", "hinny-bench.app"],
    SERVICE: ["clojure.main", "-m", "hinny-load.server"],
    JAVA: ["io.github.hinny.bench.handler.JavaServer"],
    DATABASE: ["clojure.main", "-m", "hinny-bench.database"],
}
_SOURCES = {
    APPLICATION: [_TECHEMPOWER],
    SERVICE: [os.path.join(_ROOM, "src", "clojure"), _TECHEMPOWER],
    JAVA: [_CLASSES],
    DATABASE: [],  # its class path has them
}


class Hinny:
    """The kind of server that is Hinny with a handler mode, an engine and a program; rivals are just their names. One
    that runs `again` is another process of the same kind."""

    def __init__(self, mode, engine, program=APPLICATION, again=False):
        self.mode = mode
        self.engine = engine
        self.program = program
        self.again = again

    def _key(self):
        return self.mode, self.engine, self.program, self.again

    def __eq__(self, other):
        return isinstance(other, Hinny) and self._key() == other._key()

    def __hash__(self):
        return hash(self._key())

    def __str__(self):
        name = f"hinny {self.mode} ({ENGINES[self.engine]})"
        return name + (", handler in Java" if self.program == JAVA else " again" if self.again else "")

    def running(self, program):
        """The same with another program."""
        return Hinny(self.mode, self.engine, program, self.again)

    def serves(self, target):
        return target.partition("?")[0] in PATHS[self.program]

    def lack(self, java_version):
        """What this JDK lacks for it; None when nothing."""
        if self.mode == "virtual" and java_version < VIRTUAL_JDK:
            return f"virtual threads need a JDK >= {VIRTUAL_JDK}, this one is {java_version}: say where one is with --java"
        return None

    def command(self, java, class_path, loops):
        """What starts it on a port that it chooses; `java` is the JVM with its flags."""
        classes = os.pathsep.join([*_SOURCES[self.program], class_path])
        engine = [] if self.program == DATABASE else [self.engine]
        return [*java, "-cp", classes, *_MAINS[self.program], self.mode, str(loops), "0", *engine]


def compile_java_handler(java, class_path):
    """Compiles the handler in Java with the compiler of this JVM's JDK."""
    compiler = os.path.join(os.path.dirname(os.path.realpath(java)), "javac")
    if not shutil.which(compiler):
        raise Failure(f"there is no javac beside {java}: install the whole JDK", 2)
    sources = [os.path.join(directory, name) for directory, _, names in os.walk(os.path.join(_ROOM, "src", "java"))
               for name in names]
    os.makedirs(_CLASSES, exist_ok=True)
    done = subprocess.run([compiler, "--release", "17", "-Xlint:all", "-Werror", "-d", _CLASSES, "-cp", class_path,
                           *sources], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"javac did not compile the handler in Java:\n{done.stdout}")
