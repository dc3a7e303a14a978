"""Runs the tests of the verifier: python3 techempower/verify/tests. The last line is "N passed, N failed"."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


class CountingResult(unittest.TextTestResult):
    """Counts each subtest, one that passes too."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.passed = 0
        self._in_subtests = False

    def startTest(self, test):
        super().startTest(test)
        self._in_subtests = False

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        self._in_subtests = True
        self.passed += error is None

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += not self._in_subtests


def main():
    sys.path.insert(0, HERE)
    suite = unittest.defaultTestLoader.discover(HERE)
    result = unittest.TextTestRunner(resultclass=CountingResult, verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.passed} passed, {failed} failed", flush=True)
    # None at all is a failure too, so that a wrong directory cannot look like success.
    sys.exit(1 if failed or not result.passed else 0)


main()
