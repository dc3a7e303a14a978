"""Latencies at a constant rate: each server at half of what it answered when it was saturated.

The generator is benches/load/constant-rate: its schedule does not wait for answers, and a latency is
counted from the time its request was due, so a server that stands still cannot hide it (no coordinated omission).
"""

import json
import statistics
import subprocess

from failure import Failure
from generator import CoreUse, disturbance
from http_check import headers_of
from report import spread

WARM_UP_S = 1
PART = 0.5
EXTRA_S = 30


class Steady:
    """The generator; `executable` is hinny-constant-rate."""

    def __init__(self, executable):
        self._executable = executable

    def round(self, server, scenario, connections, rate, seconds, response_bytes):
        """One measured run; not valid when a request got no answer."""
        headers = [part for name, value in headers_of(scenario.path).items()
                   for part in ("--header", f"{name}: {value}")]
        command = [self._executable, "--address", f"127.0.0.1:{server.port}", "--path", scenario.path, *headers,
                   "--rate", str(rate), "--seconds", str(seconds), "--warm-up-seconds", str(WARM_UP_S),
                   "--connections", str(connections), "--response-bytes", str(response_bytes)]
        use = CoreUse(server)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   start_new_session=True)
        try:
            output, errors = process.communicate(timeout=seconds + WARM_UP_S + EXTRA_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"hinny-constant-rate did not end against {server.name}") from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode != 0:
            raise Failure(f"{server.name} at {rate} requests/s: {errors.strip()}")
        _, cores_used = use.since((seconds + WARM_UP_S) * 1e6)
        return {**json.loads(output), "cores_used": cores_used}


def half_of_saturation(rps):
    return max(1, round(rps * PART))


def row(bench, server, rate, rounds):
    """The medians over the rounds."""
    def medians(key):
        return {name: statistics.median(entry[key][name] for entry in rounds) for name in rounds[0][key]}
    missing = sum(entry["missing"] for entry in rounds)
    return {
        "bench": bench, "server": server, "rate": rate, "valid": missing == 0, "missing": missing,
        "latency_ms": {name: spread([entry["latency_us"][name] / 1000 for entry in rounds])
                       for name in rounds[0]["latency_us"]},
        "send_delay_us": medians("send_delay_us"),
        "cores": {**medians("cores_used"), "disturbance": max(map(disturbance, rounds))},
        "rounds": rounds,
    }
