"""What a reader sees while a run goes on."""

import sys
import time

# Until so much of the plan is done, its own estimate is better than what the run was like so far.
TELLING_PART = 0.05


def say(text):
    """Progress: to stderr, so that the result stands alone."""
    print(text, file=sys.stderr, flush=True)


def minutes(seconds):
    """A duration for people."""
    return f"{max(1, round(seconds / 60))} min"


class Progress:
    """How far a plan is: said before each part. `clock` gives seconds."""

    def __init__(self, parts, clock=time.monotonic):
        self._estimates = [part.estimate_s() for part in parts]
        self._next = 0
        self._clock = clock
        self._started_at = clock()

    def left_s(self):
        """What the parts to come will take, if the run goes on as it went so far."""
        done, left = sum(self._estimates[:self._next]), sum(self._estimates[self._next:])
        if done < TELLING_PART * (done + left):
            return left
        return left * (self._clock() - self._started_at) / done

    def begin(self, part):
        """Says what comes and how much is left."""
        say(f"[part {self._next + 1} of {len(self._estimates)}, about {minutes(self.left_s())} left] {part.title}")
        self._next += 1

    def end(self):
        """Says how long it took."""
        say(f"[done in {minutes(self._clock() - self._started_at)}]")
