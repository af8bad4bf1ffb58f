"""Frames to and from one other worker, none lost, none twice, in order, over a bus that may lose.

Nothing here waits or knows the time. A frame stays with its sender until the other side says that
it is *done*: delivered, stored, or answered, not merely arrived. What was lost on the way is missed
by its number and sent again. Who begins anew, as a worker whose peer believed it dead, says so by
another epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from .frames import NOTHING, Batch, Frame

_T = TypeVar("_T")


class Sending(Generic[_T]):
    """One direction, at its sender; each frame has something that is given back when it is done.

    epoch   unpredictable, not 0
    queued  bytes of frames that are not done
    """

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.queued = 0
        self._next = 1
        self._unsaid = 1
        self._kept: dict[int, tuple[Frame, _T | None]] = {}

    def put(self, frame: Frame, kept: _T) -> None:
        """Send a frame with the next batch."""
        self._kept[self._next] = (frame, kept)
        self._next += 1
        self.queued += frame.size

    def batch(self) -> tuple[int, int, list[tuple[int, Frame]]]:
        """Epoch, base and frames of the next batch: what has not been in one before."""
        base = next(iter(self._kept), self._next)
        numbers = range(max(self._unsaid, base), self._next)
        self._unsaid = self._next
        kept = self._kept
        return self.epoch, base, [(it, kept[it][0]) for it in numbers if it in kept]

    def again(self, number: int = 0) -> None:
        """Send again what is not done, from that number on."""
        self._unsaid = min(self._unsaid, max(number, 1))

    def done(self, numbers: Iterable[int]) -> Iterator[_T]:
        """Forget frames; gives what was kept with each."""
        for number in numbers:
            found = self._kept.pop(number, None)
            if found is not None:
                self.queued -= found[0].size
                if found[1] is not None:
                    yield found[1]

    def withdraw(self, which: Callable[[_T], bool]) -> list[_T]:
        """Take frames back, in order; they may have been done all the same."""
        taken: list[_T] = []
        for number, (frame, kept) in self._kept.items():
            if kept is not None and which(kept):
                taken.append(kept)
                self.queued -= frame.size
                # The number stays: what has one comes in order.
                self._kept[number] = (NOTHING, None)
        return taken


class Receiving:
    """One direction, at its receiver; `epoch` is that of its sender, 0 while nothing came."""

    def __init__(self) -> None:
        self.epoch = 0
        self.next = 1
        self._running: set[int] = set()

    def take(self, batch: Batch) -> tuple[list[tuple[int, Frame]], list[int], int]:
        """Frames to work on; numbers of those that were done before; what is missing, or 0."""
        if batch.epoch != self.epoch:
            self.epoch, self.next = batch.epoch, batch.base
            self._running.clear()
        # What its sender no longer has was done.
        self.next = max(self.next, batch.base)
        new: list[tuple[int, Frame]] = []
        before: list[int] = []
        for number, frame in batch.frames:
            if number > self.next:
                return new, before, self.next
            if number == self.next:
                self.next += 1
                self._running.add(number)
                new.append((number, frame))
            elif number not in self._running:
                before.append(number)
        return new, before, 0

    @property
    def running(self) -> bool:
        """Whether any frame that was taken is not done."""
        return bool(self._running)

    def done(self, epoch: int, number: int) -> bool:
        """A frame is done; whether its sender still wants to know."""
        if epoch != self.epoch:
            return False
        self._running.discard(number)
        return True
