"""The project's own conformance cases: streams.md, edges.md, refusals.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from streams import bytewise, content, error_definitions, every_split, read

PAGES = [Path(__file__).with_name(f"{name}.md") for name in ("streams", "edges", "refusals")]
CASE = re.compile(r"^## (.*?)\n.*?^```input\n(.*?)^```\n```events\n(.*?)^```", re.M | re.S)
ESCAPES = {rb"\n": b"\n", rb"\r": b"\r", rb"\t": b"\t", rb"\\": b"\\"}
CODES = {error: code for code, error in error_definitions().items()}


def unescape(source: str) -> bytes:
    """The bytes that an input block stands for."""
    return re.sub(
        rb"\\(?:x([0-9a-f]{2})|.)",
        lambda m: bytes([int(m[1], 16)]) if m[1] else ESCAPES[m[0]],
        source.encode().replace(b"\n", b""),
    )


def tree(event) -> list[str]:
    """An event's attributes and content as indented lines."""
    lines = []
    for level, tag, attributes, text, tail in content(event):
        margin = "    " * level
        if level:
            lines.append(f"{margin}{tag}")
        lines += [f"{margin}    {name} = {json.dumps(value)}" for name, value in attributes]
        if text is not None:
            lines.append(f"{margin}    text {json.dumps(text)}")
        if tail is not None:
            lines.append(f"{margin}    tail {json.dumps(tail)}")
    return lines


def seen(event) -> tuple[bytes, str, list[str]]:
    """Bytes, title and lines of an event."""
    match type(event).__name__:
        case "StreamStart":
            lines = [f"    {name} = {json.dumps(value)}" for name, value in event.attrib.items()]
            lines += [f"    xmlns:{p} = {json.dumps(n)}" for p, n in event.prefixes.items()]
            if event.default_namespace is not None:
                lines.append(f"    xmlns = {json.dumps(event.default_namespace)}")
            return event.raw, f"StreamStart {event.tag}", lines
        case "Stanza":
            return event.raw, f"Stanza {event.tag}", tree(event)
        case kind:
            return event.raw, kind, []


def page_of(reading, data: bytes) -> str:
    """A reading as an events block has it."""
    lines = []
    position = 0
    for raw, title, details in reading.events:
        at = data.index(raw, position) if raw else position
        lines += [f"{at}+{len(raw)} {title}", *details]
        position = at + len(raw)
    if reading.fault is not None:
        code = CODES[reading.fault.condition, reading.fault.text]
        lines.append(f"{reading.fault.offset} error {code}")
    return "".join(f"{line}\n" for line in lines)


TEXT = "".join(page.read_text("utf-8") for page in PAGES)
CASES = [pytest.param(*m.groups()[1:], id=m[1]) for m in CASE.finditer(TEXT)]


def test_the_pages_have_cases():
    assert len(CASES) == TEXT.count("\n## ") > 100


@pytest.mark.parametrize(("source", "events"), CASES)
def test_case(xml, source, events):
    data = unescape(source)
    whole = read(xml, [data], see=seen)
    assert page_of(whole, data) == events
    assert read(xml, bytewise(data), see=seen) == whole
    for chunks in every_split(data):
        assert read(xml, chunks, see=seen) == whole
