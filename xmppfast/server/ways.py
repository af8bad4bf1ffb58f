"""Stanzas that are on their way between workers, and their order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from ..core.dispatch import Outcome, Passage

log = logging.getLogger("xmppfast.server")


@dataclass(frozen=True, slots=True)
class Sent:
    """What is kept of a frame until it is done.

    done     is called then
    lost     is called if its receiver dies before
    passage  the stanza that it carries for an account; it is delivered anew if it is lost
    """

    done: Callable[[], None]
    lost: Callable[[], None] | None = None
    passage: Passage | None = None


def awaited() -> tuple[Sent, asyncio.Future[bool]]:
    """A `Sent`, and what tells whether it was done; if not, it is lost."""
    answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    return Sent(lambda: answer.set_result(True), lambda: answer.set_result(False)), answer


@dataclass(frozen=True, slots=True)
class Item:
    """A stanza that can't go on yet; its sender may be waiting for that."""

    passage: Passage
    waiting: asyncio.Future[None] | None


class Way:
    """The way to one account that is not connected here.

    towards      the worker that was sent something
    outstanding  how much of that is not done
    held         guests of the account that may yet give back what was sent to them
    queue        what has to wait: for that, for a claim, or for what is in front of it
    walking      whether a task sees to the queue
    """

    __slots__ = ("_empty", "_over", "held", "outstanding", "queue", "towards", "walking")

    def __init__(self) -> None:
        self.towards = ""
        self.outstanding = 0
        self.held = 0
        self.queue: deque[Item] = deque()
        self.walking = False
        self._empty: asyncio.Future[None] | None = None
        self._over: asyncio.Future[None] | None = None

    def less(self) -> None:
        """One is done, or lost."""
        self.outstanding -= 1
        self._look()

    def free(self) -> None:
        """A guest has what was sent to it, or it was given back."""
        self.held -= 1
        self._look()

    def _look(self) -> None:
        if not self.outstanding and not self.held and self._empty is not None:
            empty, self._empty = self._empty, None
            empty.set_result(None)

    async def empty(self) -> None:
        """Wait until nothing is outstanding, and no guest holds it."""
        while self.outstanding or self.held:
            if self._empty is None:
                self._empty = asyncio.get_running_loop().create_future()
            await self._empty

    def end(self) -> None:
        """Nothing is on this way any more, and nothing will be: it is forgotten."""
        if self._over is not None:
            self._over.set_result(None)

    async def over(self) -> None:
        """Wait until it is forgotten."""
        if self._over is None:
            self._over = asyncio.get_running_loop().create_future()
        await self._over


class Lanes:
    """What is done for each account, or whatever has a name, one after the other."""

    def __init__(self, spawn: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self._spawn = spawn
        self._lanes: dict[str, deque[tuple[Callable[[], Outcome], Callable[[], None]]]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._lanes

    def add(self, name: str, work: Callable[[], Outcome], done: Callable[[], None]) -> None:
        """Do that, at once if nothing is in front of it; then call `done`."""
        lane = self._lanes.get(name)
        if lane is not None:
            lane.append((work, done))
            return
        outcome = _begin(work)
        if outcome is None:
            done()
            return
        lane = self._lanes[name] = deque()
        self._spawn(self._run(name, lane, outcome, done))

    async def _run(
        self,
        name: str,
        lane: deque[tuple[Callable[[], Outcome], Callable[[], None]]],
        outcome: Outcome,
        done: Callable[[], None],
    ) -> None:
        while True:
            if outcome is not None:
                try:
                    await outcome
                except Exception as error:
                    log.error("what another worker wanted failed", exc_info=error)
            done()
            if not lane:
                del self._lanes[name]
                return
            work, done = lane.popleft()
            outcome = _begin(work)


def _begin(work: Callable[[], Outcome]) -> Outcome:
    try:
        return work()
    except Exception as error:
        log.error("what another worker wanted failed", exc_info=error)
        return None


class Unsettled:
    """How much of each sender is on its way to other workers, and neither delivered nor stored."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._waiting: dict[str, asyncio.Future[None]] = {}

    def more(self, sender: str) -> None:
        """A stanza was sent."""
        self._counts[sender] = self._counts.get(sender, 0) + 1

    def less(self, sender: str) -> None:
        """A stanza is delivered or stored."""
        left = self._counts.pop(sender, 1) - 1
        if left:
            self._counts[sender] = left
        elif (waiting := self._waiting.pop(sender, None)) is not None:
            waiting.set_result(None)

    def of(self, sender: str) -> asyncio.Future[None] | None:
        """Something to await until none is left; None if there is none."""
        if sender not in self._counts:
            return None
        if sender not in self._waiting:
            self._waiting[sender] = asyncio.get_running_loop().create_future()
        return self._waiting[sender]
