#!/usr/bin/env python3
"""Runs Hinny and its rivals in turn under load and prints Markdown tables with the ratios.

    benches/load/run.py                       Hinny and hyper, the whole table, about ten minutes
    benches/load/run.py --quick               the same, short: it steers, it claims nothing
    benches/load/run.py --full --write        everything, into docs/performance.md; about 25 minutes
    benches/load/run.py --peer all --scenario plaintext --mode worker
    benches/load/run.py --idle 10000          native memory of an idle connection
    benches/load/run.py --routes              routes, constant responses, files and /ready, beside nginx
    benches/load/run.py --aa                  hyper against hyper: the noise of this machine

README.md beside this file has the method. Everything listens on 127.0.0.1, on free ports. Progress
goes to stderr, the result to stdout. Exit code: 0, 1 when an answer was wrong or a row is invalid,
2 when a tool is missing, 130 after Ctrl-C.
"""

import json
import os
import signal
import sys

sys.dont_write_bytecode = True  # leave no cache beside the sources

import arguments as command_line
import document
import generator
import idle
import report
import routes_run
import server_process
import syscalls
import tables
from bench import Bench
from failure import Failure
from progress import say
from toolchain import build_with_cargo


def _scenarios(arguments):
    return [scenario for scenario in generator.SCENARIOS
            if scenario.name in (arguments.scenario or [scenario.name])]


def run_idle(bench, arguments, limit):
    """Memory per idle connection of each server; Hinny inline with the lane, unless told otherwise."""
    count = idle.possible(arguments.idle, limit)
    if count < 1:
        raise Failure(f"a limit of {limit} open files is too low: raise it with `ulimit -n`", 2)
    if count < arguments.idle:
        say(f"{count} connections, not {arguments.idle}: the limit of open files is {limit}")
    load = generator.Generator(arguments.wrk_threads, arguments.connections[0])
    scenario = next(entry for entry in generator.SCENARIOS if entry.name == "plaintext")
    told = arguments.mode or arguments.engine
    kinds = bench.kinds(scenario, None if told else [generator.LANE])
    header = report.machine({**facts(bench, kinds), "open files": limit})
    rows = []
    for kind in kinds:
        bench.warm_up(load, kind, scenario)
        say(f"{kind}: opening {count} connections")
        rows.append(idle.measure(bench.running[kind], count))
    print("\n".join(tables.header(header) + tables.idle(rows)))
    return {"machine": header, "rows": rows}, True


def facts(bench, kinds):
    """What the header says of the programs in this run."""
    jvm = any(map(bench.lineup.on_jvm, kinds))
    return {"wrk": generator.wrk_version(), **({"jdk": report.jdk(bench.lineup.java)} if jvm else {}),
            **bench.lineup.facts(kinds)}


def _loads(arguments, limit):
    """A generator for each number of connections asked for."""
    most = max(arguments.connections)
    if idle.possible(most, limit) < most:
        raise Failure(f"a limit of {limit} open files is too low for {most} connections: raise it with `ulimit -n`", 2)
    return [generator.Generator(arguments.wrk_threads, connections) for connections in arguments.connections]


def _text(header, result, incomplete):
    """The whole result as Markdown."""
    rows = result["rows"]
    lines = tables.section("The run", tables.header(header))
    lines += tables.section("The budgets, at 64 connections", tables.verdicts(rows))
    lines += tables.section("Against Netty and Vert.x", tables.rivals(rows))
    lines += tables.section("All figures", tables.figures(rows) + tables.notes(rows) if rows else [])
    if result.get("latency"):
        lines += tables.section("Latency at half of saturation", tables.latency(result["latency"]))
    if result.get("syscalls"):
        lines += tables.section("System calls", tables.syscalls(result["syscalls"]))
    return lines + [f"**Incomplete** {note}\n" for note in incomplete]


def run_load(bench, arguments, limit):
    """All that was asked for: the comparison, then latency and system calls of the same servers."""
    loads = _loads(arguments, limit)
    scenarios = [scenario for scenario in _scenarios(arguments) if bench.kinds(scenario)]
    if not scenarios:
        raise Failure("no scenario has that handler mode and engine: worker goes with --scenario plaintext", 2)
    counted = syscalls.events() if arguments.syscalls else []
    constant_rate = build_with_cargo("hinny-constant-rate") if arguments.latency else None
    length = "quick, so it steers and claims nothing" if arguments.quick else "after warm-up until stable"
    connections = ", ".join(map(str, arguments.connections))
    kinds = {kind for scenario in scenarios for kind in bench.kinds(scenario)}
    header = report.machine({**facts(bench, kinds), "generator": (
        f"wrk -t{arguments.wrk_threads} -c{connections} -d{arguments.seconds}s, {arguments.rounds} rounds of each "
        f"server in turn, {arguments.loops} event loops, {length}")})
    result = {"rows": [row for load in loads for scenario in scenarios for row in bench.compare(load, scenario)]}
    try:
        if arguments.latency:
            result["latency"] = [row for scenario in scenarios if scenario.name == "plaintext" for row in
                                 bench.latency(constant_rate, result["rows"], scenario, arguments.connections[0])]
        if arguments.syscalls:
            result["syscalls"] = [row for scenario in scenarios if scenario.name in syscalls.SCENARIOS
                                  for row in bench.syscalls(loads[0], scenario, counted)]
    except Failure as failure:
        # What was compared before is not lost.
        bench.incomplete.append(str(failure))
    result["text"] = _text(header, result, bench.incomplete)
    print("\n".join(result["text"]))
    valid = not bench.incomplete and all(
        entry["valid"] for entry in result["rows"] + result.get("latency", []))
    return {"machine": header, **result}, valid


def write(path, run, result, valid):
    """Into the document, and of the comparison also the README's sentence; nothing of a run that is not valid."""
    if not valid:
        raise Failure(f"a row is invalid or incomplete, so {path} is left as it is")
    document.write(path, run, result["text"])
    if run == document.LOAD and path == document.PERFORMANCE:
        sentence = tables.summary(result["rows"], len(os.sched_getaffinity(0)))
        if sentence:
            document.write_readme(sentence)
    say(f"wrote {path}")


def main():
    arguments = command_line.parse()
    # A polite end from outside cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        place = document.ROUTES if arguments.routes else document.LOAD
        if arguments.write:
            document.require(arguments.write, place)
        limit = idle.raise_descriptor_limit()
        with server_process.Servers() as servers:
            if arguments.routes:
                result, valid = routes_run.run(servers, arguments, limit)
            else:
                run = run_idle if arguments.idle else run_load
                result, valid = run(Bench(arguments, servers), arguments, limit)
            if arguments.json:
                with open(arguments.json, "w", encoding="utf-8") as file:
                    json.dump(result, file, indent=2, ensure_ascii=False)
                    file.write("\n")
            if arguments.write:
                write(arguments.write, place, result, valid)
        return 0 if valid else 1
    except Failure as failure:
        say(f"run.py: {failure}")
        return failure.code
    except KeyboardInterrupt:
        say("run.py: stopped; every server was ended")
        return 130


if __name__ == "__main__":
    sys.exit(main())
