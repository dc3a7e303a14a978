"""What a plaintext request costs in the JVM alone: JMH's RequestPathBench, a batch of 16 as the event loop gets it."""

import json
import os
import subprocess
import tempfile

from failure import Failure
from report import spread
from server_process import ROOT

TIMEOUT_S = 600
NORM = "gc.alloc.rate.norm"
# A handler that answers a constant map, with the headers of TechEmpower's generator, inline.
_JMH = ["RequestPathBench.inline", "-p", "client=techempower", "-p", "route=plaintext", "-prof", "gc"]
COMMAND = f"make bench-jvm ARGS='{' '.join(_JMH)}'"


def measure():
    """Nanoseconds and bytes of garbage for a request: spreads over the iterations of both forks."""
    with tempfile.TemporaryDirectory(prefix="hinny-bench-") as directory:
        path = os.path.join(directory, "result.json")
        command = [os.path.join(ROOT, "scripts", "bench.sh"), "jvm", *_JMH, "-rf", "json", "-rff", path]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise Failure(f"{COMMAND} did not end in {TIMEOUT_S} s") from None
        if done.returncode != 0:
            raise Failure(f"{COMMAND} failed: {(done.stdout.strip().splitlines() or ['no output'])[-1]}")
        with open(path, encoding="utf-8") as file:
            return parse(json.load(file))


def _spread(metric):
    return spread([value for fork in metric["rawData"] for value in fork])


def parse(results):
    """The two figures of JMH's result."""
    if len(results) != 1:
        raise Failure(f"JMH measured {len(results)} benchmarks, not one")
    result = results[0]
    garbage = next(metric for name, metric in result["secondaryMetrics"].items() if name.endswith(NORM))
    return {"ns": _spread(result["primaryMetric"]), "garbage_bytes": _spread(garbage), "jdk": result["jdkVersion"]}
