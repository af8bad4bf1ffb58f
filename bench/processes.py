"""Subjects in processes of their own, worked with in turns so that they meet the same weather."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any

import xmppfast
from bench.corpus import PROJECT, Corpus
from bench.subjects import TABLE
from bench.timing import Timings


class SubjectMissingError(RuntimeError):
    """What a subject needs can't be imported; says what."""


class SubjectFailedError(RuntimeError):
    """A subject could not do what it was asked; says why."""


@dataclass
class Shop:
    """How the subjects' processes are started, and who could not be.

    interpreter  the Python to start: this one, or that of an environment made for the purpose
    folder       where streams are put for them to read
    missing      reasons by subject, noted as they are found
    strict       whether a missing subject is an error
    """

    folder: Path
    interpreter: str = sys.executable
    strict: bool = False
    missing: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def processes(self, names: Iterable[str]) -> Iterator[dict[str, Process]]:
        """A process for each subject that is there; ended on leaving."""
        running: dict[str, Process] = {}
        try:
            for name in names:
                try:
                    process = Process(name, self.interpreter)
                except (SubjectMissingError, SubjectFailedError) as missing:
                    if self.strict:
                        raise
                    self.missing[name] = str(missing)
                    continue
                running[name] = process
                if process.version:
                    self.versions[TABLE[name].library] = process.version
            yield running
        finally:
            for process in running.values():
                process.close()


class Process:
    """One subject's process."""

    def __init__(self, name: str, interpreter: str = sys.executable) -> None:
        self.name = name
        # The same hashes in every run: one source less of differences between runs.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        environment["PYTHONPATH"] = os.pathsep.join(places())
        self._process = subprocess.Popen(
            [interpreter, "-m", "bench.worker", name],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            ready = self._answer()
        except (SubjectMissingError, SubjectFailedError):
            self.close()
            raise
        self.version: str = ready["version"]

    def ask(self, do: str, **arguments: Any) -> Any:
        """Have it do something; SubjectFailedError with the subject's own words."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise SubjectFailedError(f"{self.name}: its process is gone") from None
        return self._answer()

    def load(self, path: Path, corpus: Corpus, chunk: int) -> None:
        """Give it a stream, which is in a file."""
        self.ask("load", path=str(path), spans=corpus.spans, chunk=chunk)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SubjectFailedError(f"{self.name}: its process ended ({self._process.wait()})")
        answer = json.loads(line)
        if "missing" in answer:
            raise SubjectMissingError(answer["missing"])
        if "error" in answer:
            raise SubjectFailedError(f"{self.name}: {answer['error']}")
        return answer["value"]


def run_module(name: str, *arguments: object) -> Any:
    """What one of these modules, started as a program, prints as JSON; RuntimeError if it fails."""
    path = os.pathsep.join(filter(None, [*places(), *sys.path]))
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-m", name, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: the measuring process failed:\n{done.stderr}")
    return json.loads(done.stdout)


def places() -> list[str]:
    """Where the subjects' processes look first: for these measurements, and for this xmppfast."""
    assert xmppfast.__file__ is not None
    return [str(PROJECT), str(Path(xmppfast.__file__).resolve().parents[1])]


def in_turns(processes: Mapping[str, Process], do: str, rounds: int, *, order: int = 0) -> Timings:
    """Ask every process once per round, in an order that changes from round to round.

    A first round, not counted, warms up. `order` is the number of one of many such orders.
    """
    names = list(processes)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    shuffle = Random(order).shuffle
    for count in range(rounds + 1):
        shuffle(names)
        for name in names:
            spent = processes[name].ask(do)
            if count:
                seconds[name].append(spent)
    return Timings(seconds)
