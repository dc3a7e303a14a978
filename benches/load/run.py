#!/usr/bin/env python3
"""Runs Hinny and a pure-Rust hyper server in turn under wrk and prints a Markdown table with the ratios.

    benches/load/run.py                       the whole table, about six minutes
    benches/load/run.py --quick               the same, short: it steers, it claims nothing
    benches/load/run.py --scenario plaintext --mode worker
    benches/load/run.py --idle 10000          native memory of an idle connection
    benches/load/run.py --aa                  hyper against hyper: the noise of this machine

README.md beside this file has the method. Everything listens on 127.0.0.1, on free ports. Progress
goes to stderr, the result to stdout. Exit code: 0, 1 when an answer was wrong or a row is invalid,
2 when a tool is missing, 130 after Ctrl-C.
"""

import argparse
import json
import os
import signal
import sys

sys.dont_write_bytecode = True  # leave no cache beside the sources

import generator
import http_check
import idle
import report
import server_process
from failure import Failure

MODES = ["inline", "worker"]
MOST_DISCARDED = 6  # turns discarded for each one wanted, then the scenario is left incomplete


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Compares Hinny with a pure-Rust hyper server on this machine.",
        epilog="The method, and what is not comparable: README.md beside this file.")
    names = [scenario.name for scenario in generator.SCENARIOS]
    add = parser.add_argument
    add("--rounds", type=positive, default=5, help="measured runs of each server (default 5)")
    add("--seconds", type=positive, default=5, help="length of a measured run (default 5)")
    add("--connections", type=positive, default=64, help="connections of the generator (default 64)")
    add("--wrk-threads", type=positive, default=2, help="threads of the generator (default 2)")
    add("--loops", type=positive, default=len(os.sched_getaffinity(0)),
        help="event loops of every server (default: cores)")
    add("--scenario", action="append", choices=names, help="only this one; may be repeated (default: all)")
    add("--mode", action="append", choices=MODES,
        help="only this handler mode of Hinny; may be repeated (default: all)")
    add("--quick", action="store_true", help="3 rounds of 2 s after a short warm-up; no claim")
    add("--max-others", type=float, metavar="CORES",
        help="discard and repeat a turn in which other processes and the hypervisor took more than this")
    add("--json", metavar="FILE", help="write everything, each round included, to this file")
    add("--idle", type=positive, nargs="?", const=idle.DEFAULT_CONNECTIONS, metavar="N",
        help=f"measure memory per idle connection instead, with N of them (default {idle.DEFAULT_CONNECTIONS})")
    add("--hinny-only", action="store_true", help="leave hyper out; no ratios then")
    add("--aa", action="store_true", help="two hyper servers instead of Hinny: the noise of this machine")
    add("--java", metavar="PATH", help="the java to run (default: JAVA_HOME, then PATH)")
    add("--jvm-flag", action="append", default=[], metavar="FLAG", help="one more JVM flag; may be repeated")
    add("--class-path", metavar="PATH", help="class path of Hinny (default: what `make -s classpath` prints)")
    add("--hyper", metavar="PATH", help="the hyper server (default: cargo builds it)")
    arguments = parser.parse_args()
    if arguments.aa and (arguments.hinny_only or arguments.mode):
        parser.error("--aa runs no Hinny: it goes with neither --hinny-only nor --mode")
    if arguments.quick:
        arguments.rounds, arguments.seconds = 3, 2
    return arguments


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    """The servers of this run, started when a scenario first needs them and kept until the end."""

    def __init__(self, arguments, servers):
        self.arguments = arguments
        self.servers = servers
        self.running = {}
        self.response_bytes = {}
        self.incomplete = []
        self.hyper = None
        self.facts = {"wrk": generator.wrk_version()}
        if not arguments.hinny_only:
            self.hyper = os.path.abspath(arguments.hyper) if arguments.hyper else server_process.build_hyper()
        if not arguments.aa:
            self.java = server_process.find_java(arguments.java)
            extra = (idle.PRE_TOUCH if arguments.idle else []) + arguments.jvm_flag
            self.flags = server_process.jvm_flags(self.java, extra)
            self.class_path = arguments.class_path or server_process.find_class_path()
            self.facts.update({"jdk": report.jdk(self.java), "jvm flags": " ".join(self.flags)})

    def server(self, kind):
        """The server of this kind (`hyper`, `hyper again`, `inline`, `worker`), checked."""
        if kind not in self.running:
            loops = self.arguments.loops
            if kind.startswith("hyper"):
                name, command = kind, server_process.hyper_command(self.hyper, loops)
            else:
                name = f"hinny {kind}"
                command = server_process.hinny_command(self.java, self.flags, self.class_path, kind, loops)
            say(f"starting {name}")
            server = self.servers.start(name, command)
            self.response_bytes[kind] = http_check.check(server)
            say(f"{name}: answers are right (PID {server.pid}, port {server.port})")
            self.running[kind] = server
        return self.running[kind]

    def kinds(self, modes):
        """The rival first, then what is compared with it."""
        rival = [] if self.arguments.hinny_only else ["hyper"]
        if self.arguments.aa:
            return rival + ["hyper again"]
        return rival + [mode for mode in modes if mode in (self.arguments.mode or MODES)]

    def warm_up(self, load, kind, scenario):
        seconds, max_runs = (1, 6) if self.arguments.quick else (2, 10)
        server = self.server(kind)
        result = load.warm_up(server, scenario, seconds, max_runs, self.response_bytes[kind][scenario.path])
        say(f"{scenario.name}, {server.name}: warm after {result['runs']} x {seconds} s"
            + ("" if result["stable"] else ", not stable"))
        return result

    def compare(self, load, scenario):
        """The rows of one scenario, its servers run in turn: A B A B …"""
        kinds = self.kinds(scenario.modes)
        if all(kind == "hyper" for kind in kinds):
            return []
        warm = {kind: self.warm_up(load, kind, scenario) for kind in kinds}
        turns, discarded, wanted = [], 0, self.arguments.rounds
        while len(turns) < wanted and discarded <= MOST_DISCARDED * wanted:
            turn = {kind: self.round(load, kind, scenario, len(turns) + 1) for kind in kinds}
            bound = self.arguments.max_others
            # The whole turn goes, and what it measured has no say in that.
            if bound is not None and max(map(generator.disturbance, turn.values())) > bound:
                discarded += 1
                say(f"{scenario.name}: turn discarded, others took more than {bound} cores")
            else:
                turns.append(turn)
        bench = scenario.bench_name(load.connections)
        if len(turns) < wanted:
            self.incomplete.append(f"{bench}: {len(turns)} of {wanted} turns, {discarded} were disturbed")
        if not turns:
            return []
        rounds = {kind: [turn[kind] for turn in turns] for kind in kinds}
        return [report.row(bench, self.running[kind].name, rounds[kind],
                           None if kind == "hyper" else rounds.get("hyper"),
                           {"warm_up": warm[kind], "discarded_turns": discarded}) for kind in kinds]

    def round(self, load, kind, scenario, number):
        """One measured run of one server."""
        server = self.running[kind]
        entry = load.round(server, scenario, self.arguments.seconds, self.response_bytes[kind][scenario.path])
        say(f"{scenario.name}, round {number}, {server.name}: {entry['rps']:,.0f} rps, "
            f"{entry['cpu_us_per_request'] or 0:.2f} µs CPU, {entry['error_count']} errors; cores used: "
            + ", ".join(f"{name} {cores:.2f}" for name, cores in entry["cores_used"].items()))
        return entry


