"""A server in a few lines, for the check: right by default, wrong where a test overrides it.

Threads: one accepts and answers, connection after connection, until `close`; a server is used by one test.
"""

import email.utils
import json
import re
import socket
import threading

import http_check


class TinyServer:
    """Answers each request by `respond(target, body)`; a context manager."""

    name = "tiny"

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        # A thread in accept() is woken by this, not by close().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def output(self):
        return "(none)"

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._answer_all(connection)

    def _answer_all(self, connection):
        buffer = b""
        while more := connection.recv(65536):
            buffer += more
            while b"\r\n\r\n" in buffer:
                head, _, rest = buffer.partition(b"\r\n\r\n")
                found = re.search(rb"Content-Length: (\d+)", head)
                length = int(found.group(1)) if found else 0
                if len(rest) < length:
                    break
                buffer = rest[length:]
                connection.sendall(self.respond(head.split(b" ")[1].decode(), rest[:length]))

    def respond(self, target, body):
        if target == "/plaintext":
            return self.message("200 OK", "text/plain", b"Hello, World!")
        if target == "/json":
            return self.message("200 OK", "application/json", b'{"message":"Hello, World!"}')
        if target == http_check.SERVICE:
            return self.message("200 OK", "application/json", self.service(json.loads(body)))
        return self.message("404 Not Found", "text/plain", b"")

    def service(self, order):
        return json.dumps(http_check.service_answer(order)).encode()

    def headers(self, content_type, body):
        return {"Server": "tiny", "Date": email.utils.formatdate(usegmt=True), "Content-Type": content_type,
                "Content-Length": len(body)}

    def message(self, status, content_type, body):
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in self.headers(content_type, body).items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
