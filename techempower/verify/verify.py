#!/usr/bin/env python3
"""Verifies that a running server keeps the rules of the TechEmpower test types; run.py does so for all variants.

    techempower/verify/verify.py --port 8080 plaintext json
    techempower/verify/verify.py --port 8080 --psql '…/psql --host … hello_world' db queries fortunes cached-queries updates

Prints a row for each check. The last line is "N passed, N failed"; the status is 0 when none failed.
"""

import argparse
import shlex
import sys

from database_view import DatabaseView, query_with
from exchange import Exchanges
from fortunes import verify_fortunes
from findings import Findings, counts, table
from small_tests import verify_json, verify_plaintext
from updates import verify_updates
from worlds import verify_cached_queries, verify_db, verify_queries

WITHOUT_DATABASE = {"plaintext": verify_plaintext, "json": verify_json}
# Updates come last: what is cached of World before them is not what is there after them.
WITH_DATABASE = {"db": verify_db, "queries": verify_queries, "fortunes": verify_fortunes,
                 "cached-queries": verify_cached_queries, "updates": verify_updates}
VERIFIERS = {**WITHOUT_DATABASE, **WITH_DATABASE}


def verify(port, tests, database, findings, timeout_s=20):
    """Runs the checks of these test types, in the order of VERIFIERS, against a server; rows go to the findings."""
    exchanges = Exchanges(port, findings, timeout_s)
    for test, verifier in VERIFIERS.items():
        if test in tests:
            verifier(exchanges, database)
    exchanges.check_dates()


def main():
    parser = argparse.ArgumentParser(description="Verifies the TechEmpower test types of a running server.")
    parser.add_argument("--port", type=int, required=True, help="where the server listens, on 127.0.0.1")
    parser.add_argument("--psql", type=shlex.split, help="a psql of the server's database, as its superuser")
    parser.add_argument("tests", nargs="+", choices=VERIFIERS, metavar="TEST", help=", ".join(VERIFIERS))
    arguments = parser.parse_args()
    if not arguments.psql and set(arguments.tests) & set(WITH_DATABASE):
        parser.error("the tests with a database need --psql: the verifier compares answers with the tables")
    findings = Findings()
    verify(arguments.port, arguments.tests, arguments.psql and DatabaseView(query_with(arguments.psql)), findings)
    passed, failed = counts(findings.rows)
    print(table(findings.rows))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
