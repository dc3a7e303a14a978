"""Writes SVG by hand: few elements, numbers rounded, so that the same data give the same bytes.

A drawing has its own background, since it is shown on light and on dark pages, and a title and a description for those
who do not see it. Texts are measured by an estimate that is wider than what common sans-serif fonts need.
"""

from xml.sax.saxutils import escape, quoteattr

FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"
FONT_SIZE = 13
TITLE_SIZE = 16
SMALL_SIZE = 12
BACKGROUND, FRAME = "#ffffff", "#d0d4d9"
INK, QUIET, GRID = "#1b1f24", "#4b5563", "#e1e5ea"

_NARROW = set(" .,:;'|!()[]ijlI")
_WIDE = set("mwMW%@×µ–—")
_NARROW_EM, _WIDE_EM, _EM, _BOLD = 0.42, 0.98, 0.66, 1.09


def text_width(text, size=FONT_SIZE, bold=False):
    """How wide a text is at most, in pixels."""
    ems = sum(_NARROW_EM if char in _NARROW else _WIDE_EM if char in _WIDE else _EM for char in text)
    return ems * size * (_BOLD if bold else 1)


def number(value):
    """A coordinate, without noise in its last digits."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


class Drawing:
    """An SVG document that grows downwards in the order of the calls."""

    def __init__(self, width, height, title, description):
        self.width = width
        self.height = height
        self._lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{number(width)}" height="{number(height)}" '
            f'viewBox="0 0 {number(width)} {number(height)}" role="img" aria-labelledby="title description" '
            f'font-family={quoteattr(FONT)} font-size="{FONT_SIZE}">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
        ]
        self.add("rect", x=0.5, y=0.5, width=width - 1, height=height - 1, rx=6, fill=BACKGROUND, stroke=FRAME)

    def add(self, element, content=None, **attributes):
        """One element; of an attribute's name, `_` is `-`, and numbers are rounded."""
        said = " ".join(
            f"{name.rstrip('_').replace('_', '-')}="
            f"{quoteattr(value if isinstance(value, str) else number(value))}" for name, value in attributes.items())
        self._lines.append(f"<{element} {said}/>" if content is None else
                           f"<{element} {said}>{escape(content)}</{element}>")

    def line(self, x1, y1, x2, y2, stroke=INK, **more):
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, **more)

    def points(self, element, points, **more):
        """A polyline or a polygon."""
        self.add(element, points=" ".join(f"{number(x)},{number(y)}" for x, y in points), **more)

    def text(self, x, y, content, anchor="start", size=FONT_SIZE, fill=INK, bold=False, **more):
        """A text whose baseline is at y."""
        weight = {"font_weight": "bold"} if bold else {}
        self.add("text", content, x=x, y=y, text_anchor=anchor, font_size=size, fill=fill, **weight, **more)

    def finish(self):
        """The document."""
        return "\n".join([*self._lines, "</svg>", ""])
