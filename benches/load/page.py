"""The whole of docs/performance.md, made of the raw results alone. No figure that was measured is typed here."""

import shlex

import bench_sections
import goal_tables
import results
import routes_tables
import tables
from parts import heading, repeat

_NOTE = "<!-- Written by `make bench-report` from benches/load/results; edit neither this file nor its plots. -->"

_INTRO = """\
How fast Hinny is beside other servers, which goals of its design it reaches, and what stands behind that. The whole
page, plots included, is made of the raw results in [benches/load/results](../benches/load/results) by `make
bench-report`; those are written by the runs themselves. Every table says which one command repeats its rows. The method
and what is not comparable are in [benches/load/README.md](../benches/load/README.md)."""

_HOW_TO_READ = """\
- **Generator and servers share the cores of one machine.** The absolute figures are those of that machine with the
  generator on it; only ratios of one run mean anything.
- **CPU per request is the steadier figure.** It is the user and system time of the whole server process, JIT and
  collector included. Requests per second also depend on what the server leaves to the generator.
- **A ratio** is that of the medians of rounds taken in turn; in brackets, and as whiskers in the plots, are the least
  and the greatest round, or ratio of one turn. A row with errors is invalid: it has no ratio and is not drawn.
- **The rivals have their recommended settings** and do less: they have no timeouts and no limits worth the name.
- **"lane"** is `:http1-engine :auto`, the default; **"hyper only"** is `:hyper`. "inline", "worker" and "virtual" (a
  virtual thread for each request) are handler modes; a 1-arity handler on the worker pool is the default.
- **Latency at a constant rate** is counted from the time a request was due, so a server that stands still cannot hide
  it. The rates differ: each server has fractions of its own saturation. "Sent late by" is what the generator and a busy
  connection added before the request left; it is part of the latency. Percentiles of a saturated server are those of
  its queue."""

_ALLOCATIONS = """\
A request allocates nothing in Rust in steady state, whether a handler answers it, bare or behind a route with path
parameters, or the core, with a constant response or a 404 (asserted in `benches/native/tests`)."""

_WHAT = {
    "bench": "servers under load, at constant rates, idle",
    "routes": "what routes cost, beside nginx",
    "instructions": "instructions of the native benches",
    "verify": "the rules of TechEmpower",
}
_SHOWN = ("date", "commit", "cpu", "kernel", "jdk")
_BY_RUN_PY = ("bench", "routes")


def _runs(found):
    """Where and when each run was made."""
    lines = []
    for name, command in results.COMMANDS.items():
        machine = found[name]["machine"] if name in found else {}
        # A JDK says more than its version.
        facts = [goal_tables.escaped(machine.get(fact, "–")).partition(";")[0] for fact in _SHOWN]
        raw = f"[{name}.json](../benches/load/results/{name}.json)" if machine else f"`{command}` makes it"
        lines.append([_WHAT[name], *facts, raw])
    return ["## The runs", "", *tables.table(["run", "date", "commit", "CPU", "kernel", "JDK", "raw results"], lines),
            "Versions, flags and all else that the runs noted: [below](#the-runs-in-full).", ""]


def _runs_in_full(found):
    lines = []
    for name in results.NAMES:
        if name in found:
            arguments = found[name].get("arguments")
            command = (f"benches/load/run.py {shlex.join(arguments)}" if arguments and name in _BY_RUN_PY
                       else results.COMMANDS[name])
            lines += tables.section(_WHAT[name][0].upper() + _WHAT[name][1:],
                                    tables.header({**found[name]["machine"], "command": f"`{command}`"}))
    return ["## The runs in full", "", *(lines or ["None yet.", ""])]


def _routes(found):
    routes = found.get("routes")
    if not routes:
        return heading("Routes", [], "routes")
    rows = [(row["bench"], f"benches/load/run.py --routes {row['scenario']}") for row in routes["rows"]]
    others = [(name, f"benches/load/run.py --routes {name}") for name in ("ready", "table", "native") if name in routes]
    return heading("Routes", [
        "What the core does with [routes](routing.md), beside nginx, and what a route costs a handler. What stands "
        "behind \"bare handler again\" compares two equal servers, so that is the noise.",
        "", *routes_tables.sections(routes), *repeat(rows + others)], "routes")


def _instructions(found):
    rows = found.get("instructions", {}).get("rows", [])
    lines = goal_tables.instructions(rows) + (repeat([("all", "make bench-instructions")]) if rows else [])
    return heading("Instructions in Rust", lines, "instructions") + [_ALLOCATIONS, ""]


def _verified(found):
    rows = found.get("verify", {}).get("rows", [])
    lines = goal_tables.verified(rows) + (repeat([("all", "make techempower-verify")]) if rows else [])
    return heading("The rules of TechEmpower", lines, "verify")


def text(found, drawn):
    """The page of these results, by run; `drawn` has the names of the plots."""
    bench = found.get("bench", {})
    lines = [_NOTE, "", "# Performance", "", _INTRO, "", "## How to read it", "", _HOW_TO_READ, "", *_runs(found),
             *bench_sections.goals(bench, drawn), *bench_sections.claims(bench, drawn)]
    for section in bench_sections.ALL:
        lines += section(bench, drawn)
    lines += [*_routes(found), *_instructions(found), *_verified(found), *_runs_in_full(found)]
    return "\n".join(lines).rstrip() + "\n"
