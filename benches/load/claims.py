"""What was claimed of servers of this kind, and what this run says of it.

Invariants:
- A verdict is that of the medians, of one run; what was not measured says why.
- A ratio is Hinny's figure to the other's: of rps more is better, of CPU and latency less.
"""

from hinny import Hinny
from report import ratio
from scenarios import LANE, LANE_AGAIN, LANE_JAVA, WORKER

MET, MISSED, NOT_MEASURED = "met", "missed", "not measured"
PREVIOUS = "donkey"
WITHOUT_PREVIOUS = (f"the library cannot be had from the registries that this run uses: build it, and give it as "
                    f"--other {PREVIOUS}=COMMAND")
LEAST_RPS_TO_PREVIOUS = 4.5
MOST_CPU_TO_JAVA = 1.05


def _entry(name, claim, bound, scenario, ours, theirs):
    return {"name": name, "claim": claim, "bound": bound, "scenario": scenario, "ours": str(ours), "theirs": str(theirs),
            "verdict": NOT_MEASURED}


def _ratios_of(rows, scenario, ours, theirs, connections):
    """A row of these, and its ratios to the rival; None when there is none."""
    row = next((row for row in rows if (row["scenario"], row["server"], row["connections"])
                == (scenario, str(ours), connections)), None)
    return row, row and row["ratios"].get(theirs)


def _throughput(rows, connections, name, claim, bound, least, scenario, ours, theirs, why):
    entry = _entry(name, claim, bound, scenario, ours, theirs)
    row, ratios = _ratios_of(rows, scenario, ours, theirs, connections)
    if not ratios:
        return {**entry, "why": why}
    held = ratios["rps"]["median"] >= least
    return {**entry, **ratios, "verdict": MET if held else MISSED, "command": row["command"]}


def of_rows(rows, connections):
    """Plaintext and JSON against the previous library, and against what a Clojure team has today."""
    found = []
    for scenario in ("plaintext", "json"):
        found.append(_throughput(
            rows, connections, f"{scenario} against the previous library", "×4.5–5 the requests per second",
            f"rps ≥ {LEAST_RPS_TO_PREVIOUS}", LEAST_RPS_TO_PREVIOUS, scenario, LANE, PREVIOUS, WITHOUT_PREVIOUS))
        found.append(_throughput(
            rows, connections, f"{scenario} against Ring on Jetty", "more requests per second than ring-jetty-adapter, both "
            "with handlers on a pool of threads", "rps > 1", 1.0, scenario, WORKER, "jetty", "no valid row of both"))
    return found


def of_handlers(part, rounds, command):
    """The cost of a handler in Clojure over one in Java, of a part's rounds; with the noise of two that are the same."""
    entry = {
        **_entry(f"{part.scenario.name}: a handler in Clojure, to the same in Java",
                 "9–13 % more with the previous library; ≤ 5 % with Hinny", f"CPU/request ≤ {MOST_CPU_TO_JAVA:.2f}",
                 part.scenario.name, LANE, LANE_JAVA),
        "connections": part.connections, "command": command}
    if any(not rounds.get(kind) or not all(one["valid"] for one in rounds[kind]) for kind in part.kinds):
        return {**entry, "why": "a round was not valid"}

    def ratios(kind, other):
        return {figure: ratio(rounds[kind], rounds[other], figure) for figure in ("rps", "cpu_us_per_request")}
    found = ratios(LANE, LANE_JAVA)
    held = found["cpu_us_per_request"]["median"] <= MOST_CPU_TO_JAVA
    # Two processes of one program differ too: a cost below that was not seen.
    noise = ratios(LANE_AGAIN, LANE)
    return {**entry, **found, "noise": noise, "verdict": MET if held else MISSED}


def of_steady(part, lines):
    """The realistic small service at one rate for all: Hinny's kinds against each rival."""
    found, by_server = [], {line["server"]: line for line in lines}
    for ours in (kind for kind in part.kinds if isinstance(kind, Hinny)):
        for theirs in (kind for kind in part.kinds if not isinstance(kind, Hinny)):
            entry = _entry(f"{part.scenario.name} at one rate, {ours} against {theirs}",
                           "no more CPU per request, and no longer p99, at the same rate", "CPU/request ≤ 1, p99 ≤ 1",
                           part.scenario.name, ours, theirs)
            sides = [by_server.get(str(kind)) for kind in (ours, theirs)]
            if not all(side and side["valid"] for side in sides):
                found.append({**entry, "why": "no valid rounds of both"})
                continue
            cpu = ratio(*(side["rounds"] for side in sides), "cpu_us_per_request")
            p99 = ratio(*([{"p99": one["latency_us"]["p99"]} for one in side["rounds"]] for side in sides), "p99")
            held = cpu["median"] <= 1 and p99["median"] <= 1
            found.append({**entry, "rate": sides[0]["rate"], "cpu_us_per_request": cpu, "p99": p99,
                          "verdict": MET if held else MISSED, "command": sides[0]["command"]})
    return found
