"""Every code point there is, as the first and as a later character of a name: the compiled backend
accepts what expat accepts (docs/decisions/0001-names.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from xml.parsers import expat as pyexpat

import pytest

# Of elements and attributes, of end tags and prefixes.
PLACES = {
    "first": "<{}/>",
    "later": "<a{}/>",
    "attribute": "<a {}=''/>",
    "later in an attribute": "<a b{}=''/>",
    "local part": "<p:{} xmlns:p='u'/>",
}


def documents(place: str, code_points: Iterable[int]) -> list[bytes]:
    """A document for each code point."""
    return [PLACES[place].format(chr(c)).encode("utf-8", "surrogatepass") for c in code_points]


def accepted(read: Callable[[bytes], Any], error: type[Exception], sources: list[bytes]) -> bytes:
    """A byte for each document, which says whether it is accepted."""
    result = bytearray(len(sources))
    for number, source in enumerate(sources):
        try:
            read(source)
        except error:
            continue
        result[number] = 1
    return bytes(result)


def by_expat(sources: list[bytes]) -> bytes:
    """What expat accepts, asked without anything of ours in between."""
    create = pyexpat.ParserCreate
    return accepted(
        lambda source: create(None, "\f").Parse(source, True), pyexpat.ExpatError, sources
    )


def compare(xml: Any, place: str, code_points: range) -> bytes:
    """Compare over a range of code points; returns which were accepted."""
    sources = documents(place, code_points)
    ours = accepted(xml.parse, xml.StreamError, sources)
    theirs = by_expat(sources)
    different = [f"U+{c:04X}" for c, a, b in zip(code_points, ours, theirs, strict=True) if a != b]
    assert different == []
    return ours


@pytest.mark.parametrize("place", ["first", "later"])
@pytest.mark.parametrize("plane", [0, *range(1, 17, 4)])
def test_all_code_points(kernels, place, plane):
    end = 1 if plane == 0 else plane + 4
    found = compare(kernels[-1], place, range(plane << 16, end << 16))
    # Appendix B of XML 1.0 up to its fourth edition: no character needs four bytes.
    assert (sum(found) > 30_000) == (plane == 0)


@pytest.mark.parametrize("place", PLACES)
def test_places(compiled, place):
    assert sum(compare(compiled, place, range(0x800))) > 500
