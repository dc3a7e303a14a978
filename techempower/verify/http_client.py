"""HTTP/1.1 over a raw socket: a friendly client would hide what is wrong with the bytes."""

import re
import socket

TIMEOUT_S = 20


class Malformed(Exception):
    """What came is no HTTP response, or only a part of one."""


class Closed(Exception):
    """The server closed the connection where a response could begin."""


class Response:
    """One response; `framing` says how its length was known: `content-length`, `chunked` or `close`."""

    def __init__(self, status, headers, body, framing):
        self.status = status
        self.headers = headers
        self.body = body
        self.framing = framing

    def header(self, name):
        """The value of a header field, None where it is absent; one that comes twice is joined as HTTP says."""
        values = [value for found, value in self.headers if found == name.lower()]
        return ", ".join(values) if values else None


def request_bytes(path, accept):
    """A request as the suite's generator sends it, and the offer to compress, which must not be taken."""
    return (f"GET {path} HTTP/1.1\r\nHost: tfb-server\r\nAccept: {accept}\r\nAccept-Encoding: gzip, deflate, br\r\n"
            "Connection: keep-alive\r\n\r\n").encode("latin-1")


class Connection:
    """A connection to the server; a context manager. Not for several threads."""

    def __init__(self, port, timeout_s=TIMEOUT_S):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, data):
        self._socket.sendall(data)

    def get(self, path, accept="*/*"):
        self.send(request_bytes(path, accept))
        return self.read()

    def surplus(self):
        """The bytes that have come and belong to no response."""
        return self._buffer

    def read(self):
        """The next response."""
        head = self._until(b"\r\n\r\n", begins=True)
        first, *lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3})(?: .*)?", first)
        if not match:
            raise Malformed(f"status line {first[:60]!r}")
        headers = []
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise Malformed(f"header line {line[:60]!r}")
            headers.append((name.lower(), value.strip()))
        return self._with_body(Response(int(match.group(1)), headers, b"", "close"))

    def _with_body(self, response):
        length = response.header("content-length")
        if (response.header("transfer-encoding") or "").lower() == "chunked":
            response.framing, response.body = "chunked", self._chunks()
        elif length is not None:
            if not re.fullmatch(r"\d+", length):
                raise Malformed(f"Content-Length {length!r}")
            response.framing, response.body = "content-length", self._exactly(int(length))
        else:
            response.body = self._to_end()
        return response

    def _chunks(self):
        body = b""
        while True:
            size = self._until(b"\r\n").partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size):
                raise Malformed(f"chunk size {size[:20]!r}")
            if int(size, 16) == 0:
                while self._until(b"\r\n"):
                    pass
                return body
            body += self._exactly(int(size, 16))
            if self._until(b"\r\n"):
                raise Malformed("a chunk that is longer than its size")

    def _fill(self, what):
        try:
            more = self._socket.recv(65536)
        except TimeoutError:
            raise Malformed(f"nothing more came, in the middle of {what}") from None
        except ConnectionError as error:
            raise Closed(str(error)) from None
        self._buffer += more
        return bool(more)

    def _until(self, end, begins=False):
        while end not in self._buffer:
            if not self._fill("a head or chunk"):
                if begins and not self._buffer:
                    raise Closed("the server closed the connection")
                raise Malformed("the connection ended in the middle of a head or chunk")
        found, _, self._buffer = self._buffer.partition(end)
        return found

    def _exactly(self, length):
        while len(self._buffer) < length:
            if not self._fill(f"a body of {length} bytes, after {len(self._buffer)}"):
                raise Malformed(f"the connection ended after {len(self._buffer)} of {length} bytes of a body")
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    def _to_end(self):
        """A body without a length ends with the connection; a server that keeps that open is not waited for in vain."""
        try:
            while self._fill("a body without a length"):
                pass
        except Malformed:
            pass
        body, self._buffer = self._buffer, b""
        return body
