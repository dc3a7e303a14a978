"""Where a value stands on an axis, and which values are written beside it."""

import math

_STEPS = (1, 2, 2.5, 5, 10)


def short(value):
    """A value as it stands beside an axis."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if value >= 10 * size or (value >= size and value % (size / 10) == 0):
            return f"{value / size:.10g}{unit}"
    return f"{value:.10g}"


class Linear:
    """From 0 to a round value that is not less than `most`, between two coordinates."""

    def __init__(self, most, start, end, ticks=5):
        rough = (most or 1) / ticks
        power = 10 ** math.floor(math.log10(rough))
        self._step = next(step * power for step in _STEPS if step * power >= rough * (1 - 1e-9))
        self._count = math.ceil((most or 1) / self._step - 1e-9)
        self._start, self._end = start, end

    def __call__(self, value):
        return self._start + (self._end - self._start) * value / (self._step * self._count)

    def ticks(self):
        """Values with their texts."""
        return [(self._step * index, short(round(self._step * index, 9))) for index in range(self._count + 1)]


class Log:
    """From a round value not greater than `least` to one not less than `most`, by powers of ten."""

    def __init__(self, least, most, start, end):
        low, high = self._round(least, math.floor), self._round(most, math.ceil)
        self._low, self._high = (low, high) if low < high else (low, low * 10)
        self._start, self._end = start, end

    @staticmethod
    def _round(value, to):
        """The next of 1, 2 and 5 times a power of ten, in one direction."""
        power = 10.0 ** math.floor(math.log10(value) + 1e-9)
        steps = [step * power for step in (1, 2, 5, 10)]
        if to is math.floor:
            return max(step for step in steps if step <= value * (1 + 1e-9))
        return min(step for step in steps if step >= value * (1 - 1e-9))

    def __call__(self, value):
        part = math.log(value / self._low) / math.log(self._high / self._low)
        return self._start + (self._end - self._start) * part

    def ticks(self):
        """Values with their texts: powers of ten, and 2 and 5 times these where that is not much."""
        powers = range(math.floor(math.log10(self._low) + 1e-9), math.ceil(math.log10(self._high) - 1e-9) + 1)
        steps = (1, 2, 5) if math.log10(self._high / self._low) <= 2.5 else (1,)
        values = [step * 10.0 ** power for power in powers for step in steps]
        inside = [value for value in values if self._low * (1 - 1e-9) <= value <= self._high * (1 + 1e-9)]
        return [(value, short(round(value, 9))) for value in inside]


class Points(Log):
    """The logarithm of values that were chosen: each is written, and there is some room beside the outer ones."""

    def __init__(self, values, start, end):
        super().__init__(min(values), max(values), start, end)
        self._values = sorted(set(values))
        self._low, self._high = self._values[0] / 1.15, self._values[-1] * 1.15

    def ticks(self):
        return [(value, f"{value:,}") for value in self._values]
