"""Writes what a run gave into the documents, between markers, so that no figure there is typed by hand."""

import os
import textwrap

from failure import Failure
from server_process import ROOT

# The runs that have a place of their own, by the verb that fills it.
LOAD = "make bench-load ARGS=--write"
ROUTES = 'make bench-load ARGS="--routes --write"'
PERFORMANCE = os.path.join(ROOT, "docs", "performance.md")
README = os.path.join(ROOT, "README.md")
README_WIDTH = 120


def _parts(path, run):
    """What stands before and after the place for a run's figures, markers included."""
    mark_begin, mark_end = (f"<!-- written by {run}: {edge} -->" for edge in ("begin", "end"))
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, begin, rest = text.partition(mark_begin)
    _, end, after = rest.partition(mark_end)
    if not begin or not end:
        raise Failure(f"{path} has no place for figures: {mark_begin} … {mark_end}", 2)
    return before + begin, end + after


def require(path, run):
    """A Failure when `path` has no place for the figures of this run."""
    _parts(path, run)


def write(path, run, lines):
    """Replaces what is between the markers."""
    before, after = _parts(path, run)
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + "\n" + "\n".join(lines).strip() + "\n" + after)


def write_readme(sentence):
    write(README, LOAD, textwrap.wrap(sentence, README_WIDTH, break_on_hyphens=False))
