"""Runs the projects' own tests with their stock parsers and with ours, and compares them.

    python tests/hosts/run.py [--json FILE] [PROJECT...]

A test that gets worse is run again, alone, with both parsers: only a change that stays is one. What
a machine lacks is said by name; under CI=true it is a failure.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from compare import Comparison, compare, table, worse
from environments import FOLDER, prepare, python_of
from projects import HERE, Host, environments, hosts, pinned

CI = os.environ.get("CI") == "true"
TIMEOUT = 1200  # seconds, for one run of one project's tests
AGAIN = 40  # so many changed tests may be unsteady ones


def run_suite(host: Host, variant: str, tests: tuple[str, ...] = ()) -> dict[str, Any]:
    """One run of a project's tests in a fresh copy of its source; suite.py's report."""
    with tempfile.TemporaryDirectory(prefix=f"{host.name}-{variant}-") as scratch:
        copy = Path(scratch) / "source"
        if host.source == "installed":
            copy.mkdir()
        else:
            shutil.copytree(FOLDER / "sources" / host.name, copy, symlinks=True)
        report = Path(scratch) / "report.json"
        python = python_of(environments()[host.environment])
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
        # Some of these tests leave files behind.
        (temporary := Path(scratch) / "tmp").mkdir()
        own = {"HOME": scratch, "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [python, HERE / "suite.py", host.name, variant, report, *tests]
        try:
            done = subprocess.run(
                [str(word) for word in command],
                cwd=copy,
                env={**clean, **own},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=TIMEOUT,
                check=False,
            )
            said = done.stdout
        except subprocess.TimeoutExpired:
            said = f"not done after {TIMEOUT} s"
        if not report.exists():
            empty: dict[str, Any] = {"outcomes": {}, "reasons": {}, "bytes": 0}
            return {**empty, "installed": False, "status": -1, "said": said}
        result: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return result


def settle(host: Host, stock: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """Run tests that got worse again, alone; put what comes of it into the report of ours.

    Returns those that were unsteady: they passed with ours this time.
    """
    changed = worse(stock["outcomes"], ours["outcomes"])
    changed = [t for t in changed if t in ours["outcomes"] and not t.endswith("(import)")]
    changed = [t for t in changed if t not in pinned().get(host.name, {})]
    if not 0 < len(changed) <= AGAIN:
        return []
    # The names of installed tests are no paths: all of them are run.
    alone = () if host.source == "installed" else tuple(changed)
    again = run_suite(host, "ours", alone)["outcomes"]
    steady = [test for test in changed if again.get(test) == stock["outcomes"][test]]
    for test in steady:
        ours["outcomes"][test] = again[test]
    return steady


def proof(names: list[str], jobs: int) -> tuple[list[Comparison], dict[str, str], dict[str, Any]]:
    """Run everything that can be run: the comparisons, what is missing, and all reasons."""
    missing = prepare(FOLDER, names)
    chosen = [hosts()[name] for name in names if name not in missing]
    # The longest first, so that the last ones are short.
    long = {"slidge": 0, "aioxmpp": 1, "slixmpp": 2}
    queue = sorted(
        ((host, variant) for host in chosen for variant in ("stock", "ours")),
        key=lambda item: long.get(item[0].name, 3),
    )
    with ThreadPoolExecutor(jobs) as pool:
        futures = {(h.name, v): pool.submit(run_suite, h, v) for h, v in queue}
        reports = {key: future.result() for key, future in futures.items()}
    results, reasons = [], {}
    for host in chosen:
        stock, ours = reports[host.name, "stock"], reports[host.name, "ours"]
        unsteady = settle(host, stock, ours)
        result = compare(
            host.name,
            host.version,
            stock,
            ours,
            reads=host.reads,
            pinned=pinned().get(host.name),
        )
        result.unsteady = unsteady
        results.append(result)
        for variant, report in (("stock", stock), ("ours", ours)):
            if "said" in report:
                result.problems.append(f"no report, {variant}: {report['said'][-2000:]}")
        reasons[host.name] = {test: ours["reasons"].get(test, "") for test in result.worse}
    return results, missing, reasons


def main() -> None:
    """Say what was found; exit status 1 if a test got worse or, in CI, if something is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the results to this file, too")
    parser.add_argument("--jobs", type=int, default=2, help="suites run at a time")
    parser.add_argument("projects", nargs="*", metavar="PROJECT", default=[])
    chosen = parser.parse_args()
    unknown = set(chosen.projects) - set(hosts())
    if unknown:
        parser.error(f"no such project: {', '.join(sorted(unknown))}")
    began = time.monotonic()
    results, missing, reasons = proof(chosen.projects or list(hosts()), chosen.jobs)
    print(table(results, missing))
    print(f"{time.monotonic() - began:.0f} s")
    for name, tests in reasons.items():
        for test, reason in list(tests.items())[:10]:
            print(f"\n== {name}: {test}\n{reason}")
    if chosen.json:
        document = {"projects": [dataclasses.asdict(r) for r in results], "missing": missing}
        chosen.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if not all(result.fine for result in results) or (missing and CI):
        sys.exit(1)


if __name__ == "__main__":
    main()
