#!/usr/bin/env python3
"""Runs Hinny and its rivals in turn under load and prints Markdown tables with the ratios.

    benches/load/run.py                       Hinny and hyper in the scenarios without a database
    benches/load/run.py --quick               few of them, short: it steers, it claims nothing
    benches/load/run.py --full --save         everything, into benches/load/results and docs/performance.md
    benches/load/run.py --peer all --scenario plaintext --mode worker
    benches/load/run.py --idle 10000          native memory of an idle connection
    benches/load/run.py --java-handler        the same handler in Clojure and in Java
    benches/load/run.py --routes              routes, constant responses, files and /ready, beside nginx
    benches/load/run.py --aa                  hyper against hyper: the noise of this machine

README.md beside this file has the method. Everything listens on 127.0.0.1, on free ports. Progress
goes to stderr, the result to stdout. Exit code: 0, 1 when an answer was wrong or a row is invalid,
2 when a tool is missing, 130 after Ctrl-C.
"""

import json
import os
import sys

sys.dont_write_bytecode = True  # leave no cache beside the sources

import arguments as command_line
import document
import goal_tables
import idle
import program
import results
import routes_run
import runner
import tables
from failure import Failure
from progress import say
from server_process import ROOT


def _text(result, incomplete):
    """The whole result as Markdown."""
    rows, handlers = result["rows"], result.get("handlers", [])
    lines = tables.section("The run", tables.header(result["machine"]))
    lines += tables.section("The goals", goal_tables.goals(result.get("goals", [])))
    lines += tables.section("The claims", goal_tables.claims(result.get("claims", [])))
    if "goals" not in result:
        lines += tables.section("The budgets, at 64 connections", tables.verdicts(rows))
    lines += tables.section("Against the others", tables.rivals(rows))
    lines += tables.section("Against the best of the servers in Java", tables.best_in_java(rows))
    lines += tables.section("All figures", tables.figures(rows) + tables.notes(rows) if rows else [])
    lines += tables.section("Handlers in Clojure and in Java", tables.figures(handlers) if handlers else [])
    lines += tables.section("Latency at constant rates", tables.latency(result.get("latency", [])))
    lines += tables.section("System calls", tables.syscalls(result.get("syscalls", [])))
    lines += tables.section("Idle connections", tables.idle(result.get("idle", [])))
    return lines + [f"**Incomplete** {note}\n" for note in incomplete]


def _is_ours(row):
    return row["server"].startswith("hinny")


def _run_load(servers, arguments, limit):
    """The result, whether every row of it is valid, and whether it may be kept: an error of a rival is a figure, too."""
    result, incomplete = runner.run(servers, arguments, limit)
    result["text"] = _text(result, incomplete)
    print("\n".join(result["text"]))
    rows = [row for section in ("rows", "handlers", "latency") for row in result.get(section, [])]
    valid = all(row["valid"] for row in rows)
    ours = all(row["valid"] for row in rows if _is_ours(row) or row["server"] == "hyper")
    return result, valid and not incomplete, ours and not incomplete


def _save(name, result, may_be_kept):
    """Keeps the raw results, and makes the documents of them. A run that may not be kept is not lost, but in target/."""
    result = {**result, "arguments": sys.argv[1:]}
    if not may_be_kept:
        path = os.path.join(ROOT, "target", f"{name}-not-valid.json")
        _write_json(path, result)
        raise Failure(f"a row is invalid or incomplete, so the result is only in {path}")
    results.save(name, result)
    say(f"wrote {results.path_of(name)}")
    for path in document.publish():
        say(f"wrote {path}")


def _write_json(path, result):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2, ensure_ascii=False)
        file.write("\n")


def _run(arguments, servers):
    """The exit code."""
    limit = idle.raise_descriptor_limit()
    if arguments.routes:
        result, valid = routes_run.run(servers, arguments, limit)
        may_be_kept = valid
    else:
        result, valid, may_be_kept = _run_load(servers, arguments, limit)
    if arguments.json:
        _write_json(arguments.json, result)
    if arguments.save:
        _save("routes" if arguments.routes else "bench", result, may_be_kept)
    return 0 if valid else 1


def main():
    arguments = command_line.parse()
    return program.run("run.py", lambda servers: _run(arguments, servers))


if __name__ == "__main__":
    sys.exit(main())
