"""Rows of bench.json as Markdown. Each function gives lines, none when it has nothing to show."""

import statistics

import budgets
import looks
import peers
import titles
from generator import disturbance

FIGURES = {"rps": "rps", "cpu_us_per_request": "CPU/request"}
HYPER, BETTER = "hyper", "better"
# Of the row of a database test; a figure of the cluster, not of the server.
DATABASE_CPU = "database_cpu_us_per_request"
WORKER = "hinny worker (lane)"


def table(columns, lines):
    """A table, and an empty line behind it."""
    return [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns),
            *(f"| {' | '.join(line)} |" for line in lines), ""]


def cell(spread, form=".2f"):
    """A median with its spread."""
    if spread is None:
        return "–"
    return f"{spread['median']:{form}} ({spread['min']:{form}}–{spread['max']:{form}})"


def milliseconds(latency_us, names):
    """wrk gives 0 for a percentile where it cannot tell, with few answers on each of many connections."""
    return " / ".join(f"{latency_us[name] / 1000:.2f}" if latency_us[name] else "–" for name in names)


def section(title, lines, level=3):
    return [f"{'#' * level} {title}", "", *lines] if lines else []


def header(facts):
    return [*(f"- {name}: {value}" for name, value in facts.items()), ""]


def ratios_of(row):
    """A row's ratios to others; none when it is not valid."""
    return row["ratios"] if row["valid"] else {}


def figures(rows, first="bench", first_title="scenario"):
    """What every server gave; an invalid row says so in place of a claim."""
    has_hyper = any(HYPER in ratios_of(row) for row in rows)
    has_memory = any(row.get("rss_mib") for row in rows)
    has_database = any(row.get(DATABASE_CPU) for row in rows)
    lines = []
    for row in rows:
        hyper, latency = ratios_of(row).get(HYPER, {}), row.get("latency_us")
        first_cell = [] if first is None else [f"{row[first]:,}" if isinstance(row[first], int) else row[first]]
        lines.append([
            *first_cell, titles.server(row["server"]), cell(row.get("rps"), ",.0f"),
            cell(row.get("cpu_us_per_request")), *([cell(hyper.get(name)) for name in FIGURES] if has_hyper else []),
            *([cell(row.get(DATABASE_CPU))] if has_database else []),
            *([cell(row.get("rss_mib"), ".0f")] if has_memory else []),
            milliseconds(latency, ["p50", "p99"]) if latency else "–",
            str(row["error_count"]) if row["valid"] else f"**INVALID** ({row['error_count']})"])
    if not lines:
        return []
    return table([*([] if first is None else [first_title]), "server", "rps median (min–max)",
                  "CPU µs/request median (min–max)", *(["rps to hyper's", "CPU to hyper's"] if has_hyper else []),
                  *(["the database's CPU µs/request"] if has_database else []), *(["RSS MiB"] if has_memory else []),
                  "latency p50 / p99 ms", "errors"], lines)


def notes(rows):
    """What a reader must know beside the figures."""
    others = [disturbance(entry) for line in rows for entry in line["rounds"]]
    if not others:
        return []
    discarded = sum({entry["bench"]: entry["discarded_turns"] for entry in rows}.values())
    lines = [f"Cores taken by other processes or by the hypervisor during a round: median "
             f"{statistics.median(others):.2f}, most {max(others):.2f}; turns discarded for that: {discarded}.", ""]
    unstable = sorted({f"{titles.server(entry['server'])} ({entry['scenario']})" for entry in rows
                       if not entry["warm_up"]["stable"]})
    if unstable:
        lines += [f"Not stable within 5 % when the warm-up ended: {', '.join(unstable)}.", ""]
    return lines


def rivals(rows, with_scenario=True):
    """Hinny's ratios to every rival of the same rows."""
    ours = [row for row in rows if looks.is_ours(row["server"])]
    names = list(dict.fromkeys(name for row in ours for name in ratios_of(row) if name != BETTER))
    def first(row):
        return [row["bench"]] if with_scenario else []
    lines = [[*first(row), row["server"], name, *(cell(ratios_of(row).get(rival, {}).get(figure)) for rival in names)]
             for row in ours if set(names) & ratios_of(row).keys() for figure, name in FIGURES.items()]
    if not lines:
        return []
    columns = [*(["scenario"] if with_scenario else []), "server", "figure"]
    return table(columns + [f"to {titles.server(name)}'s" for name in names], lines)


def best_in_java(rows):
    """Hinny's ratios to the best of the servers in Java, for each figure."""
    def shown(ratio):
        return f"{cell(ratio)} ({titles.server(ratio['peer'])})" if ratio else "–"
    lines = [[row["bench"], row["server"], *(shown(ratios_of(row)[BETTER].get(figure)) for figure in FIGURES)]
             for row in rows if looks.is_ours(row["server"]) and BETTER in ratios_of(row)]
    if not lines:
        return []
    return table(["scenario", "server", *(f"{name}, median (min–max)" for name in FIGURES.values())], lines)


def verdicts(rows):
    """What the budgets say of the rows that have one."""
    lines = []
    for entry in rows:
        budget = budgets.find(entry["scenario"], entry["server"], entry["connections"])
        ratios = ratios_of(entry).get(HYPER)
        if not budget or not ratios:
            continue
        for figure, bound in budget.bounds.items():
            lines.append([entry["scenario"], entry["server"], FIGURES[figure], f"{bound.text(bound.must)}",
                          f"{bound.text(bound.aim)}", cell(ratios[figure]), bound.verdict(ratios[figure]["median"])])
    if not lines:
        return []
    return table(["scenario", "server", "figure", "must", "aim", "to hyper's, median (min–max)", "verdict"], lines)


def latency(rows):
    """Latencies at constant rates."""
    names = ["p50", "p99", "p99_9"]

    def part(row):
        return f"{row['fraction']:.0%}" if row.get("fraction") is not None else "–"
    if not rows:
        return []
    return table(
        ["scenario", "server", "of its saturation", "rate, requests/s",
         *(f"{name.replace('_', '.')} ms median (min–max)" for name in names), "sent late by, p50 / p99 ms",
         "cores used by server / generator / most by others", "errors"],
        [[entry["bench"], titles.server(entry["server"]), part(entry), f"{entry['rate']:,.0f}",
          *(cell(entry["latency_ms"][name]) for name in names),
          milliseconds(entry["send_delay_us"], ["p50", "p99"]),
          " / ".join(f"{entry['cores'][name]:.2f}" for name in ("server", "generator", "disturbance")),
          "0" if entry["valid"] else f"**INVALID** ({entry['missing']} without answer)"] for entry in rows])


def syscalls(rows):
    """System calls for a request, by name, the frequent ones first."""
    if not rows:
        return []
    return table(
        ["scenario", "server", "system calls/request", "of these"],
        [[entry["bench"], titles.server(entry["server"]), f"{entry['total']:.3f}",
          ", ".join(f"{name} {count:.3f}" for name, count in entry["by_name"].items())] for entry in rows])


def idle(rows):
    """Memory of idle connections."""
    lines = []
    for entry in rows:
        before, held, after = (entry[name]["rss"] / 2**20 for name in ("before", "held", "closed"))
        lines.append([
            titles.server(entry["server"]), f"{entry['connections']:,}", f"{before:.1f}", f"{held:.1f}",
            f"{entry['rss_bytes_per_connection']:,.0f} ({entry['rss_bytes_per_connection'] / 1024:.2f} KiB)",
            f"{entry['anonymous_bytes_per_connection']:,.0f}", f"{after:.1f}"])
    if not lines:
        return []
    return table(["server", "idle connections", "RSS before MiB", "RSS with MiB", "native bytes/connection",
                   "of it anonymous", "RSS after all were closed MiB"], lines)


def summary(rows, cores):
    """The README's sentence, or None when the run has not the rows for it."""
    worker = next((entry for entry in rows if entry["server"] == WORKER
                   and entry["scenario"] == "plaintext" and entry["connections"] == budgets.CONNECTIONS), None)
    if not worker or not {HYPER, BETTER} <= ratios_of(worker).keys():
        return None
    ratios = ratios_of(worker)

    def median(rival, figure):
        return f"{ratios[rival][figure]['median']:.2f}"
    in_java = titles.joined([titles.server(name) for name in peers.JVM_PEERS if name in ratios])
    return (f"In one run on {cores} cores shared with the load generator, a handler on the worker pool (the default) "
            f"answered {median(HYPER, 'rps')} × the requests per second of a pure Rust hyper server, at "
            f"{median(HYPER, 'cpu_us_per_request')} × its CPU per request, and {median(BETTER, 'rps')} × those of "
            f"the best of {in_java}, at {median(BETTER, 'cpu_us_per_request')} × the least CPU of these.")
