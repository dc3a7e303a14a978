"""The test type updates: rows are read, given another number and written."""

from findings import FAIL, WARN
from worlds import (DIFFERENT_OF_500, LOAD_ROWS, MOST, check_cases, check_count, check_load, check_random, fetch_rows)

# Of the rows written, so many must be seen to have another number; one in 10,000 gets the same by chance.
CHANGED_LEAST, CHANGED_USUALLY = 0.90, 0.95
# Where a request has a row twice, one bulk statement may write it once.
WRITTEN_LEAST = 0.95


def check_written(exchanges, database, path, count):
    """Asks for an update and compares the table before and after it with the response."""
    findings, suffix = exchanges.findings, f"of {count}"
    before = database.worlds()
    rows, problem = fetch_rows(exchanges, f"{path}?queries={count}", count)
    after = database.worlds()
    if not findings.problem("updates", f"answer {suffix}", problem):
        return
    numbers = {}
    for row in rows:
        numbers.setdefault(row["id"], set()).add(row["randomNumber"])
    wrong = [row_id for row_id, written in numbers.items() if after.get(row_id) not in written]
    findings.check("updates", f"rows written {suffix}", not wrong,
                 f"{len(wrong)} of {len(numbers)} rows are not in the database as they were answered" if wrong else "")
    changed = {row_id for row_id in before if before[row_id] != after.get(row_id)}
    other = changed - set(numbers)
    findings.check("updates", f"no other row {suffix}", not other, f"{len(other)} others changed" if other else "")
    share = len(changed) / len(numbers)
    findings.check("updates", f"rows changed {suffix}", share >= CHANGED_USUALLY, f"{len(changed)} of {len(numbers)}",
                 otherwise=WARN if share >= CHANGED_LEAST else FAIL)


def verify_updates(exchanges, database, path="/updates"):
    findings = exchanges.findings
    if exchanges.check_first("updates", f"{path}?queries=2", "json") is None:
        return
    rows = check_cases(exchanges, "updates", path, "queries")
    check_random(findings, "updates", rows)
    if rows:
        different = len({row["randomNumber"] for row in rows})
        findings.check("updates", "random numbers", different >= DIFFERENT_OF_500, f"{different} different of {len(rows)}")
    for count in (LOAD_ROWS, MOST):
        check_written(exchanges, database, path, count)
    database.forget_statements()
    done = check_load(exchanges, "updates", f"{path}?queries={LOAD_ROWS}", LOAD_ROWS)
    calls, read = database.statements("select")
    check_count(findings, "updates", "queries executed", calls, done * LOAD_ROWS)
    check_count(findings, "updates", "rows read", read, done * LOAD_ROWS)
    check_count(findings, "updates", "rows updated", database.statements("update")[1], done * LOAD_ROWS, WRITTEN_LEAST)
