"""The element stream beside domish's own."""

from __future__ import annotations

from typing import Any

import pytest
from captured import chunks, examples, kinds_of_stanzas, splits, streams
from hosts import host
from shared_data import needs_data

domish: Any = host("twisted.words.xish.domish")
adapter: Any = host("xmppfast.adapters.domish")

Stock: Any = domish.ExpatElementStream


def described(element):
    """All there is in an element, in order."""
    found = dict(vars(element))
    assert type(element) is domish.Element
    parent = found.pop("parent")
    children = found.pop("children")
    assert all(child.parent is element for child in children if not isinstance(child, str))
    return (
        [(key, list(v.items()) if isinstance(v, dict) else v) for key, v in found.items()],
        None if parent is None else parent.name,
        [child if isinstance(child, str) else described(child) for child in children],
    )


class Seen(list):
    """The events of a stream."""

    def of(self, stream):
        """Note the events of this stream from now on."""
        stream.DocumentStartEvent = lambda e: self.append(("start", described(e)))
        stream.ElementEvent = lambda e: self.append(("element", described(e)))
        stream.DocumentEndEvent = lambda: self.append("end")
        return stream


def read(make, pieces):
    """The events, and whether an error ended them."""
    seen = Seen()
    stream = seen.of(make())
    try:
        for piece in pieces:
            stream.parse(piece)
    except domish.ParserError:
        return list(seen), True
    return list(seen), False


def compatible():
    return adapter.ElementStream(compat=True)


@needs_data
@pytest.mark.parametrize("size", [7, 4096, 1 << 30])
def test_recorded_streams(size):
    count = 0
    for stream in streams():
        if stream.name.startswith("errors-"):  # what XMPP forbids, some of it good XML
            continue
        pieces = list(chunks(stream.data, size))
        # At once, as otherwise it may hold something back.
        assert read(adapter.ElementStream, pieces) == read(Stock, [stream.data]), stream.name
        count += 1
    assert count > 100


@needs_data
def test_examples_of_the_xeps():
    for example in examples():
        if not example.strict:
            assert read(adapter.ElementStream, [example.stream])[1], example
        if example.compatible:
            make = adapter.ElementStream if example.strict else compatible
            assert read(make, [example.stream]) == read(Stock, [example.stream]), example
    assert len(examples()) > 3000


@needs_data
def test_every_split_of_every_kind_of_recorded_stanza():
    made: dict[bytes, Any] = {}
    for header, stanza in kinds_of_stanzas():
        if header not in made:
            got: list[Any] = []
            stream = adapter.ElementStream()
            stream.DocumentStartEvent = stream.ElementEvent = got.append
            stream.parse(header)
            made[header] = stream, got
            assert len(got) == 1
        stream, got = made[header]
        for cut in splits(stanza):
            got.clear()
            stream.parse(stanza[:cut])
            assert len(got) == (cut == len(stanza)), (stanza, cut)
            stream.parse(stanza[cut:])
            assert len(got) == 1, (stanza, cut)
    assert len(made) > 20


HEADER = b"<?xml version='1.0'?><s:s xmlns='c' xmlns:s='st' xmlns:p='urn:p' s:a='1' b='2'>"


@pytest.mark.parametrize(
    "stanza",
    [
        b"<a/>",
        b"<a xmlns=''/>",
        b"<a xmlns=''><p:b/><b/><b xmlns='d'><p:c/></b></a>",
        b"<p:a xmlns=''/>",
        b"<q:a xmlns='' xmlns:q='urn:q'><q:b/></q:a>",
        b"<p:a xmlns='x' xmlns:q='urn:q'><q:b q:c='1' d='2' p:e='3' xml:lang='f'/></p:a>",
        b"<a>1<![CDATA[]]><b/>2<![CDATA[<&]]>3&amp;&#x1F600;<b>4</b>\r\n5</a>",
        b"<a><![CDATA[]]></a>",
        b"<a b='&lt; \t&#9;\n'>\r</a>",
        "<\u00e9 \u00fc='\u65e5'>\U0001f600</\u00e9>".encode(),
        b" \n<a/> \n",
        b"<a><a><a><b/></a></a>x</a>",
        b"<a xml:lang='de'/></s:s>",
    ],
    ids=repr,
)
def test_elements(stanza):
    data = HEADER + stanza
    expected = read(Stock, [data])
    assert not expected[1]
    assert len(expected[0]) >= 2
    assert read(adapter.ElementStream, [data]) == expected
    for at in range(1, len(data)):
        assert read(adapter.ElementStream, [data[:at], data[at:]]) == expected
    assert read(adapter.ElementStream, [data.decode()]) == expected
    assert read(adapter.ElementStream, [bytearray(HEADER), stanza.decode()]) == expected


