"""Libraries, adapters and our own API side by side, each in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from bench.check import UnequalWorkError
from bench.corpus import Corpus
from bench.figures import Figure
from bench.processes import Process, Shop, SubjectFailedError, in_turns, places
from bench.python import USUAL_CHUNK
from bench.start import milliseconds
from bench.subjects import TABLE
from bench.timing import Spread, Timings

_CHECKED_BYTES = 400_000
_LEAST_BYTES = 500_000
_WRITTEN_BYTES = 100_000
_STARTS = 3
_FIRSTS = 25


@dataclass
class Comparison:
    """What a comparison is made with.

    shop      starts the subjects
    corpora   the streams; `share` of each goes to other libraries, all of it to our own API
    subjects  names to keep to; empty for all
    baseline  what our own API and other libraries are compared to
    notes     takes a line for everything that is left out
    """

    shop: Shop
    corpora: Mapping[str, Corpus]
    rounds: int
    share: float
    subjects: frozenset[str]
    baseline: str
    notes: list[str]

    def names(self, *groups: str) -> list[str]:
        """The subjects of these groups that are asked for."""
        return [
            name
            for name, entry in TABLE.items()
            if entry.group in groups and (not self.subjects or name in self.subjects)
        ]

    def with_stock(self, names: Iterable[str]) -> list[str]:
        """The subjects and what they are compared to, each once."""
        chosen = list(names)
        return list(dict.fromkeys([*(TABLE[name].stock or name for name in chosen), *chosen]))

    def parts(self) -> dict[str, Corpus]:
        """What other libraries get of the streams."""
        return {
            name: corpus.first(max(int(len(corpus.data) * self.share), _LEAST_BYTES))
            for name, corpus in self.corpora.items()
        }

    def leave_out(self, name: str, why: str) -> None:
        """Note why a subject isn't compared; for one of ours, or where all must be, it is an error.

        Raises UnequalWorkError.
        """
        if self.shop.strict or TABLE[name].group == "ours":
            raise UnequalWorkError(f"{name} {why}"[:2000])
        self.notes.append(f"{name} {why}"[:300])

    def put(self, corpus: Corpus, processes: Iterable[Process]) -> None:
        """Have processes take a stream."""
        folder = self.shop.folder / "streams"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{corpus.name}.xml"
        path.write_bytes(corpus.data)
        for process in processes:
            process.load(path, corpus, USUAL_CHUNK)


def our_api(comparison: Comparison) -> Iterator[Figure]:
    """Every use of a stanza against the baseline."""
    yield from _against_baseline(comparison, "python", comparison.names("ours"))


def peers(comparison: Comparison) -> Iterator[Figure]:
    """Other libraries against the baseline."""
    names = comparison.names("peer")
    yield from _against_baseline(replace(comparison, corpora=comparison.parts()), "peers", names)


def adapters(comparison: Comparison) -> Iterator[Figure]:
    """Every adapter against what it stands in for."""
    names = comparison.with_stock(comparison.names("adapter"))
    yield from _to_stock(comparison, "adapters", names, comparison.parts().values())


def receiving(comparison: Comparison) -> Iterator[Figure]:
    """From bytes to the host's own stanza objects, on chat."""
    names = comparison.with_stock(comparison.names("path"))
    streams = [part for name, part in comparison.parts().items() if name == "chat"]
    yield from _to_stock(comparison, "receiving", names, [s.first(_LEAST_BYTES) for s in streams])


def writing(comparison: Comparison) -> Iterator[Figure]:
    """Serializing the first stanzas of chat, held in each library's own form."""
    yield from _of_chat(comparison, "writing", "write", "written", _WRITTEN_BYTES)


def forwarding(comparison: Comparison) -> Iterator[Figure]:
    """Reading, setting `from`, and writing."""
    yield from _of_chat(comparison, "forwarding", "forward", "forwarded", _CHECKED_BYTES)


