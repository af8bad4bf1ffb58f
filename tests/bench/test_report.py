"""Tables, chart, page and README block of a result; and the README is that of its result."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from implementations import CI
from shared_data import ROOT

from bench import chart, html, report, table
from bench.figures import Figure, Result, bar
from bench.servers import report as servers

RESULT = Result(
    {"processor": "P", "Python": "CPython", "expat of Python": "2.6", "command": "xmppfast bench"},
    ["chat"],
    [
        Figure("python", "untouched", "chat", 25.04, 25.0, 25.1, "x", "XMLPullParser", "", 9),
        Figure("python", "head", "chat", 9.0, 6.0, 12.0, "x", "XMLPullParser", "<2>", 9),
        Figure("adapters", "adapters.sax", "chat", 2.5, 2.5, 2.5, "x", "xml.sax"),
        Figure("held back", "adapters.sax", "chat", 0.0, 0.0, 0.0, "%"),
        Figure("C", "avx2", "chat", 12.5, 12.5, 12.5, "x", "expat"),
    ],
    ["memory: not <here>"],
)


RESULTS = ROOT / "bench" / "results"
# How a committed result is put into the README and how its block is made; its tables.
COMMITTED: dict[str, tuple[Any, Any, Any]] = {
    "parser": (report.put_block, report.readme_block, report.whole),
    "servers": (servers.put_block, servers.readme_block, servers.markdown),
}


class TestReadme:
    """The block of the README."""

    def test_block_replaces_what_was_between_the_marks(self) -> None:
        text = f"a\n{report.BEGIN}\nold\n{report.END}\nb\n"
        once = report.put_block(text, report.readme_block(RESULT, "chart.svg"))
        assert once.startswith(f"a\n{report.BEGIN}\n![")
        assert once.endswith(f"{report.END}\nb\n")
        assert "| untouched | 25.0x (≥ 24) | met |" in once
        assert "; `xmppfast bench`" in once
        assert "old" not in once
        assert report.put_block(once, report.readme_block(RESULT, "chart.svg")) == once

    def test_missing_marks_are_an_error(self) -> None:
        with pytest.raises(ValueError, match="bench:begin"):
            report.put_block(f"{report.END}{report.BEGIN}", "")

    @pytest.mark.parametrize("name", COMMITTED)
    def test_it_is_made_of_the_committed_result(self, name: str) -> None:
        put, block, whole = COMMITTED[name]
        result = Result.load(RESULTS / f"{name}.json")
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        assert put(text, block(result, f"bench/results/{name}.svg")) == text
        # So are the tables beside it.
        assert (RESULTS / f"{name}.md").read_text(encoding="utf-8") == whole(result)

    def test_there_is_no_other(self) -> None:
        assert {path.stem for path in RESULTS.glob("*.json")} == set(COMMITTED)


def test_all_is_in_the_long_form() -> None:
    text = report.whole(RESULT)
    assert "- processor: P" in text
    assert "- not measured: memory: not <here>" in text
    assert "| avx2 | 12.5x (≥ 12) | met |" in text
    assert "python, head, chat: 9.00x (6.00x to 12.0x)" in text
    assert "untouched, chat: 25" not in text


class _Loads(HTMLParser):
    """What a page would load, and whether its tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [v or "" for k, v in attrs if k in ("src", "href") and not v.startswith("#")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Closed at once."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_needs_nothing_else() -> None:
    page = html.page(RESULT, "<?xml version='1.0'?><svg><g/></svg>")
    found = _Loads()
    found.feed(page)
    found.close()
    assert (found.loads, found.open) == ([], [])
    assert "<svg><g/></svg>" in page
    assert "<?xml" not in page
    assert "memory: not &lt;here&gt;" in page
    assert "25.0x (≥ 24)" in page
    assert "prefers-color-scheme: dark" in page


def test_other_format_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"format": 0}')
    with pytest.raises(ValueError, match="no result file of format"):
        Result.load(tmp_path / "result.json")


@pytest.fixture
def _matplotlib() -> None:
    if not CI:
        pytest.importorskip("matplotlib")


@pytest.mark.filterwarnings("default")  # matplotlib's own
@pytest.mark.usefixtures("_matplotlib")
class TestChart:
    """SVG and PNG."""

    def test_it_is_the_same_each_time(self, tmp_path: Path) -> None:
        first = chart.draw(RESULT, tmp_path / "first")
        second = chart.draw(RESULT, tmp_path / "second")
        assert [path.suffix for path in first] == [".svg", ".png"]
        for one, other in zip(first, second, strict=True):
            assert one.read_bytes() == other.read_bytes()

    def test_it_has_no_background(self, tmp_path: Path) -> None:
        svg = ET.parse(chart.draw(RESULT, tmp_path / "chart")[0])
        fills = [e.get("style", "") for e in svg.iter("{http://www.w3.org/2000/svg}path")]
        assert not [style for style in fills if re.search(r"fill: #(fff|000)", style)]

    def test_a_result_without_ratios(self, tmp_path: Path) -> None:
        with pytest.raises(chart.NothingToDrawError):
            chart.draw(Result({}, [], [], []), tmp_path / "chart")

    def test_everything_is_written(self, tmp_path: Path) -> None:
        written = report.write(RESULT, tmp_path / "new" / "result")
        assert sorted(path.suffix for path in written) == [".html", ".json", ".md", ".png", ".svg"]
        assert Result.load(tmp_path / "new" / "result.json") == RESULT
        assert "<svg" in (tmp_path / "new" / "result.html").read_text(encoding="utf-8")


def test_bars_of_adapters_are_for_chat() -> None:
    assert bar("adapters", "adapters.slixmpp", "chat") == 3
    assert bar("adapters", "adapters.slixmpp", "xep") is None
    assert bar("adapters, memory", "adapters.expat", "per parser") == 4
    assert bar("held back", "adapters.expat", "small") == 0
    assert bar("held back", "pyexpat", "small") is None


def test_ratios_to_another_baseline_have_no_bar() -> None:
    other = Figure("python", "untouched", "chat", 3.0, 3.0, 3.0, "x", "lxml")
    assert other.bar is None
    assert table.sections([other])[0].title.startswith("Python: lxml's CPU time")


def test_unsteady_is_what_a_second_run_may_not_repeat() -> None:
    assert [figure.unsteady for figure in RESULT.figures] == [False, True, False, False, False]
    one_round = Figure("python", "head", "chat", 9.0, 9.0, 9.0, "x", "XMLPullParser")
    assert not one_round.unsteady
