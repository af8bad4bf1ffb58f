"""Times in buckets, each at most 1.6% wide."""

from __future__ import annotations

from collections.abc import Sequence

# Buckets per power of two: 64. What is less than 128 ns has a bucket of its own. The compiled
# `Pair` does as `Histogram.add_nanoseconds` does.
_BITS = 7
_SIZE = 1 << _BITS

SHOWN = (50.0, 90.0, 99.0, 99.9)
"""The percentiles that reports show."""


class Histogram:
    """How often which time was seen.

    counts    times added, by bucket
    greatest  the longest one, exactly, in nanoseconds
    """

    __slots__ = ("counts", "greatest")

    def __init__(self) -> None:
        self.counts = [0] * (64 * _SIZE)
        self.greatest = 0

    @property
    def count(self) -> int:
        """Times added."""
        return sum(self.counts)

    def add(self, seconds: float) -> None:
        """Count a time; a negative one as 0."""
        self.add_nanoseconds(int(seconds * 1e9))

    def add_nanoseconds(self, nanoseconds: int) -> None:
        """Count a time; a negative one as 0."""
        if nanoseconds > self.greatest:
            self.greatest = nanoseconds
        elif nanoseconds < 0:
            nanoseconds = 0
        shift = nanoseconds.bit_length() - _BITS
        if shift < 0:
            shift = 0
        self.counts[(shift << _BITS) + (nanoseconds >> shift)] += 1

    def percentiles(self, wanted: Sequence[float] = SHOWN) -> dict[float, float]:
        """Seconds that so many percent of the times don't exceed; empty if there are none.

        wanted  percentages, ascending
        """
        found: dict[float, float] = {}
        total = self.count
        if not total:
            return found
        seen = 0
        left = list(wanted)
        for index, count in enumerate(self.counts):
            seen += count
            while left and count and seen >= left[0] / 100 * total:
                found[left.pop(0)] = min(_middle(index), self.greatest / 1e9)
        return found

    def microseconds(self) -> dict[str, float]:
        """The percentiles of `SHOWN` and the greatest, for a report."""
        shown = {f"p{percent:g}": 1e6 * value for percent, value in self.percentiles().items()}
        return {**shown, "max": self.greatest / 1e3} if shown else {}


def _middle(index: int) -> float:
    """The middle of a bucket, in seconds."""
    shift, value = divmod(index, _SIZE)
    return ((value << shift) + ((1 << shift) - 1) / 2) / 1e9
