"""What a run of the measurements yields: figures, and the bars they are held to."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.subjects import BASELINE, TABLE

FORMAT = 1
CORPORA = ("chat", "xep", "small", "large", "captures")

_BARRED = CORPORA[:4]
OURS = frozenset(n for n, entry in TABLE.items() if entry.group in ("ours", "adapter"))

# What the project asks of itself: the least ratio that will do, or the most of a cost.
_PER_CORPUS: dict[tuple[str, str], tuple[float, float, float, float]] = {
    ("python", "untouched"): (24, 15, 16, 20),
    ("python", "head"): (13, 10, 6, 20),
    ("python", "head and body"): (11, 9.5, 5.5, 20),
    ("python", "forward"): (18, 12.5, 9, 20),
    ("python", "to_etree"): (3.5, 2.4, 2.4, 2.3),
    ("expat backend", "untouched"): (0.5, 0.5, 0.5, 0.5),
    ("C", "avx2"): (12, 9, 9, 10),
    ("C", "sse2"): (8, 6.5, 7, 8),
    ("C", "scalar"): (2.8, 2.8, 2.8, 2.8),
}
_ON_CHAT: dict[tuple[str, str], float] = {
    ("adapters", "adapters.etree"): 2.5,
    ("adapters", "adapters.expat"): 1,
    ("adapters", "adapters.sax"): 2,
    ("adapters", "adapters.domish"): 2.2,
    ("adapters", "adapters.nbxmpp"): 2.2,
    ("adapters", "adapters.slixmpp"): 3,
    ("adapters, writing", "adapters.domish"): 4,
    ("adapters, writing", "adapters.slixmpp"): 15,
}
_SINGLE: dict[tuple[str, str], float] = {
    ("serialize", "tostring"): 18,
    ("serialize", "escape / html.escape"): 1,
    ("serialize", "escape / saxutils.escape"): 1,
    ("start", "import"): 30,
    ("memory", "idle parser"): 1024,
    ("memory", "kept after a large stanza"): 1024,
}
# Of an adapter's parser, to the stock one's memory; the least.
_SMALLER_PARSER = 4
# Chunks of 1,460 bytes may cost a third more than those of 4 KiB.
_SMALLER_CHUNKS = 4 / 3
# A cost that doubles with the size has growth 1, one that quadruples has 2.
_LINEAR = 1.1


def bar(section: str, subject: str, case: str) -> float | None:
    """The bar for a figure; None if there is none."""
    if section == "1460-byte chunks":
        return _SMALLER_CHUNKS
    if section == "growth":
        return _LINEAR
    if section == "adapters, memory":
        return _SMALLER_PARSER
    if section == "held back" and subject in OURS:
        return 0
    if (section, subject) in _PER_CORPUS and case in _BARRED:
        return _PER_CORPUS[section, subject][_BARRED.index(case)]
    if case == "chat" and (section, subject) in _ON_CHAT:
        return _ON_CHAT[section, subject]
    return _SINGLE.get((section, subject))


@dataclass(frozen=True)
class Figure:
    """One measured value.

    section, subject, case  what was measured, on what
    unit                    "x" for a ratio to `against`; else of the value
    low, high               quartiles of the rounds; equal to the value if there was one round
    rounds                  how many values the median and the quartiles are of
    detail                  the absolute figures behind a ratio, for people
    """

    section: str
    subject: str
    case: str
    value: float
    low: float
    high: float
    unit: str
    against: str = ""
    detail: str = ""
    rounds: int = 1

    @property
    def more_is_better(self) -> bool:
        """Whether the bar is the least that will do."""
        return self.unit == "x" and self.section != "1460-byte chunks"

    @property
    def bar(self) -> float | None:
        """The bar this figure is held to."""
        if self.section == "python" and self.against != BASELINE:
            return None
        return bar(self.section, self.subject, self.case)

    @property
    def error(self) -> float:
        """Standard error of the median, estimated from the quartiles as of a normal spread."""
        return 1.2533 * abs(self.high - self.low) / 1.349 / math.sqrt(self.rounds)

    @property
    def unsteady(self) -> bool:
        """Whether two runs may well disagree on a ratio by more than a tenth.

        That is so if 99% of the differences between two such medians are not within it.
        """
        if self.unit != "x" or self.rounds < 2:
            return False
        return 2.58 * math.sqrt(2) * self.error > 0.1 * self.value

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None if there is none."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.more_is_better else self.value <= self.bar

    @property
    def shown(self) -> str:
        """The value with its unit, in three digits or so."""
        return show(self.value, self.unit)


def show(value: float, unit: str) -> str:
    """Write a value with as many digits as mean something."""
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    number = f"{value:,.{digits}f}"
    return f"{number}{unit}" if unit == "x" else f"{number} {unit}".rstrip()


@dataclass(frozen=True)
class Result:
    """A run: where, on which corpora, what came out, and what could not be measured."""

    machine: dict[str, str]
    corpora: list[str]
    figures: list[Figure]
    skipped: list[str]

    def dump(self) -> str:
        """As JSON text."""
        figures = [
            {**asdict(figure), "bar": figure.bar, "met": figure.met} for figure in self.figures
        ]
        whole = {"format": FORMAT, **asdict(self), "figures": figures}
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, path: Path) -> Result:
        """Read a result file; ValueError if it is of another format."""
        whole: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if whole.pop("format", None) != FORMAT:
            raise ValueError(f"{path} is no result file of format {FORMAT}")
        figures = whole.pop("figures")
        for figure in figures:
            del figure["bar"], figure["met"]
        return cls(**whole, figures=[Figure(**figure) for figure in figures])

    def find(self, section: str, subject: str, case: str) -> Figure | None:
        """The figure measured for that, if any."""
        wanted = (section, subject, case)
        return next((f for f in self.figures if (f.section, f.subject, f.case) == wanted), None)
