"""What `--routes` gave, as Markdown. Each function gives lines, none when it has nothing to show."""

import statistics

import goals
import native_counts
import ready
import route_rows
import route_tables
from tables import FIGURES, cell, milliseconds, notes, section, table

PERCENTILES = ["p50", "p99", "p99_9"]


def _goals_of_rows(rows):
    for row in rows:
        if row["server"] == route_rows.BARE_AGAIN:
            for figure, ratio in row["ratios"].get(route_rows.BARE, {}).items():
                yield [row["scenario"], row["server"], f"{FIGURES[figure]} to {route_rows.BARE}", "none: the noise",
                       cell(ratio), "–"]
        for goal in goals.of(row["scenario"], row["server"]):
            ratio = row["ratios"].get(goal.rival, {}).get(goal.figure)
            if ratio:
                yield [row["scenario"], row["server"], f"{FIGURES[goal.figure]} to {goal.rival}", goal.text(),
                       cell(ratio), goal.verdict(ratio["median"])]


def _goals_of_ready(lines):
    for line in lines or []:
        if line["state"] == ready.POOL_FULL:
            p99_ms = line["latency_ms"]["p99"]
            yield ["ready", "hinny", f"p99 of /ready, {line['state']}", f"< {goals.READY_P99_MS:.0f} ms",
                   f"{cell(p99_ms)} ms", goals.ready_verdict(p99_ms["median"])]


def verdicts(result):
    """The goals, and whether they were met."""
    lines = [*_goals_of_rows(result["rows"]), *_goals_of_ready(result.get("ready"))]
    if not lines:
        return []
    return table(["row", "server", "figure", "goal", "median (min–max)", "verdict"], lines)


def _ratios(row, figure):
    """Ratios to the row's other contestants, as far as they are a comparison."""
    rivals = [name for name in row["ratios"] if name in (route_rows.NGINX, route_rows.NGINX_CACHE, route_rows.HYPER,
                                                         route_rows.BARE)]
    return "; ".join(f"{name} {cell(row['ratios'][name][figure])}" for name in rivals) or "–"


def figures(rows):
    """What every server gave; an invalid row says so in place of a claim."""
    lines = []
    for row in rows:
        is_ours = row["server"].startswith("hinny")
        latency = row.get("latency_us")
        lines.append([row["bench"], row["server"], cell(row.get("rps"), ",.0f"), cell(row.get("cpu_us_per_request")),
                      *(_ratios(row, figure) if is_ours else "–" for figure in FIGURES),
                      milliseconds(latency, ["p50", "p99"]) if latency else "–",
                      str(row["error_count"]) if row["valid"] else f"**INVALID** ({row['error_count']})"])
    if not lines:
        return []
    return table(["row", "server", "rps median (min–max)", "CPU µs/request median (min–max)", "rps to …",
                  "CPU/request to …", "latency p50 / p99 ms", "errors"], lines)


def _latencies(line):
    errors = "0" if line["valid"] else f"**INVALID** ({line['missing']} without answer)"
    return [*(cell(line["latency_ms"][name]) for name in [*PERCENTILES, "max"]), errors]


def _latency_columns():
    names = [*(name.replace("_", ".") for name in PERCENTILES), "longest"]
    return [f"{name} ms median (min–max)" for name in names]


def _answers(rounds, status):
    """The handler's answers with a status, which is text once it was in a file."""
    return sum(entry["handler"].get(status, entry["handler"].get(str(status), 0)) for entry in rounds)


def health(lines):
    """Latency of /ready in each state."""
    shown = []
    for line in lines or []:
        rounds = line["rounds"]
        gaps = [entry["longest_without_refusal_ms"] for entry in rounds if entry["longest_without_refusal_ms"]]
        shown.append([line["state"], f"{line['rate']:,}", *_latencies(line),
                      f"{_answers(rounds, 200):,}", f"{_answers(rounds, 503):,}",
                      f"{max(gaps):.0f}" if gaps else "–"])
    if not shown:
        return []
    return table(["state of the server", "/ready per second", *_latency_columns(), "errors", "handler's 200s",
                  "handler's 503s", "longest without a 503, ms"], shown)


def starts(result):
    """What starts and swaps of large tables take."""
    if not result:
        return []
    started, lines = result["starts"], result["swaps"]
    swap_ms = [entry["swap_ms"] for line in lines for entry in line["rounds"] if entry["swap_ms"]]
    shown = [[f"start with {route_tables.COUNT:,} routes, the JVM's first", f"{started['first_ms']:.0f}"],
             [f"start with {route_tables.COUNT:,} routes, later", cell(started["later_ms"], ".0f")],
             [f"start with {route_tables.SMALL} routes, later", cell(started["small_ms"], ".1f")]]
    if swap_ms:
        spread = {"median": statistics.median(swap_ms), "min": min(swap_ms), "max": max(swap_ms)}
        shown.append([f"swap of {route_tables.COUNT:,} routes under load, medians of the rounds", cell(spread, ".0f")])
    return table(["from route data until it serves", "ms, median (min–max)"], shown)


def swaps(result):
    """Latency of other requests while tables are swapped."""
    if not result:
        return []
    return table(["state", "requests per second", *_latency_columns(), "errors", "swaps"], [
        [line["state"], f"{line['rate']:,}", *_latencies(line),
         str(sum(entry["swaps"] for entry in line["rounds"]))] for line in result["swaps"]])


def instructions(result):
    """Instructions in Rust for a request."""
    if not result or not result["instructions"]:
        return []
    return table(["a request in Rust", "instructions", "pipelined ×16"], [
        [what, *(f"{counts[depth]:,}" for depth in ("1", "16"))] for what, counts in result["instructions"].items()])


def lookups(result):
    """Look-ups in tables of all sizes, and their compilation."""
    if not result:
        return []
    found = result["lookups"]
    lines = [[f"look-up: {name}", *(f"{ns:,.0f} ns" for ns in found["find"][case])]
             for case, name in native_counts.CASES.items()]
    lines.append(["compilation", *(f"{ns / 1e6:,.2f} ms" for ns in found["compile"])])
    paths = [[name, f"{found['normalized'][case]:,.0f} ns"] for case, name in native_counts.PATHS.items()]
    return (table(["in a table of", *(f"{size:,} routes" for size in native_counts.SIZES)], lines)
            + table(["path", "time"], paths))


def sections(result, level=3):
    """All but the header, each part with its heading."""
    rows = result["rows"]
    return (section("The goals of routes", verdicts(result), level)
            + section("All figures of routes", figures(rows) + notes(rows), level)
            + section("/ready while no worker is free", health(result.get("ready")), level)
            + section("Large route tables", starts(result.get("table")) + swaps(result.get("table")), level)
            + section("In Rust alone", instructions(result.get("native")) + lookups(result.get("native")), level))


def text(header, result, incomplete):
    """The whole result, as a run prints it."""
    return section("The run", header) + sections(result) + [f"**Incomplete** {note}\n" for note in incomplete]
