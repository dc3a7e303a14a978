"""Rows as Markdown. Each function gives lines, none when it has nothing to show."""

import statistics

import budgets
import peers
from generator import disturbance

FIGURES = {"rps": "rps", "cpu_us_per_request": "CPU/request"}


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


def section(title, lines):
    return [f"### {title}", "", *lines] if lines else []


def header(facts):
    return [*(f"- {name}: {value}" for name, value in facts.items()), ""]


def figures(rows):
    """What every server gave; an invalid row says so in place of a claim."""
    lines = []
    for entry in rows:
        hyper = entry["ratios"].get("hyper", {})
        latency = entry.get("latency_us")
        lines.append([
            entry["bench"], entry["server"], cell(entry.get("rps"), ",.0f"), cell(entry.get("cpu_us_per_request")),
            cell(hyper.get("rps")), cell(hyper.get("cpu_us_per_request")),
            milliseconds(latency, ["p50", "p99"]) if latency else "–",
            str(entry["error_count"]) if entry["valid"] else f"**INVALID** ({entry['error_count']})"])
    return table(["scenario", "server", "rps median (min–max)", "CPU µs/request median (min–max)", "rps to hyper's",
                   "CPU to hyper's", "latency p50 / p99 ms", "errors"], lines)


def notes(rows):
    """What a reader must know beside the figures."""
    others = [disturbance(entry) for line in rows for entry in line["rounds"]]
    discarded = sum({entry["bench"]: entry["discarded_turns"] for entry in rows}.values())
    lines = [f"Cores taken by other processes or by the hypervisor during a round: median "
             f"{statistics.median(others):.2f}, most {max(others):.2f}; turns discarded for that: {discarded}.", ""]
    unstable = sorted({f"{entry['server']} ({entry['scenario']})" for entry in rows
                       if not entry["warm_up"]["stable"]})
    if unstable:
        lines += [f"Not stable within 5 % when the warm-up ended: {', '.join(unstable)}.", ""]
    return lines


def rivals(rows):
    """Hinny's ratios to the rivals on the JVM, and to the better of them."""
    def better(ratio):
        return f"{ratio['median']:.2f} ({peers.PEERS[ratio['peer']].title})" if ratio else "–"
    lines = []
    for entry in rows:
        ratios = {name: entry["ratios"][name] for name in ("netty", "vertx", "better") if name in entry["ratios"]}
        if entry["server"].startswith("hinny") and ratios:
            line = [entry["bench"], entry["server"]]
            for figure in FIGURES:
                line += [cell(ratios.get(peer, {}).get(figure)) for peer in ("netty", "vertx")]
                line.append(better(ratios.get("better", {}).get(figure)))
            lines.append(line)
    if not lines:
        return []
    return table(["scenario", "server", *(f"{name} to {rival}" for name in FIGURES.values()
                                           for rival in ("Netty's", "Vert.x's", "the better one's"))], lines)


def verdicts(rows):
    """What the budgets say of the rows that have one."""
    lines = []
    for entry in rows:
        budget = budgets.find(entry["scenario"], entry["server"], entry["connections"])
        ratios = entry["ratios"].get("hyper")
        if not budget or not ratios:
            continue
        for figure, bound in budget.bounds.items():
            lines.append([entry["scenario"], entry["server"], FIGURES[figure], f"{bound.text(bound.must)}",
                          f"{bound.text(bound.aim)}", cell(ratios[figure]), bound.verdict(ratios[figure]["median"])])
    if not lines:
        return []
    return table(["scenario", "server", "figure", "must", "aim", "to hyper's, median (min–max)", "verdict"], lines)


def latency(rows):
    """Latencies at a constant rate of half the saturation."""
    names = ["p50", "p99", "p99_9"]
    return table(
        ["scenario", "server", "rate, requests/s", *(f"{name.replace('_', '.')} ms median (min–max)" for name in names),
         "sent late by, p50 / p99 ms", "cores used by server / generator / most by others", "errors"],
        [[entry["bench"], entry["server"], f"{entry['rate']:,}",
          *(cell(entry["latency_ms"][name]) for name in names),
          milliseconds(entry["send_delay_us"], ["p50", "p99"]),
          " / ".join(f"{entry['cores'][name]:.2f}" for name in ("server", "generator", "disturbance")),
          "0" if entry["valid"] else f"**INVALID** ({entry['missing']} without answer)"] for entry in rows])


def syscalls(rows):
    """System calls for a request, by name, the frequent ones first."""
    return table(
        ["scenario", "server", "system calls/request", "of these"],
        [[entry["bench"], entry["server"], f"{entry['total']:.3f}",
          ", ".join(f"{name} {count:.3f}" for name, count in entry["by_name"].items())] for entry in rows])


def idle(rows):
    """Memory of idle connections."""
    lines = []
    for entry in rows:
        before, held, after = (entry[name]["rss"] / 2**20 for name in ("before", "held", "closed"))
        lines.append([
            entry["server"], f"{entry['connections']:,}", f"{before:.1f}", f"{held:.1f}",
            f"{entry['rss_bytes_per_connection']:,.0f} ({entry['rss_bytes_per_connection'] / 1024:.2f} KiB)",
            f"{entry['anonymous_bytes_per_connection']:,.0f}", f"{after:.1f}"])
    return table(["server", "idle connections", "RSS before MiB", "RSS with MiB", "native bytes/connection",
                   "of it anonymous", "RSS after all were closed MiB"], lines)


def summary(rows, cores):
    """The README's sentence, or None when the run has not the rows for it."""
    worker = next((entry for entry in rows if entry["server"].startswith("hinny worker")
                   and entry["scenario"] == "plaintext" and entry["connections"] == budgets.CONNECTIONS), None)
    if not worker or not {"hyper", "better"} <= worker["ratios"].keys():
        return None

    def median(rival, figure):
        return f"{worker['ratios'][rival][figure]['median']:.2f}"
    return (f"In one run on {cores} cores shared with the load generator, a handler on the worker pool (the default) "
            f"answered {median('hyper', 'rps')} × the requests per second of a pure Rust hyper server, at "
            f"{median('hyper', 'cpu_us_per_request')} × its CPU per request, and {median('better', 'rps')} × those of "
            f"the better of Netty and Vert.x, at {median('better', 'cpu_us_per_request')} × the lower CPU of the two.")