def run_idle(bench, arguments, load):
    """Memory per idle connection of each server; Hinny inline, unless --mode says otherwise."""
    limit = idle.raise_descriptor_limit()
    count = idle.possible(arguments.idle, limit)
    if count < 1:
        raise Failure(f"a limit of {limit} open files is too low: raise it with `ulimit -n`", 2)
    if count < arguments.idle:
        say(f"{count} connections, not {arguments.idle}: the limit of open files is {limit}")
    scenario = next(entry for entry in generator.SCENARIOS if entry.name == "plaintext")
    kinds = bench.kinds(arguments.mode or ["inline"])
    header = report.machine({**bench.facts, "open files": limit})
    rows = []
    for kind in kinds:
        bench.warm_up(load, kind, scenario)
        say(f"{bench.running[kind].name}: opening {count} connections")
        rows.append(idle.measure(bench.running[kind], count))
    report.print_header(header)
    report.print_idle(rows)
    return header, rows, True


def run_load(bench, arguments, load):
    """The table of all scenarios asked for."""
    length = "quick, so it steers and claims nothing" if arguments.quick else "after warm-up until stable"
    header = report.machine({**bench.facts, "generator": (
        f"wrk -t{load.threads} -c{load.connections} -d{arguments.seconds}s, {arguments.rounds} rounds of each server "
        f"in turn, {arguments.loops} event loops, {length}")})
    rows = []
    for scenario in generator.SCENARIOS:
        if scenario.name in (arguments.scenario or [scenario.name]):
            rows += bench.compare(load, scenario)
    if not rows and not bench.incomplete:
        raise Failure("no scenario has that handler mode: worker goes with --scenario plaintext", 2)
    report.print_header(header)
    if rows:
        report.print_rows(rows)
    for note in bench.incomplete:
        print(f"**Incomplete** {note}: wait for a quieter machine.\n")
    return header, rows, not bench.incomplete and all(entry["valid"] for entry in rows)


def main():
    arguments = parse_arguments()
    # A polite end from outside cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with server_process.Servers() as servers:
            bench = Bench(arguments, servers)
            load = generator.Generator(arguments.wrk_threads, arguments.connections)
            run = run_idle if arguments.idle else run_load
            header, rows, valid = run(bench, arguments, load)
            if arguments.json:
                with open(arguments.json, "w", encoding="utf-8") as file:
                    json.dump({"machine": header, "rows": rows}, file, indent=2, ensure_ascii=False)
                    file.write("\n")
        return 0 if valid else 1
    except Failure as failure:
        say(f"run.py: {failure}")
        return failure.code
    except KeyboardInterrupt:
        say("run.py: stopped; every server was ended")
        return 130


if __name__ == "__main__":
    sys.exit(main())
