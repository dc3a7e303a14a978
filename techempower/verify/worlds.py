"""The test types of the World table: db, queries, updates, cached-queries."""

import json

from exchange import ACCEPT
from http_client import Closed, Malformed
from load import run_at_once
from findings import FAIL, WARN

ROWS = 10_000
MOST = 500
LOAD_ROWS = 20

# Of 500 random ids of 10,000, and of 500 random numbers, 488 are different on average; fewer than 450 never are.
DIFFERENT_OF_500 = 450

# Value of the parameter, None for no parameter: rows expected.
CASES = [(None, 1), ("", 1), ("foo", 1), ("1.5", 1), ("-3", 1), ("0", 1), ("1", 1), ("2", 2), ("20", 20), ("500", 500),
         ("501", 500), ("2147483648", 500), ("99999999999999999999", 500)]


def row_problem(row):
    """What is wrong with a row of World, or None."""
    if not isinstance(row, dict):
        return f"not an object: {str(row)[:40]}"
    if set(row) != {"id", "randomNumber"}:
        return f"keys {sorted(row)}, not id and randomNumber"
    for key, value in row.items():
        if type(value) is not int:
            return f"{key} is no integer: {value!r}"
        if not 1 <= value <= ROWS:
            return f"{key} is not from 1 to {ROWS}: {value}"
    return None


def parse_rows(response, expected):
    """The rows of a response that should have so many, and None; or None, and what is wrong."""
    if response.status != 200:
        return None, f"status {response.status}"
    try:
        rows = json.loads(response.body)
    except ValueError as error:
        return None, f"no JSON: {error}"
    if not isinstance(rows, list):
        return None, f"no array: {str(rows)[:40]}"
    if len(rows) != expected:
        return None, f"{len(rows)} rows, not {expected}"
    problem = next(filter(None, map(row_problem, rows)), None)
    return (None, problem) if problem else (rows, None)


def not_of_table(rows, table):
    """How many of the rows the table does not have; as a problem."""
    wrong = [row for row in rows if table.get(row["id"]) != row["randomNumber"]]
    return f"{len(wrong)} of {len(rows)} rows are not the database's, as {wrong[0]}" if wrong else None


def case_path(path, parameter, value):
    return path if value is None else f"{path}?{parameter}={value}"


def fetch_rows(exchanges, path, expected):
    try:
        return parse_rows(exchanges.fetch(path, "json"), expected)
    except (Malformed, Closed, OSError) as error:
        return None, str(error)


def check_cases(exchanges, test, path, parameter):
    """Each value of the parameter gives as many rows as the rules say; returns the rows of 500, None if wrong."""
    most = None
    for value, expected in CASES:
        rows, problem = fetch_rows(exchanges, case_path(path, parameter, value), expected)
        exchanges.findings.problem(test, f"no {parameter}" if value is None else f"{parameter}={value}", problem)
        if value == str(MOST):
            most = rows
    return most


def check_random(findings, test, rows):
    if rows:
        different = len({row["id"] for row in rows})
        findings.check(test, "random ids", different >= DIFFERENT_OF_500, f"{different} different of {len(rows)}")


def check_load(exchanges, test, path, expected):
    """Many requests at once; every answer must be right. Returns how many there were."""
    done, problem = run_at_once(exchanges, path, ACCEPT["json"], lambda response: parse_rows(response, expected)[1])
    exchanges.findings.problem(test, "at once", problem)
    return done


def check_count(findings, test, check, seen, wanted, least=1.0):
    """Fewer than the rules want is a failure, many more a warning."""
    result = seen >= wanted * least
    findings.check(test, check, result and seen <= wanted * 1.05, f"{seen} of {wanted}", otherwise=WARN if result else FAIL)


def verify_db(exchanges, database, path="/db"):
    findings = exchanges.findings
    response = exchanges.check_first("db", path, "json")
    if response is None:
        return
    table = database.worlds()
    rows = []

    def check(answer):
        try:
            row = json.loads(answer.body)
        except ValueError as error:
            return f"no JSON: {error}"
        problem = row_problem(row) if answer.status == 200 else f"status {answer.status}"
        if not problem:
            rows.append(row)
        return problem

    if not findings.problem("db", "body", check(response)):
        return
    database.forget_statements()
    done, problem = run_at_once(exchanges, path, ACCEPT["json"], check)
    findings.problem("db", "at once", problem)
    findings.problem("db", "database's rows", not_of_table(rows, table))
    different = len({row["id"] for row in rows})
    findings.check("db", "random ids", different > len(rows) / 2, f"{different} different of {len(rows)}")
    check_count(findings, "db", "queries executed", database.statements("select")[0], done)


def _check_rows(exchanges, database, test, path, parameter):
    """Whether rows are as many as asked for, and those of the table; False when the first answer is wrong already."""
    findings = exchanges.findings
    if exchanges.check_first(test, f"{path}?{parameter}=2", "json") is None:
        return False
    table = database.worlds()
    rows = check_cases(exchanges, test, path, parameter)
    check_random(findings, test, rows)
    if rows:
        findings.problem(test, "database's rows", not_of_table(rows, table))
    database.forget_statements()
    return True


def verify_queries(exchanges, database, path="/queries"):
    if not _check_rows(exchanges, database, "queries", path, "queries"):
        return
    done = check_load(exchanges, "queries", f"{path}?queries={LOAD_ROWS}", LOAD_ROWS)
    calls, read = database.statements("select")
    check_count(exchanges.findings, "queries", "queries executed", calls, done * LOAD_ROWS)
    check_count(exchanges.findings, "queries", "rows read", read, done * LOAD_ROWS)


def verify_cached_queries(exchanges, database, path="/cached-queries"):
    if not _check_rows(exchanges, database, "cached-queries", path, "count"):
        return
    done = check_load(exchanges, "cached-queries", f"{path}?count={MOST}", MOST)
    # A cache asks for each row once, or now and then; without one there would be a query for each row given.
    queries, given = database.statements("select")[0], done * MOST
    exchanges.findings.check("cached-queries", "cache", queries <= 1.05 * ROWS, f"{queries} queries for {given} rows")
