"""Latency of the health endpoint /ready while no worker is free.

The server has four workers, which a handler keeps for 100 ms each, and a queue of 16. `Pressure` keeps both full:
each of its connections asks again at once when it was served, and after a pause when there was no room. wrk, in the
third state, asks again at once in both cases, so it takes all of the machine that it can get, too.
"""

import re
import selectors
import socket
import threading
import time

from failure import Failure
from generator import Generator
from http_check import request_bytes
from route_rows import Target

READY = Target("/ready", 1, 200, b'{"status":"up"}', "application/json", is_file=False)
BUSY = Target("/busy", 1, 200, b"done", "text/plain", is_file=False)

RATE = 1_000
CONNECTIONS = 16

IDLE, POOL_FULL, MACHINE_FULL = "idle", "pool full", "pool full, and wrk at full speed"
STATES = [IDLE, POOL_FULL, MACHINE_FULL]

PAUSE_S = 0.05
FULL_TIMEOUT_S = 30
READ_BYTES = 65536


class Pressure:
    """Connections that keep pool and queue full; a context manager that begins when they are."""

    def __init__(self, port, connections=64):
        self._request = request_bytes(BUSY.path)
        self._selector = selectors.DefaultSelector()
        self._ended = threading.Event()
        self._full = threading.Event()
        self._waiting = []  # (when, connection): those that were refused
        self._refused_at = []
        self._failure = None
        self.counts = {200: 0, 503: 0}
        for _ in range(connections):
            connection = socket.create_connection(("127.0.0.1", port))
            self._selector.register(connection, selectors.EVENT_READ)
            self._waiting.append((0, connection))
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        if not self._full.wait(FULL_TIMEOUT_S) or self._failure:
            self._end()
            raise Failure(f"the worker pool did not get full: {self._failure or self.counts}")
        self.counts = {200: 0, 503: 0}
        self._refused_at = [time.monotonic()]
        return self

    def __exit__(self, kind, *_):
        self._end()
        if kind is None and self._failure:
            raise Failure(f"a handler's request failed: {self._failure}")

    def longest_without_refusal_ms(self):
        """The pool was full at every refusal; this is the longest time from one to the next."""
        times = [*self._refused_at, time.monotonic()]
        return 1000 * max(after - before for before, after in zip(times, times[1:]))

    def _end(self):
        self._ended.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()

    def _run(self):
        try:
            while not self._ended.is_set():
                now = time.monotonic()
                for entry in [entry for entry in self._waiting if entry[0] <= now]:
                    self._waiting.remove(entry)
                    entry[1].sendall(self._request)
                for key, _ in self._selector.select(PAUSE_S / 10):
                    self._answered(key.fileobj)
        except (OSError, Failure) as error:
            self._failure = error
            self._full.set()

    def _answered(self, connection):
        """Both answers are small: they come in one piece."""
        match = re.match(rb"HTTP/1\.1 (\d{3}) ", connection.recv(READ_BYTES))
        status = int(match.group(1)) if match else 0
        if status not in self.counts:
            raise Failure(f"status {status}")
        self.counts[status] += 1
        if status == 503:
            self._refused_at.append(time.monotonic())
            self._waiting.append((time.monotonic() + PAUSE_S, connection))
            self._full.set()
        else:
            connection.sendall(self._request)


class FullSpeed:
    """wrk, without pauses, for at least so long; a context manager."""

    def __init__(self, server, seconds, wrk_threads):
        self.counts = {}
        self._thread = threading.Thread(target=self._run, args=(server, seconds, wrk_threads), daemon=True)
        self._failure = None

    def _run(self, server, seconds, wrk_threads):
        try:
            seen = Generator(wrk_threads, 64).run(server, BUSY, seconds)
            refused = seen["errors"].pop("status")
            self.counts = {200: seen["requests"] - refused, 503: refused}
            if any(seen["errors"].values()):
                self._failure = f"wrk saw errors: {seen['errors']}"
        except Failure as failure:
            self._failure = failure

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._thread.join()
        if kind is None and self._failure:
            raise Failure(str(self._failure))


def round_of(load, server, state, seconds, warm_up_s, wrk_threads, response_bytes):
    """Latencies of /ready in one state, and what became of the handler's requests."""
    def measure():
        return load.round(server, READY, CONNECTIONS, RATE, seconds, response_bytes)
    if state == IDLE:
        return {**measure(), "handler": {200: 0, 503: 0}, "longest_without_refusal_ms": None}
    if state == POOL_FULL:
        with Pressure(server.port) as pressure:
            entry = measure()
            return {**entry, "handler": dict(pressure.counts),
                    "longest_without_refusal_ms": pressure.longest_without_refusal_ms()}
    with FullSpeed(server, seconds + warm_up_s + 1, wrk_threads) as speed:
        entry = measure()
    return {**entry, "handler": speed.counts, "longest_without_refusal_ms": None}
