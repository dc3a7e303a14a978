"""Each budget of the design (its §8) with what this run reached. The bounds are in budgets.py."""

import budgets
import jvm_time

NOT_MEASURED = "not measured"
ALLOCATIONS_TEST = "benches/native/tests/allocations.rs"


def _verdict(bound, value):
    """In data, without Markdown's marks."""
    return bound.verdict(value).strip("*")


def _of_budget(budget, rows):
    row = next((row for row in rows if budgets.find(row["scenario"], row["server"], row["connections"]) is budget), None)
    ratios = row and row["ratios"].get("hyper")
    for figure, bound in budget.bounds.items():
        entry = {"path": budget.scenario, "server": str(budget.kind), "figure": figure,
                 "must": bound.text(bound.must), "aim": bound.text(bound.aim)}
        if ratios:
            yield {**entry, "ratio": ratios[figure], "verdict": _verdict(bound, ratios[figure]["median"]),
                   "command": row["command"]}
        else:
            yield {**entry, "verdict": NOT_MEASURED, "why": "no valid row of both"}


def _value(limit, path, figure, spread, why, **more):
    entry = {"path": path, "figure": figure, "must": limit.text(limit.must), "aim": limit.text(limit.aim),
             "unit": limit.unit, **more}
    if spread is None:
        return {**entry, "verdict": NOT_MEASURED, "why": why}
    return {**entry, "value": spread, "verdict": _verdict(limit, spread["median"])}


def _of_idle(lines):
    line = next((line for line in lines if line["server"].startswith("hinny")), None)
    kib = line and line["rss_bytes_per_connection"] / 1024
    return _value(budgets.IDLE_CONNECTION, "idle keep-alive connection", "native memory",
                  line and {"median": kib, "min": kib, "max": kib}, "no run with --idle",
                  command=line["command"] if line else "benches/load/run.py --idle")


def _of_jvm(result):
    reference = f"JMH, the handler included, on JDK {result['jdk']}" if result else None
    for limit, figure, key in ((budgets.JVM_TIME, "time in the JVM", "ns"),
                               (budgets.JVM_GARBAGE, "garbage in the JVM", "garbage_bytes")):
        yield _value(limit, "plaintext request", figure, result and result[key], "JMH did not run",
                     reference=reference, command=jvm_time.COMMAND)


def _of_allocations():
    return {"path": "keep-alive request, fast lane", "figure": "allocations in Rust", "must": "0", "aim": "0",
            "verdict": "asserted by a test", "reference": ALLOCATIONS_TEST,
            "command": "cargo test -p hinny-benches --test allocations"}


def of(result):
    """The goals, of all sections of a result."""
    return [*(goal for budget in budgets.BUDGETS for goal in _of_budget(budget, result.get("rows", []))),
            _of_idle(result.get("idle", [])), _of_allocations(), *_of_jvm(result.get("jvm_time"))]
