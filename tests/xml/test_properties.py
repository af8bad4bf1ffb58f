"""Two invariants, on any input at all.

However the bytes are cut, a parser gives the same events and the same error. And both backends,
with every kernel, agree in everything that can be observed.
"""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import (
    NAMESPACES,
    elements,
    inputs,
    low_limits,
    markup,
    mutated,
    pieces,
    restarts,
    streams,
    texts,
)
from streams import bytewise, content, describe, fault, outline, read

MANY = settings(max_examples=settings().max_examples * 3)


def limits_of(xml, low):
    """Limits with some low bounds."""
    return None if low is None else xml.Limits(**low)


# However it is cut


@MANY
@given(data=st.data(), source=inputs, low=low_limits, restart_after=restarts)
def test_chunks_make_no_difference(backend, data, source, low, restart_after):
    chunks = data.draw(pieces(source))
    for xml in backend:
        limits = limits_of(xml, low)
        whole = read(xml, [source], limits=limits, restart_after=restart_after)
        assert read(xml, chunks, limits=limits, restart_after=restart_after) == whole


@given(source=streams())
def test_chunks_of_a_stream(backend, source):
    for xml in backend:
        whole = read(xml, [source])
        assert read(xml, bytewise(source)) == whole
        size = max(1, len(source) // 3)
        for start in range(1, min(size, 20)):
            rest = [source[i : i + size] for i in range(start, len(source), size)]
            reading = read(xml, [source[:start], *rest], see=outline)
            assert reading.events == [event[:2] for event in whole.events]


@given(source=streams(), restart_after=restarts)
def test_raw_pieces_and_white_space_are_the_input(backend, source, restart_after):
    for xml in backend:
        reading = read(xml, [source], see=outline, restart_after=restart_after)
        position = 0
        for _, raw in reading.events:
            at = source.index(raw, position)
            assert source[position:at].strip(b" \t\r\n") == b""
            position = at + len(raw)
        if reading.fault is None:
            assert source[position:].strip(b" \t\r\n") == b""


# Expat as the judge


def judged(backend, source):
    """That what is accepted is accepted by expat, with the same content."""
    for xml in backend:
        try:
            stanza = xml.parse(source)
        except xml.StreamError:
            continue
        assert content(stanza) == content(ET.fromstring(source))


@MANY
@given(source=mutated(markup().map(str.encode)))
def test_nothing_is_accepted_that_expat_rejects(backend, source):
    judged(backend, source)


@MANY
@given(source=st.text(st.characters(codec="utf-8"), max_size=30))
def test_any_text_in_an_element(backend, source):
    judged(backend, f"<a>{source}</a>".encode())


@MANY
@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=3))
def test_any_name(backend, name):
    for document in (f"<{name}/>", f"<a {name}=''/>", f"<x{name}/>", f"<x:{name} xmlns:x='u'/>"):
        judged(backend, document.encode())


# Both backends


def agree(expat, kernels, observed):
    """That what is observed of every kernel is what is observed of the expat backend."""
    expected = observed(expat)
    for xml in kernels:
        assert observed(xml) == expected


@MANY
@given(data=st.data(), source=inputs, low=low_limits, restart_after=restarts)
def test_backends_agree_on_streams(expat, kernels, data, source, low, restart_after):
    chunks = data.draw(pieces(source))

    def observed(xml):
        limits = limits_of(xml, low)
        return read(xml, chunks, limits=limits, restart_after=restart_after, see=describe)

    agree(expat, kernels, observed)


@MANY
@given(
    source=st.one_of(
        inputs, mutated(markup().map(str.encode)), mutated(st.sampled_from([b"<a/>", b"<a>x</a>"]))
    ),
    low=low_limits,
)
def test_backends_agree_on_parse(expat, kernels, source, low):
    def observed(xml):
        keywords = {} if low is None else {"limits": limits_of(xml, low)}
        try:
            return describe(xml.parse(source, **keywords))
        except xml.StreamError as error:
            return fault(error)

    agree(expat, kernels, observed)


@MANY
@given(
    source=st.one_of(inputs, st.sampled_from([b"<\0", b"<a>\xc3(", b"<a></a>\xe2\x82", b"\xc3("])),
    wide=st.text(st.characters(codec="utf-8"), max_size=3),
)
def test_backends_agree_on_bytes(expat, kernels, source, wide):
    """Anything in front of a stream, inside it, and behind it."""
    for data in (source + wide.encode(), b"<a>" + source, b"<a><b>" + source, b"<a/>" + source):
        agree(expat, kernels, lambda xml, data=data: read(xml, [data]))


@given(
    source=streams(),
    cuts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 4)), max_size=6),
)
def test_backends_agree_on_unread_events(expat, kernels, source, cuts):
    """Feed pieces, read some events only, feed more, close."""

    def observed(xml):
        parser = xml.StreamParser()
        trace = []
        position = 0
        try:
            for size, take in cuts:
                iterator = parser.feed(source[position : position + size])
                position += size
                trace.extend(outline(event) for event in itertools.islice(iterator, take))
                trace.append("fed")
            trace.extend(outline(event) for event in parser.feed(source[position:]))
            parser.close()
        except xml.StreamError as error:
            # It may be noticed with the end of the tag it is in, or before.
            return [entry for entry in trace if entry != "fed"], fault(error)
        return trace

    agree(expat, kernels, observed)


@given(
    tree=elements,
    xmlns=st.one_of(st.none(), st.sampled_from(NAMESPACES)),
    prefixes=st.dictionaries(
        st.sampled_from(["p", "q", "ns0", "ns1", "\u00e9"]), st.sampled_from(NAMESPACES)
    ),
)
def test_backends_write_the_same(expat, kernels, tree, xmlns, prefixes):
    agree(expat, kernels, lambda xml: xml.tostring(tree, xmlns=xmlns, prefixes=prefixes))


@given(text=st.text())
def test_backends_escape_the_same(expat, kernels, text):
    def observed(xml):
        try:
            return xml.escape(text)
        except ValueError:
            return ValueError

    agree(expat, kernels, observed)


@given(
    source=markup(),
    changes=st.fixed_dictionaries(
        {},
        optional={
            "to": st.one_of(st.none(), texts),
            "from_": st.one_of(st.none(), texts),
            "xmlns": st.one_of(st.none(), st.sampled_from(NAMESPACES)),
        },
    ),
)
def test_backends_forward_the_same(expat, kernels, source, changes):
    header = b"<s xmlns='urn:default' xmlns:stream='urn:header' xmlns:p='urn:p&amp;'>"

    def observed(xml):
        try:
            _, stanza = xml.StreamParser().feed(header + source.encode())
        except xml.StreamError as error:
            return fault(error)
        return stanza.forward(**changes), xml.tostring(stanza), [e.raw for e in stanza.iter()]

    agree(expat, kernels, observed)


@given(source=markup(), path=st.sampled_from(["*", ".//*", ".//a", "{urn:a}*", "*[@to]", "*[1]"]))
def test_backends_find_the_same(expat, kernels, source, path):
    def observed(xml):
        try:
            stanza = xml.parse(source)
        except xml.StreamError as error:
            return fault(error)
        return [content(e) for e in stanza.findall(path)], stanza.findtext(path)

    agree(expat, kernels, observed)
