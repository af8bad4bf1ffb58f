"""How far a long reading has come."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TextIO

_FIRST_AFTER = 1.0
_EVERY = 0.2


def megabytes(done: int, total: int | None) -> str:
    """How many bytes are done, of how many."""
    line = f"{done / 1e6:.1f} MB"
    return line + f" of {total / 1e6:.1f} MB ({100 * done // total} %)" if total else line


class Progress:
    """A line on a terminal that is written over and over, beginning after a second.

    total     how much there is; None if that is not known
    enabled   whether to write anything
    describe  says how much of it is done
    """

    def __init__(
        self,
        out: TextIO,
        *,
        total: int | None,
        enabled: bool,
        describe: Callable[[int, int | None], str] = megabytes,
    ) -> None:
        self._out = out
        self._total = total
        self._enabled = enabled
        self._describe = describe
        self._next = monotonic() + _FIRST_AFTER
        self._width = 0

    def update(self, done: int) -> None:
        """Say how much is done, if it is time to."""
        if not self._enabled or monotonic() < self._next:
            return
        self._next = monotonic() + _EVERY
        self._write(self._describe(done, self._total))

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
