"""The measured tables in docs/: measures, and writes them where they belong.

    python tests/hosts/pages.py strictness
    python tests/hosts/pages.py held-back DATA

DATA is the folder of recorded sessions; `held-back` takes an hour or two. Needs the environments
of `make test-hosts`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from environments import ROOT
from measured import measure
from receivers import RECEIVERS
from strictness import INPUTS

ADAPTERS_PAGE = ROOT / "docs" / "adapters.md"
HELD_BACK_PAGE = ROOT / "docs" / "held_back.md"

RESTRICTED = "RFC 6120, 11.1: XMPP has no {}; an entity that meets one ends the stream"
REASONS = {
    "comment": RESTRICTED.format("comments"),
    "processing instruction": RESTRICTED.format("processing instructions"),
    "DTD with an internal entity": RESTRICTED.format("DTDs")
    + ". Entities are how a few bytes become gigabytes",
    "undeclared prefix": "RFC 6120, 11.3: a stream is namespace-well-formed, and others end the "
    "stream of whoever passes this on",
    "duplicate attribute by namespace": "RFC 6120, 11.3, as above",
    "text between stanzas": "RFC 6120, 11.7: only white space stands there",
    "declared as ISO-8859-1, in ASCII": "RFC 6120, 11.6: the encoding is UTF-8",
    "declared as ISO-8859-1, and in it": "RFC 6120, 11.6: the encoding is UTF-8",
    "UTF-16": "RFC 6120, 11.6: the encoding is UTF-8",
    "byte order mark": "RFC 6120, 11.6: it is a character, and none can stand there",
    "another root element": "",
    "undefined entity": "RFC 6120, 11.1: the condition is restricted-xml",
    "bytes that are not UTF-8": "",
    "stanza of 50,000 levels": "`DEFAULT_LIMITS.depth`: hosts walk trees by recursion and fail "
    "on such a stanza later; `limits` sets another bound",
    "stanza of 20 MB": "`DEFAULT_LIMITS.stanza_bytes`; `limits` sets another bound",
}


def render(measured: dict[str, dict[str, dict[str, str]]]) -> str:
    """The table of strictness: by receiver and variant, what became of each input."""
    lines = [
        "| input | " + " | ".join(RECEIVERS) + " |",
        "| --- |" + " --- |" * len(RECEIVERS),
    ]
    for label in INPUTS:
        row = [cell(*(measured[name][v][label] for v in VARIANTS)) for name in RECEIVERS]
        lines.append(f"| {markdown(label)} | " + " | ".join(row) + " |")
    return "\n".join(lines)


VARIANTS = ("stock", "ours", "compat")


def markdown(label: str) -> str:
    """A label for a cell."""
    return label.replace(">", "&gt;")


def cell(stock: str, ours: str, compat: str) -> str:
    """`stock`, then what becomes of it with ours and with `compat` where that is something else."""
    text = stock if ours == stock else f"{stock} → {ours}"
    return text if compat == ours else f"{text}; compat: {compat}"


def cells(row: dict[str, str], receiver: str) -> dict[str, str]:
    """What `cell` made the receiver's cell of."""
    text, _, compat = row[receiver].partition("; compat: ")
    stock, _, ours = text.partition(" → ")
    ours = ours or stock
    return {"stock": stock, "ours": ours, "compat": compat or ours}


def strictness_rows(page: Path = ADAPTERS_PAGE) -> Iterator[tuple[str, dict[str, str]]]:
    """By input, the row of the page's table as cells by receiver."""
    lines = block(page, "strictness").splitlines()
    names = [name.strip() for name in lines[0].strip("|").split("|")][1:]
    labels = {markdown(label): label for label in INPUTS}
    for line in lines[2:]:
        if not line.startswith("|"):
            return
        label, *rest = [text.strip() for text in line.strip("|").split("|")]
        yield labels[label], dict(zip(names, rest, strict=True))


def reasons(measured: dict[str, dict[str, dict[str, str]]]) -> str:
    """A line for each input that one of the hosts reads differently with ours."""
    changed = [
        label
        for label in INPUTS
        if any(measured[n]["stock"][label] != measured[n]["ours"][label] for n in RECEIVERS)
    ]
    return "\n".join(f"- {label}: {REASONS.get(label, '?')}." for label in changed)


# Options of splits.py. With the stock parser each split has a stream of its own, which takes long.
SOME = ("--every", 20, "--longest", 512)
ALL = ("--every", 1, "--longest", 40_000, "--tags", 200)


def held_back(data: Path) -> str:
    """The table of splits that are held back: the stock parser's share, and ours."""
    lines = [
        "| host | its expat | one stanza of one tag | recorded ones of one tag | all recorded | "
        "ours, all recorded |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in RECEIVERS:
        stock = measure("splits.py", name, "stock", "--data", data, *SOME, timeout=3600)
        ours = measure("splits.py", name, "ours", "--data", data, *ALL, timeout=4 * 3600)
        shares = [share(stock["counts"][kind]) for kind in ("example", "one tag", "all")]
        version = stock["expat"].removeprefix("expat_")
        row = [name, version, *shares, of(ours["counts"]["all"])]
        lines.append("| " + " | ".join(row) + " |")
        print(lines[-1], ours["refused"], file=sys.stderr)
    return "\n".join(lines)


def share(count: dict[str, Any]) -> str:
    """Splits held back, of how many, and in percent."""
    return f"{of(count)}, {100 * count['held'] / count['splits']:.1f} %"


def of(count: dict[str, Any]) -> str:
    """Splits held back, of how many."""
    return f"{count['held']:,} of {count['splits']:,}"


def block(page: Path, name: str) -> str:
    """What stands between the markers of that name."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}:begin -->\n", f"\n<!-- {name}:end -->"
    return text[text.index(begin) + len(begin) : text.index(end)]


def put(page: Path, name: str, content: str) -> None:
    """Replace what stands between the markers of that name."""
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace(block(page, name), content), encoding="utf-8")


def main() -> None:
    """Measure, and write."""
    match sys.argv[1:]:
        case ["strictness"]:
            measured = {
                name: {variant: measure("strictness.py", name, variant) for variant in VARIANTS}
                for name in RECEIVERS
            }
            put(ADAPTERS_PAGE, "strictness", render(measured))
            put(ADAPTERS_PAGE, "reasons", reasons(measured))
        case ["held-back", data]:
            put(HELD_BACK_PAGE, "held-back", held_back(Path(data)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
