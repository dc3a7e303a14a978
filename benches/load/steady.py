"""Latencies at a constant rate: a fraction of what each server answered when it was saturated, or one rate for all.

The generator is benches/load/constant-rate: its schedule does not wait for answers, and a latency is
counted from the time its request was due, so a server that stands still cannot hide it (no coordinated omission).
"""

import json
import statistics
import subprocess

from failure import Failure
from generator import CoreUse, disturbance
from http_check import BODIES, headers_of
from report import spread

WARM_UP_S = 1
# One rate for all is this part of what the slowest answered.
SHARED_FRACTION = 0.5
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
        if scenario.path in BODIES:
            command += ["--body", BODIES[scenario.path]]
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
        cpu_us, cores_used = use.since((seconds + WARM_UP_S) * 1e6)
        return {**json.loads(output), "cpu_us_per_request": cpu_us / (rate * (seconds + WARM_UP_S)),
                "cores_used": cores_used}


def part_of(rps, fraction):
    """A rate that is this part of what a server answers at most."""
    return max(1, round(rps * fraction))


def rates(part, rows):
    """The rate of each server of a part, from the rows of the same run where it is not told. A server without a valid
    row has none."""
    medians = {}
    for kind in part.kinds:
        row = next((row for row in rows if (row["scenario"], row["connections"], row["server"])
                    == (part.scenario.name, part.connections, str(kind)) and row["valid"]), None)
        if row:
            medians[kind] = row["rps"]["median"]
    if part.fraction:
        return {kind: part_of(rps, part.fraction) for kind, rps in medians.items()}
    if part.rate:
        return dict.fromkeys(part.kinds, part.rate)
    return dict.fromkeys(medians, part_of(min(medians.values()), SHARED_FRACTION)) if medians else {}


def words(part, rate):
    """The arguments of run.py that ask for this part of a run at this rate."""
    return ["--latency", f"{part.fraction:g}"] if part.fraction else ["--rate", str(rate)]


def row(bench, server, rate, rounds):
    """The medians over the rounds."""
    def medians(key):
        return {name: statistics.median(entry[key][name] for entry in rounds) for name in rounds[0][key]}
    missing = sum(entry["missing"] for entry in rounds)
    return {
        "bench": bench, "server": server, "rate": rate, "valid": missing == 0, "missing": missing,
        "latency_ms": {name: spread([entry["latency_us"][name] / 1000 for entry in rounds])
                       for name in rounds[0]["latency_us"]},
        "cpu_us_per_request": spread([entry["cpu_us_per_request"] for entry in rounds]),
        "send_delay_us": medians("send_delay_us"),
        "cores": {**medians("cores_used"), "disturbance": max(map(disturbance, rounds))},
        "rounds": rounds,
    }
