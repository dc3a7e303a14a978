"""The servers of `--routes`, and what is measured of them, always in turn."""

import os
import statistics

import nginx_peer
import ready
import report
import route_rows
import route_tables
import routes_check
import turns
from failure import Failure
from generator import Generator
from lineup import Lineup
from progress import say
from server_process import ROOT
from steady import WARM_UP_S, Steady
from toolchain import build_with_cargo

APP = os.path.join(ROOT, "benches", "load", "routes_app.clj")
# What there is beside the rows of route_rows.
READY, TABLE, NATIVE = "ready", "table", "native"
NAMES = [*(row.name for row in route_rows.ROWS), READY, TABLE, NATIVE]
FIGURES = ("rps", "cpu_us_per_request")


class RoutesBench:
    """The servers of this run, started when a row first needs them and kept until the end; `directory` is temporary."""

    def __init__(self, arguments, servers, directory):
        self.arguments = arguments
        self.incomplete = []
        self.lineup = Lineup(arguments, arguments.jvm_flag)
        self.nginx = nginx_peer.find()
        if not self.nginx:
            say(f"nginx is missing, so it is left out: {nginx_peer.HOW_TO_GET}")
        self._servers = servers
        self._directory = directory
        self._files = os.path.join(directory, "files")
        self._running = {}
        self._constant_rate = None

    def contestants(self, row):
        """Who answers a row, of those that are there."""
        return [contestant for contestant in row.paths
                if self.nginx or contestant not in (route_rows.NGINX, route_rows.NGINX_CACHE)]

    def _app(self, kind, argument=""):
        return [*self.lineup.program(APP), kind, str(self.arguments.loops), argument]

    def _start(self, process):
        if process == route_rows.HYPER:
            return self.lineup.start(self._servers, process)
        if process in (READY, TABLE):
            kind, argument = {READY: ("health", ""), TABLE: ("tables", str(route_tables.COUNT))}[process]
            return self._servers.start(f"hinny, {kind}", self._app(kind, argument))
        if not os.path.exists(self._files):
            route_rows.write_files(self._files)
        if process in route_rows.HINNY_KINDS:
            return self._servers.start(process, self._app(route_rows.HINNY_KINDS[process], self._files))
        own = os.path.join(self._directory, f"nginx-{len(self._running)}")
        return nginx_peer.start(self._servers, process, self.nginx, own, self.arguments.loops, "/constant",
                                self._files, process == route_rows.NGINX_CACHE)

    def _server(self, process):
        if process not in self._running:
            say(f"starting {process}")
            self._running[process] = self._start(process)
            say(f"{process}: PID {self._running[process].pid}, port {self._running[process].port}")
        return self._running[process]

    def _turns(self, what, kinds, measure):
        rounds, discarded, incomplete = turns.take(what, kinds, self.arguments.rounds, measure,
                                                   self.arguments.max_others)
        self.incomplete += [incomplete] if incomplete else []
        return rounds, discarded

    def compare(self, row):
        """The row's line of each contestant, with its ratios to the others."""
        load = Generator(self.arguments.wrk_threads, row.connections)
        kinds = self.contestants(row)
        servers = {kind: self._server(route_rows.process_of(kind)) for kind in kinds}
        lengths = {kind: routes_check.check(servers[kind], row.target(kind)) for kind in kinds}
        say(f"{row.name}: answers are right")
        seconds, most_runs = (1, 6) if self.arguments.quick else (2, 10)
        warm = {kind: load.warm_up(servers[kind], row.target(kind), seconds, most_runs, lengths[kind])
                for kind in kinds}

        def measure(kind, number):
            entry = load.round(servers[kind], row.target(kind), self.arguments.seconds, lengths[kind])
            say(f"{row.name}, round {number}, {kind}: {entry['rps']:,.0f} rps, "
                f"{entry['cpu_us_per_request'] or 0:.2f} µs CPU, {entry['error_count']} errors")
            return entry
        rounds, discarded = self._turns(row.bench_name(), kinds, measure)
        return [self._line(row, kind, rounds, warm[kind], discarded) for kind in kinds if rounds[kind]]

    @staticmethod
    def _line(row, kind, rounds, warm, discarded):
        ours = rounds[kind]
        valid = {name: all(entry["valid"] for entry in entries) for name, entries in rounds.items()}
        line = {"bench": row.bench_name(), "scenario": row.name, "server": kind, "valid": valid[kind], "warm_up": warm,
                "discarded_turns": discarded, "error_count": sum(entry["error_count"] for entry in ours),
                "rounds": ours, "ratios": {}}
        if any(entry["requests"] == 0 for entry in ours):
            return line
        line["latency_us"] = {name: statistics.median(entry["latency_us"][name] for entry in ours)
                              for name in ours[0]["latency_us"]}
        for figure in FIGURES:
            line[figure] = report.spread([entry[figure] for entry in ours])
        for rival in rounds:
            if rival != kind and valid[kind] and valid[rival]:
                line["ratios"][rival] = {figure: report.ratio(ours, rounds[rival], figure) for figure in FIGURES}
        return line

    def _steady(self):
        if self._constant_rate is None:
            self._constant_rate = build_with_cargo("hinny-constant-rate")
        return Steady(self._constant_rate)

    def ready(self):
        """Latency of /ready while the pool is free, and while it is full."""
        load, server = self._steady(), self._server(READY)
        length = routes_check.check(server, ready.READY)

        def measure(state, number):
            entry = ready.round_of(load, server, state, self.arguments.seconds, WARM_UP_S, self.arguments.wrk_threads,
                                   length)
            say(f"/ready, {state}, round {number}: p99 {entry['latency_us']['p99'] / 1000:.2f} ms, "
                f"handler {entry['handler']}")
            if state != ready.IDLE and not entry["handler"][503]:
                raise Failure(f"the worker pool was not full: {state}")
            return entry
        measure(ready.IDLE, 0)
        rounds, _ = self._turns("/ready", ready.STATES, measure)
        return [steady_line(state, ready.RATE, entries) for state, entries in rounds.items() if entries]

    def table(self):
        """Starts with many routes, and latency while they are swapped."""
        load, server = self._steady(), self._server(TABLE)
        length = route_tables.check(server)
        started = route_tables.starts(server)
        say(f"{route_tables.COUNT} routes: first start {started['first_ms']:.0f} ms")

        def measure(state, number):
            entry = route_tables.round_of(load, server, state, self.arguments.seconds, length)
            say(f"{route_tables.COUNT} routes, {state}, round {number}: "
                f"p99 {entry['latency_us']['p99'] / 1000:.2f} ms, {entry['swaps']} swaps, {entry['missing']} without answer")
            return entry
        measure(route_tables.SWAPPING, 0)
        rounds, _ = self._turns("swaps", route_tables.STATES, measure)
        lines = [steady_line(state, route_tables.RATE, entries) for state, entries in rounds.items() if entries]
        return {"starts": started, "swaps": lines}

    def facts(self, rows):
        """What the header says of the programs in this run."""
        kinds = {kind for row in rows for kind in self.contestants(row)}
        facts = {"jdk": report.jdk(self.lineup.java), **self.lineup.hinny_facts()}
        if route_rows.HYPER in kinds:
            facts.update(self.lineup.facts(["hyper"]))
        facts["nginx"] = (f"{nginx_peer.version(self.nginx)}, {self.arguments.loops} workers" if self.nginx
                          else f"not there, so left out: {nginx_peer.HOW_TO_GET}")
        return facts


def steady_line(state, rate, rounds):
    """The rounds of one state at a constant rate."""
    missing = sum(entry["missing"] for entry in rounds)
    return {"state": state, "rate": rate, "valid": missing == 0, "missing": missing,
            "requests": sum(entry["requests"] for entry in rounds),
            "latency_ms": {name: report.spread([entry["latency_us"][name] / 1000 for entry in rounds])
                           for name in rounds[0]["latency_us"]},
            "rounds": rounds}
