"""What routes may cost, as the design wants it. The one place for these figures.

A ratio is that to a rival in the same row: server CPU per request is to be at most that, requests per second at least.
"""

from route_rows import BARE, HINNY, NGINX, PARAM, ROUTED

READY_P99_MS = 5.0


class Goal:
    """A bound of one figure's ratio to a rival."""

    def __init__(self, rows, contestant, rival, figure, bound, at_most):
        self.rows = rows
        self.contestant = contestant
        self.rival = rival
        self.figure = figure
        self.bound = bound
        self._at_most = at_most

    def text(self):
        return f"{'≤' if self._at_most else '≥'} {self.bound:.2f}"

    def verdict(self, ratio):
        holds = ratio <= self.bound if self._at_most else ratio >= self.bound
        return "met" if holds else "**missed**"


_LEVEL = ("not-found", "not-found-x16", "constant", "constant-x16")
_HANDLER = ("handler", "handler-x16")

GOALS = [
    Goal(_LEVEL, HINNY, NGINX, "rps", 1.00, at_most=False),
    Goal(_LEVEL, HINNY, NGINX, "cpu_us_per_request", 1.00, at_most=True),
    Goal(_HANDLER, ROUTED, BARE, "cpu_us_per_request", 1.03, at_most=True),
    Goal(_HANDLER, PARAM, BARE, "cpu_us_per_request", 1.03, at_most=True),
    Goal(_HANDLER, ROUTED, BARE, "rps", 0.97, at_most=False),
    Goal(_HANDLER, PARAM, BARE, "rps", 0.97, at_most=False),
]


def of(row, contestant):
    """The goals of one contestant of a row."""
    return [goal for goal in GOALS if row in goal.rows and goal.contestant == contestant]


def ready_verdict(p99_ms):
    return "met" if p99_ms < READY_P99_MS else "**missed**"
