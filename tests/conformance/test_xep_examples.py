"""Examples of the XMPP extension protocols are read as expat reads them."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from shared_data import needs_data, records
from streams import FOOTER, content, outline, read

pytestmark = needs_data

# As the examples were checked.
HEADER = (
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" version='1.0'>"
)
MARKUP_SHAPES = ("fragment", "document", "stream-header")


def groups() -> list[Any]:
    """All examples with markup, by XEP."""
    examples = (r for r in records("xep_examples.jsonl") if r["shape"] in MARKUP_SHAPES)
    return [
        pytest.param(list(group), id=f"xep-{number}")
        for number, group in itertools.groupby(examples, key=lambda r: r["xep"])
    ]


GROUPS = groups()


def stream_of(example: dict[str, Any]) -> bytes:
    """The example in the stream that it is checked in."""
    text = example["text"].encode()
    if example["shape"] == "fragment":
        return HEADER + text + FOOTER
    return text.strip()


def closed(data: bytes) -> bytes:
    """A document; an example that opens a stream only is closed."""
    try:
        ET.fromstring(data)
    except ET.ParseError:
        header = data[data.rindex(b"<") + 1 :]
        return data + b"</" + header.split()[0].rstrip(b">") + b">"
    return data


@pytest.mark.parametrize("examples", GROUPS)
def test_examples_of_a_xep(xml, examples):
    for example in examples:
        data = stream_of(example)
        where = f"example {example['i']}"
        reading = read(xml, [data], see=lambda event: event)
        if not example["wf"] or example.get("restricted") or example.get("top_text"):
            if example["shape"] == "fragment":
                assert reading.fault is not None, where
                if not example["wf"]:
                    assert reading.fault.condition in (
                        "not-well-formed",
                        "restricted-xml",
                        "bad-format",
                    ), where
            continue
        if example["shape"] == "fragment":
            assert reading.fault is None, where
            trees = list(ET.fromstring(data))
            found = [e for e in reading.events if isinstance(e, xml.Stanza)]
            assert [content(e) for e in found] == [content(tree) for tree in trees], where
            assert len(found) == example["n_top"], where
            for stanza, tree in zip(found, trees, strict=True):
                assert content(stanza.to_etree()) == content(tree), where
                assert xml.parse(xml.tostring(stanza)) == stanza, where
        elif example["shape"] == "document":
            assert content(xml.parse(data)) == content(ET.fromstring(data)), where
        else:
            assert isinstance(reading.events[0], xml.StreamStart), where
            root = ET.fromstring(closed(data))
            assert reading.events[0].tag == root.tag, where
            assert dict(reading.events[0].attrib) == root.attrib, where


@pytest.mark.parametrize("examples", GROUPS[::15])
def test_examples_in_small_chunks(xml, examples):
    for example in examples:
        data = stream_of(example)
        whole = read(xml, [data], see=outline)
        for size in (1, 7):
            chunks = (data[i : i + size] for i in range(0, len(data), size))
            assert read(xml, chunks, see=outline) == whole
