"""What a run keeps when something ends it."""

import contextlib
import io
import types
import unittest

import plan
import runner
from failure import Failure


class _Part:
    title, bench, kinds = "a part", plan.MAIN, []

    @staticmethod
    def estimate_s():
        return 1


class _Run(runner.Runner):
    """Of parts that give a row each, and then `failure`."""

    def __init__(self, rows, failure):
        self.arguments = types.SimpleNamespace(full=False)
        self.result = {"rows": []}
        self.parts = [_Part()] * (rows + 1)
        self._benches = {plan.MAIN: types.SimpleNamespace(keep_only=lambda kinds: None, incomplete=[])}
        self._rows, self._failure = rows, failure

    def _measure(self, part):
        if len(self.result["rows"]) == self._rows:
            raise self._failure
        self._add("rows", [{"name": f"row {len(self.result['rows'])}"}])


class WhatIsKept(unittest.TestCase):
    def _run(self, rows, failure):
        run, said = _Run(rows, failure), io.StringIO()
        with contextlib.redirect_stderr(said):
            result = run.run()
        return result["rows"], run.incomplete, said.getvalue()

    def test_rows_before_a_failure_are_kept_and_the_run_is_incomplete(self):
        rows, incomplete, said = self._run(2, Failure("jetty does not answer"))
        self.assertEqual([row["name"] for row in rows], ["row 0", "row 1"])
        self.assertEqual(incomplete, ["jetty does not answer"])
        self.assertNotIn("Traceback", said)

    def test_so_they_are_before_a_mistake_of_the_bench_which_is_shown(self):
        rows, incomplete, said = self._run(1, KeyError("p99"))
        self.assertEqual(len(rows), 1)
        self.assertEqual(incomplete, ["'p99'"])
        self.assertIn("Traceback", said)
        self.assertEqual(self._run(1, ZeroDivisionError())[1], ["ZeroDivisionError"])

    def test_with_nothing_measured_there_is_only_the_failure(self):
        with self.assertRaises(Failure):
            self._run(0, Failure("no port"))
