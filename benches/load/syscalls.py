"""Counts a server's system calls for a request, by name, while wrk loads it.

`perf stat` counts in the kernel, which slows the server little (strace stops it at each call, and so
changes what is ready when it looks). It needs tracepoints, so root or a lower kernel.perf_event_paranoid.
"""

import os
import re
import shutil
import signal
import subprocess

from failure import Failure

TOTAL = "raw_syscalls:sys_enter"
NAMES = [
    "accept4", "clock_nanosleep", "close", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2",
    "futex", "futex_wait", "futex_wake", "getsockopt", "io_uring_enter", "madvise", "mmap", "mprotect", "munmap",
    "nanosleep", "poll", "ppoll", "read", "readv", "recvfrom", "recvmsg", "restart_syscall", "rt_sigreturn",
    "sched_yield", "sendmsg", "sendto", "setsockopt", "shutdown", "timerfd_settime", "write", "writev",
]
# The scenarios in which they are counted: the others' calls are the same.
SCENARIOS = ["plaintext-x16", "plaintext"]
# What is rarer than one call in a thousand requests is of no account.
LEAST = 0.001
STOP_TIMEOUT_S = 20


def events():
    """The events to count; a Failure when this machine cannot."""
    if not shutil.which("perf"):
        raise Failure("perf is missing: apt-get install linux-perf, or leave out --syscalls", 2)
    listed = subprocess.run(["perf", "list", "tracepoint"], capture_output=True, text=True, check=False).stdout
    known = set(re.findall(r"syscalls:sys_enter_(\w+)", listed))
    if not known:
        raise Failure("perf sees no tracepoints of system calls here (it needs root): leave out --syscalls", 2)
    return [TOTAL] + [f"syscalls:sys_enter_{name}" for name in NAMES if name in known]


class Counter:
    """`perf stat` on one server, counting between entry and exit; then `counts` has the calls by name."""

    def __init__(self, server, counted):
        self._server = server
        self._events = counted
        self.counts = {}

    def __enter__(self):
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()
        self._process = subprocess.Popen(
            ["perf", "stat", "-x,", "-D", "-1", "--control", f"fd:{orders},{answers}", "-e", ",".join(self._events),
             "-p", ",".join(map(str, self._server.processes()))],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, pass_fds=(orders, answers),
            start_new_session=True)
        os.close(orders)
        os.close(answers)
        self._order("enable")
        return self

    def _order(self, order):
        try:
            os.write(self._orders, f"{order}\n".encode())
            answer = os.read(self._answers, 16)
        except OSError as error:
            answer = str(error).encode()
        if not answer.startswith(b"ack"):
            self._end()
            raise Failure(f"perf does not count {self._server.name}: {self._said.strip() or answer!r}")

    def _end(self):
        self._process.send_signal(signal.SIGINT)
        try:
            _, self._said = self._process.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            _, self._said = self._process.communicate()
        os.close(self._orders)
        os.close(self._answers)

    def __exit__(self, kind, *_):
        if kind is None:
            self._order("disable")
        self._end()
        for line in self._said.splitlines():
            fields = line.split(",")
            if len(fields) > 2 and fields[0].isdigit():
                name = fields[2].partition("sys_enter")[2].removeprefix("_")
                self.counts[name or "total"] = int(fields[0])


def row(bench, server, counts, requests):
    """Calls for one request, the frequent ones first; `other` is what has no name here."""
    if "total" not in counts:
        raise Failure(f"perf counted nothing of {server}")
    total = counts["total"] / requests
    named = {name: count / requests for name, count in counts.items() if name != "total"}
    named["other"] = total - sum(named.values())
    frequent = sorted((item for item in named.items() if item[1] >= LEAST), key=lambda item: -item[1])
    return {"bench": bench, "server": server, "total": total, "by_name": dict(frequent), "requests": requests}
