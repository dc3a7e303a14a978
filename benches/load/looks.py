"""How a server looks in every plot: a colour that colour-blind readers can tell from others, a marker and dashes.

Hinny is blue and drawn with thick lines. No two servers have marker and dashes in common, so that nobody needs colours.
"""

import itertools

OURS = "#0060a8"
OTHERS = "#b9c0c9"
SIZE = 4.2


class Look:
    """Colour, marker, dashes and width of a line."""

    def __init__(self, colour, marker, dashes="", width=1.6, filled=True):
        self.colour = colour
        self.marker = marker
        self.dashes = dashes
        self.width = width
        self.filled = filled


_LOOKS = {
    "hinny inline (lane)": Look(OURS, "circle", width=3),
    "hinny inline (hyper only)": Look(OURS, "square", "7 3", width=3, filled=False),
    "hinny worker (lane)": Look("#00264d", "diamond", width=3),
    "hinny virtual (lane)": Look("#3d9be0", "triangle", width=3),
    "hyper": Look("#1b1f24", "cross", "2 2"),
    "netty": Look("#cc6677", "square"),
    "vertx": Look("#aa4499", "diamond", "5 2", filled=False),
    "undertow": Look("#117733", "triangle", "5 2", filled=False),
    "jetty": Look("#c98a00", "down"),
    "helidon": Look("#44aa99", "circle", "5 2", filled=False),
    "go": Look("#882255", "plus"),
    "nginx": Look("#8a8a2f", "down", "2 2", filled=False),
}
_MARKERS = ("circle", "square", "diamond", "triangle", "down")


def _more(colour, width, *patterns):
    return [Look(colour, marker, dashes, width, filled=False) for dashes in patterns for marker in _MARKERS]


_MORE_OURS = _more(OURS, 3, "12 4", "3 3")
_MORE = _more("#6b7280", 1.6, "8 2 2 2", "1 3", "10 4")


def is_ours(server):
    return server.startswith("hinny")


def of(servers):
    """The look of each of some servers; those without one of their own get what is left, in this order."""
    ours, others = itertools.cycle(_MORE_OURS), itertools.cycle(_MORE)
    return {server: _LOOKS.get(server) or next(ours if is_ours(server) else others) for server in servers}


def mark(drawing, look, x, y, **more):
    """A look's marker with its middle at a point."""
    size = SIZE
    fill = look.colour if look.filled else "#ffffff"
    paint = {"fill": fill, "stroke": look.colour, "stroke_width": 1.6, **more}
    if look.marker == "circle":
        drawing.add("circle", cx=x, cy=y, r=size, **paint)
    elif look.marker == "square":
        drawing.add("rect", x=x - size, y=y - size, width=2 * size, height=2 * size, **paint)
    else:
        corners = {
            "diamond": [(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)],
            "triangle": [(0, -1.2), (1.15, 1), (-1.15, 1)],
            "down": [(0, 1.2), (1.15, -1), (-1.15, -1)],
            "cross": [(-1, -1), (1, 1), (0, 0), (-1, 1), (1, -1), (0, 0)],
            "plus": [(0, -1.2), (0, 1.2), (0, 0), (-1.2, 0), (1.2, 0), (0, 0)],
        }[look.marker]
        drawing.points("polygon", [(x + size * dx, y + size * dy) for dx, dy in corners], **paint)
