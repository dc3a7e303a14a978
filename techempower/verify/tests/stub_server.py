"""A server for the verifier to judge: raw bytes over sockets, right in all that the rules ask for, to be made wrong.

`Server` serves an `App`; a test makes a subclass that does one thing wrongly. `StubDatabase` stands for the tables and
counts statements as PostgreSQL does.
"""

import json
import random
import socket
import threading
import time
from urllib.parse import parse_qs, urlsplit

DATE_FORMAT = "%a, %d %b %Y %H:%M:%S GMT"


class StubDatabase:
    """What the verifier sees of a database, and what an App does with it. Threads: any."""

    def __init__(self):
        self._lock = threading.Lock()
        self.world = {row_id: random.randint(1, 10_000) for row_id in range(1, 10_001)}
        self.fortune = {1: "fortune: No such file or directory", 4: "A bad random number generator: 1, 1",
                        11: '<script>alert("This should not be displayed");</script>',
                        12: "フレームワークのベンチマーク"}
        self.counted = {}

    def worlds(self):
        with self._lock:
            return dict(self.world)

    def fortunes(self):
        return dict(self.fortune)

    def add_fortune(self, row_id, message):
        self.fortune[row_id] = message

    def remove_fortune(self, row_id):
        del self.fortune[row_id]

    def forget_statements(self):
        self.counted = {}

    def statements(self, verb):
        return self.counted.get(verb, (0, 0))

    def count(self, verb, calls, rows):
        with self._lock:
            before = self.counted.get(verb, (0, 0))
            self.counted[verb] = (before[0] + calls, before[1] + rows)

    def select(self, ids):
        """A query for each id."""
        self.count("select", len(ids), len(ids))
        return [{"id": row_id, "randomNumber": self.world[row_id]} for row_id in ids]

    def update(self, rows):
        with self._lock:
            for row in rows:
                self.world[row["id"]] = row["randomNumber"]
        self.count("update", len(rows), len(rows))


class App:
    """The responses; every method is one that a test may make wrong. `closes`: the connection ends with each response;
    `silent`: some answer that the verifier waits for never comes."""

    closes = False
    silent = False

    def __init__(self, database, clock=time.time):
        self.database = database
        self.clock = clock
        self._cache = {}

    def respond(self, target):
        """The bytes of the response to a request."""
        url = urlsplit(target)
        query = parse_qs(url.query, keep_blank_values=True)
        name = url.path.strip("/").replace("-", "_")
        try:
            content_type, body = getattr(self, name)(query)
        except Exception:
            return self.response("500 Internal Server Error", "text/plain", b"")
        return self.response("200 OK", content_type, body)

    def response(self, status, content_type, body):
        fields = {**self.headers(), "Content-Type": content_type, "Content-Length": len(body)}
        return self.assemble(status, fields, body)

    def assemble(self, status, fields, body):
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body

    def headers(self):
        return {"Server": "stub", "Date": self.date()}

    def date(self):
        return time.strftime(DATE_FORMAT, time.gmtime(self.clock()))

    def count_of(self, query, parameter):
        try:
            return min(500, max(1, int(query[parameter][0])))
        except (KeyError, ValueError):
            return 1

    def random_ids(self, count):
        return random.sample(range(1, 10_001), count)

    def rows(self, ids):
        return self.database.select(ids)

    def as_json(self, value):
        return "application/json", json.dumps(value, separators=(",", ":")).encode()

    def plaintext(self, _query):
        return "text/plain", b"Hello, World!"

    def json(self, _query):
        return self.as_json({"message": "Hello, World!"})

    def db(self, _query):
        return self.as_json(self.rows(self.random_ids(1))[0])

    def queries(self, query):
        return self.as_json(self.rows(self.random_ids(self.count_of(query, "queries"))))

    def cached_queries(self, query):
        ids = self.random_ids(self.count_of(query, "count"))
        missing = [row_id for row_id in ids if row_id not in self._cache]
        self._cache.update((row["id"], row) for row in self.rows(missing))
        return self.as_json([self._cache[row_id] for row_id in ids])

    def new_number(self, _old):
        return random.randint(1, 10_000)

    def updates(self, query):
        rows = self.rows(self.random_ids(self.count_of(query, "queries")))
        answered = [{**row, "randomNumber": self.new_number(row["randomNumber"])} for row in rows]
        self.write(answered)
        return self.as_json(answered)

    def write(self, rows):
        self.database.update(rows)

    def escape(self, text):
        for character, reference in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
            text = text.replace(character, reference)
        return text

    def fortune_rows(self):
        rows = [*self.database.fortunes().items(), (0, "Additional fortune added at request time.")]
        return sorted(rows, key=lambda row: row[1])

    def page(self, rows):
        cells = "".join(f"<tr><td>{row_id}</td><td>{self.escape(text)}</td></tr>\n" for row_id, text in rows)
        return ("<!doctype html>\n<html><head><title>Fortunes</title></head><body><table><tr><th>id</th><th>message</th></tr>"
                f"{cells}</table></body></html>")

    def fortunes(self, _query):
        return "text/html; charset=utf-8", self.page(self.fortune_rows()).encode()


class Server:
    """Serves an App on a free port, each connection in a thread; a context manager."""

    def __init__(self, app):
        self._app = app
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        # Wakes the thread that accepts; the connections end with their clients.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        buffer = b""
        with connection:
            while True:
                try:
                    more = connection.recv(65536)
                    buffer += more
                    while b"\r\n\r\n" in buffer:
                        head, _, buffer = buffer.partition(b"\r\n\r\n")
                        connection.sendall(self._app.respond(head.split(b" ")[1].decode("latin-1")))
                        if self._app.closes:
                            return
                except OSError:
                    return
                if not more:
                    return
