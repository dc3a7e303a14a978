"""Carries out a plan: each part with the servers that it needs, what it gave into its section of the result.

Invariants:
- A server is ended when no later part needs it, so that few are there at once.
- A part that fails ends the run, whatever it failed with, and what was measured before is kept; the result says that it
  is incomplete. The long run only leaves out, and says so, what this machine cannot have at all.
"""

import contextlib
import traceback

import claims
import commands
import design_goals
import generator
import idle
import jvm_time
import plan
import report
import steady
import syscalls
from bench import Bench
from database_bench import DatabaseBench, DatabaseLineup
from failure import Failure
from lineup import Lineup
from progress import Progress, say
from toolchain import build_with_cargo


class Runner:
    """One run; `limit` is the limit of open files, `stack` an ExitStack for what outlives a part."""

    def __init__(self, arguments, servers, limit, stack):
        self.arguments = arguments
        self.limit = limit
        flags = arguments.jvm_flag
        lineups = {plan.MAIN: Lineup(arguments, flags), plan.DATABASE: DatabaseLineup(arguments, flags),
                   plan.IDLE: Lineup(arguments, idle.PRE_TOUCH + flags)}
        self._benches = {name: Bench(arguments, servers, lineup) for name, lineup in lineups.items()}
        self._benches[plan.DATABASE] = DatabaseBench(arguments, servers, lineups[plan.DATABASE], stack)
        self._left_out = {}
        self._counted = self._syscalls()
        self._executable = None
        self.result = {"rows": []}
        self.parts = plan.of(arguments, plan.Choice(arguments, lineups), idle.possible(10 ** 9, limit))
        self._require_possible()

    def _syscalls(self):
        """The events that are counted. The long run goes without where they cannot be."""
        if not (self.arguments.syscalls or self.arguments.full):
            return None
        try:
            found = syscalls.events()
        except Failure as failure:
            if not self.arguments.full:
                raise
            self._leave_out("system calls", failure)
            found = None
        self.arguments.syscalls = bool(found)
        return found

    def _leave_out(self, what, failure):
        say(f"{what} left out: {failure}")
        self._left_out[what] = f"left out: {failure}"

    def _require_possible(self):
        if not any(part.kinds for part in self.parts):
            raise Failure("no scenario has that handler mode and engine", 2)
        most = max(part.connections or 0 for part in self.parts)
        if idle.possible(most, self.limit) < most:
            raise Failure(f"a limit of {self.limit} open files is too low for {most} connections: raise it with "
                          "`ulimit -n`", 2)

    def header(self):
        """What a reader needs to judge the figures, as it is before the run."""
        arguments = self.arguments
        main = self._benches[plan.MAIN]
        kinds = {kind for part in self.parts for kind in part.kinds}
        length = "quick, so it steers and claims nothing" if arguments.quick else "after warm-up until stable"
        seconds = ", ".join(map(str, sorted({part.seconds for part in self.parts if part.seconds})))
        return report.machine({
            "wrk": generator.wrk_version(),
            **({"jdk": report.jdk(main.lineup.java)} if any(map(main.lineup.on_jvm, kinds)) else {}),
            **main.lineup.facts(kinds), "open files": self.limit,
            "generator": f"wrk -t{arguments.wrk_threads}, rounds of {seconds} s, {arguments.rounds} of each server in "
                         f"turn, {arguments.loops} event loops, {length}"})

    def build(self):
        """Builds what the parts need, so that it is not in their time."""
        for name, kind in dict.fromkeys((part.bench, kind) for part in self.parts for kind in part.kinds):
            self._benches[name].lineup.command(kind)
        if any(isinstance(part, plan.Steady) for part in self.parts):
            self._executable = build_with_cargo("hinny-constant-rate")

    def late_facts(self):
        """What is known after the run only."""
        return {**self._benches[plan.DATABASE].facts(), **self._left_out}

    def run(self):
        """The result, without its header and its text."""
        progress = Progress(self.parts)
        try:
            for index, part in enumerate(self.parts):
                progress.begin(part)
                for name, bench in self._benches.items():
                    bench.keep_only({kind for later in self.parts[index:] if later.bench == name for kind in later.kinds})
                self._measure(part)
        except Exception as failure:  # of whatever kind: half an hour of measuring is kept
            if not any(self.result.values()):
                raise
            if not isinstance(failure, Failure):
                say(traceback.format_exc())
            self.incomplete.append(str(failure) or type(failure).__name__)
        progress.end()
        if self.arguments.full:
            self._add("claims", claims.of_rows(self.result["rows"], plan.USUAL_CONNECTIONS))
            self.result["goals"] = design_goals.of(self.result)
        return self.result

    @property
    def incomplete(self):
        """What is missing, of all that was to be measured."""
        return self._benches[plan.MAIN].incomplete

    def _add(self, section, rows):
        self.result.setdefault(section, []).extend(rows)

    def _measure(self, part):
        bench = self._benches[part.bench]
        if isinstance(part, plan.JvmTime):
            self._measure_jvm()
        elif isinstance(part, plan.Handlers):
            rounds, rows = bench.handlers(part)
            self._add("handlers", rows)
            self._add("claims", [claims.of_handlers(part, rounds, commands.of_handlers(part, self.arguments))])
        elif isinstance(part, plan.Compare):
            self._compare(bench, part)
        elif isinstance(part, plan.Steady):
            self._steady(bench, part)
        elif isinstance(part, plan.Syscalls):
            self._measure_syscalls(bench, part)
        elif isinstance(part, plan.Idle):
            self._add("idle", bench.idle(part))
        if bench is not self._benches[plan.MAIN]:
            self.incomplete.extend(bench.incomplete)
            bench.incomplete.clear()

    def _measure_syscalls(self, bench, part):
        """They steer, and claim nothing: a long run is not lost for them."""
        try:
            self._add("syscalls", bench.syscalls(part, self._counted))
        except Failure as failure:
            if not self.arguments.full:
                raise
            self._leave_out("system calls", failure)

    def _compare(self, bench, part):
        try:
            self._add("rows", bench.compare(part))
        except Failure as failure:
            # The long run goes on where there is no PostgreSQL.
            if not (self.arguments.full and part.bench == plan.DATABASE and failure.code == 2):
                raise
            self._leave_out("database tests", failure)

    def _steady(self, bench, part):
        lines = bench.steady(part, steady.rates(part, self.result["rows"]), self._executable)
        self._add("latency", lines)
        if not part.fraction and self.arguments.full:
            self._add("claims", claims.of_steady(part, lines))

    def _measure_jvm(self):
        """JMH is a build of its own: a long run is not lost for it."""
        try:
            self.result["jvm_time"] = jvm_time.measure()
        except (Failure, OSError, ValueError, KeyError) as failure:
            self._leave_out("time in the JVM", failure)


def run(servers, arguments, limit):
    """The result of all that was asked for with its header, and what is incomplete."""
    with contextlib.ExitStack() as stack:
        runner = Runner(arguments, servers, limit, stack)
        runner.build()
        header = runner.header()
        result = runner.run()
        # The servers of the database go before it does.
        servers.stop()
    return {"machine": {**header, **runner.late_facts()}, **result}, runner.incomplete
