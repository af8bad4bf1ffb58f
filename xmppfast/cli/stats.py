"""Counts, sizes and speed of a recorded stream."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import ceil
from typing import TextIO

from .. import Stanza, StreamError, StreamStart, backend
from .recording import Placed, Recording


def quantile(sizes: Counter[int], fraction: Fraction) -> int:
    """The smallest size that at least this fraction of the stanzas does not exceed."""
    wanted = max(1, ceil(sizes.total() * fraction))
    for size in sorted(sizes):
        wanted -= sizes[size]
        if wanted <= 0:
            return size
    raise ValueError("no sizes")


class Stats:
    """Gathers events and prints a summary. A stanza's size is that of its bytes as received."""

    def __init__(self) -> None:
        self.streams = 0
        self._content_namespace: str | None = None
        self._sizes: Counter[int] = Counter()
        self._count_by_name: Counter[str] = Counter()
        self._bytes_by_name: Counter[str] = Counter()

    def write(self, placed: Placed) -> None:
        """Count one event."""
        event = placed.event
        if isinstance(event, StreamStart):
            self.streams += 1
            self._content_namespace = event.content_namespace
        elif isinstance(event, Stanza):
            name = event.name if event.xmlns == self._content_namespace else event.tag
            size = len(event.raw)
            self._sizes[size] += 1
            self._count_by_name[name] += 1
            self._bytes_by_name[name] += size

    def error(self, error: StreamError) -> None:
        """Nothing: an error is no stanza."""

    def summary(self, out: TextIO, recording: Recording, chunk_size: int) -> None:
        """Print what was gathered, and the speed of the parser alone."""
        count = self._sizes.total()
        total = sum(size * times for size, times in self._sizes.items())
        print(f"streams  {self.streams}", file=out)
        print(f"stanzas  {count} of {total} bytes", file=out)
        if count:
            print(
                f"sizes    min {min(self._sizes)}, mean {total / count:.1f}, "
                f"median {quantile(self._sizes, Fraction(1, 2))}, "
                f"p90 {quantile(self._sizes, Fraction(9, 10))}, max {max(self._sizes)} bytes",
                file=out,
            )
        if recording.offset:
            speed = recording.offset / recording.seconds / 1e6
            print(
                f"speed    {speed:.1f} MB/s: {recording.offset} bytes in {recording.seconds:.6f} s "
                f"({backend} backend, chunks of {chunk_size} bytes)",
                file=out,
            )
        if count:
            print(f"\n{'count':>8} {'bytes':>12}  name", file=out)
        names = sorted(self._count_by_name, key=lambda name: (-self._count_by_name[name], name))
        for name in names:
            times = self._count_by_name[name]
            print(f"{times:>8} {self._bytes_by_name[name]:>12}  {name}", file=out)
