"""The time in which a run is measured."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .crowd import Progress
from .observed import Observed, Use
from .report import Report

_EVERY = 1.0


class Window:
    """Takes the clocks at the begin and the end, and every second in between.

    count  gives how many stanzas were delivered so far
    """

    def __init__(self, server: Observed, count: Callable[[], int], progress: Progress) -> None:
        self._server = server
        self._count = count
        self._progress = progress
        self.begin: Use
        self.end: Use
        self.delivered = 0

    async def measure(
        self, seconds: float, report: Report, each: str = "message", all: str = "messages"
    ) -> None:
        """Let that time pass; the report gets rate, CPU time and the series.

        each, all  what one and many of those that are counted are called
        """
        self._server.look()
        before = self._count()
        self.begin = self._server.use()
        passed = 0.0
        while passed < seconds:
            await asyncio.sleep(min(_EVERY, seconds - passed))
            use = self._server.use()
            passed = use.at - self.begin.at
            report.series.append(
                (
                    passed,
                    self._count() - before,
                    use.cpu - self.begin.cpu,
                    self._server.resident(),
                )
            )
            self._progress("measuring", min(passed / seconds, 1.0))
        self.end = self._server.use()
        self.delivered = self._count() - before
        report.figures[all] = self.delivered
        report.figures[f"{all}_per_second"] = self.delivered / (self.end.at - self.begin.at)
        report.cpu(self.begin, self.end, each, self.delivered, observed=bool(self._server))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Have what is there already be no work for this process's garbage collections."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
