"""Runs wrk against a server and says what both saw: requests, latencies, errors, server CPU.

Invariants:
- A round with any error (socket, another status, a byte count that does not fit the answers) is not valid.
- wrk is in a session of its own, as every server is: where the scheduler groups by session, they are peers.
- Server CPU is read right before and right after wrk, from the kernel, so it holds everything: JIT and GC too.
"""

import json
import os
import resource
import shutil
import subprocess

from failure import Failure
from http_check import BODIES, headers_of

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "load.lua")

STABLE_WITHIN = 0.05
STABLE_RUNS = 3
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def _machine_us():
    """What all cores did so far: time in any process, and time that the hypervisor took away."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, irq, soft_irq, steal = map(int, stat.readline().split()[1:9])
    scale = 1_000_000 / TICKS_PER_SECOND
    return {"busy": (user + nice + system + irq + soft_irq) * scale, "stolen": steal * scale}


def _ended_children_us():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1_000_000


class CoreUse:
    """Who has the cores, from now on: the server, the generator (a program run to its end), and all others."""

    def __init__(self, server):
        self._server = server
        self._machine, self._generator, self._own = _machine_us(), _ended_children_us(), server.cpu_us()

    def since(self, duration_us):
        """The server's CPU time, and the cores each had on average."""
        own = self._server.cpu_us() - self._own
        generator = _ended_children_us() - self._generator
        machine = {name: value - self._machine[name] for name, value in _machine_us().items()}
        return own, {
            "server": own / duration_us,
            "generator": generator / duration_us,
            "others": max(0.0, machine["busy"] - own - generator) / duration_us,
            "stolen": machine["stolen"] / duration_us,
        }


def disturbance(entry):
    """Cores that neither the server nor the generator had during a round."""
    return entry["cores_used"]["others"] + entry["cores_used"]["stolen"]


def wrk_version():
    """wrk's own words; a Failure that names the tool when it is not there."""
    if not shutil.which("wrk"):
        raise Failure("wrk is missing: apt-get install wrk", 2)
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return (said.stdout + said.stderr).splitlines()[0].split(" Copyright")[0]


class Generator:
    """wrk with the threads and connections of this run."""

    def __init__(self, threads, connections):
        self.threads = threads
        self.connections = connections

    def run(self, server, scenario, seconds):
        """What wrk saw in one run."""
        headers = [part for name, value in headers_of(scenario.path).items() for part in ("-H", f"{name}: {value}")]
        command = ["wrk", f"-t{self.threads}", f"-c{self.connections}", f"-d{seconds}s", "-s", SCRIPT, *headers,
                   f"http://127.0.0.1:{server.port}{scenario.path}", "--", str(scenario.depth),
                   *filter(None, [BODIES.get(scenario.path)])]
        wrk = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               start_new_session=True)
        try:
            output, _ = wrk.communicate(timeout=seconds + 30)
        except subprocess.TimeoutExpired:
            raise Failure(f"wrk did not end {seconds + 30} s after its start, against {server.name}") from None
        finally:
            if wrk.poll() is None:
                wrk.kill()
                wrk.wait()
        for line in output.splitlines():
            if line.startswith("HINNY_LOAD "):
                return json.loads(line.partition(" ")[2])
        raise Failure(f"wrk gave no figures against {server.name}:\n{output}")

    def round(self, server, scenario, seconds, response_bytes):
        """One measured run."""
        use = CoreUse(server)
        seen = self.run(server, scenario, seconds)
        cpu_us, cores_used = use.since(seen["duration_us"])
        requests = seen["requests"]
        if scenario.status >= 400:
            # These are the right answers, and the only ones that wrk counts here.
            seen["errors"]["status"] = requests - seen["errors"]["status"]
        # At the end of a run, answers may be under way that wrk has read in part or not counted.
        slack = self.connections * scenario.depth * response_bytes + requests * scenario.varies_by
        bytes_fit = abs(seen["bytes"] - requests * response_bytes) <= slack
        errors = sum(seen["errors"].values())
        return {
            "valid": requests > 0 and errors == 0 and bytes_fit,
            "requests": requests,
            "rps": requests * 1e6 / seen["duration_us"],
            "cpu_us_per_request": cpu_us / requests if requests else None,
            "rss_mib": server.memory_bytes()["rss"] / 2**20,
            "cores_used": cores_used,
            "errors": seen["errors"],
            "error_count": errors,
            "bytes_fit": bytes_fit,
            "latency_us": seen["latency_us"],
        }

    def warm_up(self, server, scenario, seconds, max_runs, response_bytes):
        """Short runs until the last three agree; how many there were, and whether they did."""
        rates = []
        while len(rates) < max_runs:
            rates.append(self.round(server, scenario, seconds, response_bytes)["rps"])
            last = rates[-STABLE_RUNS:]
            if len(last) == STABLE_RUNS and max(last) - min(last) <= STABLE_WITHIN * max(last):
                return {"runs": len(rates), "seconds": seconds, "stable": True}
        return {"runs": len(rates), "seconds": seconds, "stable": False}
