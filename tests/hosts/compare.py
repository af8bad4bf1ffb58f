"""What changed between two runs of a project's tests, and the table of all projects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

GOOD = frozenset({"passed", "skipped", "xfailed"})


@dataclass
class Comparison:
    """A project's tests with its stock parser and with ours."""

    name: str
    version: str
    tests: int = 0
    stock: dict[str, int] = field(default_factory=dict)
    ours: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    worse: list[str] = field(default_factory=list)
    better: list[str] = field(default_factory=list)
    pinned: list[str] = field(default_factory=list)
    unsteady: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """Nothing got worse, and our parser did the work."""
        return not self.worse and not self.problems


def count(outcomes: dict[str, str]) -> dict[str, int]:
    """How many tests had each outcome."""
    return {kind: list(outcomes.values()).count(kind) for kind in sorted(set(outcomes.values()))}


def worse(stock: dict[str, str], ours: dict[str, str]) -> list[str]:
    """Tests that passed with the stock parser and don't with ours; a missing one doesn't."""
    return sorted(
        name
        for name, outcome in stock.items()
        if (outcome == "passed" and ours.get(name) != "passed")
        or (outcome in GOOD and ours.get(name, "failed") not in GOOD)
    )


def better(stock: dict[str, str], ours: dict[str, str]) -> list[str]:
    """Tests that pass with ours only."""
    return sorted(n for n, o in ours.items() if o == "passed" and stock.get(n) == "failed")


def compare(
    name: str,
    version: str,
    stock: dict[str, Any],
    ours: dict[str, Any],
    *,
    reads: bool = True,
    pinned: dict[str, str] | None = None,
) -> Comparison:
    """Two reports of suite.py, test by test.

    `pinned` are tests that pin the stock parser's internals, with the reason. One that passes all
    the same, or isn't there, is a problem: the table would say what isn't so.
    """
    result = Comparison(name, version, len(stock["outcomes"]))
    result.stock, result.ours = count(stock["outcomes"]), count(ours["outcomes"])
    result.bytes = ours["bytes"]
    changed = worse(stock["outcomes"], ours["outcomes"])
    result.pinned = [test for test in changed if test in (pinned or {})]
    result.worse = [test for test in changed if test not in (pinned or {})]
    result.better = better(stock["outcomes"], ours["outcomes"])
    idle = [test for test in pinned or {} if test not in changed]
    result.problems += [f"listed as pinning internals, but unchanged: {test}" for test in idle]
    if not stock["outcomes"].values() or "passed" not in result.stock:
        result.problems.append("no test passes with the stock parser")
    if stock["bytes"] or stock["installed"]:
        result.problems.append("our parser was at work in the stock run")
    if not ours["installed"]:
        result.problems.append("our parser was not installed at the end")
    for variant, report in (("stock", stock), ("ours", ours)):
        if report["status"] not in (0, 1):  # ended, with or without failures
            result.problems.append(f"pytest, {variant}, ended with status {report['status']}")
    if reads and not ours["bytes"]:
        result.problems.append("our parser was fed nothing")
    return result


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{counts[kind]} {kind}" for kind in sorted(counts, key=_order))


def _order(kind: str) -> int:
    return ["passed", "failed", "skipped", "xfailed"].index(kind)


def table(results: list[Comparison], missing: dict[str, str]) -> str:
    """All projects, a line each, and what is to be said of single tests below."""
    rows = [("project", "tests", "stock parser", "ours", "bytes read", "worse", "pinned", "better")]
    rows += [
        (
            f"{r.name} {r.version}",
            str(r.tests),
            _counts(r.stock),
            _counts(r.ours),
            f"{r.bytes:,}",
            str(len(r.worse)),
            str(len(r.pinned)),
            str(len(r.better)),
        )
        for r in results
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    for r in results:
        for label in ("worse", "pinned", "better", "unsteady", "problems"):
            lines += [f"{r.name}: {label}: {text}" for text in getattr(r, label)]
    lines += [f"{name}: not run: {why}" for name, why in missing.items()]
    return "\n".join(lines)
