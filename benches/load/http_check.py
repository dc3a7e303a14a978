"""Checks over a raw socket that a server answers rightly, before anything is measured.

A friendly client would hide what is wrong with the bytes, so this reads them itself.
"""

import email.utils
import json
import os
import re
import socket
import time

from failure import Failure

TIMEOUT_S = 10
PIPELINED = 16
DATE_MAY_BE_OLD_S = 3

# A path that no server has.
STRANGE = "/no-such-path"

# The request headers of TechEmpower's generator.
HEADERS = {
    "/plaintext": {
        "Host": "tfb-server",
        "Accept": "text/plain,text/html;q=0.9,application/xhtml+xml;q=0.9,application/xml;q=0.8,*/*;q=0.7",
        "Connection": "keep-alive",
    },
    "/json": {
        "Host": "tfb-server",
        "Accept": "application/json,text/html;q=0.9,application/xhtml+xml;q=0.9,application/xml;q=0.8,*/*;q=0.7",
        "Connection": "keep-alive",
    },
}

# The realistic small service: one of the 1,000 customers whom customer() tells; its id needs decoding.
CUSTOMER, LIMIT = 421, 20
SERVICE = f"/service?customer=shop%2F{CUSTOMER}&limit={LIMIT}"

HEADERS["/order"] = HEADERS[SERVICE] = HEADERS["/json"]

ORDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "order.json")

# The files that are sent as JSON, by POST.
BODIES = {"/order": ORDER, SERVICE: ORDER}


def customer(number):
    """A customer of the realistic small service, which has those of the numbers 0 to 999 in a map by id."""
    return {"id": f"shop/{number}", "name": f"Customer {number}", "email": f"customer.{number}@example.org"}


def service_answer(order):
    """What the realistic small service answers to this order: its lines are added in their order, in binary64."""
    total = 0.0
    for item in order["items"]:
        total += item["quantity"] * item["price"]
    return {"customer": customer(CUSTOMER), "limit": LIMIT, "total": total, "lines": len(order["items"])}


def _service_answer():
    with open(ORDER, encoding="utf-8") as file:
        return service_answer(json.load(file))


# The right body of each request target, as bytes or as the value of its JSON, and the content type.
EXPECTED = {
    "/plaintext": (b"Hello, World!", "text/plain"),
    "/json": (b'{"message":"Hello, World!"}', "application/json"),
    "/order": (b"j.angstrom@example.org", "text/plain"),
    SERVICE: (_service_answer(), "application/json"),
}


class Answers:
    """Reads responses, one after the other, from a socket."""

    def __init__(self, connection):
        self._connection = connection
        self._buffer = b""

    def _fill(self):
        more = self._connection.recv(65536)
        if not more:
            raise Failure("the server closed the connection in the middle of an exchange")
        self._buffer += more

    def next(self):
        """Status, headers by lower-case name, body, and the number of bytes of the whole."""
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3})(?: .*)?", first)
        if not match:
            raise Failure(f"status line {first!r}")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            if name.lower() in headers:
                raise Failure(f"response header {name} came twice")
            headers[name.lower()] = value.strip()
        if not re.fullmatch(r"\d+", headers.get("content-length", "")):
            raise Failure(f"no content-length in {first!r}")
        length = int(headers["content-length"])
        while len(rest) < length:
            self._fill()
            rest = self._buffer.partition(b"\r\n\r\n")[2]
        self._buffer = rest[length:]
        return int(match.group(1)), headers, rest[:length], len(head) + 4 + length

    def require_end(self):
        if self._buffer:
            raise Failure(f"{len(self._buffer)} bytes after the last response")


def headers_of(path):
    """The request headers for a path."""
    return HEADERS.get(path, HEADERS["/plaintext"])


def request_bytes(path):
    headers = headers_of(path)
    body = b""
    if path in BODIES:
        with open(BODIES[path], "rb") as file:
            body = file.read()
        headers = {**headers, "Content-Type": "application/json", "Content-Length": len(body)}
    method = "POST" if body else "GET"
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def check_date(path, text, sent_at):
    """A Date is right when it was so at some time since the request; a cold server may take long to answer."""
    try:
        date = email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        raise Failure(f"{path}: Date header {text!r}") from None
    if not sent_at - DATE_MAY_BE_OLD_S <= date <= time.time() + 1:
        raise Failure(f"{path}: Date is {date - sent_at:.0f} s off")


def _is_right(body, expected):
    if isinstance(expected, bytes):
        return body == expected
    try:
        return json.loads(body) == expected
    except ValueError:
        return False


def _check_answer(path, answer, sent_at):
    status, headers, body, length = answer
    if path == STRANGE:
        if status != 404:
            raise Failure(f"{path}: status {status}, not 404")
        return length
    expected_body, expected_type = EXPECTED[path]
    if status != 200:
        raise Failure(f"{path}: status {status}")
    if not _is_right(body, expected_body):
        raise Failure(f"{path}: body {body!r}, not {expected_body!r}")
    if headers.get("content-type", "").partition(";")[0].strip() != expected_type:
        raise Failure(f"{path}: content-type {headers.get('content-type')!r}")
    if not headers.get("server"):
        raise Failure(f"{path}: no Server header")
    check_date(path, headers.get("date"), sent_at)
    return length


def _check(port, checked):
    lengths = {}
    with connect(port) as connection:
        answers = Answers(connection)
        for path in [*checked, STRANGE]:
            sent_at = time.time()
            connection.sendall(request_bytes(path))
            lengths[path] = _check_answer(path, answers.next(), sent_at)
        # Two paths in turn, so that an answer out of its place is seen.
        paths = [("/plaintext", "/json" if "/json" in checked else STRANGE)[index % 2] for index in range(PIPELINED)]
        sent_at = time.time()
        connection.sendall(b"".join(map(request_bytes, paths)))
        for path in paths:
            _check_answer(path, answers.next(), sent_at)
        answers.require_end()
    return lengths


def check(server, checked):
    """The bytes of a whole response for each of these request targets, those that the server has (`/plaintext` must be
    one); a Failure when any answer is wrong."""
    try:
        return _check(server.port, checked)
    except Failure as failure:
        raise Failure(f"{server.name} answers wrongly: {failure}") from None
    except OSError as error:
        raise Failure(f"{server.name} does not answer: {error}; its last output:\n{server.output()}") from None
