"""What requests with routes take in Rust alone: instructions by callgrind, look-ups by criterion.

Both are benches of their own (`make bench-instructions`, `make bench-native ARGS="--bench routes"`); here their figures are
collected for the document.
"""

import json
import os
import shutil
import subprocess

import instruction_table
from failure import Failure
from server_process import ROOT

CRITERION = os.path.join(ROOT, "target", "criterion")
SIZES = [10, 100, 1_000, 10_000]
REQUESTS = {
    "lane_x{}": "fast lane, no routes",
    "hyper_x{}": "hyper, no routes",
    "lane_x{}_route": "fast lane, handler behind a route",
    "lane_x{}_route_2_params": "fast lane, handler behind a route with 2 parameters",
    "lane_x{}_constant": "fast lane, constant response",
    "lane_x{}_not_found": "fast lane, not found",
}
CASES = {"text": "text", "2_params": "2 parameters", "not_found": "404", "not_allowed": "405 (puts its Allow together)"}
PATHS = {"no_escape_25b": "a path without escapes, made normal", "2_escapes_34b": "a path with escapes, made normal"}


def _run(command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def instructions():
    """Instructions per request by what is asked and how deep the pipeline is; empty without valgrind."""
    if not shutil.which("valgrind"):
        return {}
    _, counts = instruction_table.parse(_run(["scripts/bench-instructions.sh"]))
    return {what: {depth: counts[name.format(depth)] for depth in ("1", "16")} for name, what in REQUESTS.items()}


def _median_ns(group, name):
    with open(os.path.join(CRITERION, group, name, "new", "estimates.json"), encoding="ascii") as file:
        return json.load(file)["median"]["point_estimate"]


def lookups():
    """Median times in ns of look-ups by case and size, of compilations by size, and of paths."""
    environment = ["env", f"CARGO_TARGET_DIR={os.path.join(ROOT, 'target')}"]
    _run([*environment, "cargo", "bench", "--quiet", "-p", "hinny-benches", "--bench", "routes", "--",
          "--warm-up-time", "1", "--measurement-time", "2"])
    return {
        "find": {case: [_median_ns("routes_find", f"{case}_in_{size}") for size in SIZES] for case in CASES},
        "compile": [_median_ns("routes_compile", str(size)) for size in SIZES],
        "normalized": {name: _median_ns("routes_normalized", name) for name in PATHS},
    }


def measure():
    return {"instructions": instructions(), "lookups": lookups()}
