"""The database tests: one Ring handler and one pool on Hinny and on Jetty, on a private PostgreSQL cluster of this run.

A row has the CPU time of the cluster beside that of the server: which queries there are is the handler's, so a server
cannot make them cheaper, but the two share the machine.
"""

import html
import json
import os
import sys
import time

import hinny
import report
import scenarios
import toolchain
from bench import Bench
from failure import Failure
from hinny import Hinny
from http_check import Answers, check_date, connect, request_bytes
from lineup import Lineup
from server_process import ROOT, family_cpu_us
from tables import DATABASE_CPU

sys.path.append(os.path.join(ROOT, "techempower", "database"))

from cluster import Cluster, ClusterFailure

MOST = 10_000
# Twelve of the table, one that is added, and the head.
_LINES = 14
_DANGEROUS = "<script>"


class DatabaseLineup(Lineup):
    """The servers of the database tests; `jdbc_url` is set before one is started."""

    jdbc_url = None

    @property
    def class_path(self):
        return self._tools.once("techempower", toolchain.techempower_class_path)

    def serves(self, kind, target):
        if isinstance(kind, Hinny):
            return kind.serves(target)
        return hasattr(self.peer(kind), "database_command") and target.partition("?")[0] in hinny.PATHS[hinny.DATABASE]

    def command(self, kind):
        if isinstance(kind, Hinny):
            return ["env", f"DATABASE_URL={self.jdbc_url}", *super().command(kind)]
        return self.peer(kind).database_command(self._tools, self.jdbc_url)


class DatabaseBench(Bench):
    """Servers on the cluster of `stack`, an ExitStack that ends it; it is started when it is first needed."""

    def __init__(self, arguments, servers, lineup, stack):
        super().__init__(arguments, servers, lineup)
        self._stack = stack
        self._cluster = None

    def server(self, kind):
        if self._cluster is None:
            try:
                self._cluster = self._stack.enter_context(Cluster())
            except ClusterFailure as failure:
                raise Failure(f"the database tests: {failure}", 2) from None
            self.lineup.jdbc_url = self._cluster.jdbc_url
        return super().server(kind)

    def facts(self):
        """What the header says of the database."""
        return {"postgresql": self._cluster.version} if self._cluster else {}

    def _check(self, kind, server):
        return check(server)

    def _round(self, load, part, kind):
        before = family_cpu_us(self._cluster.pid)
        entry = super()._round(load, part, kind)
        used = family_cpu_us(self._cluster.pid) - before
        return {**entry, DATABASE_CPU: used / entry["requests"] if entry["requests"] else None}

    def more_of(self, rounds):
        if any(entry[DATABASE_CPU] is None for entry in rounds):
            return {}
        return {DATABASE_CPU: report.spread([entry[DATABASE_CPU] for entry in rounds])}


def _is_row(value):
    return isinstance(value, dict) and value.keys() == {"id", "randomNumber"} and all(
        isinstance(number, int) and 1 <= number <= MOST for number in value.values())


def _is_right(name, headers, body):
    """Whether an answer has the shape that it should have; the suite's verifier looks closer."""
    kind = headers.get("content-type", "").partition(";")[0]
    if name == "fortunes":
        text = body.decode()
        return kind == "text/html" and text.count("<tr>") == _LINES and _DANGEROUS not in text and (
            _DANGEROUS in html.unescape(text))
    value = json.loads(body)
    if name == "db":
        return kind == "application/json" and _is_row(value)
    return kind == "application/json" and len(value) == scenarios.ROWS and all(map(_is_row, value))


def check(server):
    """The bytes of an answer of each database test, by its path; a Failure when one is wrong."""
    lengths = {}
    for scenario in (one for one in scenarios.SCENARIOS if one.program == hinny.DATABASE):
        with connect(server.port) as connection:
            answers = Answers(connection)
            sent_at = time.time()
            connection.sendall(request_bytes(scenario.path))
            status, headers, body, lengths[scenario.path] = answers.next()
            answers.require_end()
        try:
            right = status == 200 and _is_right(scenario.name, headers, body)
        except ValueError:
            right = False
        if not right:
            raise Failure(f"{server.name} answers wrongly: {scenario.path}: status {status}, {body[:200]!r}")
        check_date(scenario.path, headers.get("date"), sent_at)
    return lengths
