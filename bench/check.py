"""That all subjects do the same work: what xmppfast reads is what ElementTree reads."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import zip_longest
from types import ModuleType
from typing import Any

from bench.corpus import END, Corpus
from bench.subjects import Chunks, etree
from bench.subjects.stanza_events import BODY, STAMP

_NOTHING = ET.Element("nothing")


class UnequalWorkError(Exception):
    """Two subjects read the same bytes differently: their times can't be compared."""


def equal_content(backend: ModuleType, corpus: Corpus, chunks: Chunks) -> None:
    """Compare every stanza, as every subject sees it, with ElementTree's reading.

    Raises UnequalWorkError at the first difference.
    """
    theirs = etree.stanzas(chunks)
    for number, (stanza, element) in enumerate(
        zip_longest(_stanzas(backend, chunks), theirs, fillvalue=None)
    ):
        place = f"{corpus.name}, stanza {number}"
        if stanza is None or element is None:
            raise UnequalWorkError(f"{place}: one of the two has no such stanza")
        read = (stanza.name, stanza.to, stanza.from_, stanza.type, stanza.id)
        wanted = (element.tag.rpartition("}")[2], *map(element.get, ("to", "from", "type", "id")))
        _same(place, "head", read, wanted)
        _same(place, "body", stanza.findtext(BODY), element.findtext(BODY))
        _same_trees(place, stanza.to_etree(), element)
        sent = ET.fromstring(corpus.header + stanza.forward(from_=STAMP) + END)
        element.set("from", STAMP)
        _same_trees(f"{place}, forwarded", sent[0], element)


def same_trees(left: ET.Element, right: ET.Element) -> bool:
    """Whether two trees have the same content; the tails of their roots are not looked at."""
    if (left.tag, left.text or "", left.attrib) != (right.tag, right.text or "", right.attrib):
        return False
    return all(
        (mine.tail or "") == (other.tail or "") and same_trees(mine, other)
        for mine, other in zip_longest(left, right, fillvalue=_NOTHING)
    )


def _stanzas(backend: ModuleType, chunks: Chunks) -> Iterator[Any]:
    parser = backend.StreamParser()
    for chunk in chunks:
        for event in parser.feed(chunk):
            if isinstance(event, backend.Stanza):
                yield event
    parser.close()


def _same(place: str, what: str, read: object, wanted: object) -> None:
    if read != wanted:
        raise UnequalWorkError(f"{place}: {what} is {read!r}, not {wanted!r}")


def _same_trees(place: str, read: ET.Element, wanted: ET.Element) -> None:
    if not same_trees(read, wanted):
        texts = ET.tostring(read, "unicode"), ET.tostring(wanted, "unicode")
        _same(place, "the tree", *(text[:500] for text in texts))
        raise UnequalWorkError(f"{place}: the trees differ")
