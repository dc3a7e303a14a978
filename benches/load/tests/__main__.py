"""Runs the tests of the load benches' own code: python3 benches/load/tests. The last line is "N passed, N failed"."""

import os
import sys
import unittest

sys.dont_write_bytecode = True  # leave no cache beside the sources

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    sys.path[:0] = [HERE, os.path.dirname(HERE)]
    result = unittest.TextTestRunner().run(unittest.defaultTestLoader.discover(HERE))
    failed = len({test for test, _ in result.failures + result.errors})
    print(f"{result.testsRun - failed} passed, {failed} failed", flush=True)
    # None at all is a failure too, so that a wrong directory cannot look like success.
    sys.exit(1 if failed or not result.testsRun else 0)


main()
