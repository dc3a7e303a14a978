"""Turns rounds into rows, and says on which machine they were taken."""

import datetime
import os
import platform
import statistics
import subprocess

from peers import JVM_PEERS
from server_process import ROOT

AUTOGROUP = "/proc/sys/kernel/sched_autogroup_enabled"


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


def _autogroup():
    """Whether the scheduler groups by session, so that a server with many threads gets no more than its share."""
    try:
        with open(AUTOGROUP, encoding="ascii") as setting:
            return "on" if setting.read().strip() == "1" else "off"
    except OSError:
        return "not in this kernel"


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
        "placement": f"generator and servers share {cores} cores, nothing is pinned; each is in a session of its own "
                     f"(autogroup: {_autogroup()})",
    }


def jdk(java):
    lines = _said([java, "-version"])
    return f"{lines[0]}; {lines[-1]}" if lines else "not found"


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratio(rounds, rival_rounds, key):
    """The ratio of the medians, and the least and greatest ratio within one turn."""
    each = [ours[key] / theirs[key] for ours, theirs in zip(rounds, rival_rounds)]
    medians = [statistics.median(entry[key] for entry in side) for side in (rounds, rival_rounds)]
    return {"median": medians[0] / medians[1], "min": min(each), "max": max(each)}


def _add_better(ratios):
    """Beside the ratios to the servers in Java, that to the best of them: the one that is hardest to beat."""
    rivals = [peer for peer in JVM_PEERS if peer in ratios]
    if len(rivals) > 1:
        for figure, harder in (("rps", min), ("cpu_us_per_request", max)):
            peer = harder(rivals, key=lambda name: ratios[name][figure]["median"])
            ratios.setdefault("better", {})[figure] = {"peer": peer, **ratios[peer][figure]}


def row(scenario, connections, kind, rounds, notes):
    """One row: medians and spread over the rounds of `kind`; ratios only when all rounds of both are valid.

    `rounds` has those of every server, by its kind.
    """
    ours = rounds[kind]
    valid = {name: all(entry["valid"] for entry in entries) for name, entries in rounds.items()}
    result = {
        "bench": scenario.bench_name(connections), "scenario": scenario.name, "connections": connections,
        "server": str(kind), "valid": valid[kind],
        "error_count": sum(entry["error_count"] for entry in ours),
        **notes, "rounds": ours, "ratios": {},
    }
    if any(entry["requests"] == 0 for entry in ours):
        return result
    result["rps"] = spread([entry["rps"] for entry in ours])
    result["cpu_us_per_request"] = spread([entry["cpu_us_per_request"] for entry in ours])
    result["rss_mib"] = spread([entry["rss_mib"] for entry in ours])
    result["latency_us"] = {name: statistics.median(entry["latency_us"][name] for entry in ours)
                            for name in ours[0]["latency_us"]}
    for peer in rounds:
        if isinstance(peer, str) and peer != kind and valid[kind] and valid[peer]:
            result["ratios"][peer] = {figure: ratio(ours, rounds[peer], figure)
                                      for figure in ("rps", "cpu_us_per_request")}
    if not isinstance(kind, str):
        _add_better(result["ratios"])
    return result
