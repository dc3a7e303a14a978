"""Goals, claims and the verifier's findings as Markdown. Each function gives lines, none when it has nothing to show."""

import titles
from tables import FIGURES, cell, table

_BAD = ("missed", "not measured")
PASS = "PASS"


def escaped(text):
    """A text that is safe in a cell of a table."""
    return " ".join(str(text).replace("|", "\\|").split())


def _verdict(text):
    """What was not reached stands out."""
    return f"**{text}**" if text in _BAD else text


def _bound(value):
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:,.2f}"


def _reached(goal):
    if goal.get("ratio"):
        return f"{cell(goal['ratio'])} × hyper's"
    value = goal.get("value")
    if value is not None:
        shown = cell(value, ",.2f") if isinstance(value, dict) else f"{value:,.6g}"
        return f"{shown} {goal.get('unit', '')}".strip()
    return escaped(goal.get("reference") or "–")


def goals(rows):
    """A line for each goal of the design: what was to be reached, what was."""
    if not rows:
        return []
    return table(["path", "server", "figure", "must", "aim", "reached, median (min–max)", "verdict"], [
        [goal["path"], titles.server(goal.get("server") or "–"), FIGURES.get(goal["figure"], goal["figure"]),
         _bound(goal.get("must")), _bound(goal.get("aim")), _reached(goal), _verdict(goal["verdict"])]
        for goal in rows])


def _measured(claim):
    if claim["verdict"] == "not measured":
        return f"not measured: {escaped(claim.get('why') or 'no reason was given')}"
    figures = {**FIGURES, "p99": "p99"}
    said = [f"{name} {cell(claim[figure])}" for figure, name in figures.items() if claim.get(figure)]
    if claim.get("noise"):
        noise = [f"{name} {cell(claim['noise'][figure])}" for figure, name in FIGURES.items()]
        said.append(f"and of two that are equal: {', '.join(noise)}")
    return ", ".join(said) or "–"


def claims(rows):
    """The claims that others made of servers like this one, and what is seen here."""
    if not rows:
        return []
    lines = []
    for claim in rows:
        sides = [titles.server(claim[side]) for side in ("ours", "theirs") if claim.get(side)]
        lines.append([escaped(claim["claim"]), escaped(claim["bound"]), claim.get("scenario") or "–",
                      " to ".join(sides) or "–", _measured(claim), _verdict(claim["verdict"])])
    return table(["claim", "to be reached here", "scenario", "ratio of", "measured, median (min–max)", "verdict"], lines)


def _counts(rows, variant, test):
    found = [row["result"] for row in rows if (row["variant"], row["test"]) == (variant, test)]
    if not found:
        return "–"
    others = {result: found.count(result) for result in dict.fromkeys(found) if result != PASS}
    return ", ".join([f"{found.count(PASS)} of {len(found)} passed",
                      *(f"**{count} {result}**" for result, count in others.items())])


def verified(rows):
    """How many checks of each test type each variant passed, and all that did not pass."""
    variants = list(dict.fromkeys(row["variant"] for row in rows))
    jdks = {variant: next(str(row["jdk"]) for row in rows if row["variant"] == variant) for variant in variants}
    tests = list(dict.fromkeys(row["test"] for row in rows))
    if not rows:
        return []
    lines = table(["test", *(variant + (f" (JDK {jdks[variant]})" if jdks[variant] else "") for variant in variants)],
                  [[test, *(_counts(rows, variant, test) for variant in variants)] for test in tests])
    others = [[row["variant"], row["test"], escaped(row["check"]), row["result"], escaped(row["detail"])]
              for row in rows if row["result"] != PASS]
    return lines + (table(["variant", "test", "check", "result", "what was seen"], others) if others else [])


def instructions(rows):
    """Instructions of each case of the native benches."""
    if not rows:
        return []
    return table(["case", "instructions"], [[escaped(row["name"]), f"{row['instructions']:,.0f}"] for row in rows])
