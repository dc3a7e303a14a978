"""Turns rounds into rows and rows into a Markdown table, under a header that says on which machine."""

import datetime
import os
import platform
import statistics
import subprocess

from generator import disturbance
from server_process import ROOT


def _said(command):
    """Both outputs of a command, as lines; none when it failed."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return []
    return (done.stdout + done.stderr).strip().splitlines() if done.returncode == 0 else []


def _cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as info:
        for line in info:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _commit():
    commit = _said(["git", "rev-parse", "--short=12", "HEAD"])
    if not commit:
        return "none"
    return commit[0] + (" with local changes" if _said(["git", "status", "--porcelain"]) else "")


def machine(facts):
    """The header of a result: what a reader needs to judge the figures. `facts` are the run's own."""
    cores = len(os.sched_getaffinity(0))
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "cpu": f"{_cpu_model()}, {cores} cores",
        "kernel": platform.release(),
        "load average at start": f"{os.getloadavg()[0]:.2f}",
        "rustc": (_said(["rustc", "--version"]) or ["not found"])[0],
        **facts,
        "placement": f"generator and servers share {cores} cores, nothing is pinned",
    }


def jdk(java):
    lines = _said([java, "-version"])
    return f"{lines[0]}; {lines[-1]}" if lines else "not found"


def print_header(header):
    for name, value in header.items():
        print(f"- {name}: {value}")
    print()


def _spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _ratio(rounds, rival_rounds, key):
    """The ratio of the medians, and the least and greatest ratio within one turn."""
    each = [ours[key] / theirs[key] for ours, theirs in zip(rounds, rival_rounds)]
    medians = [statistics.median(entry[key] for entry in side) for side in (rounds, rival_rounds)]
    return {"median": medians[0] / medians[1], "min": min(each), "max": max(each)}


def row(bench, server, rounds, rival_rounds, notes):
    """One row: medians and spread over the rounds; ratios only when all rounds of both are valid."""
    valid = all(entry["valid"] for entry in rounds)
    result = {
        "bench": bench, "server": server, "valid": valid,
        "error_count": sum(entry["error_count"] for entry in rounds),
        **notes, "rounds": rounds,
    }
    if any(entry["requests"] == 0 for entry in rounds):
        return result
    result["rps"] = _spread([entry["rps"] for entry in rounds])
    result["cpu_us_per_request"] = _spread([entry["cpu_us_per_request"] for entry in rounds])
    result["latency_us"] = {name: statistics.median(entry["latency_us"][name] for entry in rounds)
                            for name in rounds[0]["latency_us"]}
    if rival_rounds and valid and all(entry["valid"] for entry in rival_rounds):
        result["rps_ratio"] = _ratio(rounds, rival_rounds, "rps")
        result["cpu_ratio"] = _ratio(rounds, rival_rounds, "cpu_us_per_request")
    return result


def _cell(spread, form):
    if spread is None:
        return "–"
    return f"{spread['median']:{form}} ({spread['min']:{form}}–{spread['max']:{form}})"


def print_rows(rows):
    """The table; an invalid row says so in place of a claim."""
    print("| scenario | server | rps median (min–max) | CPU µs/request median (min–max) | rps ratio | CPU ratio "
          "| latency p50 / p99 ms | errors |")
    print("|---|---|---|---|---|---|---|---|")
    for entry in rows:
        latency = entry.get("latency_us")
        percentiles = f"{latency['p50'] / 1000:.2f} / {latency['p99'] / 1000:.2f}" if latency else "–"
        errors = str(entry["error_count"]) if entry["valid"] else f"**INVALID** ({entry['error_count']})"
        print(f"| {entry['bench']} | {entry['server']} | {_cell(entry.get('rps'), ',.0f')} "
              f"| {_cell(entry.get('cpu_us_per_request'), '.2f')} | {_cell(entry.get('rps_ratio'), '.2f')} "
              f"| {_cell(entry.get('cpu_ratio'), '.2f')} | {percentiles} | {errors} |")
    print()
    others = [disturbance(entry) for line in rows for entry in line["rounds"]]
    discarded = sum({entry["bench"]: entry["discarded_turns"] for entry in rows}.values())
    print(f"Cores taken by other processes or by the hypervisor during a round: median "
          f"{statistics.median(others):.2f}, most {max(others):.2f}; turns discarded for that: {discarded}.\n")
    unstable = [f"{entry['server']} ({entry['bench']})" for entry in rows if not entry["warm_up"]["stable"]]
    if unstable:
        print(f"Not stable within 5 % when the warm-up ended: {', '.join(unstable)}.\n")


def print_idle(rows):
    print("| server | idle connections | RSS before MiB | RSS with MiB | native bytes/connection | of it anonymous "
          "| RSS after all were closed MiB |")
    print("|---|---|---|---|---|---|---|")
    for entry in rows:
        before, held, after = (entry[name]["rss"] / 2**20 for name in ("before", "held", "closed"))
        print(f"| {entry['server']} | {entry['connections']:,} | {before:.1f} | {held:.1f} "
              f"| {entry['rss_bytes_per_connection']:,.0f} ({entry['rss_bytes_per_connection'] / 1024:.2f} KiB) "
              f"| {entry['anonymous_bytes_per_connection']:,.0f} | {after:.1f} |")
    print()
