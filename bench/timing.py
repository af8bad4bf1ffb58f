"""CPU time of several subjects, taken in turns so that they meet the same weather."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

Work = Callable[[], object]


@dataclass(frozen=True)
class Spread:
    """Median, and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Summarize at least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


@dataclass(frozen=True)
class Timings:
    """CPU seconds of each subject, one value per round."""

    seconds: Mapping[str, list[float]]

    def median(self, subject: str) -> float:
        """Median CPU seconds of a subject."""
        return statistics.median(self.seconds[subject])

    def ratio(self, subject: str, baseline: str) -> Spread:
        """How many times faster than the baseline a subject is, compared round by round."""
        pairs = zip(self.seconds[baseline], self.seconds[subject], strict=True)
        return Spread.of([theirs / ours for theirs, ours in pairs])


def interleave(subjects: Mapping[str, Work], rounds: int, *, least_seconds: float = 0.0) -> Timings:
    """Run every subject once per round, in an order that changes from round to round.

    A subject that takes less than `least_seconds` is repeated within its turn, and the mean taken.
    """
    order = list(subjects)
    repeats = {name: _repeats(work, least_seconds) for name, work in subjects.items()}
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    shuffle = Random(0).shuffle
    gc.collect()
    gc.freeze()  # what the harness holds is no work for the subjects' collections
    try:
        for _ in range(rounds):
            shuffle(order)
            for name in order:
                seconds[name].append(_timed(subjects[name], repeats[name]))
    finally:
        gc.unfreeze()
    return Timings(seconds)


def _repeats(work: Work, least_seconds: float) -> int:
    """One untimed run to warm up; then how often to run per turn."""
    work()
    if not least_seconds:
        return 1
    repeats = 1
    while (spent := _timed(work, repeats) * repeats) < least_seconds:
        repeats = max(2 * repeats, int(repeats * least_seconds / max(spent, 1e-6)))
    return repeats


def _timed(work: Work, repeats: int) -> float:
    gc.collect()
    start = time.thread_time()
    for _ in range(repeats):
        work()
    return (time.thread_time() - start) / repeats


def pin() -> int | None:
    """Keep this process and its children on one core; None where that can't be asked for."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core
