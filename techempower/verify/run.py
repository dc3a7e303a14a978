#!/usr/bin/env python3
"""Verifies every variant of the applications: starts the database, then one server after the other.

    techempower/verify/run.py [--without-database] [--save]

The inline and the worker variant run on the default JDK, the virtual one on the newest found, if that is 21 or newer.
Prints a row for each check; with --save they are written, too. The last line is "N passed, N failed"; the status is 0
when none failed. That there is no PostgreSQL to be had is a failure, but with --without-database.
"""

import argparse
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "techempower", "database"), os.path.join(ROOT, "benches", "load")]

import document  # noqa: E402
import report  # noqa: E402
import results  # noqa: E402
from cluster import Cluster, ClusterFailure  # noqa: E402
from database_view import DatabaseView  # noqa: E402
from failure import Failure  # noqa: E402
from findings import Findings, counts, table  # noqa: E402
from server_process import Servers  # noqa: E402
from verify import WITH_DATABASE, WITHOUT_DATABASE, verify  # noqa: E402

LOOPS = "2"
VIRTUAL_THREADS_SINCE = 21


def script(*command):
    """The lines that a script of the project prints."""
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def variants():
    """(mode, major, java): which JDK runs which handler mode."""
    jdks = [line.split(" ", 1) for line in script("scripts/jdks.sh")]
    found = [(int(major), os.path.join(home, "bin", "java")) for major, home in jdks]
    chosen = [(mode, *found[0]) for mode in ("inline", "worker")]
    newest = max(found)
    if newest[0] >= VIRTUAL_THREADS_SINCE:
        chosen.append(("virtual", *newest))
    return chosen


def command(java, class_path, namespace, mode, jdbc_url):
    environment = [f"DATABASE_URL={jdbc_url}"] if jdbc_url else []
    return ["env", *environment, java, "--enable-native-access=ALL-UNNAMED",
            f"-XX:ErrorFile={ROOT}/target/hs_err_pid%p.log", "-cp", class_path, "clojure.main", "-m", namespace, mode,
            LOOPS, "0"]


class Run:
    """One run over all variants; `rows` grows, and `facts` says what it ran with."""

    def __init__(self):
        self.rows = []
        self.facts = {}
        self._class_path = script("techempower/classpath.sh")[-1]
        self._variants = variants()

    def _verify(self, name, java, major, mode, tests, database=None, jdbc_url=None):
        findings = Findings(variant=f"{name} {mode}", jdk=major)
        print(f"{name} {mode} (JDK {major}): {', '.join(tests)}", flush=True)
        with Servers() as servers:
            server = servers.start(name, command(java, self._class_path, f"hinny-bench.{name}", mode, jdbc_url))
            verify(server.port, tests, database, findings)
            server.require_alive()
        self.rows += findings.rows

    def failed(self, detail):
        """A row for what ended the run."""
        findings = Findings(variant="all", jdk="")
        findings.check("all", "server", False, detail)
        self.rows += findings.rows

    def without_database(self):
        for mode, major, java in self._variants:
            self._verify("app", java, major, mode, WITHOUT_DATABASE)

    def with_database(self):
        with Cluster() as cluster:
            self.facts["PostgreSQL"] = cluster.version
            print(f"PostgreSQL {cluster.version}", flush=True)
            database = DatabaseView(cluster.query)
            for mode, major, java in self._variants:
                # JDBC blocks, so an event loop must not run it.
                if mode != "inline":
                    self._verify("database", java, major, mode, WITH_DATABASE, database, cluster.jdbc_url)


def save(rows, facts):
    """Writes the rows as a raw result of the benches, and makes the documents of it."""
    results.save("verify", {"machine": report.machine(facts), "rows": rows})
    document.publish()


def main():
    parser = argparse.ArgumentParser(description="Verifies every variant of the TechEmpower applications.")
    parser.add_argument("--without-database", action="store_true", help="only plaintext and json")
    parser.add_argument("--save", action="store_true",
                        help="write the rows into benches/load/results/verify.json, and docs/performance.md of it")
    arguments = parser.parse_args()
    # Leaves the blocks above, which end what was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    run = Run()
    try:
        run.without_database()
        if not arguments.without_database:
            run.with_database()
    except (ClusterFailure, Failure) as failure:
        print(f"run.py: {failure}", file=sys.stderr)
        run.failed(str(failure).splitlines()[0])
    print(table(run.rows))
    if arguments.save:
        save(run.rows, run.facts)
    passed, failed = counts(run.rows)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
