"""What a reader sees while a run goes on."""

import sys


def say(text):
    """Progress: to stderr, so that the result stands alone."""
    print(text, file=sys.stderr, flush=True)
