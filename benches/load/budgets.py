"""The budgets of the design (its §8): what a path may cost, as a ratio to the hyper server of the same run; and what a
connection and a request may cost at all.

The one place for these figures. The ratios hold for 64 connections; of each, `must` is what is promised and `aim`
what is wanted. Server CPU per request is to be at most that, requests per second at least.
"""

from hinny import Hinny

CONNECTIONS = 64


class Bound:
    """One figure's `must` and `aim`."""

    def __init__(self, must, aim, at_most, unit=None):
        self.must = must
        self.aim = aim
        self.unit = unit
        self._at_most = at_most

    def text(self, value):
        return f"{'≤' if self._at_most else '≥'} " + (f"{value} {self.unit}" if self.unit else f"{value:.2f}")

    def verdict(self, ratio):
        def holds(bound):
            return ratio <= bound if self._at_most else ratio >= bound
        return "aim met" if holds(self.aim) else "must met" if holds(self.must) else "**missed**"


class Budget:
    """What one path may cost."""

    def __init__(self, scenario, kind, cpu, rps):
        self.scenario = scenario
        self.kind = kind
        self.bounds = {"cpu_us_per_request": Bound(*cpu, at_most=True), "rps": Bound(*rps, at_most=False)}


BUDGETS = [
    # scenario, server, CPU (must, aim), rps (must, aim)
    Budget("plaintext-x16", Hinny("inline", "hyper"), (1.80, 1.40), (0.55, 0.75)),
    Budget("plaintext-x16", Hinny("inline", "auto"), (0.60, 0.45), (1.05, 1.30)),
    Budget("plaintext", Hinny("inline", "hyper"), (1.25, 1.10), (0.90, 0.95)),
    Budget("plaintext", Hinny("inline", "auto"), (0.85, 0.70), (1.00, 1.10)),
    Budget("json", Hinny("inline", "auto"), (0.90, 0.75), (1.00, 1.10)),
    Budget("plaintext", Hinny("worker", "auto"), (1.30, 1.10), (0.85, 0.95)),
    Budget("order", Hinny("inline", "auto"), (1.18, 1.00), (0.85, 1.00)),
]

IDLE_CONNECTION = Bound(16, 8, at_most=True, unit="KiB")
# Of a plaintext request: decode, handler, encode; garbage beyond what the handler makes.
JVM_TIME = Bound(300, 300, at_most=True, unit="ns")
JVM_GARBAGE = Bound(200, 200, at_most=True, unit="bytes")


def find(scenario, server, connections):
    """The budget of a row, or None; `server` is its name in the table."""
    if connections != CONNECTIONS:
        return None
    return next((budget for budget in BUDGETS
                 if budget.scenario == scenario and str(budget.kind) == server), None)
