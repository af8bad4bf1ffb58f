"""Two invariants, on any input at all.

However the bytes are cut, a parser gives the same events and the same error. And both backends,
with every kernel, agree in everything that can be observed.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import example, given, settings
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

MANY = settings(max_examples=settings().max_examples * 4)


def limits_of(xml, low):
    """Limits with some low bounds."""
    return None if low is None else xml.Limits(**low)


# One implementation, different chunks


@MANY
@given(data=st.data(), source=inputs, low=low_limits, restart_after=restarts)
def test_chunks_make_no_difference(xml, data, source, low, restart_after):
    limits = limits_of(xml, low)
    whole = read(xml, [source], limits=limits, restart_after=restart_after)
    chunks = data.draw(pieces(source))
    assert read(xml, chunks, limits=limits, restart_after=restart_after) == whole


@given(source=streams())
def test_chunks_of_a_stream(xml, source):
    whole = read(xml, [source])
    assert read(xml, bytewise(source)) == whole
    size = max(1, len(source) // 3)
    for start in range(1, min(size, 40)):
        chunks = [source[:start], *(source[i : i + size] for i in range(start, len(source), size))]
        assert read(xml, chunks, see=outline).events == [event[:2] for event in whole.events]


@given(source=streams(), restart_after=restarts)
def test_raw_pieces_and_white_space_are_the_input(xml, source, restart_after):
    reading = read(xml, [source], see=outline, restart_after=restart_after)
    position = 0
    for _, raw in reading.events:
        at = source.index(raw, position)
        assert source[position:at].strip(b" \t\r\n") == b""
        position = at + len(raw)
    if reading.fault is None:
        assert source[position:].strip(b" \t\r\n") == b""


@MANY
@given(source=mutated(markup().map(str.encode)))
def test_nothing_is_accepted_that_expat_rejects(xml, source):
    try:
        stanza = xml.parse(source)
    except xml.StreamError:
        return
    assert content(stanza) == content(ET.fromstring(source))


@MANY
@given(source=st.text(max_size=30))
def test_any_text_in_an_element(xml, source):
    document = f"<a>{source}</a>"
    try:
        stanza = xml.parse(document)
    except (xml.StreamError, UnicodeEncodeError):
        return
    assert content(stanza) == content(ET.fromstring(document.encode()))


@MANY
@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=3))
def test_any_name(xml, name):
    for document in (f"<{name}/>", f"<a {name}=''/>", f"<x{name}/>", f"<x:{name} xmlns:x='u'/>"):
        try:
            stanza = xml.parse(document)
        except xml.StreamError:
            continue
        assert content(stanza) == content(ET.fromstring(document.encode()))


# Both backends


def reading_of(xml, source, chunks, low, restart_after):
    """All that can be observed."""
    return read(xml, chunks, limits=limits_of(xml, low), restart_after=restart_after, see=describe)


@MANY
@given(data=st.data(), source=inputs, low=low_limits, restart_after=restarts)
@example(data=None, source=b"<a>\xc3(</a>", low=None, restart_after=frozenset())
@example(data=None, source=b"<a>\xe2\x82", low=None, restart_after=frozenset())
@example(data=None, source=b"<a>\xe2(", low=None, restart_after=frozenset())
@example(data=None, source=b"\xc3(", low=None, restart_after=frozenset())
@example(data=None, source=b"<a></a>\xe2\x82", low=None, restart_after=frozenset())
def test_backends_agree_on_streams(compiled, expat, data, source, low, restart_after):
    chunks = [source] if data is None else data.draw(pieces(source))
    expected = reading_of(expat, source, [source], low, restart_after)
    assert reading_of(compiled, source, chunks, low, restart_after) == expected


def parsed(xml, source, low):
    """What parse gives or raises."""
    try:
        stanza = xml.parse(source, **({} if low is None else {"limits": limits_of(xml, low)}))
    except xml.StreamError as error:
        return fault(error)
    return describe(stanza)


@MANY
@given(
    source=st.one_of(
        inputs, mutated(markup().map(str.encode)), mutated(st.sampled_from([b"<a/>", b"<a>x</a>"]))
    ),
    low=low_limits,
)
def test_backends_agree_on_parse(compiled, expat, source, low):
    assert parsed(compiled, source, low) == parsed(expat, source, low)


def script(xml, source, cuts):
    """A trace of calls: feed the pieces, read some events only, feed more, close."""
    parser = xml.StreamParser()
    trace = []
    position = 0
    for size, take in cuts:
        iterator = parser.feed(source[position : position + size])
        position += size
        for _ in range(take):
            event = next(iterator, None)
            trace.append(None if event is None else outline(event))
    try:
        trace.extend(outline(event) for event in parser.feed(source[position:]))
        parser.close()
    except xml.StreamError as error:
        trace.append(fault(error))
    return trace


@given(
    source=streams().filter(lambda s: b"]]>" not in s),
    cuts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 4)), max_size=6),
)
def test_backends_agree_on_unread_events(compiled, expat, source, cuts):
    def trace(xml):
        try:
            return script(xml, source, cuts)
        except xml.StreamError as error:
            return fault(error)

    assert trace(compiled) == trace(expat)


@given(
    tree=elements,
    xmlns=st.one_of(st.none(), st.sampled_from(NAMESPACES)),
    prefixes=st.dictionaries(
        st.sampled_from(["p", "q", "ns0", "ns1", "\u00e9"]), st.sampled_from(NAMESPACES)
    ),
)
def test_backends_write_the_same(compiled, expat, tree, xmlns, prefixes):
    ours = compiled.tostring(tree, xmlns=xmlns, prefixes=prefixes)
    assert ours == expat.tostring(tree, xmlns=xmlns, prefixes=prefixes)


@given(text=st.text())
def test_backends_escape_the_same(compiled, expat, text):
    def escaped(xml):
        try:
            return xml.escape(text)
        except ValueError:
            return ValueError

    assert escaped(compiled) == escaped(expat)


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
def test_backends_forward_the_same(compiled, expat, source, changes):
    header = b"<s xmlns='urn:default' xmlns:stream='urn:header' xmlns:p='urn:p&amp;'>"

    def forwarded(xml):
        try:
            _, stanza = xml.StreamParser().feed(header + source.encode())
        except xml.StreamError as error:
            return fault(error)
        return stanza.forward(**changes), xml.tostring(stanza), [e.raw for e in stanza.iter()]

    assert forwarded(compiled) == forwarded(expat)


@given(source=markup(), path=st.sampled_from(["*", ".//*", ".//a", "{urn:a}*", "*[@to]", "*[1]"]))
def test_backends_find_the_same(compiled, expat, source, path):
    def found(xml):
        try:
            stanza = xml.parse(source)
        except xml.StreamError as error:
            return fault(error)
        return [content(e) for e in stanza.findall(path)], stanza.findtext(path)

    assert found(compiled) == found(expat)