@pytest.mark.parametrize(
    "wrong", [b"</b>", b"<b></a>", b"<b c='1' c='2'/>", b"<q:b/>", b"&x;", b"]]>", b"\0", b"\xff"]
)
def test_errors_come_after_the_events_before_them(wrong):
    data = HEADER + b"<a/><x>" + wrong + b"</x>"
    assert read(adapter.ElementStream, [data]) == read(Stock, [data])
    assert read(adapter.ElementStream, [data])[1]
    stream = Seen().of(adapter.ElementStream())
    for _ in range(2):
        with pytest.raises(domish.ParserError, match=r": line 1, column \d+$"):
            stream.parse(data)


ASIDES = [b"<!-- x -->", b"<?x y?>", b"text", b"<a><!-- x --></a>", b"<a>1<?x?>2</a>"]


@pytest.mark.parametrize("aside", ASIDES)
def test_what_domish_passes_over_is_refused_by_default(aside):
    data = HEADER + aside + b"<b>\n<c/>\n</b>"
    assert not read(Stock, [data])[1]
    assert read(adapter.ElementStream, [data])[1]
    assert read(compatible, [data]) == read(Stock, [data])
    for at in range(1, len(data)):
        assert read(compatible, [data[:at], data[at:]]) == read(Stock, [data])


def test_text_between_stanzas_is_never_an_event():
    data = HEADER + b"x&amp;<a/>y<b><c/></b>z<![CDATA[<]]></s:s>"
    assert read(compatible, [data]) == read(Stock, [data])


def test_a_byte_order_mark():
    assert read(compatible, [b"\xef\xbb\xbf" + HEADER]) == read(Stock, [b"\xef\xbb\xbf" + HEADER])
    assert read(adapter.ElementStream, [b"\xef\xbb\xbf" + HEADER]) == ([], True)


def test_most_elements():
    for make in Stock, adapter.ElementStream:
        stream = Seen().of(make())
        stream.maxElementCount = 3
        stream.parse(b"<s><a><b/><b/></a><a><b/>")
        assert stream.elementCount == 2
        stream.parse(b"<b/>")
        with pytest.raises(domish.ParserError, match="Maximum element count exceeded"):
            stream.parse(b"<b/>")


def test_largest_stanza():
    for make in Stock, adapter.ElementStream:
        stream = Seen().of(make())
        stream.maxStanzaSize = 20
        stream.parse(b"<s><a>123456789</a>")
        assert stream.stanzaSize == 0
        stream.parse(b"<a>12345678901234567")
        assert stream.stanzaSize == 20
        with pytest.raises(domish.ParserError, match="Maximum stanza size exceeded"):
            stream.parse(b"1")
    assert (adapter.ElementStream.maxStanzaSize, adapter.ElementStream.maxElementCount) == (
        Stock.maxStanzaSize,
        Stock.maxElementCount,
    )


def test_events_are_looked_up_each_time():
    first, second = Seen(), Seen()
    stream = first.of(adapter.ElementStream())
    stream.ElementEvent = lambda e: second.of(stream)
    stream.parse(b"<s><a/><b/></s>")
    assert [first[0][0], second[0][0], second[1]] == ["start", "element", "end"]


def test_without_events_it_fails_as_domish_does():
    for make in Stock, adapter.ElementStream:
        with pytest.raises(TypeError, match="not callable"):
            make().parse(b"<s>")


@pytest.mark.parametrize("make", [Stock, adapter.ElementStream])
def test_an_event_may_replace_the_stream(make):
    """As XmlStream.reset does after TLS and SASL."""
    old, new = Seen(), Seen()
    streams = [old.of(make())]
    streams[0].ElementEvent = lambda e: streams.append(new.of(make()))
    streams[0].parse(b"<s><proceed/>")
    streams[-1].parse(b"<s><a/>")
    assert [kind for kind, _ in old] == ["start"]
    assert [kind for kind, _ in new] == ["start", "element"]


def test_an_event_that_raises():
    for make in Stock, adapter.ElementStream:
        stream = Seen().of(make())
        stream.ElementEvent = [].pop
        with pytest.raises(TypeError):
            stream.parse(b"<s><a/><b/>")


def test_install():
    assert isinstance(domish.elementStream(), Stock)
    with adapter.installed():
        assert isinstance(domish.elementStream(), adapter.ElementStream)
        assert domish.SerializerClass is adapter.ListSerializer
        assert domish.Element(("a", "b")).toXml() == "<b xmlns='a'/>"
        wokkel = host("wokkel.generic")
        assert wokkel.parseXml(b"<a xmlns='b'><c/></a>").toXml() == "<a xmlns='b'><c/></a>"
    assert isinstance(domish.elementStream(), Stock)
    assert domish.SerializerClass is domish._ListSerializer
    with adapter.installed(compat=True):
        assert isinstance(domish.elementStream(), adapter.ElementStream)
