"""Figures as rows of text: what was measured, how much, the bar, and whether it is met."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bench.figures import CORPORA, Figure, show

TITLES = {
    "python": "Python: {against}'s CPU time / ours, 4 KiB chunks",
    "adapters": "Adapters: the stock parser's CPU time behind the same surface / ours",
    "adapters, writing": "Adapters, serializing: the stock serializer's CPU time / ours",
    "adapters, memory": "Adapters, memory of an idle parser: the stock one's / ours",
    "receiving": "Whole ways of receiving, us per stanza; with an adapter, times as fast as stock",
    "peers": "Other libraries: {against}'s CPU time / theirs, 4 KiB chunks",
    "writing": "Serializing a stanza: CPU time with {against} / theirs",
    "forwarding": "Reading, setting `from`, writing: CPU time with {against} / theirs",
    "held back": "Stanzas that come alone and in pieces, held back after their last byte",
    "last byte to event": "From the feed of a stanza's last byte to its event (wall time)",
    "first stanza": "From a new stream to its first stanza (wall time)",
    "import": "Import in a new process (wall time)",
    "idle": "Memory of an idle parser",
    "peak": "Memory at most while a stanza of 350 KiB is read, per byte of it",
    "expat backend": "Fallback backend: XMLPullParser's CPU time / ours, 4 KiB chunks",
    "C": "src_c alone: expat's CPU time / ours, 4 KiB chunks",
    "1460-byte chunks": "CPU time in 1,460-byte chunks / in 4 KiB chunks",
    "bytewise": "One byte at a time: XMLPullParser's CPU time / ours",
    "serialize": "Serializing: the standard library's CPU time / ours",
    "memory": "Memory",
    "start": "Start",
    "growth": "Cost of one long stanza, fed bytewise, as a power of its size",
    "instructions": "Instructions",
}


class Row(NamedTuple):
    """One row of a section's table; `met` is None where there is no bar."""

    subject: str
    cells: tuple[str, ...]
    met: bool | None


class Section(NamedTuple):
    """A table: columns beside the subject, and the rows."""

    title: str
    columns: tuple[str, ...]
    rows: list[Row]


def sections(figures: Iterable[Figure]) -> list[Section]:
    """The tables, in the order of TITLES."""
    by_section: dict[str, list[Figure]] = {}
    for figure in figures:
        by_section.setdefault(figure.section, []).append(figure)
    return [_section(TITLES[name], by_section[name]) for name in TITLES if name in by_section]


def _section(title: str, figures: list[Figure]) -> Section:
    title = title.format(against=figures[0].against)
    if any(figure.case in CORPORA for figure in figures):
        columns = tuple(name for name in CORPORA if any(f.case == name for f in figures))
        subjects = dict.fromkeys(figure.subject for figure in figures)
        rows = [_wide(s, columns, [f for f in figures if f.subject == s]) for s in subjects]
        return Section(title, columns, rows)
    return Section(title, ("value", "on", "bar", "detail"), [_long(f) for f in _worst(figures)])


def _wide(subject: str, columns: tuple[str, ...], figures: list[Figure]) -> Row:
    """One subject on all corpora."""
    by_case = {figure.case: figure for figure in figures}
    cells = tuple(_cell(by_case[case]) if case in by_case else "-" for case in columns)
    met = [figure.met for figure in figures if figure.met is not None]
    return Row(subject, cells, all(met) if met else None)


def _cell(figure: Figure) -> str:
    if figure.bar is None:
        return figure.shown
    return f"{figure.shown} ({'>=' if figure.more_is_better else '<='} {_bar(figure)})"


def _long(figure: Figure) -> Row:
    bar = "-"
    if figure.bar is not None:
        bar = f"{'>=' if figure.more_is_better else '<='} {_bar(figure)}"
    return Row(figure.subject, (figure.shown, figure.case, bar, figure.detail), figure.met)


def _bar(figure: Figure) -> str:
    assert figure.bar is not None
    return f"{figure.bar:,.3g}" if figure.bar < 1000 else show(figure.bar, "").split(".")[0]


def _worst(figures: list[Figure]) -> list[Figure]:
    """Of a subject measured on many texts, the worst."""
    found: dict[str, Figure] = {}
    for figure in figures:
        before = found.get(figure.subject)
        if before is None or (figure.value < before.value) is figure.more_is_better:
            found[figure.subject] = figure
    return list(found.values())


UNSTEADY = "The rounds of these ratios are spread so wide that two runs may differ by over a tenth:"


def unsteady(figures: Iterable[Figure]) -> list[str]:
    """A line for each ratio that another run may not agree with."""
    return [
        f"{figure.section}, {figure.subject}, {figure.case}: {figure.shown} "
        f"({show(figure.low, figure.unit)} to {show(figure.high, figure.unit)})"
        for figure in figures
        if figure.unsteady
    ]


def text(figures: Iterable[Figure]) -> str:
    """The tables as plain text."""
    lines = []
    for section in sections(figures):
        lines.append(section.title)
        rows = [(row.subject, *row.cells, verdict(row)) for row in section.rows]
        heads = ("", *section.columns, "")
        widths = [max(len(line[at]) for line in (heads, *rows)) for at in range(len(heads))]
        for line in (heads, *rows):
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            lines.append(("  " + "  ".join(cells)).rstrip())
        lines.append("")
    return "\n".join(lines)


def markdown(figures: Iterable[Figure]) -> str:
    """The tables as Markdown."""
    lines = []
    for section in sections(figures):
        lines += [f"**{section.title}**", "", f"| | {' | '.join(section.columns)} | |"]
        lines.append("| --- " * (len(section.columns) + 2) + "|")
        lines += [f"| {r.subject} | {' | '.join(r.cells)} | {verdict(r)} |" for r in section.rows]
        lines.append("")
    return "\n".join(lines).replace(">=", "≥").replace("<=", "≤")


def verdict(row: Row) -> str:
    """Whether the bars of a row are met, in words."""
    return {None: "", True: "met", False: "not met"}[row.met]
