"""Starts and ends the servers under test, and reads what the kernel counts for them.

Invariants:
- A server is ended by the PID that was started here, never by name: SIGTERM first, SIGKILL when it lingers.
- A server is a process of its own session, so Ctrl-C reaches run.py alone, which then ends the servers.
- Its output is read to the end by a thread, so it never blocks on a full pipe; the last lines are kept.
"""

import collections
import os
import re
import signal
import socket
import subprocess
import threading
import time

from failure import Failure

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

START_TIMEOUT_S = 90
ACCEPTING_LOOK_S = 0.05
STOP_TIMEOUT_S = 20
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class ServerProcess:
    """One running server; `name` is its name in the table."""

    def __init__(self, name, command, port=None):
        """`port` is where it listens, if it does not say that itself."""
        self.name = name
        self.command = command
        self._lines = collections.deque(maxlen=60)
        self._listening = threading.Event()
        self.port = port
        try:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
        except OSError as error:
            raise Failure(f"{name} cannot be started: {error}", 2) from None
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._room = None

    def keep(self, room):
        """A temporary directory that the server needs until it ends, when it is removed."""
        self._room = room

    def _read(self):
        for line in self._process.stdout:
            self._lines.append(line)
            match = re.match(r"listening on \S+:(\d+)\s*$", line)
            if match and self.port is None:
                self.port = int(match.group(1))
                self._listening.set()
        self._listening.set()

    def wait_listening(self):
        """Returns when the server has said where it listens, or listens where it was told to."""
        if self.port is not None:
            return self._wait_accepting()
        if not self._listening.wait(START_TIMEOUT_S) or self.port is None:
            raise Failure(f"{self.name} did not start; its last output:\n{self.output()}")

    def _wait_accepting(self):
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end:
            self.require_alive()
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1):
                    return None
            except OSError:
                time.sleep(ACCEPTING_LOOK_S)
        raise Failure(f"{self.name} does not listen on port {self.port}; its last output:\n{self.output()}")

    def output(self):
        return "".join(self._lines) or "(none)"

    def require_alive(self):
        if self._process.poll() is not None:
            self._reader.join(2)
            raise Failure(
                f"{self.name} ended with code {self._process.returncode}; its last output:\n{self.output()}")

    def cpu_us(self):
        """User and system time so far, ended threads included, of the process and those that it started (nginx's
        workers)."""
        return sum(map(_cpu_us, self.processes()))

    def memory_bytes(self):
        """The resident size, and the anonymous part of it, of the process and those that it started: what they share is
        counted for each."""
        found = list(map(_memory_bytes, self.processes()))
        return {name: sum(memory[name] for memory in found) for name in found[0]}

    def processes(self):
        """Its process and those that it started."""
        self.require_alive()
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as children:
            return [self.pid, *map(int, children.read().split())]

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(2)
        if self._room:
            self._room.cleanup()


def _cpu_us(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000_000 / TICKS_PER_SECOND


def family_cpu_us(pid):
    """The same of a process that was not started here, of its children, and of those that it had before."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        ended = sum(map(int, stat.read().rpartition(")")[2].split()[13:15]))
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        processes = [pid, *map(int, children.read().split())]
    return sum(map(_cpu_us, processes)) + ended * 1_000_000 / TICKS_PER_SECOND


def _memory_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        found = dict(re.findall(r"^(\w+):\s+(\d+) kB", rollup.read(), re.MULTILINE))
    return {"rss": int(found["Rss"]) * 1024, "anonymous": int(found["Anonymous"]) * 1024}


class Servers:
    """Everything that was started, so that all of it is ended; a context manager."""

    def __init__(self):
        self._started = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # A second Ctrl-C must not leave a server behind; each takes STOP_TIMEOUT_S at most.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        self.stop()

    def stop(self):
        """Ends all of them."""
        while self._started:
            self._started.pop().stop()

    def end(self, server):
        """Ends one of them before the others."""
        self._started.remove(server)
        server.stop()

    def start(self, name, command, port=None):
        """Starts a server; `port` is where it listens, if it does not say that itself."""
        server = ServerProcess(name, command, port)
        self._started.append(server)
        server.wait_listening()
        return server


def free_port():
    """A port that nobody has now, for a server that cannot choose one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def settle(seconds):
    """Lets garbage, compilers and sockets come to rest."""
    time.sleep(seconds)
