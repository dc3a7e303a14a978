"""The shape of the database tests' answers."""

import json
import unittest

import database_bench

ROW = {"id": 1, "randomNumber": 10_000}
PAGE = ("<html>" + "<tr><td>x</td></tr>" * 13 + "<tr><td>&lt;script&gt;</td></tr>").encode()
JSON, HTML = {"content-type": "application/json"}, {"content-type": "text/html; charset=utf-8"}


class Shape(unittest.TestCase):
    def _require(self, expected, name, headers, body):
        self.assertEqual(database_bench._is_right(name, headers, body), expected, (name, headers, body))

    def test_one_row_is_an_object(self):
        self._require(True, "db", JSON, json.dumps(ROW).encode())
        self._require(False, "db", JSON, json.dumps([ROW]).encode())
        self._require(False, "db", HTML, json.dumps(ROW).encode())
        self._require(False, "db", JSON, json.dumps({**ROW, "id": 10_001}).encode())

    def test_more_are_twenty(self):
        for name in ("queries", "updates", "cached-queries"):
            self._require(True, name, JSON, json.dumps([ROW] * 20).encode())
            self._require(False, name, JSON, json.dumps([ROW] * 19).encode())

    def test_fortunes_are_a_page_without_the_script(self):
        self._require(True, "fortunes", HTML, PAGE)
        self._require(False, "fortunes", HTML, PAGE.replace(b"&lt;", b"<").replace(b"&gt;", b">"))
        self._require(False, "fortunes", HTML, PAGE.replace(b"<tr>", b"<tr >", 1))


if __name__ == "__main__":
    unittest.main()
