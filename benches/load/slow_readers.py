#!/usr/bin/env python3
"""What slow readers of endless responses cost other clients: their latency without and with them, in turn in one run.

    benches/load/slow_readers.py [--readers 200] [--rounds 5] [--seconds 5]

Each reader takes 1 KiB of its response four times a second. The other clients are wrk with 16 connections and short
responses from the worker pool. Prints p50 and p99 of each round, their medians, and the server's resident memory.
Everything listens on 127.0.0.1. Exit code: 0, 1 when a request failed, 2 when a tool is missing.
"""

import argparse
import os
import re
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True  # leave no cache beside the sources

from failure import Failure
from hinny import FLAGS
from server_process import ROOT, Servers
from toolchain import find_class_path, find_java, known_flags

READ_BYTES = 1024
READ_EVERY_S = 0.25
FULL_LOOK_S = 0.5
FULL_CORES = 0.1
UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class SlowReaders:
    """Connections that are in an endless response; a thread reads a little of each, again and again."""

    def __init__(self, port, count):
        self._ended = threading.Event()
        self._sockets = []
        for _ in range(count):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", port))
            connection.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            if not connection.recv(READ_BYTES).startswith(b"HTTP/1.1 200"):
                raise Failure("a slow reader was not served")
            self._sockets.append(connection)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with selectors.DefaultSelector() as selector:
            for connection in self._sockets:
                selector.register(connection, selectors.EVENT_READ)
            while not self._ended.wait(READ_EVERY_S):
                for key, _ in selector.select(0):
                    key.fileobj.recv(READ_BYTES)

    def close(self):
        self._ended.set()
        self._thread.join()
        for connection in self._sockets:
            connection.close()


def await_full(server):
    """Waits until every writer has filled what it may fill, and waits for its reader."""
    before = server.cpu_us()
    while True:
        time.sleep(FULL_LOOK_S)
        now = server.cpu_us()
        if now - before < FULL_LOOK_S * 1_000_000 * FULL_CORES:
            return
        before = now


def wrk(port, seconds):
    """Requests per second, p50 and p99 in ms."""
    out = subprocess.run(
        ["wrk", "-t1", "-c16", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise Failure(f"requests failed:\n{out}")

    def percentile(name):
        number, unit = re.search(rf"{name}%\s+([\d.]+)(us|ms|s)", out).groups()
        return float(number) * UNITS_MS[unit]

    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), percentile(50), percentile(99)


def measure(server, options):
    rounds = {"without": [], "with": []}
    wrk(server.port, options.seconds)  # warm-up
    for number in range(options.rounds):
        for state in rounds:
            readers = SlowReaders(server.port, options.readers if state == "with" else 0)
            try:
                await_full(server)
                rounds[state].append(wrk(server.port, options.seconds))
            finally:
                readers.close()
            rps, p50, p99 = rounds[state][-1]
            print(f"round {number + 1} {state:8} {rps:9,.0f} rps  p50 {p50:7.2f} ms  p99 {p99:7.2f} ms"
                  f"  server {server.memory_bytes()['rss'] >> 20} MiB", flush=True)
    for state, results in rounds.items():
        rps, p50, p99 = (statistics.median(column) for column in zip(*results))
        print(f"median  {state:8} {rps:9,.0f} rps  p50 {p50:7.2f} ms  p99 {p99:7.2f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise Failure("missing: wrk -- get it: apt-get install wrk", 2)
    java = find_java(None)
    program = os.path.join(ROOT, "benches", "load", "slow_readers.clj")
    with Servers() as servers:
        command = [java, *known_flags(java, FLAGS), "-cp", find_class_path(), "clojure.main", program]
        measure(servers.start("hinny", command), options)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(failure, file=sys.stderr)
        sys.exit(failure.code)
