"""What `xmppfast bench` does, once its options are read."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import xmppfast
from bench import compare, environment, native, report, table, timing
from bench.check import UnequalWorkError
from bench.corpus import NAMES, OUT
from bench.figures import Result
from bench.processes import SubjectFailedError, SubjectMissingError
from bench.run import COMPARING, FULL, PARTS, QUICK, Plan
from bench.run import run as measure
from bench.subjects import BASELINE, TABLE

_FAILED, _USAGE, _INTERRUPTED = 1, 2, 130


class UsageError(ValueError):
    """What was asked for can't be; says why."""


def run(options: argparse.Namespace) -> int:
    """Measure, list, or compare two results; returns the exit code."""
    try:
        if options.action == "compare":
            return compare.run(options)
        if options.list:
            _list()
            return 0
        return _measure(options)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (UnequalWorkError, SubjectFailedError, SubjectMissingError) as failed:
        return _say(str(failed), _FAILED)
    except (native.ToolMissingError, environment.InstallError, NotImplementedError) as failed:
        return _say(str(failed), _FAILED)
    except (UsageError, ValueError) as wrong:
        return _say(str(wrong), _USAGE)
    except OSError as wrong:
        place = f"{wrong.filename}: " if wrong.filename is not None else ""
        return _say(f"{place}{wrong.strerror or wrong}", _USAGE)


def _say(text: str, code: int) -> int:
    print(f"xmppfast: {text}", file=sys.stderr)
    return code


def _measure(options: argparse.Namespace) -> int:
    plan = plan_of(options)
    if options.install:
        print("installing the libraries to compare with ...", file=sys.stderr, flush=True)
        plan.interpreter, notes = environment.install(OUT / "libraries")
        plan.notes += notes
    plan.core = timing.pin()
    result = measure(plan, _progress())
    _show(result)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(result.dump(), encoding="utf-8")
    if options.out or not options.json:
        for path in report.write(result, (options.out or OUT / "report") / "result"):
            print(f"wrote {path}")
    return 0


def plan_of(options: argparse.Namespace) -> Plan:
    """The run that the options ask for; UsageError if there is no such."""
    chosen = set(options.only)
    if unknown := chosen - {*PARTS, *TABLE}:
        raise UsageError(
            f"no part or subject {', '.join(sorted(unknown))}; parts are {', '.join(PARTS)}; "
            f"subjects are {', '.join(TABLE)}"
        )
    parts, subjects = chosen & set(PARTS), chosen & set(TABLE)
    if subjects - parts and not parts:
        parts = set(COMPARING)
    if options.baseline and options.baseline not in TABLE:
        raise UsageError(f"no subject {options.baseline}; there are {', '.join(TABLE)}")
    streams = {name for name in options.corpus if name in NAMES}
    folders = [Path(name) for name in options.corpus if name not in NAMES]
    if len(folders) > 1 or any(not folder.is_dir() for folder in folders):
        raise UsageError(
            f"no corpus and no folder {', '.join(map(str, folders))}; there are {', '.join(NAMES)}"
        )
    return Plan(
        options.backend or xmppfast.backend,
        QUICK if options.quick else FULL,
        frozenset(parts),
        frozenset(subjects),
        frozenset(streams),
        options.baseline or BASELINE,
        folders[0] if folders else None,
        strict=os.environ.get("CI") == "true",
        command=_command(),
    )


def _command() -> str:
    """How this was asked for, without the folders of this machine."""
    words = [Path(sys.argv[0]).name, *sys.argv[1:]]
    if words[0] in ("run.py", "__main__.py"):
        words[:1] = ["python", "-m", "bench"]
    return shlex.join(word if not Path(word).is_absolute() else Path(word).name for word in words)


def _list() -> None:
    print("Parts:\n  " + "\n  ".join(PARTS))
    print("Subjects:")
    for name, entry in TABLE.items():
        needs = f" (needs {entry.library})" if entry.library else ""
        print(f"  {name}{needs}" + (f", beside {entry.stock}" if entry.stock else ""))
    print("Streams:\n  " + "\n  ".join(NAMES))


def _show(result: Result) -> None:
    print("\n".join(f"{name}: {value}" for name, value in result.machine.items()))
    print("\n".join(result.corpora), end="\n\n")
    print(table.text(result.figures))
    for note in result.skipped:
        print(f"skipped: {note}")
    for line in table.unsteady(result.figures):
        print(f"unsteady: {line}")
    met = [figure.met for figure in result.figures if figure.met is not None]
    print(f"{sum(met)} of {len(met)} bars met")


def _progress() -> Callable[[list[str]], Iterable[str]]:
    """A bar where rich is installed and somebody watches, else a line for each part."""
    return _bar if sys.stderr.isatty() and find_spec("rich") else _lines


def _lines(todo: list[str]) -> Iterator[str]:
    for number, name in enumerate(todo, 1):
        print(f"[{number}/{len(todo)}] {name}", file=sys.stderr, flush=True)
        yield name


def _bar(todo: list[str]) -> Iterator[str]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(todo))
        for name in todo:
            progress.update(task, description=name)
            yield name
            progress.advance(task)
