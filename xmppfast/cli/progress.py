"""How far a long reading has come."""

from __future__ import annotations

from time import monotonic
from typing import TextIO

_FIRST_AFTER = 1.0
_EVERY = 0.2


class Progress:
    """A line on a terminal that is written over and over, beginning after a second.

    total    bytes there are; None if that is not known
    enabled  whether to write anything
    """

    def __init__(self, out: TextIO, *, total: int | None, enabled: bool) -> None:
        self._out = out
        self._total = total
        self._enabled = enabled
        self._next = monotonic() + _FIRST_AFTER
        self._width = 0

    def update(self, done: int) -> None:
        """Say how many bytes are done, if it is time to."""
        if not self._enabled or monotonic() < self._next:
            return
        self._next = monotonic() + _EVERY
        line = f"{done / 1e6:.1f} MB"
        if self._total:
            line += f" of {self._total / 1e6:.1f} MB ({100 * done // self._total} %)"
        self._write(line)

    def clear(self) -> None:
        """Remove the line."""
        if self._width:
            self._write("")
            self._out.write("\r")
            self._width = 0

    def _write(self, line: str) -> None:
        self._out.write("\r" + line.ljust(self._width))
        self._out.flush()
        self._width = len(line)
