"""Results that were made up, with round numbers, for the tests of tables and plots: rows, and in `data` whole files."""

import os

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")


def spread(median, part=0.1):
    """A spread of so much to both sides."""
    return {"median": median, "min": median * (1 - part), "max": median * (1 + part)}


def figures(rps, cpu_us):
    return {"rps": spread(rps), "cpu_us_per_request": spread(cpu_us)}


def row(scenario, server, rps, connections=64, **more):
    """A row of a saturated server."""
    return {
        "bench": f"h1_keepalive_c{connections}_{scenario}_13b", "scenario": scenario, "connections": connections,
        "server": server, "valid": True, "error_count": 0, "discarded_turns": 0, "warm_up": {"stable": True},
        "rounds": [{"cores_used": {"others": 0.0, "stolen": 0.0}}], "ratios": {}, **figures(rps, 1_000_000 / rps),
        "latency_us": {"p50": 1000, "p99": 2000}, "rss_mib": spread(100),
        "command": f"benches/load/run.py --scenario {scenario} --connections {connections}", **more,
    }


def at_a_rate(scenario, server, rate, p50_ms, fraction, **more):
    """A row at a constant rate."""
    return {
        "bench": f"h1_keepalive_c64_{scenario}_13b", "scenario": scenario, "connections": 64, "server": server,
        "fraction": fraction, "rate": rate, "valid": True, "missing": 0,
        "latency_ms": {"p50": spread(p50_ms), "p99": spread(10 * p50_ms), "p99_9": spread(50 * p50_ms),
                       "max": spread(100 * p50_ms)},
        "send_delay_us": {"p50": 10, "p99": 100}, "cores": {"server": 0.5, "generator": 0.5, "disturbance": 0.0},
        "rounds": [], "command": f"benches/load/run.py --scenario {scenario} --latency", **more,
    }


MACHINE = {
    "date": "2000-01-01 00:00 UTC", "commit": "0123456789ab", "cpu": "An imaginary processor, 2 cores",
    "kernel": "0.0.0", "rustc": "rustc 0.0.0", "jdk": "openjdk 0", "placement": "nothing is pinned",
}
