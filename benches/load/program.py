"""What the programs here share: servers that are always ended, and an end that says why."""

import signal

import server_process
from failure import Failure
from progress import say


def run(name, body):
    """The exit code that `body` gives for the servers of this run; whatever ends it early is said in one line."""
    # A polite end from outside cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with server_process.Servers() as servers:
            return body(servers)
    except Failure as failure:
        say(f"{name}: {failure}")
        return failure.code
    except KeyboardInterrupt:
        say(f"{name}: stopped; every server was ended")
        return 130
