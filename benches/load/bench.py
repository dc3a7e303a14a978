"""The servers of a run, and what is measured of them, always in turn."""

import http_check
import idle
import report
import steady
import syscalls
import turns
from failure import Failure
from lineup import Lineup
from progress import say

STEADY_ROUNDS = 3


class Bench:
    """The servers of this run, started when a scenario first needs them and kept until the end."""

    def __init__(self, arguments, servers):
        self.arguments = arguments
        self.servers = servers
        self.lineup = Lineup(arguments, (idle.PRE_TOUCH if arguments.idle else []) + arguments.jvm_flag)
        self.running = {}
        self.response_bytes = {}
        self.incomplete = []
        self._warm = {}

    def server(self, kind):
        """The server of this kind, checked."""
        if kind not in self.running:
            say(f"starting {kind}")
            server = self.lineup.start(self.servers, kind)
            self.response_bytes[kind] = http_check.check(server, [
                path for path in http_check.EXPECTED if self.lineup.serves(kind, path)])
            say(f"{kind}: answers are right (PID {server.pid}, port {server.port})")
            self.running[kind] = server
        return self.running[kind]

    def kinds(self, scenario, ours=None):
        """The rivals first, then what is compared with them: of `ours`, or the scenario's own, what was asked for."""
        if self.arguments.aa:
            return ["hyper", "hyper again"]
        modes, engines = self.arguments.mode, self.arguments.engine
        chosen = [kind for kind in ours or scenario.kinds if kind.mode in (modes or [kind.mode])
                  and kind.engine in (engines or [kind.engine])]
        rivals = [peer for peer in self.lineup.rivals() if self.lineup.serves(peer, scenario.path)]
        return rivals + chosen if chosen else []

    def warm_up(self, load, kind, scenario):
        """Until it is stable; once it was tried, one short run is enough, for another number of connections."""
        server = self.server(kind)
        seconds, most_runs = (1, 6) if self.arguments.quick else (2, 10)
        expected = self.response_bytes[kind][scenario.path]
        if (kind, scenario.name) in self._warm:
            load.warm_up(server, scenario, seconds, 1, expected)
        else:
            result = load.warm_up(server, scenario, seconds, most_runs, expected)
            say(f"{scenario.name}, {kind}: warm after {result['runs']} x {seconds} s"
                + ("" if result["stable"] else ", not stable"))
            self._warm[kind, scenario.name] = result
        return self._warm[kind, scenario.name]

    def _turns(self, what, kinds, wanted, measure):
        """Rounds of each server, in turn, and how many turns were discarded."""
        rounds, discarded, incomplete = turns.take(what, kinds, wanted, measure, self.arguments.max_others)
        self.incomplete += [incomplete] if incomplete else []
        return rounds, discarded

    def compare(self, load, scenario):
        """The rows of one scenario."""
        kinds = self.kinds(scenario)
        warm = {kind: self.warm_up(load, kind, scenario) for kind in kinds}
        rounds, discarded = self._turns(
            scenario.bench_name(load.connections), kinds, self.arguments.rounds,
            lambda kind, number: self._round(load, kind, scenario, number))
        return [report.row(scenario, load.connections, kind, rounds,
                           {"warm_up": warm[kind], "discarded_turns": discarded}) for kind in kinds if rounds[kind]]

    def _round(self, load, kind, scenario, number):
        """One measured run of one server, saturated."""
        entry = load.round(self.running[kind], scenario, self.arguments.seconds,
                           self.response_bytes[kind][scenario.path])
        say(f"{scenario.name}, {load.connections} connections, round {number}, {kind}: {entry['rps']:,.0f} rps, "
            f"{entry['cpu_us_per_request'] or 0:.2f} µs CPU, {entry['error_count']} errors; cores used: "
            + ", ".join(f"{name} {cores:.2f}" for name, cores in entry["cores_used"].items()))
        return entry

    def latency(self, executable, rows, scenario, connections):
        """Percentiles of each server at half of its own saturation, which is its median in `rows`."""
        load = steady.Steady(executable)
        median = {entry["server"]: entry["rps"]["median"] for entry in rows if entry["valid"]
                  and (entry["scenario"], entry["connections"]) == (scenario.name, connections)}
        rates = {kind: steady.half_of_saturation(median[str(kind)]) for kind in self.kinds(scenario)
                 if str(kind) in median}
        bench = scenario.bench_name(connections)

        def measure(kind, number):
            entry = load.round(self.running[kind], scenario, connections, rates[kind], self.arguments.seconds,
                               self.response_bytes[kind][scenario.path])
            say(f"{scenario.name}, {rates[kind]:,} requests/s, round {number}, {kind}: "
                f"p99 {entry['latency_us']['p99'] / 1000:.2f} ms, {entry['missing']} without answer")
            return entry
        rounds, _ = self._turns(f"{bench} at a constant rate", list(rates), STEADY_ROUNDS, measure)
        return [steady.row(bench, str(kind), rates[kind], entries) for kind, entries in rounds.items() if entries]

    def syscalls(self, load, scenario, counted):
        """System calls of each server of a scenario, one run of wrk each."""
        found = []
        for kind in self.kinds(scenario):
            server = self.server(kind)
            with syscalls.Counter(server, counted) as counter:
                entry = load.round(server, scenario, self.arguments.seconds, self.response_bytes[kind][scenario.path])
            if not entry["valid"]:
                raise Failure(f"{kind} gave errors while its system calls were counted")
            found.append(syscalls.row(scenario.bench_name(load.connections), str(kind), counter.counts,
                                      entry["requests"]))
            say(f"{scenario.name}, {kind}: {found[-1]['total']:.3f} system calls per request")
        return found
