"""Take all measurements.

    python bench/run.py [--quick] [--json OUT] [--corpus DIR] [--only PART ...]

Prints the figures beside their bars. What can't be measured here is named, with the reason.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

if not __package__:  # started as a file: look from the project, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench import growth, machine, memory, native, python, serialize, start, table, timing
from bench.corpus import NAMES, OUT, Corpus, corpora
from bench.figures import Figure, Result

_MODULES = {"compiled": "xmppfast.xml._tokenizer", "expat": "xmppfast.xml._expat"}


@dataclass(frozen=True)
class Effort:
    """How much to do: rounds per subject, part of the corpora, parsers, bytes of long stanzas."""

    rounds: int
    scale: float
    parsers: int
    growth: int
    counted_growth: int
    lengths: tuple[int, ...] = serialize.LENGTHS


FULL = Effort(9, 1.0, 10_000, growth.MOST, 400_000)
QUICK = Effort(3, 0.05, 1_000, 100_000, 20_000, (0, 10, 1000))


class Step:
    """One part of a run, made when its turn comes."""

    def __init__(self, name: str, work: Callable[[], Iterable[Figure]]) -> None:
        self.name = name
        self.work = work


def steps(
    backend: str, found: dict[str, Corpus], effort: Effort, out: Path = OUT
) -> Iterator[Step]:
    """All parts of a run on a backend; what they build is written to `out`."""
    module = importlib.import_module(_MODULES[backend])
    rounds = effort.rounds
    build = cache(partial(native.build, out))
    yield Step("python", lambda: _python(module, found, rounds))
    yield Step("expat-backend", lambda: _expat_backend(found, rounds))
    yield Step("chunks", lambda: python.smaller_chunks(module, found, rounds))
    yield Step("native", lambda: native.against_expat(build(), found, rounds, out))
    yield Step("instructions", lambda: native.instructions(build(), found, out))
    if "chat" in found:
        yield Step("tostring", lambda: serialize.tostring(module, found["chat"], rounds))
    yield Step("escape", lambda: serialize.escape(module, rounds, effort.lengths))
    yield Step("memory", lambda: memory.measure(_MODULES[backend], effort.parsers))
    yield Step("start", lambda: start.measure(backend, max(rounds, 5)))
    yield Step("growth", lambda: growth.measure(module, effort.growth))
    yield Step("native-growth", lambda: native.linear(build(), effort.counted_growth, out))


def _python(module: ModuleType, found: dict[str, Corpus], rounds: int) -> Iterator[Figure]:
    python.check(module, found)
    yield from python.against_pull_parser(module, found, rounds)


def _expat_backend(found: dict[str, Corpus], rounds: int) -> Iterator[Figure]:
    module = importlib.import_module(_MODULES["expat"])
    python.check(module, found)
    yield from python.expat_backend(module, found, rounds)


def run(
    backend: str,
    effort: Effort,
    *,
    folder: Path | None = None,
    only: Iterable[str] = (),
    strict: bool = False,
    core: int | None = None,
    out: Path = OUT,
) -> Result:
    """Measure everything, or only the named parts.

    A part whose tools are missing is noted as skipped; with `strict`, it raises instead. `core` is
    the one this process is pinned to, for the record. Raises UnequalWorkError if subjects read the
    same bytes differently.
    """
    found = corpora(folder, scale=effort.scale)
    skipped = [f"corpus {name}: its source is not here" for name in NAMES if name not in found]
    wanted = set(only)
    todo = [s for s in steps(backend, found, effort, out) if not wanted or s.name in wanted]
    if unknown := wanted - {step.name for step in todo}:
        known = ", ".join(step.name for step in steps(backend, found, effort))
        raise ValueError(f"no part {', '.join(sorted(unknown))}; there are {known}")
    figures: list[Figure] = []
    for step in _with_progress(todo):
        try:
            figures += step.work()
        except (native.ToolMissingError, NotImplementedError) as missing:
            if strict:
                raise
            skipped.append(f"{step.name}: {missing}")
    facts = machine.facts(importlib.import_module(_MODULES[backend]), backend, core)
    return Result(facts, [corpus.statistics() for corpus in found.values()], figures, skipped)


def _with_progress(todo: list[Step]) -> Iterator[Step]:
    """The steps, with a bar where rich is installed and somebody watches."""
    track: Any = None
    if sys.stderr.isatty():
        try:
            from rich.progress import Progress
        except ImportError:
            pass
        else:
            track = Progress
    if track is None:
        for number, step in enumerate(todo, 1):
            print(f"[{number}/{len(todo)}] {step.name}", file=sys.stderr, flush=True)
            yield step
        return
    from rich.console import Console

    with track(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(todo))
        for step in todo:
            progress.update(task, description=step.name)
            yield step
            progress.advance(task)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Take all measurements.")
    parser.add_argument("--quick", action="store_true", help="small corpora, few rounds")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the result there")
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="chat.xml, xep.xml ... to use")
    parser.add_argument("--backend", choices=_MODULES, help="default: the one xmppfast takes")
    parser.add_argument("--only", nargs="+", default=(), metavar="PART", help="e.g. python")
    arguments = parser.parse_args()
    backend = arguments.backend or importlib.import_module("xmppfast").backend
    result = run(
        backend,
        QUICK if arguments.quick else FULL,
        folder=arguments.corpus,
        only=arguments.only,
        strict=os.environ.get("CI") == "true",
        core=timing.pin(),
    )
    print("\n".join(f"{name}: {value}" for name, value in result.machine.items()))
    print("\n".join(result.corpora), end="\n\n")
    print(table.text(result.figures))
    for note in result.skipped:
        print(f"skipped: {note}")
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(result.dump(), encoding="utf-8")
    met = [figure.met for figure in result.figures if figure.met is not None]
    print(f"{sum(met)} of {len(met)} bars met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
