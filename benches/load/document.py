"""The documents that are made of raw results: docs/performance.md with its plots, and the README's sentence.

Invariants:
- The same results give the same bytes, and nothing else goes into them, so that a check can tell whether they fit.
- Of the README, only what stands between its two marks is written, and that only when the results have it.
"""

import os
import textwrap

import page
import plots
import results
import tables
from failure import Failure
from server_process import ROOT

PERFORMANCE = os.path.join(ROOT, "docs", "performance.md")
PLOTS = os.path.join(ROOT, "docs", "performance")
README = os.path.join(ROOT, "README.md")
README_WIDTH = 120
BEGIN, END = (f"<!-- written by make bench-report: {edge} -->" for edge in ("begin", "end"))


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def readme(text, sentence):
    """The README's text with this sentence between its marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise Failure(f"the README has no place for its figures: {BEGIN} … {END}", 2)
    return "\n".join([before + begin, *textwrap.wrap(sentence, README_WIDTH, break_on_hyphens=False), end + after])


def _made(found):
    """What each file is to be, by its path."""
    drawn = plots.draw(found)
    files = {PERFORMANCE: page.text(found, drawn),
             **{os.path.join(PLOTS, name): svg for name, svg in drawn.items()}}
    bench = found.get("bench")
    sentence = tables.summary(bench["rows"], results.cores(bench["machine"])) if bench else None
    if sentence:
        files[README] = readme(_read(README) or "", sentence)
    return files


def _left_over(files):
    """Plots that no result has any more."""
    names = os.listdir(PLOTS) if os.path.isdir(PLOTS) else []
    return [path for path in (os.path.join(PLOTS, name) for name in sorted(names)) if path not in files]


def differences():
    """The documents that are not what the results give."""
    files = _made(results.load_all())
    return [path for path, text in files.items() if _read(path) != text] + _left_over(files)


def publish():
    """Makes the documents what the results give; the paths of those that changed."""
    files = _made(results.load_all())
    changed = [path for path, text in files.items() if _read(path) != text]
    for path in changed:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(files[path])
    left_over = _left_over(files)
    for path in left_over:
        os.remove(path)
    return changed + left_over