def memory(comparison: Comparison, parsers: int) -> Iterator[Figure]:
    """Memory of idle parsers, and at most while a large stanza is read."""
    if not Path("/proc/self/clear_refs").exists():
        raise NotImplementedError("memory: there is no /proc/self/clear_refs here")
    idle: dict[str, float] = {}
    names = _one_of_ours(comparison, comparison.with_stock(comparison.names("peer", "adapter")))
    for name in names:
        with comparison.shop.processes([name]) as running:
            if name not in running:
                continue
            try:
                bytes_of = running[name].ask("idle", count=parsers)
                most = running[name].ask("peak")
            except SubjectFailedError as failed:
                comparison.notes.append(f"memory of {failed}")
                continue
        idle[name] = max(bytes_of.values())
        detail = ", ".join(f"{how} {value:,.0f}" for how, value in bytes_of.items())
        yield _single("idle", name, "per parser", [idle[name]], "bytes", detail)
        yield _single("peak", name, "roster", [most], "bytes")
    for name in names:
        stock = TABLE[name].stock
        if name in idle and stock in idle:
            ratio = idle[stock] / idle[name]
            detail = f"{idle[name]:,.0f} against {idle[stock]:,.0f} bytes"
            yield _single("adapters, memory", name, "per parser", [ratio], "x", detail, stock)


def first_stanza(comparison: Comparison) -> Iterator[Figure]:
    """How long an import takes in a new process, and a new stream to its first stanza."""
    chat = comparison.corpora.get("chat")
    if chat is None:
        return
    names = comparison.with_stock(comparison.names("peer", "adapter"))
    for name in _one_of_ours(comparison, names):
        with comparison.shop.processes([name]) as running:
            if name not in running:
                continue
            process = running[name]
            comparison.put(chat.first(1), [process])
            process.ask("first")  # what the first stream of all sets up is not a stream's
            us = [process.ask("first") * 1e6 for _ in range(_FIRSTS)]
        imports = TABLE[name].imports
        ms = milliseconds(
            imports, _STARTS, comparison.shop.interpreter, PYTHONPATH=os.pathsep.join(places())
        )
        yield _single("first stanza", name, "new stream", us, "us")
        yield _single("import", name, imports, ms, "ms")


def latency(comparison: Comparison) -> Iterator[Figure]:
    """Stanzas that come alone, in random pieces: held back or not, and how long it takes."""
    names = comparison.with_stock(comparison.names("peer", "adapter"))
    corpora = [c for n, c in comparison.corpora.items() if n in ("chat", "small", "captures")]
    with comparison.shop.processes(_one_of_ours(comparison, names)) as running:
        for corpus in corpora:
            comparison.put(corpus.first(_CHECKED_BYTES), running.values())
            for name, process in running.items():
                try:
                    found = process.ask("latency", seed=1)
                except SubjectFailedError as failed:
                    comparison.notes.append(f"latency on {corpus.name}: {failed}")
                    continue
                share = 100 * found["held"] / found["stanzas"]
                detail = f"{found['held']:,} of {found['stanzas']:,}"
                yield _single("held back", name, corpus.name, [share], "%", detail)
                us = [seconds * 1e6 for seconds in found["seconds"]]
                yield _single("last byte to event", name, corpus.name, us, "us")


def _one_of_ours(comparison: Comparison, names: list[str]) -> list[str]:
    """With the baseline, and our own parser: its uses don't differ in what they hold."""
    ours = [name for name in comparison.names("ours") if name == "untouched"]
    return list(dict.fromkeys([comparison.baseline, *ours, *names]))


def _against_baseline(comparison: Comparison, section: str, names: list[str]) -> Iterator[Figure]:
    baseline = comparison.baseline
    with comparison.shop.processes(dict.fromkeys([baseline, *names])) as running:
        for corpus in comparison.corpora.values():
            timings = _timed(comparison, running, corpus)
            for name in names:
                if {name, baseline} <= timings.seconds.keys():
                    yield _ratio(section, name, baseline, corpus, timings)


def _to_stock(
    comparison: Comparison, section: str, names: list[str], corpora: Iterable[Corpus]
) -> Iterator[Figure]:
    with comparison.shop.processes(names) as running:
        for corpus in corpora:
            timings = _timed(comparison, running, corpus)
            for name in timings.seconds:
                stock = TABLE[name].stock
                if stock in timings.seconds:
                    yield _ratio(section, name, stock, corpus, timings)
                elif TABLE[name].group == "path":
                    us = [seconds / len(corpus.spans) * 1e6 for seconds in timings.seconds[name]]
                    yield _single(section, name, corpus.name, us, "us")


def _timed(comparison: Comparison, running: Mapping[str, Process], corpus: Corpus) -> Timings:
    """Times of all that read the stream as they should; who doesn't is left out, with a note."""
    comparison.put(corpus.first(_CHECKED_BYTES), running.values())
    equal, wrong = _same_reading(running, corpus.name)
    for name, why in wrong.items():
        comparison.leave_out(name, why)
    comparison.put(corpus, equal.values())
    return in_turns(equal, "read", comparison.rounds)


