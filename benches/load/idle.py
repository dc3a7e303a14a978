"""Measures the native memory of an idle keep-alive connection.

The heap of the JVM is fixed and touched in advance, so what the resident size of the server gains
while the connections are held is native. Every connection has had one exchange. Kernel memory of
sockets is not in it.
"""

import resource
import select
import statistics

from failure import Failure
from http_check import Answers, connect, request_bytes
from server_process import settle

DEFAULT_CONNECTIONS = 10_000
# Descriptors that this script, wrk or a JVM need for other things.
SPARE_DESCRIPTORS = 500
SHORT_CONNECTIONS = 500
SAMPLE = 100

PRE_TOUCH = ["-XX:+AlwaysPreTouch"]


def raise_descriptor_limit():
    """Soft to hard, for this process and the servers that it starts; the limit now."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def possible(wanted, limit):
    """As many of the wanted connections as the descriptor limit lets one process hold."""
    if limit == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, limit - SPARE_DESCRIPTORS)


def _memory(server):
    samples = []
    for _ in range(3):
        settle(0.5)
        samples.append(server.memory_bytes())
    return {name: int(statistics.median(sample[name] for sample in samples)) for name in samples[0]}


def _exchange(connection):
    connection.sendall(request_bytes("/plaintext"))
    answers = Answers(connection)
    status = answers.next()[0]
    answers.require_end()
    if status != 200:
        raise Failure(f"status {status} on a connection that was to be held idle")


def _require_all_open(server, connections):
    poll = select.poll()
    for connection in connections:
        poll.register(connection, select.POLLIN | select.POLLHUP | select.POLLERR)
    gone = len(poll.poll(0))
    if gone:
        raise Failure(f"{server.name} closed {gone} of {len(connections)} idle connections during the measurement")
    for connection in connections[::max(1, len(connections) // SAMPLE)]:
        _exchange(connection)


def measure(server, count):
    """Compares the server's memory before, with and after `count` connections of one exchange each."""
    # The accept and close paths get compiled and filled before the baseline is read.
    for _ in range(SHORT_CONNECTIONS):
        with connect(server.port) as connection:
            _exchange(connection)
    settle(2)
    before = _memory(server)
    connections = []
    try:
        for _ in range(count):
            connections.append(connect(server.port))
            _exchange(connections[-1])
        settle(2)
        held = _memory(server)
        _require_all_open(server, connections)
    except OSError as error:
        raise Failure(f"{server.name}: connection {len(connections)} of {count} failed: {error}") from None
    finally:
        for connection in connections:
            connection.close()
    settle(2)
    closed = _memory(server)
    return {
        "server": server.name, "connections": count, "before": before, "held": held, "closed": closed,
        "rss_bytes_per_connection": (held["rss"] - before["rss"]) / count,
        "anonymous_bytes_per_connection": (held["anonymous"] - before["anonymous"]) / count,
    }
