"""The table of instruction counts that a tree is held to: benches/native/instructions.tsv.

Invariants:
- The table says with what it was taken; counts that were taken with something else are not held against it.
- A difference of TOLERANCE is allowed, and of SLACK instructions where that is more. Counts of
  codecs differ by 0.02 % from run to run, those of requests by 0.1 %, those of look-ups in a large table, whose hashes
  have a random key, by 0.2 %, however busy the machine is. But the compiler inlines a small call otherwise when something
  else in the program changes: that moved counts by 1.5 %, and small ones by 9 instructions.
"""

import os

from failure import Failure
from server_process import ROOT

PATH = os.path.join(ROOT, "benches", "native", "instructions.tsv")
TITLE = "Instructions of a call or request, by callgrind. Written by make instructions-record, never by hand."

TOLERANCE = 0.02
SLACK = 10

# What decides counts, of what the header says; the rest is for a reader who looks for a cause.
DECISIVE = ("rustc", "host", "simd")


def text(taken_with, counts):
    """The file's text."""
    lines = [f"# {TITLE}", *(f"# {name}: {value}" for name, value in taken_with.items()), "name\tinstructions",
             *(f"{name}\t{count}" for name, count in counts.items())]
    return "\n".join(lines) + "\n"


def parse(content):
    """With what a table was taken, and its counts by name."""
    taken_with, counts = {}, {}
    for line in content.splitlines():
        if line.startswith("#"):
            name, colon, value = line.removeprefix("# ").partition(": ")
            if colon:
                taken_with[name] = value
        elif line and line != "name\tinstructions":
            name, _, count = line.partition("\t")
            if not count.isdigit():
                raise Failure(f"{line!r} is no line of a table of instructions", 2)
            counts[name] = int(count)
    return taken_with, counts


def read(path=PATH):
    """`parse` of a file."""
    try:
        with open(path, encoding="utf-8") as file:
            return parse(file.read())
    except OSError as error:
        raise Failure(f"no table of instructions: {error}", 2) from None


def unlike(recorded_with, taken_with):
    """What makes counts of here and of the table incomparable, or None."""
    for name in DECISIVE:
        if recorded_with.get(name) != taken_with.get(name):
            return (f"the table was taken with {name} {recorded_with.get(name)}, here is {taken_with.get(name)}: "
                    "make instructions-record writes one of here")
    return None


def _difference(name, recorded, count):
    return f"{name}: {count:,}, recorded {recorded:,} ({(count / recorded - 1) * 100:+.1f} %)"


def compare(recorded, counted):
    """What is wrong, and what may be recorded anew: two lists of lines. A count that only one side has is wrong."""
    wrong, better = [], []
    for name in [*recorded, *(name for name in counted if name not in recorded)]:
        if name not in counted:
            wrong.append(f"{name}: is recorded, but there is no such case")
        elif name not in recorded:
            wrong.append(f"{name}: {counted[name]:,}, not recorded")
        else:
            allowed = max(recorded[name] * TOLERANCE, SLACK)
            if counted[name] > recorded[name] + allowed:
                wrong.append(_difference(name, recorded[name], counted[name]))
            elif counted[name] < recorded[name] - allowed:
                better.append(_difference(name, recorded[name], counted[name]))
    return wrong, better
