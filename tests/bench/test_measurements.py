"""Every part of the measurements runs, on corpora of a few stanzas; and its arithmetic is right.

No test looks at a time: what is slow here is no failure.
"""

from __future__ import annotations

import importlib
import math
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from implementations import CI

import xmppfast
from bench import growth, native, table
from bench.check import UnequalWorkError, equal_content
from bench.corpus import Corpus, generate
from bench.figures import Figure, Result, bar
from bench.python import USUAL_CHUNK, cut
from bench.run import Effort, Plan, run
from bench.timing import Spread, Timings, interleave

TINY = Effort(1, 0.002, 0.5, 20, 20, growth=4_000, counted_growth=2_000, lengths=(0, 7))


def corpus(name: str) -> Corpus:
    return generate(name, scale=TINY.scale)


def figure(value: float, *, low: float = 0, high: float = 0, **changes: Any) -> Figure:
    named = {"section": "C", "subject": "avx2", "case": "chat", "unit": "x", **changes}
    return Figure(value=value, low=low or value, high=high or value, **named)


def plan(part: str, out: Path) -> Plan:
    return Plan(xmppfast.backend, TINY, frozenset([part]), strict=True, out=out)


def assert_measured(figures: list[Figure]) -> None:
    assert figures
    for found in figures:
        assert math.isfinite(found.value), found
        assert found.section in table.TITLES
    assert table.text(figures)


@pytest.mark.parametrize(
    "part", ["expat-backend", "chunks", "tostring", "escape", "start", "growth"]
)
def test_part_runs(part: str, tmp_path: Path) -> None:
    result = run(plan(part, tmp_path))
    assert_measured(result.figures)
    path = tmp_path / "result.json"
    path.write_text(result.dump(), encoding="utf-8")
    assert Result.load(path) == result


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_is_measured(tmp_path: Path) -> None:
    result = run(plan("memory", tmp_path))
    assert {found.subject for found in result.figures} == {
        "idle parser",
        "kept after a large stanza",
    }


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The measuring program of bench/c, built quickly."""
    try:
        return native.build(tmp_path_factory.mktemp("native"), flags=["-O1"])
    except native.ToolMissingError as missing:
        if CI:
            raise
        pytest.skip(str(missing))


class TestNative:
    """src_c alone, and its instructions counted."""

    def test_all_kernels_are_measured(self, program: Path, tmp_path: Path) -> None:
        figures = list(native.against_expat(program, {"small": corpus("small")}, 1, tmp_path))
        assert_measured(figures)
        kernels = [found.subject for found in figures if found.section == "C"]
        assert kernels[0] == "scalar"
        assert native.subjects(program) == ["expat", *kernels]

    def test_instructions_are_counted(
        self, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(native, "subjects", lambda _: ["expat", "scalar"])
        try:
            counted = list(native.instructions(program, {"small": corpus("small")}, tmp_path))
            counted += native.linear(program, TINY.counted_growth, tmp_path, ["text"])
        except native.ToolMissingError as missing:
            if CI:
                raise
            pytest.skip(str(missing))
        assert_measured(counted)

    def test_refused_stream_is_an_error(self, program: Path, tmp_path: Path) -> None:
        (tmp_path / "wrong.xml").write_bytes(b"<a><b></a>")
        command = [str(program), "once", str(tmp_path / "wrong.xml"), "scalar", "1"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (1, "stream_bench: stream refused by: scalar\n")


class TestEqualWork:
    """Subjects that read the same bytes differently are not compared."""

    @pytest.fixture
    def backend(self) -> ModuleType:
        name = "_tokenizer" if xmppfast.backend == "compiled" else "_expat"
        return importlib.import_module(f"xmppfast.xml.{name}")

    def test_honest_backend(self, backend: ModuleType) -> None:
        chat = corpus("chat")
        equal_content(backend, chat, cut(chat.data, USUAL_CHUNK))

    def test_lost_stanza(self, backend: ModuleType) -> None:
        class Forgetful:
            def __init__(self) -> None:
                self.parser = backend.StreamParser()

            def feed(self, data: bytes) -> Iterator[Any]:
                return (
                    e for e in self.parser.feed(data) if b"<body>" not in getattr(e, "raw", b"")
                )

            def close(self) -> None:
                self.parser.close()

        chat = corpus("chat")
        forgetful: Any = SimpleNamespace(StreamParser=Forgetful, Stanza=backend.Stanza)
        with pytest.raises(UnequalWorkError, match="chat, stanza"):
            equal_content(forgetful, chat, cut(chat.data, USUAL_CHUNK))

    def test_changed_content(self, backend: ModuleType) -> None:
        class Misreading:
            def __init__(self) -> None:
                parser = backend.StreamParser()
                self.feed = lambda data: parser.feed(data.replace(b"type='get'", b"type='set'"))
                self.close = parser.close

        small = corpus("small")
        misreading: Any = SimpleNamespace(StreamParser=Misreading, Stanza=backend.Stanza)
        with pytest.raises(UnequalWorkError, match="head is"):
            equal_content(misreading, small, cut(small.data, USUAL_CHUNK))


class TestArithmetic:
    """Ratios, growth, bars."""

    def test_ratio_is_taken_within_each_round(self) -> None:
        timings = Timings({"ours": [1.0, 2.0, 1.0], "theirs": [10.0, 20.0, 14.0]})
        assert timings.ratio("ours", "theirs") == Spread(median=10, low=10, high=12)

    def test_every_subject_has_a_turn_in_every_round(self) -> None:
        turns: list[str] = []
        timings = interleave({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, 5)
        assert turns[:2] == ["a", "b"]  # to warm up
        rounds = [sorted(turns[at : at + 2]) for at in range(2, 12, 2)]
        assert rounds == [["a", "b"]] * 5
        assert {name: len(values) for name, values in timings.seconds.items()} == {"a": 5, "b": 5}

    def test_exponent_of_growth(self) -> None:
        assert growth.exponent({1: 3, 2: 6, 4: 12}) == pytest.approx(1)
        assert growth.exponent({10: 1, 20: 4, 40: 16}) == pytest.approx(2)

    def test_least_ratio_and_highest_cost(self) -> None:
        assert bar("C", "avx2", "chat") == 12
        assert (figure(12).met, figure(11.9).met) == (True, False)
        cost: dict[str, Any] = {
            "section": "start",
            "subject": "import",
            "case": "xmppfast",
            "unit": "ms",
        }
        assert (figure(30, **cost).met, figure(30.1, **cost).met) == (True, False)
        assert figure(1, case="another").met is None

    def test_worst_text_stands_for_all(self) -> None:
        escapes = [
            figure(value, section="serialize", subject="escape / html.escape", case=case)
            for value, case in ((2.0, "long"), (0.9, "short"))
        ]
        assert table.sections(escapes)[0].rows == [
            table.Row("escape / html.escape", ("0.90x", "short", ">= 1", ""), False)
        ]
