"""The rows that the checks give: test type, check, PASS, WARN or FAIL, and what was seen."""

PASS, WARN, FAIL = "PASS", "WARN", "FAIL"


class Findings:
    """Collects rows, in the order of the checks."""

    def __init__(self, **facts):
        """`facts` are in every row, as the variant of the server."""
        self._facts = facts
        self.rows = []

    def add(self, test, check, result, detail=""):
        self.rows.append({"test": test, "check": check, "result": result, "detail": detail, **self._facts})

    def check(self, test, check, holds, detail="", otherwise=FAIL):
        """A row for a rule that holds or does not; `detail` says what was seen. Returns whether it holds."""
        self.add(test, check, PASS if holds else otherwise, detail)
        return holds

    def problem(self, test, check, problem):
        """A row that passes when there is no problem: `problem` says which, or is None or empty."""
        return self.check(test, check, not problem, problem or "")

    def results(self, test, check):
        """The results of the rows with this name."""
        return [row["result"] for row in self.rows if (row["test"], row["check"]) == (test, check)]


def counts(rows):
    """How many rows passed, a warning included, and how many failed."""
    failed = sum(row["result"] == FAIL for row in rows)
    return len(rows) - failed, failed


def table(rows):
    """The rows as text."""
    columns = [name for name in ("variant", "jdk", "test", "check", "result", "detail") if rows and name in rows[0]]
    lines = [columns] + [[str(row[name]) for name in columns] for row in rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns) - 1)]
    return "\n".join("  ".join([*(f"{cell:<{width}}" for cell, width in zip(line, widths)), line[-1]]).rstrip()
                     for line in lines)
