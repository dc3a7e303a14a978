"""Runs the verifier against a stub and asserts what it found."""

import os
import sys
import time
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import exchange  # noqa: E402
from findings import FAIL, PASS, Findings, table  # noqa: E402
from stub_server import Server, StubDatabase  # noqa: E402
from verify import verify  # noqa: E402

# For an answer that comes, however slow the machine; and for one that never comes.
TIMEOUT_S, SILENT_TIMEOUT_S = 30, 1


class Judged:
    """A mix-in for test cases. Time passes for the stub when the verifier sleeps, and nobody waits."""

    def judge(self, app_class, test):
        """The verifier's findings about a server with this App."""
        passed = [0.0]

        def clock():
            return time.time() + passed[0]

        def sleep(seconds):
            passed[0] += seconds

        database = StubDatabase()
        findings = Findings()
        with mock.patch.object(exchange.time, "sleep", sleep), Server(app_class(database, clock)) as server:
            verify(server.port, [test], database, findings, SILENT_TIMEOUT_S if app_class.silent else TIMEOUT_S)
        return findings

    def assert_passes(self, app_class, test):
        findings = self.judge(app_class, test)
        self.assertGreater(len(findings.rows), 10)
        self.assertEqual([], [row for row in findings.rows if row["result"] != PASS])

    def assert_result(self, app_class, test, check, result):
        findings = self.judge(app_class, test)
        self.assertEqual([result], findings.results(test, check), f"{app_class.__name__}:\n{table(findings.rows)}")

    def assert_each(self, test, wanted):
        """`wanted`: App: the check that must fail."""
        for app_class, check in wanted.items():
            with self.subTest(app_class.__name__):
                self.assert_result(app_class, test, check, FAIL)
