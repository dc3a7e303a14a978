"""The servers of a run, and what is measured of them, always in turn."""

import commands
import http_check
import idle
import report
import steady
import syscalls
import turns
from failure import Failure
from generator import Generator
from progress import say

WARM_UP_CONNECTIONS = 64  # before memory is read


class Bench:
    """Servers, started when a part first needs them, ended when no later one does."""

    def __init__(self, arguments, servers, lineup):
        self.arguments = arguments
        self.lineup = lineup
        self.running = {}
        self.response_bytes = {}
        self.incomplete = []
        self._servers = servers
        self._warm = {}

    def server(self, kind):
        """The server of this kind, checked."""
        if kind not in self.running:
            say(f"starting {kind}")
            server = self.lineup.start(self._servers, kind)
            self.response_bytes[kind] = self._check(kind, server)
            say(f"{kind}: answers are right (PID {server.pid}, port {server.port})")
            self.running[kind] = server
        return self.running[kind]

    def _check(self, kind, server):
        return http_check.check(server, [path for path in http_check.EXPECTED if self.lineup.serves(kind, path)])

    def keep_only(self, kinds):
        """Ends all servers but these; what ends is started and warmed anew if it is asked for again."""
        for kind in [kind for kind in self.running if kind not in kinds]:
            self._servers.end(self.running.pop(kind))
            self._warm = {key: result for key, result in self._warm.items() if key[0] != kind}

    def load(self, connections):
        return Generator(self.arguments.wrk_threads, connections)

    def warm_up(self, load, kind, scenario):
        """Until it is stable; once it was tried, one short run is enough, for another number of connections."""
        server = self.server(kind)
        seconds, most_runs = (1, 6) if self.arguments.quick else (1, 15)
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

    def rounds(self, part):
        """Rounds of each server of a part, saturated; how each was warmed up; how many turns were discarded."""
        load, scenario = self.load(part.connections), part.scenario
        warm = {kind: self.warm_up(load, kind, scenario) for kind in part.kinds}

        def measure(kind, number):
            entry = self._round(load, part, kind)
            say(f"{scenario.name}, {load.connections} connections, round {number}, {kind}: {entry['rps']:,.0f} rps, "
                f"{entry['cpu_us_per_request'] or 0:.2f} µs CPU, {entry['rss_mib']:.0f} MiB, "
                f"{entry['error_count']} errors; cores used: "
                + ", ".join(f"{name} {cores:.2f}" for name, cores in entry["cores_used"].items()))
            return entry
        rounds, discarded = self._turns(scenario.bench_name(load.connections), part.kinds, part.rounds, measure)
        return rounds, warm, discarded

    def _round(self, load, part, kind):
        return load.round(self.running[kind], part.scenario, part.seconds, self.response_bytes[kind][part.scenario.path])

    def compare(self, part):
        """The rows of a part."""
        rounds, warm, discarded = self.rounds(part)
        return [report.row(part.scenario, part.connections, kind, rounds, {
            "warm_up": warm[kind], "discarded_turns": discarded, **self.more_of(rounds[kind]),
            "command": commands.of(part, kind, self.arguments)}) for kind in part.kinds if rounds[kind]]

    def handlers(self, part):
        """The rounds of a part that compares handlers, and their rows."""
        rounds, warm, discarded = self.rounds(part)
        command = commands.of_handlers(part, self.arguments)
        return rounds, [report.row(part.scenario, part.connections, kind, rounds, {
            "warm_up": warm[kind], "discarded_turns": discarded, "command": command})
            for kind in part.kinds if rounds[kind]]

    def idle(self, part):
        """Memory of idle connections of each server of a part."""
        found = []
        for kind in part.kinds:
            self.warm_up(self.load(WARM_UP_CONNECTIONS), kind, part.scenario)
            say(f"{kind}: opening {part.connections} connections")
            found.append({**idle.measure(self.running[kind], part.connections), "command": commands.of_idle(part, kind)})
        return found

    def more_of(self, _rounds):
        """What a row has beside that of any other."""
        return {}

    def steady(self, part, rates, executable):
        """Percentiles of each server at its own constant rate."""
        load = steady.Steady(executable)
        scenario, kinds = part.scenario, [kind for kind in part.kinds if kind in rates]
        for kind in kinds:
            self.server(kind)

        def measure(kind, number):
            entry = load.round(self.running[kind], scenario, part.connections, rates[kind], part.seconds,
                               self.response_bytes[kind][scenario.path])
            say(f"{scenario.name}, {rates[kind]:,} requests/s, round {number}, {kind}: "
                f"p99 {entry['latency_us']['p99'] / 1000:.2f} ms, {entry['cpu_us_per_request']:.2f} µs CPU, "
                f"{entry['missing']} without answer")
            return entry
        bench = scenario.bench_name(part.connections)
        rounds, _ = self._turns(f"{bench} at a constant rate", kinds, part.rounds, measure)
        return [{**steady.row(bench, str(kind), rates[kind], rounds[kind]), "scenario": scenario.name,
                 "connections": part.connections, "fraction": part.fraction,
                 "command": commands.of(part, kind, self.arguments, *steady.words(part, rates[kind]))}
                for kind in kinds if rounds[kind]]

    def syscalls(self, part, counted):
        """System calls of each server of a part, one run of wrk each."""
        found, load = [], self.load(part.connections)
        for kind in part.kinds:
            server = self.server(kind)
            with syscalls.Counter(server, counted) as counter:
                entry = self._round(load, part, kind)
            if not entry["valid"]:
                raise Failure(f"{kind} gave errors while its system calls were counted")
            found.append({**syscalls.row(part.scenario.bench_name(part.connections), str(kind), counter.counts,
                                         entry["requests"]),
                          "command": commands.of(part, kind, self.arguments, "--syscalls")})
            say(f"{part.scenario.name}, {kind}: {found[-1]['total']:.3f} system calls per request")
        return found