def _same_reading(
    running: Mapping[str, Process], corpus: str
) -> tuple[dict[str, Process], dict[str, str]]:
    """The processes that read what the first of them reads, and why others don't."""
    wanted: dict[bool, list[str]] = {}
    reference: Process | None = None
    equal: dict[str, Process] = {}
    wrong: dict[str, str] = {}
    for name, process in running.items():
        try:
            complete = process.ask("complete")
            read = process.ask("outlines", complete=complete)
            if reference is None:
                reference = process
            if complete not in wanted:
                wanted[complete] = reference.ask("outlines", complete=complete)
        except SubjectFailedError as failed:
            wrong[name] = f"on {corpus}: {failed}"
            continue
        pairs = zip_longest(read, wanted[complete])
        place = next((at for at, (left, right) in enumerate(pairs) if left != right), None)
        if place is None:
            equal[name] = process
        else:
            wrong[name] = _difference(process, reference, corpus, place, complete)
    return equal, wrong


def _difference(
    process: Process, reference: Process, corpus: str, place: int, complete: bool
) -> str:
    texts = []
    for each in (process, reference):
        try:
            texts.append(each.ask("outline", number=place, complete=complete))
        except SubjectFailedError:
            texts.append("no such stanza")
    return f"on {corpus}, stanza {place}: reads {texts[0]}, {reference.name} {texts[1]}"


def _of_chat(
    comparison: Comparison, section: str, do: str, done: str, size: int
) -> Iterator[Figure]:
    """Something that every library with a serializer does to chat, compared to ElementTree's.

    Each round has new processes: so little work takes a different time in each.
    """
    chat = comparison.corpora.get("chat")
    if chat is None:
        return
    part = chat.first(size)
    names = comparison.with_stock(comparison.names("peer", "adapter"))
    able = _one_of_ours(comparison, names)
    seconds: dict[str, list[float]] = {}
    for count in range(comparison.rounds):
        with comparison.shop.processes(able) as running:
            comparison.put(part, running.values())
            if not count:
                able = _able(comparison, running, section, do, done)
            turns = in_turns({name: running[name] for name in able}, do, 1, order=count)
        for name in able:
            seconds.setdefault(name, []).extend(turns.seconds[name])
    timings = Timings(seconds)
    stanzas = len(part.spans) if do == "forward" else 1
    for name in able:
        if name != comparison.baseline in able and TABLE[name].group != "adapter":
            yield _ratio(section, name, comparison.baseline, part, timings, stanzas)
        stock = TABLE[name].stock
        if do == "write" and stock in able:
            yield _ratio("adapters, writing", name, stock, part, timings, stanzas)


def _able(
    comparison: Comparison, running: Mapping[str, Process], section: str, do: str, done: str
) -> list[str]:
    """Who can do it, and does the same as the first of them."""
    able = []
    wanted = None
    for name, process in running.items():
        if not process.ask("can", what=do):
            continue
        try:
            result = process.ask(done)
        except SubjectFailedError as failed:
            comparison.leave_out(name, f"in {section}: {failed}")
            continue
        wanted = wanted or result
        if result == wanted:
            able.append(name)
        else:
            comparison.leave_out(name, f"in {section}: what it writes says something else")
    return able


def _ratio(
    section: str, name: str, other: str, corpus: Corpus, timings: Timings, stanzas: int = 0
) -> Figure:
    ratio = timings.ratio(name, other)
    count = stanzas or len(corpus.spans)
    us = [timings.median(each) / count * 1e6 for each in (name, other)]
    return Figure(
        section, name, corpus.name, ratio.median, ratio.low, ratio.high, "x", other,
        f"{us[0]:.3f} against {us[1]:.3f} us per stanza", len(timings.seconds[name]),
    )  # fmt: skip


def _single(
    section: str,
    subject: str,
    case: str,
    values: list[float],
    unit: str,
    detail: str = "",
    against: str = "",
) -> Figure:
    spread = Spread.of(values)
    return Figure(
        section, subject, case, spread.median, spread.low, spread.high, unit, against, detail,
        len(values),
    )  # fmt: skip


PARTS: dict[str, Callable[[Comparison], Iterator[Figure]]] = {
    "python": our_api,
    "adapters": adapters,
    "receiving": receiving,
    "peers": peers,
    "writing": writing,
    "forwarding": forwarding,
    "first-stanza": first_stanza,
    "latency": latency,
}
