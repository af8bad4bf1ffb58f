"""Runs one project's tests, with the stock parser or with ours, and writes what came of each.

    python suite.py PROJECT stock|ours REPORT [TEST...]

Started with the interpreter of the project's environment, in a copy of its source. No file of the
project is edited: the adapters are installed in the process, before pytest imports a test. REPORT
is JSON: the outcome by the test's name, and how many bytes our parsers were fed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from meter import Meter
from projects import hosts

WORST = ["passed", "skipped", "xfailed", "failed"]  # later ones win


class Recorder:
    """A pytest plugin that keeps the outcome of every test."""

    def __init__(self) -> None:
        """Begin with none."""
        self.outcomes: dict[str, str] = {}
        self.reasons: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """One phase of one test: the worst of them counts."""
        outcome = report.outcome
        if hasattr(report, "wasxfail"):
            outcome = "xfailed" if report.skipped else "passed"
        before = self.outcomes.get(report.nodeid, "passed")
        self.outcomes[report.nodeid] = max(before, outcome, key=WORST.index)
        if outcome == "failed":
            self.reasons.setdefault(report.nodeid, report.longreprtext[-4000:])

    def pytest_collectreport(self, report: Any) -> None:
        """A module that can't be imported is a failure, too."""
        if report.failed:
            self.outcomes[f"{report.nodeid} (import)"] = "failed"
            self.reasons[f"{report.nodeid} (import)"] = report.longreprtext[-4000:]


def main() -> None:
    """Run, and write the report."""
    name, variant, path, *tests = sys.argv[1:]
    host = hosts()[name]
    if host.shims:
        import shims  # only where Twisted is

        shims.apply()
    sys.path[0] = ""  # projects have test modules with the names of ours
    meter = Meter(host.adapters if variant == "ours" else [])
    recorder = Recorder()
    quiet = ["-q", "-p", "no:cacheprovider", "-W", "ignore", "--continue-on-collection-errors"]
    status = pytest.main([*quiet, "--tb=short", *(tests or host.arguments)], plugins=[recorder])
    report = {
        "outcomes": recorder.outcomes,
        "reasons": recorder.reasons,
        "bytes": meter.bytes,
        "installed": meter.installed(),
        "status": int(status),
    }
    Path(path).write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
