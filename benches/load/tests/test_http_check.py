"""The correctness check against a right server and against wrong ones."""

import json
import unittest

import http_check
from failure import Failure
from tiny_server import TinyServer

ALL = ["/plaintext", "/json", http_check.SERVICE]


class NoServerHeader(TinyServer):
    def headers(self, content_type, body):
        return {**super().headers(content_type, body), "Server": ""}


class OldDate(TinyServer):
    def headers(self, content_type, body):
        return {**super().headers(content_type, body), "Date": "Sun, 06 Nov 1994 08:49:37 GMT"}


class NoDate(TinyServer):
    def headers(self, content_type, body):
        return {name: value for name, value in super().headers(content_type, body).items() if name != "Date"}


class Chunked(TinyServer):
    def headers(self, content_type, body):
        found = super().headers(content_type, body)
        del found["Content-Length"]
        return {**found, "Transfer-Encoding": "chunked"}


class OtherText(TinyServer):
    def message(self, status, content_type, body):
        return super().message(status, content_type, body.replace(b"World", b"world"))


class TextAsJson(TinyServer):
    def headers(self, content_type, body):
        return super().headers("text/plain", body)


class EveryPath(TinyServer):
    def respond(self, target, body):
        return super().respond("/plaintext" if target == http_check.STRANGE else target, body)


class SentTwice(TinyServer):
    """The last of the pipelined requests gets two answers."""

    def __init__(self):
        super().__init__()
        self._left = len(ALL) + 1 + http_check.PIPELINED

    def respond(self, target, body):
        self._left -= 1
        return super().respond(target, body) * (1 if self._left else 2)


class MixedUp(TinyServer):
    """Answers two pipelined requests in the wrong order."""

    def __init__(self):
        super().__init__()
        self._seen = 0

    def respond(self, target, body):
        self._seen += 1
        others = {"/plaintext": "/json", "/json": "/plaintext"}
        return super().respond(others.get(target, target) if self._seen > len(ALL) + 1 else target, body)


class AlwaysTheFirstCustomer(TinyServer):
    def service(self, order):
        return json.dumps({**http_check.service_answer(order), "customer": http_check.customer(0)}).encode()


class ForgetsQuantities(TinyServer):
    def service(self, order):
        total = sum(item["price"] for item in order["items"])
        return json.dumps({**http_check.service_answer(order), "total": total}).encode()


class LimitAsText(TinyServer):
    def service(self, order):
        return json.dumps({**http_check.service_answer(order), "limit": str(http_check.LIMIT)}).encode()


class NoJson(TinyServer):
    def service(self, order):
        return b"{"


class Fails(TinyServer):
    def respond(self, target, body):
        return self.message("500 Internal Server Error", "text/plain", b"")


class Closes(TinyServer):
    def respond(self, target, body):
        return b"HTTP/1.1 200 OK\r\n"

    def _answer_all(self, connection):
        connection.recv(65536)
        connection.sendall(self.respond("", b""))


WRONG = [
    (NoServerHeader, "no Server header"),
    (OldDate, "Date is -"),
    (NoDate, "Date header None"),
    (Chunked, "no content-length"),
    (OtherText, "/plaintext: body b'Hello, world!'"),
    (TextAsJson, "/json: content-type 'text/plain'"),
    (EveryPath, "/no-such-path: status 200, not 404"),
    (SentTwice, "bytes after the last response"),
    (MixedUp, "/plaintext: body"),
    (AlwaysTheFirstCustomer, "/service"),
    (ForgetsQuantities, "/service"),
    (LimitAsText, "/service"),
    (NoJson, "/service"),
    (Fails, "/plaintext: status 500"),
    (Closes, "closed the connection in the middle"),
]


class HttpCheck(unittest.TestCase):
    def test_right_server_gives_the_length_of_each_answer(self):
        with TinyServer() as server:
            lengths = http_check.check(server, ALL)
            self.assertEqual(lengths["/plaintext"], len(server.respond("/plaintext", b"")))
            self.assertEqual(lengths["/json"], len(server.respond("/json", b"")))
            self.assertTrue(set(ALL) <= set(lengths))

    def test_wrong_server_is_named_with_what_is_wrong(self):
        for wrong, said in WRONG:
            with self.subTest(wrong.__name__), wrong() as server, self.assertRaises(Failure) as caught:
                http_check.check(server, ALL)
            self.assertIn("tiny answers wrongly: ", str(caught.exception))
            self.assertIn(said, str(caught.exception))

    def test_path_that_a_server_has_not_is_not_asked_for(self):
        class PlaintextOnly(TinyServer):
            def respond(self, target, body):
                return super().respond(target if target == "/plaintext" else "/other", body)

        with PlaintextOnly() as server:
            http_check.check(server, ["/plaintext"])
            with self.assertRaises(Failure) as caught:
                http_check.check(server, ["/plaintext", "/json"])
        self.assertIn("/json: status 404", str(caught.exception))

    def test_server_that_is_not_there_is_named(self):
        with TinyServer() as server:
            pass
        with self.assertRaises(Failure) as caught:
            http_check.check(server, ["/plaintext"])
        self.assertIn("tiny does not answer", str(caught.exception))

    def test_service_answers_for_the_order_that_is_sent(self):
        expected, _ = http_check.EXPECTED[http_check.SERVICE]
        self.assertEqual(expected["lines"], 3)
        self.assertAlmostEqual(expected["total"], 248.35)
        self.assertEqual(expected["customer"]["id"], "shop/421")
        self.assertTrue(http_check.request_bytes(http_check.SERVICE).startswith(b"POST /service?customer=shop%2F421&"))


if __name__ == "__main__":
    unittest.main()
