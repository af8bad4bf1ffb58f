"""XML conformance in XMPP's profile: what must be accepted is read as expat reads it; the rest is
refused with the right condition.
"""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from shared_data import document, needs_data, records, torture_document
from streams import content, error_definitions

pytestmark = needs_data

LIMIT_TEXTS = {text for condition, text in error_definitions().values() if text.startswith("limit")}

# The largest torture documents are the smaller ones over again.
LARGEST = 750_000


def wide(xml: Any) -> Any:
    """Limits that none of these documents reaches."""
    most = 2**31 - 1
    return xml.Limits(
        stanza_bytes=most,
        depth=most,
        attributes=most,
        children=most,
        name_bytes=most,
        namespaces=most,
    )


def refusal(xml: Any, data: bytes, limits: Any = None) -> str | None:
    """Condition that a document is refused with; None if it is accepted."""
    try:
        xml.parse(data, limits=limits or wide(xml))
    except xml.StreamError as error:
        return error.condition.value
    return None


def accept(xml: Any, data: bytes, where: str) -> None:
    """That a document is accepted, with expat's content."""
    stanza = xml.parse(data, limits=wide(xml))
    assert content(stanza) == content(ET.fromstring(data)), where
    assert stanza.raw in data, where


def conditions(record: dict[str, Any], data: bytes) -> set[str]:
    """The conditions that a document may be refused with."""
    features = set(record.get("features", ()))
    restricted = {"comment", "pi", "doctype", "entity", "entity-ref", "entity-decl", "version"}
    expected = set()
    if record["expected"] != "restricted" or data.startswith(b"\xef\xbb\xbf"):
        expected.add("not-well-formed")
    if features & restricted:
        expected.add("restricted-xml")
    if features & {"encoding", "not-utf8"} or first_bad_byte(data) is not None:
        expected.add("unsupported-encoding")
    return expected


def first_bad_byte(data: bytes) -> int | None:
    """Where the data stops being UTF-8, by Python's codec."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def sequence_condition(data: bytes) -> str:
    """Condition for a document whose only fault is one sequence of bytes."""
    bad = first_bad_byte(data)
    before = data if bad is None else data[:bad]
    if bad is None or any(byte < 32 and byte not in b"\t\n\r" for byte in before):
        return "not-well-formed"
    return "unsupported-encoding"


def batches(path: str, key: Any) -> list[Any]:
    """Firm records in groups, to keep the number of tests small."""
    firm = sorted((r for r in records(path) if r.get("firm", True)), key=key)
    return [pytest.param(list(g), id=str(k)) for k, g in itertools.groupby(firm, key=key)]


@pytest.mark.parametrize(
    "group", batches("xml/xmlconf.jsonl", lambda r: (r["part"], r["expected"]))
)
def test_xmlconf(xml, group):
    for record in group:
        data = document(record)
        where = record["src"][0]["id"] + " " + record["src"][0]["variant"]
        if record["expected"] == "accept":
            accept(xml, data, where)
        else:
            assert refusal(xml, data) in conditions(record, data), where


@pytest.mark.parametrize(
    "group", batches("xml/utf8.jsonl", lambda r: (r["source"], r["context"], r["expected"]))
)
def test_utf8(xml, group):
    for record in group:
        data = document(record)
        where = f"{record['label']} {data!r}"
        if record["expected"] == "accept":
            accept(xml, data, where)
        else:
            assert refusal(xml, data) == sequence_condition(data), where


def torture() -> list[Any]:
    """Torture documents that are not too large."""
    return [
        pytest.param(r, id=r["name"]) for r in records("xml/torture.jsonl") if r["n"] <= LARGEST
    ]


@pytest.mark.parametrize("record", torture())
def test_torture(xml, record):
    data = torture_document(record)
    by_default = refusal(xml, data, xml.Limits())
    if record["expected"] == "accept":
        accept(xml, data, record["name"])
        assert by_default in (None, "policy-violation")
        if by_default is not None:
            assert record["limit"] is not None or len(data) > xml.Limits().stanza_bytes
    elif record["expected"] == "restricted" or record["name"].startswith("doctype"):
        assert refusal(xml, data) == by_default == "restricted-xml"
    else:
        assert refusal(xml, data) == "not-well-formed"
        assert by_default in ("not-well-formed", "policy-violation")


@pytest.mark.parametrize("record", torture())
def test_torture_as_a_stream_in_chunks(xml, record):
    """Whole and in pieces alike; small documents also bytewise."""
    data = torture_document(record)
    size = 1 if len(data) <= 20_000 else 1460
    readings = []
    for chunks in ([data], [data[i : i + size] for i in range(0, len(data), size)]):
        parser = xml.StreamParser()
        seen: list[Any] = []
        try:
            for chunk in chunks:
                seen.extend(event.raw for event in parser.feed(chunk))
            parser.close()
        except xml.StreamError as error:
            seen.append(error.args)
        readings.append(seen)
    assert readings[0] == readings[1]
