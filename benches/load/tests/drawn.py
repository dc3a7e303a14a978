"""Reads a plot: its elements, and where its texts are."""

from xml.etree import ElementTree

from svg import text_width

_SVG = "{http://www.w3.org/2000/svg}"


class Drawn:
    """A plot that was drawn."""

    def __init__(self, svg):
        self.root = ElementTree.fromstring(svg)
        self.width, self.height = float(self.root.get("width")), float(self.root.get("height"))

    def elements(self, name, kind=None):
        """The elements of a name, perhaps only those of a class."""
        return [found for found in self.root.iter(_SVG + name) if kind is None or found.get("class") == kind]

    def texts(self):
        return [found.text for found in self.elements("text")]

    def boxes(self):
        """(text, left, top, right, bottom) of each text, by the estimate of widths that the plots use."""
        for found in self.elements("text"):
            size = float(found.get("font-size"))
            width = text_width(found.text, size, found.get("font-weight") == "bold")
            x, y = float(found.get("x")), float(found.get("y"))
            left = x - {"start": 0, "middle": width / 2, "end": width}[found.get("text-anchor")]
            yield found.text, left, y - 0.8 * size, left + width, y + 0.22 * size

    def overlaps(self):
        """Pairs of texts that touch each other, and texts that leave the drawing."""
        boxes = list(self.boxes())
        found = [box[0] for box in boxes
                 if box[1] < 0 or box[2] < 0 or box[3] > self.width or box[4] > self.height]
        for index, (text, left, top, right, bottom) in enumerate(boxes):
            for other, other_left, other_top, other_right, other_bottom in boxes[index + 1:]:
                if left < other_right and other_left < right and top < other_bottom and other_top < bottom:
                    found.append((text, other))
        return found
