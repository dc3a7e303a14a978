"""The plots of docs/performance.md: what is drawn of the raw results, and the file of each."""

from collections import Counter

import looks
import titles
from bar_chart import bars
from budgets import CONNECTIONS
from line_chart import Panel, lines
from scales import Linear, Log, Points

DATABASE = ("db", "queries", "fortunes", "updates", "cached-queries")
PERCENTILES = {"p50": "p50", "p99": "p99", "p99_9": "p99.9"}
_LEAST_MS = 0.001


def scenarios(rows):
    """The scenarios, in the order of the rows."""
    return list(dict.fromkeys(row["scenario"] for row in rows))


def of_scenario(rows, scenario):
    return [row for row in rows if row["scenario"] == scenario]


def main_rows(rows, scenario):
    """The rows of a scenario with the usual number of connections, or the least that it has."""
    found = of_scenario(rows, scenario)
    counts = {row["connections"] for row in found}
    wanted = CONNECTIONS if CONNECTIONS in counts else min(counts)
    return [row for row in found if row["connections"] == wanted]


def scaling_rows(rows, scenario):
    """The rows of a scenario whose servers were measured with several numbers of connections."""
    found = of_scenario(rows, scenario)
    counts = Counter(row["server"] for row in found)
    return [row for row in found if counts[row["server"]] > 1]


def _by_figure(rows, figure, best_first):
    """(server, spread) with the best server first, and those without a valid figure last."""
    entries = [(row["server"], row.get(figure) if row["valid"] else None) for row in rows]
    sign = -1 if best_first is max else 1
    return sorted(entries, key=lambda entry: (entry[1] is None, sign * entry[1]["median"] if entry[1] else 0))


def _bar_plots(rows, scenario):
    chosen = main_rows(rows, scenario)
    name, connections = titles.scenario(scenario), f"{chosen[0]['connections']} connections"
    yield f"rps-{scenario}.svg", bars(
        f"{name}: requests per second", f"{connections}, saturated; whiskers: least and greatest round; more is better",
        "requests/s", _by_figure(chosen, "rps", max), ",.0f")
    yield f"cpu-{scenario}.svg", bars(
        f"{name}: server CPU per request", f"{connections}, saturated; whiskers: least and greatest round; less is better",
        "µs/request", _by_figure(chosen, "cpu_us_per_request", min), ".2f")


def _linear(values, bottom, top):
    return Linear(max(values), bottom, top)


def _log(values, bottom, top):
    return Log(min(values), max(values), bottom, top)


def _points(rows, x, y):
    """The points of each server, from left to right, of what is valid."""
    found = {}
    for row in sorted(rows, key=x):
        value = y(row) if row["valid"] else None
        # Nothing is of no size, and on a logarithmic axis it has no place.
        if value:
            found.setdefault(row["server"], []).append((x(row), value))
    return found


def _panels(*panels):
    return [panel for panel in panels if panel.points]


def _legend(rows, panels):
    """The servers that are drawn: Hinny's first, then in the order of the rows."""
    drawn = {server for panel in panels for server in panel.points}
    servers = dict.fromkeys(row["server"] for row in rows if row["server"] in drawn)
    return sorted(servers, key=lambda server: not looks.is_ours(server))


def _described(what, panel):
    last = (f"{titles.server(server)} {points[-1][1]:,.6g}" for server, points in panel.points.items())
    return f"{panel.name}, {what}: {'; '.join(last)}."


def _scaling_plot(rows, scenario):
    chosen = scaling_rows(rows, scenario)

    def median(figure):
        return _points(chosen, lambda row: row["connections"],
                       lambda row: row[figure]["median"] if row.get(figure) else None)
    panels = _panels(Panel("requests per second", _linear, median("rps")),
                     Panel("server CPU per request, µs, logarithmic", _log, median("cpu_us_per_request")))
    counts = {x for panel in panels for points in panel.points.values() for x, _ in points}
    return lines(
        f"{titles.scenario(scenario)}: how it scales with connections", "saturated; medians", "connections",
        lambda start, end: Points(counts, start, end), panels, _legend(chosen, panels),
        " ".join(_described("with the most connections", panel) for panel in panels))


def latency_rows(rows, scenario):
    """The rows at fractions of saturation, or, when none is, all that have a rate."""
    chosen = of_scenario(rows, scenario)
    return [row for row in chosen if row.get("fraction") is not None] or chosen


def _has_curves(rows):
    """Whether a server has several rates, so that there is a line to draw."""
    valid = [row["server"] for row in rows if row["valid"]]
    return len(valid) > len(set(valid))


def _latency_plot(rows, scenario):
    chosen = latency_rows(rows, scenario)

    def median(name):
        return _points(chosen, lambda row: row["rate"],
                       lambda row: max(_LEAST_MS, row["latency_ms"][name]["median"]))
    panels = _panels(*(Panel(f"{title}, ms, logarithmic", _log, median(name)) for name, title in PERCENTILES.items()))
    most = max(x for panel in panels for points in panel.points.values() for x, _ in points)
    return lines(
        f"{titles.scenario(scenario)}: latency against rate",
        f"{chosen[0]['connections']} connections, constant rates, each server at fractions of its own saturation; medians",
        "requests per second, as demanded", lambda start, end: Linear(most, start, end), panels,
        _legend(chosen, panels), " ".join(_described("at the greatest rate", panel) for panel in panels))


def _one_rate_plot(rows, scenario):
    """The p99 of each server at the rate that they have in common."""
    entries = [(row["server"], row["latency_ms"]["p99"] if row["valid"] else None) for row in rows]
    return bars(
        f"{titles.scenario(scenario)}: p99 of the latency at {rows[0]['rate']:,} requests/s",
        f"{rows[0]['connections']} connections, a constant rate; whiskers: least and greatest round; less is better", "ms",
        sorted(entries, key=lambda entry: (entry[1] is None, entry[1]["median"] if entry[1] else 0)), ".2f")


def _have_one_rate(rows):
    """Whether servers are compared at one and the same rate."""
    return len({row["rate"] for row in rows}) == 1 and len(rows) > 1 and _any_valid(rows)


def _any_valid(rows):
    return any(row["valid"] for row in rows)


def draw(results):
    """The SVG of each file."""
    bench = results.get("bench", {})
    rows, latency = bench.get("rows", []), bench.get("latency") or []
    files = {}
    for scenario in scenarios(rows):
        if _any_valid(main_rows(rows, scenario)):
            files.update(_bar_plots(rows, scenario))
        if _any_valid(scaling_rows(rows, scenario)):
            files[f"connections-{scenario}.svg"] = _scaling_plot(rows, scenario)
    for scenario in scenarios(latency):
        if _has_curves(latency_rows(latency, scenario)):
            files[f"latency-{scenario}.svg"] = _latency_plot(latency, scenario)
        elif _have_one_rate(latency_rows(latency, scenario)):
            files[f"latency-{scenario}.svg"] = _one_rate_plot(latency_rows(latency, scenario), scenario)
    return files
