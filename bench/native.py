"""src_c alone against expat: builds bench/c, runs it, and reads what it prints."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bench import growth
from bench.corpus import HEADER, OUT, PROJECT, Corpus
from bench.figures import Figure
from bench.python import SEGMENT_CHUNK, USUAL_CHUNK
from bench.timing import Timings

BASELINE = "expat"
_SOURCES = ("bench/c", "src_c")
_FLAGS = ("-O3", "-std=c11", "-fvisibility=hidden", "-Ibench/c", "-Isrc_c")  # as in setup.py
_INSTRUCTIONS = re.compile(r"Collected\s*:\s*(\d+)")
_COUNTED_BYTES = 1_000_000
_PROCESSES = 3
_STRANGE = ("neon", "avx512")  # kernels that valgrind may not know


class ToolMissingError(RuntimeError):
    """A compiler, a library or valgrind is not there; says which."""


def build(folder: Path = OUT, *, flags: Sequence[str] = ()) -> Path:
    """Compile the measuring program; raises ToolMissingError with the compiler's words."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if not shutil.which(compiler[0]):
        raise ToolMissingError(f"no C compiler {compiler[0]!r} (set CC)")
    sources = [str(path) for part in _SOURCES for path in sorted((PROJECT / part).glob("*.c"))]
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "stream_bench"
    command = [*compiler, *_FLAGS, *flags, *sources, "-o", str(program), "-lexpat"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolMissingError(
            "bench/c does not build (it needs expat's headers, libexpat1-dev in Debian):\n"
            + done.stderr
        )
    return program


def subjects(program: Path) -> list[str]:
    """Names of what the program measures: expat, and each kernel this processor can run."""
    return _run([str(program), "subjects"]).split()


def against_expat(
    program: Path, corpora: Mapping[str, Corpus], rounds: int, folder: Path = OUT
) -> Iterator[Figure]:
    """Every kernel on every corpus; and what 1,460-byte chunks cost."""
    for corpus in corpora.values():
        path = _write(corpus, folder)
        chunks = (USUAL_CHUNK, SEGMENT_CHUNK)
        timings = _times(program, path, rounds, chunks, len(corpus.spans))
        megabytes = len(corpus.data) / 1e6
        for name in subjects(program)[1:]:
            usual, segment = (f"{name} {chunk}" for chunk in chunks)
            theirs = f"{BASELINE} {USUAL_CHUNK}"
            ratio = timings.ratio(usual, theirs)
            speeds = [megabytes / timings.median(s) for s in (usual, theirs)]
            yield Figure(
                "C", name, corpus.name, ratio.median, ratio.low, ratio.high, "x", BASELINE,
                f"{speeds[0]:.0f} against {speeds[1]:.0f} MB/s", rounds,
            )  # fmt: skip
            cost = timings.ratio(usual, segment)
            yield Figure(
                "1460-byte chunks", f"C, {name}", corpus.name, cost.median, cost.low, cost.high,
                "x", "4 KiB chunks", f"{megabytes / timings.median(segment):.0f} MB/s", rounds,
            )  # fmt: skip


def instructions(
    program: Path, corpora: Mapping[str, Corpus], folder: Path = OUT
) -> Iterator[Figure]:
    """Instructions per stanza: those of a stream less those of half of it."""
    for corpus in corpora.values():
        size = min(_COUNTED_BYTES, len(corpus.data))
        parts = [corpus.first(size // 2), corpus.first(size)]
        stanzas = len(parts[1].spans) - len(parts[0].spans)
        if not stanzas:
            continue
        paths = [_write(part, folder / f"part{number}") for number, part in enumerate(parts)]
        for name in subjects(program):
            if name not in _STRANGE:
                counts = [_count(program, "once", path, name, USUAL_CHUNK) for path in paths]
                each = (counts[1] - counts[0]) / stanzas
                yield Figure(
                    "instructions", f"C, {name}", corpus.name, each, each, each, "per stanza"
                )


def linear(
    program: Path, most: int, folder: Path = OUT, shapes: Iterable[str] = growth.SHAPES
) -> Iterator[Figure]:
    """Instructions of one stanza fed byte by byte, as an exponent of its size."""
    name = [subject for subject in subjects(program) if subject not in _STRANGE][-1]
    path = folder / "growth.xml"
    path.write_bytes(HEADER + b"<a/>")
    fixed = _count(program, "unbounded", path, name, 1)
    for shape in shapes:
        counts: dict[int, float] = {}
        for size in growth.sizes(most):
            path.write_bytes(HEADER + growth.SHAPES[shape](size))
            counts[size] = _count(program, "unbounded", path, name, 1) - fixed
        power = growth.exponent(counts)
        yield Figure(
            "growth", f"C, bytewise, {shape}", f"{most:,} bytes", power, power, power, "", "",
            f"{counts[most] / most:.0f} instructions per byte",
        )  # fmt: skip
    path.unlink()


def _times(program: Path, path: Path, rounds: int, chunks: Sequence[int], stanzas: int) -> Timings:
    """Rounds in a few processes: in each, things lie elsewhere in memory."""
    seconds: dict[str, list[float]] = {}
    for number in range(_PROCESSES):
        some = len(range(number, rounds, _PROCESSES))
        command = [str(program), "time", str(path), str(some), *map(str, chunks)]
        for line in _run(command).splitlines() if some else ():
            name, chunk, seen, *values = line.split()
            if int(seen) != stanzas:
                raise RuntimeError(f"{name} saw {seen} stanzas of {path.name}, not {stanzas}")
            seconds.setdefault(f"{name} {chunk}", []).extend(map(float, values))
    return Timings(seconds)


def _count(program: Path, mode: str, path: Path, subject: str, chunk: int) -> int:
    """Instructions of one pass, by valgrind."""
    if not shutil.which("valgrind"):
        raise ToolMissingError("no valgrind to count instructions with")
    tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    command = [*tool, str(program), mode, str(path), subject, str(chunk)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = _INSTRUCTIONS.search(done.stderr)
    if done.returncode or not found:
        raise RuntimeError(f"valgrind failed on {subject}:\n{done.stderr}")
    return int(found[1])


def _write(corpus: Corpus, folder: Path) -> Path:
    path = folder / "native" / f"{corpus.name}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(corpus.data)
    return path


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout
