"""Wrong servers of fortunes."""

import unittest

from judging import Judged
from stub_server import App


class NotEscaped(App):
    def escape(self, text):
        return text


class EscapedTwice(App):
    def escape(self, text):
        return super().escape(super().escape(text))


class AmpersandsKept(App):
    def escape(self, text):
        return text.replace("<", "&lt;").replace(">", "&gt;")


class Latin(App):
    def fortunes(self, query):
        return "text/html; charset=utf-8", self.page(self.fortune_rows()).encode("latin-1", "replace")


class OtherEncoding(App):
    def fortunes(self, query):
        return "text/html; charset=utf-8", self.page(self.fortune_rows()).encode("utf-16")


class NoCharset(App):
    def fortunes(self, query):
        return "text/html", super().fortunes(query)[1]


class Unsorted(App):
    def fortune_rows(self):
        return sorted(super().fortune_rows())


class NothingAdded(App):
    def fortune_rows(self):
        return [row for row in super().fortune_rows() if row[0] != 0]


class OneMissing(App):
    def fortune_rows(self):
        return [row for row in super().fortune_rows() if row[0] != 4]


class OtherTitle(App):
    def page(self, rows):
        return super().page(rows).replace("Fortunes", "fortunes")


class NoHeader(App):
    def page(self, rows):
        return super().page(rows).replace("<tr><th>id</th><th>message</th></tr>", "")


class KeptPage(App):
    def __init__(self, database, clock):
        super().__init__(database, clock)
        self._page = self.page(super().fortune_rows())

    def fortunes(self, query):
        return "text/html; charset=utf-8", self._page.encode()


class OtherwiseRight(App):
    """As other servers write it: other references, other case, parts of a table, attributes."""

    def page(self, rows):
        page = super().page(rows).replace("<!doctype html>", "<!DOCTYPE HTML>").replace("&quot;", "&#x22;")
        page = page.replace("<table>", '<table class="plain"><tbody>').replace("</table>", "</tbody></table>")
        return page.replace("<td>", "<td>\n  ").replace("<head>", '<head><meta charset="utf-8">')


class FortunesTest(Judged, unittest.TestCase):
    def test_right_servers_pass(self):
        self.assert_passes(App, "fortunes")
        self.assert_passes(OtherwiseRight, "fortunes")

    def test_wrong_servers_fail(self):
        self.assert_each("fortunes", {
            NotEscaped: "escaping", EscapedTwice: "HTML", AmpersandsKept: "read at each request", Latin: "UTF-8",
            OtherEncoding: "UTF-8", NoCharset: "Content-Type", Unsorted: "order", NothingAdded: "added row",
            OneMissing: "rows", OtherTitle: "HTML", NoHeader: "HTML", KeptPage: "read at each request"})
