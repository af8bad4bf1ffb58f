"""Every part of the measurements runs, on corpora of a few stanzas; and its arithmetic is right.

No test looks at a time: what is slow here is no failure.
"""

from __future__ import annotations

import importlib
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from implementations import CI

import xmppfast
from bench import chart, growth, native, report, table
from bench.check import UnequalWorkError, equal_content
from bench.corpus import Corpus, generate
from bench.figures import Figure, Result, bar
from bench.python import USUAL_CHUNK, cut
from bench.run import Effort, run
from bench.timing import Spread, Timings, interleave

TINY = Effort(rounds=1, scale=0.002, parsers=20, growth=4_000, counted_growth=2_000, lengths=(0, 7))


def corpus(name: str) -> Corpus:
    made = generate(name, scale=TINY.scale)
    assert made is not None
    return made


def figure(value: float, *, low: float = 0, high: float = 0, **changes: Any) -> Figure:
    named = {"section": "python", "subject": "untouched", "case": "chat", "unit": "x", **changes}
    return Figure(value=value, low=low or value, high=high or value, **named)


def assert_measured(figures: list[Figure]) -> None:
    assert figures
    for found in figures:
        assert math.isfinite(found.value), found
        assert found.section in table.TITLES
    assert table.text(figures)


@pytest.mark.parametrize(
    "part", ["python", "expat-backend", "chunks", "tostring", "escape", "start", "growth"]
)
def test_part_runs(part: str, tmp_path: Path) -> None:
    result = run(xmppfast.backend, TINY, only=[part], strict=True, out=tmp_path)
    assert_measured(result.figures)
    path = tmp_path / "result.json"
    path.write_text(result.dump(), encoding="utf-8")
    assert Result.load(path) == result


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_is_measured(tmp_path: Path) -> None:
    result = run(xmppfast.backend, TINY, only=["memory"], strict=True, out=tmp_path)
    assert {found.subject for found in result.figures} == {
        "idle parser",
        "kept after a large stanza",
    }


def test_unknown_part_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"no part speed; there are python, .*growth"):
        run(xmppfast.backend, TINY, only=["speed"])


def test_command_line(tmp_path: Path) -> None:
    (tmp_path / "small.xml").write_bytes(corpus("small").data)
    path = tmp_path / "result.json"
    command = [sys.executable, "bench/run.py", "--quick", "--only", "start", "--json", str(path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [*command, "--corpus", str(tmp_path)],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "skipped: corpus chat: its source is not here" in done.stdout
    assert [found.subject for found in Result.load(path).figures] == ["import"]


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
        assert bar("python", "untouched", "chat") == 24
        assert (figure(24).met, figure(23.9).met) == (True, False)
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


class TestReport:
    """Tables, chart and README block of a result."""

    result = Result(
        {"processor": "P", "Python": "CPython", "expat of Python": "2.6"},
        ["chat"],
        [figure(25.04), figure(12.5, section="C", subject="avx2")],
        ["memory: not here"],
    )

    def test_block_replaces_what_was_between_the_marks(self) -> None:
        text = f"a\n{report.BEGIN}\nold\n{report.END}\nb\n"
        once = report.put_block(text, report.readme_block(self.result, "chart.svg"))
        assert once.startswith(f"a\n{report.BEGIN}\n![")
        assert once.endswith(f"{report.END}\nb\n")
        assert "| untouched | 25.0x (≥ 24) | met |" in once
        assert "old" not in once
        assert report.put_block(once, report.readme_block(self.result, "chart.svg")) == once

    def test_missing_marks_are_an_error(self) -> None:
        with pytest.raises(ValueError, match="bench:begin"):
            report.put_block(f"{report.END}{report.BEGIN}", "")

    def test_all_is_in_the_long_form(self) -> None:
        text = report.whole(self.result)
        assert "- processor: P" in text
        assert "- not measured: memory: not here" in text
        assert "| avx2 | 12.5x (≥ 12) | met |" in text

    def test_other_format_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "result.json").write_text('{"format": 0}')
        with pytest.raises(ValueError, match="no result file of format"):
            Result.load(tmp_path / "result.json")

    @pytest.mark.filterwarnings("default")  # matplotlib's own
    def test_chart_is_the_same_each_time(self, tmp_path: Path) -> None:
        if not CI:
            pytest.importorskip("matplotlib")
        first = chart.draw(self.result, tmp_path / "first")
        second = chart.draw(self.result, tmp_path / "second")
        assert [path.suffix for path in first] == [".svg", ".png"]
        for one, other in zip(first, second, strict=True):
            assert one.read_bytes() == other.read_bytes()
