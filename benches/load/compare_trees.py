"""The two trees of a comparison: how the application of each is started, and what a row loads of it."""

import os

import http_check
from hinny import Hinny
from scenarios import SCENARIOS

APPLICATION = os.path.join("techempower", "frameworks", "Clojure", "hinny", "src")
# What serves the paths that are not TechEmpower's, where a tree has it; else the application does.
SERVER = os.path.join("benches", "load", "hinny-server", "src", "clojure")


class Tree:
    """A tree that is built. It is started by its own sources."""

    def __init__(self, name, root, class_path):
        self.name = name
        self.root = root
        self.class_path = class_path

    @property
    def counter(self):
        """The program whose instructions are counted."""
        return os.path.join(self.root, "target", "release", "hinny-benches")

    def command(self, java, kind, own, loops):
        """What starts it on a port that it chooses; `java` is the JVM with its flags, `own` tells whether paths of ours are
        wanted."""
        sources, main = [os.path.join(self.root, APPLICATION)], "hinny-bench.app"
        if own and os.path.isdir(os.path.join(self.root, SERVER)):
            sources, main = [os.path.join(self.root, SERVER), *sources], "hinny-load.server"
        return [*java, "-cp", os.pathsep.join([*sources, self.class_path]), "clojure.main", "-m", main, kind.mode,
                str(loops), "0", kind.engine]


class Row:
    """A scenario and the mode and engine that it is sent to; `own` when its path is ours, not TechEmpower's."""

    def __init__(self, name, scenario, mode="inline", engine="auto", own=False):
        self.name = name
        self.scenario = next((entry for entry in SCENARIOS if entry.name == scenario), None)
        self.kind = Hinny(mode, engine)
        self.own = own

    @property
    def server(self):
        """What rows with the same servers have in common."""
        return str(self.kind), self.own

    def on(self, mode, engine):
        """The same with another mode or engine, where one is given."""
        return Row(self.name, self.scenario.name, mode or self.kind.mode, engine or self.kind.engine, self.own)


ROWS = [row for row in (
    Row("plaintext-x16", "plaintext-x16"), Row("plaintext", "plaintext"), Row("json", "json"),
    Row("worker", "plaintext", mode="worker"), Row("order", "order", own=True), Row("service", "service", own=True),
) if row.scenario]


def has(server, path):
    """Whether a server has a path at all."""
    with http_check.connect(server.port) as connection:
        connection.sendall(http_check.request_bytes(path))
        return http_check.Answers(connection).next()[0] != 404
