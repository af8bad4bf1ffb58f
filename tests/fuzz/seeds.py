"""Writes the inputs that the fuzzers start from: the conformance pages' cases in several forms."""

from __future__ import annotations

import re
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGES = sorted((TESTS / "conformance").glob("*.md"))
NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"\\": b"\\"}

# What goes before a document; see the sources of the fuzzers.
CONTROLS = {
    "chunks": [
        b"\0\0\0\0\xff\xff\xff\xff",
        b"\1\0\0\0\0\0\0\0",
        b"\2\0\2\0\2\4\6\x08",
        b"\3\x25\0\2\x30\x08\0\x08",
        b"\3\0\0\1\xff\0\0\0",
        b"\2\0\0\4\x08\0\0\0",
    ],
    "expat": [b"\0", b"\1", b"\7"],
}


def unescape(text: str) -> bytes:
    """The bytes that an input block of the pages stands for."""
    return re.sub(
        rb"\\(?:x([0-9a-f]{2})|(.))",
        lambda m: bytes([int(m[1], 16)]) if m[1] else NAMED[m[2]],
        text.encode().replace(b"\n", b""),
    )


def main(target: str, folder: Path) -> None:
    """Write a file for each case and control."""
    folder.mkdir(parents=True, exist_ok=True)
    documents = [
        unescape(block)
        for page in PAGES
        for block in re.findall(r"^```input\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)
    ]
    for number, document in enumerate(documents):
        for kind, control in enumerate(CONTROLS[target]):
            (folder / f"{number}-{kind}").write_bytes(control + document)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
