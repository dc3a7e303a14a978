#!/usr/bin/env python3
"""Compares this tree with another commit of it: what a developer runs before a `perf` commit.

Started by scripts/bench-compare.sh, which builds both. Each tree serves its own application on its own jar, by the same JVM
with the same flags; rounds are in turn: base, head, base again. The third is another process of base, so what the first
and the third differ by is the noise of this machine. Then instructions are counted (instructions.py), which have none.

Everything listens on 127.0.0.1, on free ports. Progress goes to stderr, the result to stdout. Exit code: 0, 1 when an
answer was wrong or a row is invalid, 2 when something is missing, 130 after Ctrl-C.
"""

import argparse
import json
import os
import sys

sys.dont_write_bytecode = True  # leave no cache beside the sources

import compare_tables
import generator
import http_check
import instructions
import program
import report
import tables
import turns
from compare_tables import AGAIN, BASE, HEAD
from compare_trees import ROWS, Tree, has
from failure import Failure
from hinny import ENGINES, FLAGS, MODES
from progress import say
from server_process import ROOT
from toolchain import find_java, known_flags

CONNECTIONS, WRK_THREADS = 64, 2
WARM_UP_S, WARM_UP_RUNS = 2, 10


def _arguments():
    parser = argparse.ArgumentParser(description="Compares this tree with another commit of it.")
    add = parser.add_argument
    for name, text in (("base-tree", "where the other commit is"), ("base-name", "what it is called"),
                       ("base-class-path", "its class path"), ("head-class-path", "that of this tree")):
        add(f"--{name}", required=True, help=f"{text} (scripts/bench-compare.sh gives it)")
    add("--rounds", type=int, default=7, help="measured runs of each server (default 7)")
    add("--seconds", type=int, default=3, help="length of a measured run (default 3)")
    add("--scenario", action="append", choices=[row.name for row in ROWS],
        help="only this row; may be repeated (default: all that both trees have)")
    add("--mode", choices=MODES, help="the handler mode of all rows (default: worker in its row, inline in the others)")
    add("--engine", choices=list(ENGINES), help="the HTTP/1.1 engine of all rows (default: auto)")
    add("--max-others", type=float, metavar="CORES",
        help="discard and repeat a turn in which other processes and the hypervisor took more than this")
    add("--java", metavar="PATH", help="the java to run (default: JAVA_HOME, then PATH)")
    add("--json", metavar="FILE", help="write everything, each round included, to this file")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.seconds < 1:
        parser.error("--rounds and --seconds must be at least 1")
    return arguments


class Comparison:
    """The servers of both trees, started for the rows that need them, and what is measured of them."""

    def __init__(self, arguments, servers):
        self.arguments = arguments
        base = Tree(BASE, arguments.base_tree, arguments.base_class_path)
        head = Tree(HEAD, ROOT, arguments.head_class_path)
        self.trees = {BASE: base, HEAD: head, AGAIN: base}
        self.java = find_java(arguments.java)
        self.flags = known_flags(self.java, FLAGS)
        self.notes = []
        self._servers = servers
        self._load = generator.Generator(WRK_THREADS, CONNECTIONS)

    def rows(self):
        """Those that were asked for."""
        chosen = [row for row in ROWS if row.name in (self.arguments.scenario or [row.name])]
        return [row.on(self.arguments.mode, self.arguments.engine) for row in chosen]

    def measure(self):
        """The rows that both trees have."""
        found = []
        rows = self.rows()
        for group in dict.fromkeys(row.server for row in rows):
            try:
                found += self._group([row for row in rows if row.server == group])
            finally:
                self._servers.stop()
        return found

    def _group(self, rows):
        """Rows that go to the same servers."""
        first = rows[0]
        loops = len(os.sched_getaffinity(0))
        running = {}
        for side, tree in self.trees.items():
            say(f"starting {side}, {first.kind}")
            command = tree.command([self.java, *self.flags], first.kind, first.own, loops)
            running[side] = self._servers.start(f"{side}, {first.kind}", command)
        found = []
        for row in rows:
            lacking = [side for side in (BASE, HEAD) if not has(running[side], row.scenario.path)]
            if lacking:
                self.notes.append(f"{row.name} is left out: {' and '.join(lacking)} cannot serve it")
            else:
                found.append(self._row(row, running))
        return found

    def _row(self, row, running):
        path = row.scenario.path
        lengths = {side: http_check.check(server, list(dict.fromkeys(["/plaintext", "/json", path])))[path]
                   for side, server in running.items()}
        for side, server in running.items():
            warm = self._load.warm_up(server, row.scenario, WARM_UP_S, WARM_UP_RUNS, lengths[side])
            if not warm["stable"]:
                self.notes.append(f"{row.name}: {side} was not stable after {warm['runs']} x {WARM_UP_S} s")

        def measure(side, number):
            entry = self._load.round(running[side], row.scenario, self.arguments.seconds, lengths[side])
            say(f"{row.name}, round {number}, {side}: {entry['rps']:,.0f} rps, "
                f"{entry['cpu_us_per_request'] or 0:.2f} µs CPU, {entry['error_count']} errors")
            return entry
        rounds, discarded, incomplete = turns.take(
            row.name, list(running), self.arguments.rounds, measure, self.arguments.max_others)
        self.notes += [incomplete] if incomplete else []
        return compare_tables.row(row.name, str(row.kind), rounds, discarded)

    def instructions(self):
        """Counts of both trees, or None, with a note, where one cannot be counted."""
        try:
            found = {}
            for side in (BASE, HEAD):
                say(f"counting instructions of {side}")
                found[side] = instructions.Counter(self.trees[side].counter).count()
            return found
        except Failure as failure:
            self.notes.append(f"instructions are not counted: {str(failure).splitlines()[0]}")
            return None


def _header(comparison):
    arguments = comparison.arguments
    facts = report.machine({
        "jdk": report.jdk(comparison.java), "jvm flags": " ".join(comparison.flags), "wrk": generator.wrk_version(),
        "generator": f"wrk -t{WRK_THREADS} -c{CONNECTIONS} -d{arguments.seconds}s, {arguments.rounds} rounds of each "
                     "server in turn, after warm-up until stable"})
    base = f"{arguments.base_name} ({os.path.basename(arguments.base_tree)})"
    return {"date": facts.pop("date"), "base": base, "head": facts.pop("commit"), **facts}


def _run(arguments, servers):
    comparison = Comparison(arguments, servers)
    header = _header(comparison)
    rows = comparison.measure()
    counts = comparison.instructions()
    lines = tables.header(header) + compare_tables.load(rows)
    if counts:
        lines += compare_tables.instructions(counts[BASE], counts[HEAD])
    print("\n".join(lines + [f"- {note}" for note in comparison.notes]))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"machine": header, "rows": rows, "instructions": counts, "notes": comparison.notes}, file, indent=2,
                      ensure_ascii=False)
            file.write("\n")
    return all(row["figures"] for row in rows)


def main():
    arguments = _arguments()
    return program.run("compare.py", lambda servers: 0 if _run(arguments, servers) else 1)


if __name__ == "__main__":
    sys.exit(main())
