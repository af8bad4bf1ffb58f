"""Subjects do the same work, each in its process; who doesn't is not compared."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from implementations import CI

import xmppfast
from bench import content, libraries, subjects
from bench.check import UnequalWorkError
from bench.corpus import NAMES, Corpus, generate
from bench.figures import Figure
from bench.processes import Process, Shop, SubjectFailedError, SubjectMissingError, in_turns
from bench.run import COMPARING, Effort, Plan, run
from bench.subjects import BASELINE, TABLE, Subject
from bench.worker import Worker, whole_chunks

# What other projects' imports warn of is not ours to mend.
pytestmark = pytest.mark.filterwarnings("default")

TINY = Effort(1, 0.002, 0.5, 20, 20, growth=4_000, counted_growth=2_000, lengths=(0, 7))
# What the extras bench and hosts bring, which CI installs: all but nbxmpp, which needs GObject's
# libraries from the system, and aioxmpp where it needs an lxml that is too old for this Python.
_BROUGHT = {"", "lxml", "Twisted", "slixmpp"} | (
    {"aioxmpp"} if sys.version_info < (3, 13) else set()
)
PRESENT = [name for name, entry in TABLE.items() if entry.library in _BROUGHT]
compiled_only = pytest.mark.skipif(
    xmppfast.backend != "compiled" and not CI, reason="the extension is not built"
)


@pytest.fixture(autouse=True)
def event_loop() -> Iterator[None]:
    """One for slixmpp, which otherwise makes one and leaves it open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def made(name: str) -> Subject:
    """The subject; a library that isn't here skips the test, in CI one that should be fails it."""
    try:
        return subjects.make(name)
    except (ImportError, ValueError) as missing:
        if CI and name in PRESENT:
            raise
        pytest.skip(f"{name}: {missing}")


def corpus(name: str) -> Corpus:
    return generate(name, scale=0.05).first(40_000 if name != "large" else 150_000)


@compiled_only
@pytest.mark.parametrize("corpus_name", NAMES)
@pytest.mark.parametrize("name", [n for n, entry in TABLE.items() if entry.group != "path"])
def test_same_content(name: str, corpus_name: str) -> None:
    subject, stock = made(name), made(BASELINE)
    stream = corpus(corpus_name)
    for size in (4096, 100):
        chunks = whole_chunks(stream.data, size)
        with subject.around():
            read = [content.outline(subject.content(s)) for s in subject.stanzas(chunks)]
            assert subject.count(chunks) == len(stream.spans)
        assert read == [content.outline(stanza) for stanza in stock.stanzas(chunks)]


@compiled_only
@pytest.mark.parametrize("name", [n for n, entry in TABLE.items() if entry.group == "path"])
def test_same_heads(name: str) -> None:
    subject, stock = made(name), made(BASELINE)
    chunks = whole_chunks(corpus("chat").data, 4096)
    with subject.around():
        read = [content.head(subject.content(stanza)) for stanza in subject.stanzas(chunks)]
    assert read == [content.head(stanza) for stanza in stock.stanzas(chunks)]


@compiled_only
@pytest.mark.parametrize("name", TABLE)
def test_what_is_written_says_the_same(name: str, tmp_path: Path) -> None:
    subject, stock = Worker(made(name)), Worker(made(BASELINE))
    if subject.subject.write is None:
        pytest.skip(f"{name} has no serializer")
    chat = corpus("chat")
    (tmp_path / "chat.xml").write_bytes(chat.data)
    for worker in (subject, stock):
        worker.load(str(tmp_path / "chat.xml"), [[*span] for span in chat.spans], 4096)
    wanted = stock.written(), stock.forwarded()
    with subject.subject.around():
        assert (subject.written(), subject.forwarded()) == wanted
    assert wanted[0] != wanted[1]


def test_nothing_is_left_in_place() -> None:
    before = ET.XMLPullParser, ET.tostring
    for name in ("adapters.etree", "adapters.slixmpp"):
        try:
            subject = subjects.make(name)
        except ImportError:
            continue
        with subject.around():
            pass
    assert (ET.XMLPullParser, ET.tostring) == before


class TestOutline:
    """What counts as the same."""

    def test_order_of_attributes_and_the_tail_do_not_count(self) -> None:
        one, other = ET.fromstring("<r><a x='1' y='2'>t</a>tail</r>"), ET.Element("a")
        other.attrib.update(y="2", x="1")
        other.text = "t"
        assert content.outline(one[0]) == content.outline(other)

    @pytest.mark.parametrize(
        "other",
        ["<b/>", "<a x='1'/>", "<a> </a>", "<a><b/></a>", "<a xmlns='urn:x'/>"],
    )
    def test_all_else_does(self, other: str) -> None:
        assert content.outline(ET.fromstring(other)) != content.outline(ET.fromstring("<a/>"))

    def test_structure_counts(self) -> None:
        flat, deep = "<a><b/><c/>x</a>", "<a><b><c/>x</b></a>"
        assert content.outline(ET.fromstring(flat)) != content.outline(ET.fromstring(deep))


class TestChunks:
    """The last chunk isn't short: expat might hold back what it completes."""

    @pytest.mark.parametrize("length", [0, 1, 9, 10, 11, 19, 20, 21, 105])
    def test_all_is_there(self, length: int) -> None:
        data = bytes(range(length))
        chunks = whole_chunks(data, 10)
        assert b"".join(chunks) == data
        assert all(len(chunk) == 10 for chunk in chunks[:-1])
        assert length < 10 or 10 <= len(chunks[-1]) < 20


