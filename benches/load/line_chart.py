"""Lines, one for each server, in panels one below the other that share the x axis and one legend."""

import looks
import titles
from svg import FONT_SIZE, GRID, QUIET, SMALL_SIZE, TITLE_SIZE, Drawing, text_width

WIDTH = 900
TOP, PANEL, HEAD, BOTTOM = 62, 210, 34, 46
SIDE, AXIS, GAP = 20, 58, 12
LEGEND_ROW, SAMPLE = 23, 44
# So that a marker at the edge is whole.
ROOM = 8


class Panel:
    """One figure: its name, `scale(values, bottom, top)` for the y axis, and the points (x, y) of each server."""

    def __init__(self, name, scale, points):
        self.name = name
        self.scale = scale
        self.points = points


def _x_axis(drawing, scale, label, left, right, top, bottom, is_last):
    for value, text in scale.ticks():
        drawing.line(scale(value), top, scale(value), bottom, GRID)
        if is_last:
            drawing.text(scale(value), bottom + 18, text, "middle", SMALL_SIZE, QUIET)
    if is_last:
        drawing.text((left + right) / 2, bottom + 37, label, "middle", SMALL_SIZE, QUIET)


def _panel(drawing, panel, scale, appearance, left, right, top):
    bottom = top + PANEL - HEAD
    drawing.text(left, top - 9, panel.name, bold=True)
    y_scale = panel.scale([y for points in panel.points.values() for _, y in points], bottom, top + ROOM)
    for value, text in y_scale.ticks():
        drawing.line(left, y_scale(value), right, y_scale(value), GRID)
        drawing.text(left - 8, y_scale(value) + SMALL_SIZE * 0.36, text, "end", SMALL_SIZE, QUIET)
    drawing.line(left, bottom, right, bottom, QUIET)
    drawing.line(left, top, left, bottom, QUIET)
    # Hinny on top of the others.
    for server in sorted(panel.points, key=looks.is_ours):
        look = appearance[server]
        placed = [(scale(x), y_scale(y)) for x, y in panel.points[server]]
        dashes = {"stroke_dasharray": look.dashes} if look.dashes else {}
        drawing.points("polyline", placed, class_="series", fill="none", stroke=look.colour, stroke_width=look.width,
                       **dashes)
        for x, y in placed:
            looks.mark(drawing, look, x, y)
    return bottom


def _legend(drawing, servers, appearance, x):
    for index, server in enumerate(servers):
        y = TOP + LEGEND_ROW * index + LEGEND_ROW / 2
        look = appearance[server]
        dashes = {"stroke_dasharray": look.dashes} if look.dashes else {}
        drawing.line(x, y, x + SAMPLE, y, look.colour, stroke_width=look.width, **dashes)
        looks.mark(drawing, look, x + SAMPLE / 2, y)
        drawing.text(x + SAMPLE + 8, y + FONT_SIZE * 0.36, titles.server(server), bold=looks.is_ours(server))


def lines(title, subtitle, x_label, x_scale, panels, servers, description):
    """The SVG; `x_scale(start, end)` makes the x axis, `servers` is the order of the legend."""
    appearance = looks.of(servers)
    legend = SAMPLE + 8 + max(text_width(titles.server(server), bold=looks.is_ours(server)) for server in servers)
    left, right = SIDE + AXIS, WIDTH - SIDE - legend - 2 * GAP
    height = max(TOP + (PANEL * len(panels)) + BOTTOM, TOP + LEGEND_ROW * len(servers) + SIDE)
    drawing = Drawing(WIDTH, height, title, description)
    drawing.text(SIDE, 27, title, size=TITLE_SIZE, bold=True)
    drawing.text(SIDE, 46, subtitle, size=SMALL_SIZE, fill=QUIET)
    scale = x_scale(left, right - ROOM)
    for index, panel in enumerate(panels):
        top = TOP + PANEL * index + HEAD - 8
        _x_axis(drawing, scale, x_label, left, right, top, top + PANEL - HEAD, index == len(panels) - 1)
        _panel(drawing, panel, scale, appearance, left, right, top)
    _legend(drawing, servers, appearance, right + 2 * GAP)
    return drawing.finish()
