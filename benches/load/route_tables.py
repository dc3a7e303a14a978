"""Large route tables: what a server's start with one takes, and whether anybody notices when it is swapped.

The server of routes_app.clj times itself: `/first` and `/start/N` say what a start takes, from route data until the
server listens, `/swap` what it takes to give all loops another table as large.
"""

import statistics
import threading

from failure import Failure
from http_check import Answers, connect, request_bytes
from report import spread
from route_rows import Target

COUNT = 10_000
SMALL = 10
STARTS = 5

RATE = 2_000
CONNECTIONS = 16
# In every table, whichever it was swapped for; the first byte of the body says which.
LOADED = Target("/v1/r1234/4711/parts/17", 1, 200, None, "text/plain", is_file=False)
BODIES = {b"a471117", b"b471117"}

CALM, SWAPPING = "no swap", "swap after swap"
STATES = [CALM, SWAPPING]


class Session:
    """A connection that asks for one thing after the other."""

    def __init__(self, server):
        self._server = server
        self._connection = connect(server.port)
        # A start of a server that is cold takes its time.
        self._connection.settimeout(60)
        self._answers = Answers(self._connection)

    def ask(self, path):
        """The body, and the bytes of the whole answer."""
        self._connection.sendall(request_bytes(path))
        status, _, body, length = self._answers.next()
        if status != 200:
            raise Failure(f"{self._server.name} answers {path} with status {status}: {body[:200]!r}\n"
                          f"{self._server.output()}")
        return body, length

    def milliseconds(self, path):
        return float(self.ask(path)[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()


def check(server):
    """The bytes of an answer of the path that is loaded."""
    with Session(server) as session:
        body, length = session.ask(LOADED.path)
        if body not in BODIES:
            raise Failure(f"{server.name} answers {LOADED.path} with {body!r}")
        return length


def starts(server):
    """Times of starts in ms: the first one of the JVM, and later ones."""
    with Session(server) as session:
        return {
            "first_ms": session.milliseconds("/first"),
            "later_ms": spread([session.milliseconds(f"/start/{COUNT}") for _ in range(STARTS)]),
            "small_ms": spread([session.milliseconds(f"/start/{SMALL}") for _ in range(STARTS)]),
        }


class Swaps:
    """One swap after the other, and requests between them that see which table answers; a context manager."""

    def __init__(self, server):
        self._server = server
        self._ended = threading.Event()
        self._failure = None
        self.times_ms = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            with Session(self._server) as session:
                before = session.ask(LOADED.path)[0]
                while not self._ended.is_set():
                    self.times_ms.append(session.milliseconds("/swap"))
                    after = session.ask(LOADED.path)[0]
                    if {before, after} != BODIES:
                        raise Failure(f"{after!r} after a swap, {before!r} before it")
                    before = after
        except (OSError, ValueError, Failure) as failure:
            self._failure = failure

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._ended.set()
        self._thread.join()
        if kind is None and self._failure:
            raise Failure(f"a swap failed: {self._failure}")


def round_of(load, server, state, seconds, response_bytes):
    """Latencies at a constant rate, without and with swaps meanwhile. Each answer must be whole and a 200."""
    def measure():
        return load.round(server, LOADED, CONNECTIONS, RATE, seconds, response_bytes)
    if state == CALM:
        return {**measure(), "swaps": 0, "swap_ms": None}
    with Swaps(server) as swaps:
        entry = measure()
    return {**entry, "swaps": len(swaps.times_ms), "swap_ms": statistics.median(swaps.times_ms)}