class TestProcess:
    """A subject's process."""

    @pytest.fixture
    def process(self) -> Iterator[Process]:
        with Process(BASELINE) as process:
            yield process

    def test_it_reads(self, process: Process, tmp_path: Path) -> None:
        stream = corpus("small")
        (tmp_path / "small.xml").write_bytes(stream.data)
        process.load(tmp_path / "small.xml", stream, 4096)
        timings = in_turns({BASELINE: process}, "read", 2)
        assert len(timings.seconds[BASELINE]) == 2
        assert min(timings.seconds[BASELINE]) > 0
        assert len(set(process.ask("outlines", complete=True))) > 100

    def test_a_lost_stanza_is_an_error(self, process: Process, tmp_path: Path) -> None:
        stream = corpus("small")
        (tmp_path / "small.xml").write_bytes(stream.data)
        more = Corpus("small", stream.data, (*stream.spans, stream.spans[0]))
        process.load(tmp_path / "small.xml", more, 4096)
        with pytest.raises(SubjectFailedError, match=r"XMLPullParser: ValueError: saw \d+ stanzas"):
            process.ask("read")

    def test_a_missing_library_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A module of that name, found first, that fails as one that isn't there.
        blocked = "raise ImportError(\"No module named 'lxml' (/somewhere/lxml.py)\")\n"
        (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['lxml'] = None\n")
        (tmp_path / "lxml.py").write_text(blocked)
        monkeypatch.setattr("bench.processes.places", lambda: [str(tmp_path), *_root()])
        shop = Shop(tmp_path)
        with shop.processes([BASELINE, "lxml"]) as running:
            assert list(running) == [BASELINE]
        assert "lxml" in shop.missing["lxml"]
        assert "/" not in shop.missing["lxml"]
        shop.strict = True
        with pytest.raises(SubjectMissingError), shop.processes(["lxml"]):
            pass

    @pytest.mark.parametrize(
        ("module", "why"),
        [
            ("raise RuntimeError('too old')", "RuntimeError: too old"),
            ("import os; os._exit(3)", "its process ended (3)"),
        ],
        ids=["error", "exit"],
    )
    def test_a_library_that_breaks_is_named(
        self, module: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "lxml.py").write_text(module)
        monkeypatch.setattr("bench.processes.places", lambda: [str(tmp_path), *_root()])
        shop = Shop(tmp_path)
        with shop.processes([BASELINE, "lxml"]) as running:
            assert list(running) == [BASELINE]
        assert why in shop.missing["lxml"]

    def test_its_end_is_noticed(self) -> None:
        process = Process(BASELINE)
        process.close()
        with pytest.raises((SubjectFailedError, ValueError)):
            process.ask("complete")

    def test_pieces_of_latency_are_the_same_each_time(
        self, process: Process, tmp_path: Path
    ) -> None:
        stream = corpus("small").first(2_000)
        (tmp_path / "small.xml").write_bytes(stream.data)
        process.load(tmp_path / "small.xml", stream, 4096)
        found = [process.ask("latency", seed=7) for _ in range(2)]
        assert found[0]["held"] == found[1]["held"]
        assert len(found[0]["seconds"]) + found[0]["held"] == len(stream.spans)


def _root() -> list[str]:
    return [str(Path(__file__).parents[2])]


def _run(part: str, tmp_path: Path, *names: str) -> list[Figure]:
    plan = Plan(
        xmppfast.backend,
        TINY,
        frozenset([part]),
        frozenset(names or [BASELINE, "untouched", "lxml", "adapters.etree"]),
        frozenset(["chat", "small"]),
        out=tmp_path,
    )
    return run(plan).figures


@compiled_only
@pytest.mark.parametrize("part", sorted(set(COMPARING) - {"receiving"}))
def test_comparing_part_runs(part: str, tmp_path: Path) -> None:
    if part == "library-memory" and not Path("/proc/self/clear_refs").exists():
        pytest.skip("memory is read from /proc")
    figures = _run(part, tmp_path)
    assert figures
    assert all(figure.value >= 0 for figure in figures)
    assert {figure.rounds for figure in figures} >= {1} or part in ("latency", "first-stanza")


def test_an_adapter_is_compared_to_its_stock_parser(tmp_path: Path) -> None:
    made("adapters.etree")
    figures = _run("adapters", tmp_path, "adapters.etree")
    assert {(f.subject, f.against) for f in figures} == {("adapters.etree", BASELINE)}


def test_a_subject_that_reads_otherwise_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = corpus("small")
    shop = Shop(tmp_path)
    notes: list[str] = []
    comparison = libraries.Comparison(
        shop, {"small": stream}, 1, 1.0, frozenset(["pyexpat", "untouched"]), BASELINE, notes
    )
    ask = Process.ask

    def lying(process: Process, do: str, **arguments: object) -> object:
        answer = ask(process, do, **arguments)
        if process.name == liar and do == "outlines":
            answer[3] = "something else"
        return answer

    monkeypatch.setattr(Process, "ask", lying)
    liar = "pyexpat"
    assert list(libraries.peers(comparison)) == []
    assert len(notes) == 1
    assert notes[0].startswith("pyexpat on small, stanza 3: reads [")
    liar = "untouched"
    with pytest.raises(UnequalWorkError, match="untouched on small, stanza 3"):
        list(libraries.our_api(comparison))


def test_under_pytest_benchmark(tmp_path: Path) -> None:
    pytest.importorskip("pytest_benchmark")
    command = [sys.executable, "-m", "pytest", "bench/", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "--benchmark-disable", "-k", "untouched and small or XMLPullParser and writing"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
