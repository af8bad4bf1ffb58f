"""Take all measurements: the parts there are, and a run of them.

    python bench/run.py [OPTIONS]

is `xmppfast bench`; see --help.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import ModuleType

if not __package__:  # started as a file: look from the project, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench import growth, libraries, machine, memory, native, python, serialize, start
from bench.corpus import NAMES, OUT, Corpus, corpora
from bench.figures import Figure, Result
from bench.libraries import Comparison
from bench.processes import Shop
from bench.subjects import BASELINE
from bench.subjects.stanza_events import MODULES


@dataclass(frozen=True)
class Effort:
    """How much to do.

    rounds          rounds per subject
    scale           part of each corpus
    share           part of that for other libraries
    parsers         how many to hold at once, ours and those of others
    growth          bytes of long stanzas, and of those whose instructions are counted
    lengths         of texts to escape
    """

    rounds: int
    scale: float
    share: float
    parsers: int
    other_parsers: int
    growth: int
    counted_growth: int
    lengths: tuple[int, ...] = serialize.LENGTHS


FULL = Effort(9, 1.0, 0.1, 10_000, 1_000, growth.MOST, 400_000)
QUICK = Effort(3, 0.05, 0.2, 1_000, 200, 100_000, 20_000, (0, 10, 1000))

Part = Callable[[], Iterable[Figure]]


@dataclass
class Plan:
    """What a run is to do.

    parts, subjects, streams  names to keep to; empty for all
    folder                    corpora to use instead of our own
    interpreter               the Python for the subjects' processes
    strict                    whether what is missing is an error
    core                      the one this process is pinned to, for the record
    command                   how this run was asked for, for the record
    """

    backend: str
    effort: Effort
    parts: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    streams: frozenset[str] = frozenset()
    baseline: str = BASELINE
    folder: Path | None = None
    interpreter: str = sys.executable
    strict: bool = False
    core: int | None = None
    out: Path = OUT
    command: str = ""
    notes: list[str] = field(default_factory=list)


def parts(plan: Plan, found: Mapping[str, Corpus], shop: Shop) -> dict[str, Part]:
    """All parts of a run by name, to be called when their turn comes."""
    module = importlib.import_module(MODULES[plan.backend])
    effort, rounds, out = plan.effort, plan.effort.rounds, plan.out
    comparison = Comparison(
        shop, found, rounds, effort.share, plan.subjects, plan.baseline, plan.notes
    )
    build = cache(partial(native.build, out))
    made: dict[str, Part] = {
        name: partial(part, comparison) for name, part in libraries.PARTS.items()
    }
    made["library-memory"] = lambda: libraries.memory(comparison, effort.other_parsers)
    made["expat-backend"] = lambda: _expat_backend(found, rounds)
    made["chunks"] = lambda: python.smaller_chunks(module, found, rounds)
    made["native"] = lambda: native.against_expat(build(), found, rounds, out)
    made["instructions"] = lambda: native.instructions(build(), found, out)
    if "chat" in found:
        made["tostring"] = lambda: serialize.tostring(module, found["chat"], rounds)
    made["escape"] = lambda: serialize.escape(MODULES[plan.backend], rounds, effort.lengths)
    made["memory"] = lambda: memory.measure(MODULES[plan.backend], effort.parsers)
    made["start"] = lambda: start.measure(plan.backend, max(rounds, 5))
    made["growth"] = lambda: growth.measure(module, effort.growth)
    made["native-growth"] = lambda: native.linear(build(), effort.counted_growth, out)
    return made


PARTS = (*libraries.PARTS, "library-memory", "expat-backend", "chunks", "native", "instructions",
         "tostring", "escape", "memory", "start", "growth", "native-growth")  # fmt: skip
# Those that subjects can be chosen for.
COMPARING = (*libraries.PARTS, "library-memory")


def _expat_backend(found: Mapping[str, Corpus], rounds: int) -> Iterator[Figure]:
    module: ModuleType = importlib.import_module(MODULES["expat"])
    python.check(module, found)
    yield from python.expat_backend(module, found, rounds)


def run(plan: Plan, progress: Callable[[list[str]], Iterable[str]] = iter) -> Result:
    """Measure what the plan says; `progress` goes over the parts' names.

    A part whose tools are missing is noted as skipped; with `strict`, it raises instead. Raises
    UnequalWorkError if subjects of ours read the same bytes differently than ElementTree.
    """
    found = corpora(plan.folder, scale=plan.effort.scale, names=plan.streams or NAMES)
    wanted = plan.streams or NAMES
    plan.notes += [f"corpus {name}: its source is not here" for name in wanted if name not in found]
    shop = Shop(plan.out, plan.interpreter, strict=plan.strict)
    todo = parts(plan, found, shop)
    if plan.parts:
        todo = {name: part for name, part in todo.items() if name in plan.parts}
    if not plan.subjects and "python" in todo:
        python.check(importlib.import_module(MODULES[plan.backend]), found)
    figures: list[Figure] = []
    for name in progress(list(todo)):
        try:
            figures += todo[name]()
        except (native.ToolMissingError, NotImplementedError) as missing:
            if plan.strict:
                raise
            plan.notes.append(f"{name}: {missing}")
    plan.notes += [f"{name}: {why}" for name, why in shop.missing.items()]
    facts = machine.facts(importlib.import_module(MODULES[plan.backend]), plan.backend, plan.core)
    facts |= dict(sorted(shop.versions.items()))
    if plan.command:
        facts["command"] = plan.command
    return Result(facts, [corpus.statistics() for corpus in found.values()], figures, plan.notes)


def main() -> int:
    """Run from the command line."""
    from bench import command
    from xmppfast.cli import bench as options

    parser = argparse.ArgumentParser(
        description=options.DESCRIPTION,
        epilog=options.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_arguments(parser)
    return command.run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
