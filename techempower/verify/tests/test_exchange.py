"""Servers that answer wrongly whatever they are asked: the named check must see it."""

import gzip
import unittest

from judging import Judged
from stub_server import App


class Chunked(App):
    def response(self, status, content_type, body):
        fields = {**self.headers(), "Content-Type": content_type, "Transfer-Encoding": "chunked"}
        return self.assemble(status, fields, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))


class WithoutLength(App):
    closes = True

    def assemble(self, status, fields, body):
        del fields["Content-Length"]
        return super().assemble(status, fields, body)


class OffBy(App):
    """A Content-Length that differs from the body's."""
    bytes = 0

    def assemble(self, status, fields, body):
        fields["Content-Length"] += self.bytes
        return super().assemble(status, fields, body)


class TooShort(OffBy):
    bytes = -3


class TooLong(OffBy):
    bytes = 3
    silent = True


class TooLongAndClosed(TooLong):
    closes = True
    silent = False


class Closing(App):
    closes = True


class WithoutDate(App):
    def headers(self):
        return {"Server": "stub"}


class WithoutServer(App):
    def headers(self):
        return {"Date": self.date()}


class DateWithZone(App):
    def date(self):
        return super().date().replace("GMT", "+0000")


class DateOfNoWeekday(App):
    def date(self):
        right = super().date()
        return ("Mon" if not right.startswith("Mon") else "Tue") + right[3:]


class OldDate(App):
    def __init__(self, database, clock):
        super().__init__(database, lambda: clock() - 60)


class DateKept(App):
    def __init__(self, database, clock):
        started = clock()
        super().__init__(database, lambda: started)


class OtherType(App):
    def plaintext(self, query):
        return "text/html", super().plaintext(query)[1]


class Compressed(App):
    def response(self, status, content_type, body):
        packed = gzip.compress(body)
        fields = {**self.headers(), "Content-Type": content_type, "Content-Encoding": "gzip", "Content-Length": len(packed)}
        return self.assemble(status, fields, packed)


class Failing(App):
    def plaintext(self, query):
        raise ValueError


class ClosesAtOnce(App):
    closes = True

    def respond(self, target):
        return b""


class NoHttp(App):
    def respond(self, target):
        return b"hello\r\n\r\n"


class ExchangeTest(Judged, unittest.TestCase):
    def test_a_right_server_passes(self):
        self.assert_passes(App, "plaintext")

    def test_chunks_pass(self):
        self.assert_passes(Chunked, "plaintext")

    def test_wrong_servers_fail(self):
        self.assert_each("plaintext", {
            WithoutLength: "size header",
            TooShort: "body length",
            TooLong: "body length",
            TooLongAndClosed: "body length",
            WithoutDate: "Date header",
            WithoutServer: "Server header",
            DateWithZone: "Date format",
            DateOfNoWeekday: "Date format",
            OldDate: "Date fresh",
            DateKept: "Date advances",
            OtherType: "Content-Type",
            Compressed: "no compression",
            Failing: "status",
            NoHttp: "body length",
            ClosesAtOnce: "answer",
        })

    def test_a_connection_that_is_not_kept_is_a_warning(self):
        self.assert_result(Closing, "plaintext", "keep-alive", "WARN")
