"""Writes what a run gave into the documents, between markers, so that no figure there is typed by hand."""

import os
import textwrap

from failure import Failure
from server_process import ROOT

BEGIN = "<!-- written by make bench-load ARGS=--write: begin -->"
END = "<!-- written by make bench-load ARGS=--write: end -->"
PERFORMANCE = os.path.join(ROOT, "docs", "performance.md")
README = os.path.join(ROOT, "README.md")
README_WIDTH = 120


def _parts(path):
    """What stands before and after the place for figures, markers included."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise Failure(f"{path} has no place for figures: {BEGIN} … {END}", 2)
    return before + begin, end + after


def require(path):
    """A Failure when `path` has no place for figures."""
    _parts(path)


def write(path, lines):
    """Replaces what is between the markers."""
    before, after = _parts(path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + "\n" + "\n".join(lines).strip() + "\n" + after)


def write_readme(sentence):
    write(README, textwrap.wrap(sentence, README_WIDTH, break_on_hyphens=False))
