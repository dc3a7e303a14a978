"""Wrong servers of the tests without a database."""

import unittest

from judging import Judged
from stub_server import App


class OtherText(App):
    def plaintext(self, query):
        return "text/plain", b"hello, world!"


class OneNewline(App):
    def plaintext(self, query):
        return "text/plain", b"Hello, World!\n"


class FirstOfManyOnly(App):
    """Forgets what came with the first request: the sixteen of the pipelining check come at once."""

    silent = True

    def __init__(self, database, clock):
        super().__init__(database, clock)
        self._answered = 0

    def respond(self, target):
        self._answered += 1
        # Two requests of the check before, and the first of the sixteen.
        return super().respond(target) if self._answered <= 3 else b""


class MixedUp(App):
    def __init__(self, database, clock):
        super().__init__(database, clock)
        self._answered = 0

    def plaintext(self, query):
        self._answered += 1
        return self.json(query) if self._answered == 9 else super().plaintext(query)


class OtherMessage(App):
    def json(self, query):
        return self.as_json({"message": "Hello"})


class OtherKey(App):
    def json(self, query):
        return self.as_json({"Message": "Hello, World!"})


class MoreKeys(App):
    def json(self, query):
        return self.as_json({"message": "Hello, World!", "at": 1})


class NoJson(App):
    def json(self, query):
        return "application/json", b"{'message': 'Hello, World!'}"


class Spacious(App):
    def json(self, query):
        return "application/json", b'{ "message" : "Hello, World!" }'


class PlaintextTest(Judged, unittest.TestCase):
    def test_wrong_servers_fail(self):
        self.assert_each("plaintext", {OtherText: "body", OneNewline: "body", FirstOfManyOnly: "pipelining",
                                       MixedUp: "pipelining"})


class JsonTest(Judged, unittest.TestCase):
    def test_a_right_server_passes(self):
        self.assert_passes(App, "json")

    def test_wrong_servers_fail(self):
        self.assert_each("json", {OtherMessage: "body", OtherKey: "body", MoreKeys: "body", NoJson: "body"})

    def test_blanks_are_a_warning(self):
        self.assert_result(Spacious, "json", "size", "WARN")
