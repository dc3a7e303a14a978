"""Horizontal bars with whiskers, one for each server: its median, and the least and greatest of the rounds."""

import looks
import titles
from scales import Linear
from svg import FONT_SIZE, GRID, INK, QUIET, SMALL_SIZE, TITLE_SIZE, Drawing, text_width

WIDTH = 900
TOP, ROW, BAR, BOTTOM = 62, 30, 18, 40
SIDE, GAP = 20, 10
CAP = 5


def _label(entry, form):
    return f"{entry['median']:{form}}" if entry else "invalid"


def _axis(drawing, scale, unit, left, bottom):
    for value, text in scale.ticks():
        drawing.line(scale(value), TOP - 4, scale(value), bottom, GRID)
        drawing.text(scale(value), bottom + 17, text, "middle", SMALL_SIZE, QUIET)
    drawing.line(left, TOP - 4, left, bottom, QUIET)
    drawing.text(SIDE, bottom + 17, unit, "start", SMALL_SIZE, QUIET)


def _whisker(drawing, scale, entry, y):
    ends = scale(entry["min"]), scale(entry["max"])
    drawing.line(ends[0], y, ends[1], y, class_="whisker", stroke_width=1.4)
    for end in ends:
        drawing.line(end, y - CAP, end, y + CAP, stroke_width=1.4)


def bars(title, subtitle, unit, entries, form):
    """The SVG of (server, spread or None) in this order; `form` is that of the values' labels."""
    labels = [_label(spread, form) for _, spread in entries]
    left = SIDE + GAP + max([text_width(titles.server(server), bold=looks.is_ours(server)) for server, _ in entries]
                            + [text_width(unit, SMALL_SIZE) + 12])
    right = WIDTH - SIDE - GAP - max(text_width(label, bold=True) for label in labels)
    height = TOP + ROW * len(entries) + BOTTOM
    said = "; ".join(f"{titles.server(server)} {label}" for (server, _), label in zip(entries, labels))
    drawing = Drawing(WIDTH, height, title, f"{subtitle}. {unit}, medians: {said}.")
    drawing.text(SIDE, 27, title, size=TITLE_SIZE, bold=True)
    drawing.text(SIDE, 46, subtitle, size=SMALL_SIZE, fill=QUIET)
    bottom = TOP + ROW * len(entries)
    scale = Linear(max((spread["max"] for _, spread in entries if spread), default=1), left, right)
    _axis(drawing, scale, unit, left, bottom)
    for index, ((server, spread), label) in enumerate(zip(entries, labels)):
        y = TOP + ROW * index + ROW / 2
        ours = looks.is_ours(server)
        baseline = y + FONT_SIZE * 0.36
        drawing.text(left - GAP, baseline, titles.server(server), "end", bold=ours)
        if spread:
            drawing.add("rect", class_="bar", x=left, y=y - BAR / 2, width=scale(spread["median"]) - left, height=BAR,
                        fill="#5aa5dd" if ours else looks.OTHERS, stroke=looks.OURS if ours else "#8d96a1")
            _whisker(drawing, scale, spread, y)
        end = scale(spread["max"]) if spread else left
        drawing.text(end + GAP, baseline, label, bold=ours, fill=INK if spread else QUIET)
    return drawing.finish()
