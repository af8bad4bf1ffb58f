"""Telling real change from noise between two results; the rules are in docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

from bench.figures import Figure, Result, show

_ERRORS = 3  # standard errors that a change has to exceed


class Verdict(Enum):
    """What can be said of a change."""

    SAME = "same"
    BETTER = "better"
    WORSE = "worse"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Change:
    """One figure in both results.

    percent  change of the value; infinite if it was zero and no longer is
    noise    three standard errors of that change, in percent
    """

    section: str
    subject: str
    case: str
    before: float
    after: float
    unit: str
    percent: float
    noise: float
    verdict: Verdict


def judge(before: Figure, after: Figure, tolerance: float) -> Change:
    """Compare two figures of the same thing; `tolerance` is in percent."""
    difference = after.value - before.value
    errors = _ERRORS * math.hypot(before.error, after.error)
    if before.value:
        percent = 100 * difference / abs(before.value)
        noise = 100 * errors / abs(before.value)
    else:
        percent = math.copysign(math.inf, difference) if difference else 0.0
        noise = math.inf if errors else 0.0
    if abs(percent) <= tolerance:
        verdict = Verdict.SAME
    elif abs(percent) <= noise:
        verdict = Verdict.UNCLEAR
    else:
        verdict = Verdict.BETTER if (difference > 0) is after.more_is_better else Verdict.WORSE
    return Change(
        after.section, after.subject, after.case, before.value, after.value, after.unit,
        percent, noise, verdict,
    )  # fmt: skip


def changes(before: Result, after: Result, tolerance: float) -> Iterator[Change]:
    """Every figure that both results have, with the same unit and compared to the same thing."""
    for figure in after.figures:
        old = before.find(figure.section, figure.subject, figure.case)
        if old is not None and (old.unit, old.against) == (figure.unit, figure.against):
            yield judge(old, figure, tolerance)


def differing_facts(before: Result, after: Result) -> list[str]:
    """What differs about the machines or programs, but for how the run was asked for."""
    names = dict.fromkeys([*before.machine, *after.machine])
    return [
        f"{name}: {before.machine.get(name, '-')} before, {after.machine.get(name, '-')} now"
        for name in names
        if name != "command" and before.machine.get(name) != after.machine.get(name)
    ]


def run(options: argparse.Namespace) -> int:
    """Print the comparison; returns the exit code. Raises ValueError, OSError."""
    before, after = load(options.before), load(options.after)
    found = list(changes(before, after, options.tolerance))
    if not found:
        raise ValueError(f"{options.before} and {options.after} have no figure in common")
    facts = differing_facts(before, after)
    counts = Counter(change.verdict for change in found)
    if options.as_json:
        whole = {
            "tolerance": options.tolerance,
            "facts": facts,
            "counts": {verdict.value: counts[verdict] for verdict in Verdict},
            "changes": [_row(change) for change in found],
        }
        print(json.dumps(whole, indent=1, ensure_ascii=False))
    else:
        for fact in facts:
            print(f"not the same: {fact}")
        for change in found:
            if change.verdict is not Verdict.SAME:
                print(_line(change))
        said = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict)
        print(f"{len(found)} figures: {said}")
    return int(counts[Verdict.WORSE] > 0)


def load(path: Path) -> Result:
    """Read a result; ValueError that names the file if it is none."""
    try:
        return Result.load(path)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no result of these measurements: {error}") from None


def _row(change: Change) -> dict[str, object]:
    row = asdict(change) | {"verdict": change.verdict.value}
    finite = {key: row[key] if math.isfinite(row[key]) else None for key in ("percent", "noise")}
    return row | finite  # JSON knows no infinity


def _line(change: Change) -> str:
    values = f"{show(change.before, change.unit)} -> {show(change.after, change.unit)}"
    return (
        f"{change.verdict.value:8} {change.section}, {change.subject}, {change.case}: {values} "
        f"({change.percent:+.1f}%, noise {change.noise:.1f}%)"
    )
