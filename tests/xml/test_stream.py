"""The event API: bytes of a stream in, StreamStart, Stanza and StreamEnd out."""

from __future__ import annotations

import array
import copy
import pickle
from types import MappingProxyType

import pytest
from streams import FOOTER, HEADER, STREAM, bytewise, content, place, read, stanzas

CLIENT = "jabber:client"
STREAMS = "http://etherx.jabber.org/streams"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"


def events(xml, *chunks):
    """All events of one parser."""
    parser = xml.StreamParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


def first(xml, data):
    """The first event of a stream."""
    return next(iter(xml.StreamParser().feed(data)))


# The sequence of events


def test_a_stream_from_header_to_end(xml):
    start, stanza, end = events(xml, HEADER + b"<presence/>" + FOOTER)
    assert isinstance(start, xml.StreamStart)
    assert isinstance(stanza, xml.Stanza)
    assert isinstance(stanza, xml.Element)
    assert isinstance(end, xml.StreamEnd)
    assert (start.raw, stanza.raw, end.raw) == (HEADER, b"<presence/>", FOOTER)


def test_an_event_comes_with_the_byte_that_completes_it(xml):
    parser = xml.StreamParser()
    data = HEADER + b"<presence/><iq id='1'><a/></iq>\n<r xmlns='urn:xmpp:sm:3'/>" + FOOTER
    came = {
        at: type(event).__name__
        for at, byte in enumerate(bytewise(data), 1)
        for event in parser.feed(byte)
    }
    ends = [len(HEADER), data.index(b"<iq"), data.index(b"\n"), data.index(FOOTER), len(data)]
    kinds = ["StreamStart", "Stanza", "Stanza", "Stanza", "StreamEnd"]
    assert came == dict(zip(ends, kinds, strict=True))


def test_an_end_tag_with_white_space_ends_with_its_last_byte(xml):
    parser = xml.StreamParser()
    assert len(list(parser.feed(HEADER + b"<a></a \n"))) == 1
    (stanza,) = parser.feed(b">")
    assert stanza.raw == b"<a></a \n>"


def test_events_are_tokenized_as_they_are_read(xml):
    parser = xml.StreamParser()
    iterator = parser.feed(HEADER + b"<a/><b/><!-- error, not reached yet")
    assert isinstance(next(iterator), xml.StreamStart)
    assert next(iterator).name == "a"
    assert next(iterator).name == "b"
    with pytest.raises(xml.StreamError):
        next(iterator)


def test_the_iterator_is_its_own_iterator(xml):
    iterator = xml.StreamParser().feed(HEADER)
    assert iter(iterator) is iterator


def test_unread_input_keeps_its_order(xml):
    """The iterator has read the first piece to its end, and nothing of the second."""
    parser = xml.StreamParser()
    parser.feed(b"<a>")
    next(parser.feed(b"<b"))
    assert [event.raw for event in parser.feed(b"/>")] == [b"<b/>"]


def test_what_an_iterator_leaves_unread_the_next_one_begins_with(xml):
    parser = xml.StreamParser()
    next(parser.feed(HEADER + b"<a/><b/>"))
    assert [e.name for e in parser.feed(b"<c/>")] == ["a", "b", "c"]


def test_feed_without_reading_keeps_the_bytes(xml):
    parser = xml.StreamParser()
    for byte in bytewise(HEADER + b"<a/>"):
        parser.feed(byte)
    assert [type(e).__name__ for e in parser.feed(b"<b/>")] == ["StreamStart", "Stanza", "Stanza"]


def test_feed_inside_the_loop(xml):
    parser = xml.StreamParser()
    seen = []
    for event in parser.feed(HEADER + b"<a/><c/>"):
        seen.append(event)
        if getattr(event, "name", None) == "a":
            parser.feed(b"<d/>")
    seen += parser.feed(b"")
    assert [e.name for e in seen] == ["stream", "a", "c", "d"]


def test_feed_and_read_inside_the_loop(xml):
    parser = xml.StreamParser()
    seen = []
    for event in parser.feed(HEADER + b"<a/><b"):
        seen.append(event)
        if getattr(event, "name", None) == "a":
            seen += parser.feed(b"/><c/>")
    assert [e.name for e in seen] == ["stream", "a", "b", "c"]


def test_no_bytes_no_events(xml):
    parser = xml.StreamParser()
    assert list(parser.feed(b"")) == []
    assert list(parser.feed("")) == []
    parser.close()


# What can be fed


@pytest.mark.parametrize(
    "make",
    [
        bytes,
        bytearray,
        memoryview,
        lambda data: memoryview(bytearray(data)),
        lambda data: memoryview(bytes(b for c in data for b in (c, 0)))[::2],
        lambda data: memoryview(data[::-1])[::-1],
        lambda data: array.array("B", data),
        lambda data: array.array("b", data),
        lambda data: memoryview(data).cast("c"),
        lambda data: data.decode(),
    ],
    ids=[
        "bytes",
        "bytearray",
        "memoryview",
        "writable memoryview",
        "strided memoryview",
        "reversed memoryview",
        "array",
        "signed array",
        "chars",
        "str",
    ],
)
def test_kinds_of_chunks(xml, make):
    data = HEADER + "<message><body>h\u00e9\U0001f600</body></message>".encode() + FOOTER
    expected = read(xml, [data])
    assert read(xml, [make(data)]) == expected
    assert expected.fault is None
    assert len(expected.events) == 3


def test_a_wide_array_is_fed_as_its_bytes(xml):
    data = HEADER + b"<presence/>"
    data += b" " * (-len(data) % 4)
    assert [type(e).__name__ for e in events(xml, array.array("I", data))] == [
        "StreamStart",
        "Stanza",
    ]


def test_str_counts_in_bytes(xml):
    with pytest.raises(xml.StreamError) as caught:
        events(xml, HEADER.decode() + "<a>\u00e9\U0001f600</b>")
    assert caught.value.offset == len(HEADER) + 3 + 2 + 4


@pytest.mark.parametrize(
    "chunk", [None, 1, 1.5, ["<a/>"], object()], ids=lambda c: type(c).__name__
)
def test_other_types_are_refused(xml, chunk):
    parser = xml.StreamParser()
    with pytest.raises(TypeError):
        parser.feed(chunk)
    assert len(list(parser.feed(HEADER))) == 1


def test_a_buffer_may_change_after_feed(xml):
    parser = xml.StreamParser()
    buffer = bytearray(HEADER + b"<a b='c'>text</a><d/>")
    iterator = parser.feed(buffer)
    next(iterator)
    buffer[:] = b"\0" * len(buffer)
    buffer.clear()
    stanza, second = iterator
    assert (stanza.raw, second.raw) == (b"<a b='c'>text</a>", b"<d/>")
    assert (stanza.get("b"), stanza.text) == ("c", "text")


def test_a_buffer_may_change_between_parts_of_a_stanza(xml):
    parser = xml.StreamParser()
    buffer = bytearray(1)
    seen = []
    for byte in HEADER + b"<a b='c'><d>text</d></a>":
        buffer[0] = byte
        seen += parser.feed(buffer)
        buffer[0] = 0
    assert seen[1].raw == b"<a b='c'><d>text</d></a>"
    assert seen[1].findtext("{jabber:client}d") == "text"


# The stream header


def test_the_stream_header(xml):
    raw = (
        b"<?xml version='1.0'?>\n<stream:stream from='juliet@im.example.com' to='im.example.com'"
        b" id='++TR84Sm6A3hnt3Q065SnAbbk3Y=' version='1.0' xml:lang='en' xmlns='jabber:client'"
        b" xmlns:stream='http://etherx.jabber.org/streams' stream:x='y'>"
    )
    start = first(xml, raw)
    assert start.tag == STREAM
    assert start.name == "stream"
    assert start.xmlns == STREAMS
    assert start.from_ == "juliet@im.example.com"
    assert start.to == "im.example.com"
    assert start.id == "++TR84Sm6A3hnt3Q065SnAbbk3Y="
    assert start.version == "1.0"
    assert start.lang == "en"
    assert start.default_namespace == CLIENT
    assert start.content_namespace == CLIENT
    assert dict(start.prefixes) == {"stream": STREAMS}
    assert list(start.attrib.items()) == [
        ("from", "juliet@im.example.com"),
        ("to", "im.example.com"),
        ("id", "++TR84Sm6A3hnt3Q065SnAbbk3Y="),
        ("version", "1.0"),
        (XML_LANG, "en"),
        (f"{{{STREAMS}}}x", "y"),
    ]
    assert start.get("to") == "im.example.com"
    assert start.get("nothing") is None
    assert start.get("nothing", 5) == 5
    assert start.get(XML_LANG) == "en"
    assert start.raw == raw


def test_a_bare_header(xml):
    start = first(xml, b"<body>")
    assert (start.tag, start.name, start.xmlns) == ("body", "body", None)
    assert start.to is start.from_ is start.id is start.version is start.lang is None
    assert start.default_namespace is None
    assert start.content_namespace is None
    assert dict(start.prefixes) == {}
    assert dict(start.attrib) == {}


@pytest.mark.parametrize(
    ("header", "default", "content_namespace", "prefixes"),
    [
        # RFC 6120 section 4.8.2: the content namespace as default namespace, or by prefix.
        ("<s:stream xmlns:s='S' xmlns='jabber:client'>", CLIENT, CLIENT, {"s": "S"}),
        ("<stream xmlns='S' xmlns:c='jabber:client'>", "S", CLIENT, {"c": CLIENT}),
        ("<stream xmlns='S' xmlns:s='S' xmlns:c='C'>", "S", "C", {"s": "S", "c": "C"}),
        ("<stream xmlns='S' xmlns:c='C' xmlns:d='D'>", "S", "C", {"c": "C", "d": "D"}),
        ("<stream xmlns='S'>", "S", None, {}),
        ("<s:stream xmlns:s='S'>", None, None, {"s": "S"}),
        ("<s:stream xmlns:s='S' xmlns:c='C'>", None, None, {"s": "S", "c": "C"}),
        ("<s:stream xmlns:s='S' xmlns:db='D' xmlns='C'>", "C", "C", {"s": "S", "db": "D"}),
    ],
)
def test_content_namespace(xml, header, default, content_namespace, prefixes):
    start = first(xml, header)
    assert start.default_namespace == default
    assert start.content_namespace == content_namespace
    assert dict(start.prefixes) == prefixes


def test_an_emptied_default_namespace_is_none_of_the_stanzas(xml):
    start, stanza = events(xml, b"<s:s xmlns:s='S' xmlns=''><a/>")
    assert start.content_namespace is None
    assert (stanza.tag, stanza.xmlns) == ("a", None)


def test_a_prefixed_content_namespace(xml):
    _, stanza = events(
        xml, b"<stream xmlns='S' xmlns:c='jabber:client'><c:message><c:body>x</c:body></c:message>"
    )
    assert stanza.tag == "{jabber:client}message"
    assert stanza.name == "message"
    assert stanza.payload == "{jabber:client}body"


def test_any_root_opens_a_stream(xml):
    body = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1'><presence/></body>"
    start, stanza, end = events(xml, body)
    assert start.tag == "{http://jabber.org/protocol/httpbind}body"
    assert start.get("rid") == "1"
    assert stanza.tag == "{http://jabber.org/protocol/httpbind}presence"
    assert end.raw == b"</body>"


@pytest.mark.parametrize("header", [b"<a/>", b"<a />", b"<?xml version='1.0'?><a b='c'\n/>"])
def test_a_header_that_closes_itself(xml, header):
    start, end = events(xml, header)
    assert start.raw == header
    assert end.raw == b""
    assert start.tag == "a"


@pytest.mark.parametrize(
    "declaration",
    [
        "<?xml version='1.0'?>",
        '<?xml version="1.0"?>',
        "<?xml version='1.0' encoding='UTF-8'?>",
        "<?xml version='1.0' encoding='utf-8' standalone='yes'?>",
        "<?xml version='1.0' standalone='no'?>",
        "<?xml\n\tversion = '1.0'\r\n encoding\n=\n\"Utf-8\"  ?>",
    ],
)
@pytest.mark.parametrize("space", ["", "\n", " \t\r\n"])
def test_the_xml_declaration_belongs_to_the_header(xml, declaration, space):
    data = (declaration + space).encode() + HEADER
    expected = read(xml, [data])
    assert expected.fault is None
    assert expected.events[0][1] == data
    assert read(xml, bytewise(data)) == expected


@pytest.mark.parametrize("space", [" ", "\n", "\r\n\t "])
def test_white_space_before_the_header(xml, space):
    start, stanza = events(xml, space.encode() + HEADER + b"<a/>")
    assert start.raw == HEADER
    assert stanza.raw == b"<a/>"


@pytest.mark.parametrize("keepalive", [b" ", b"\n", b"\r\n", b"\t", b" \r\r\n" * 1000])
def test_white_space_between_stanzas_is_a_keepalive(xml, keepalive):
    data = keepalive.join([HEADER, b"<a/>", b"<b></b>", FOOTER, b""])
    reading = read(xml, [data])
    assert [event[1] for event in reading.events] == [HEADER, b"<a/>", b"<b></b>", FOOTER]
    assert reading.fault is None
    assert read(xml, bytewise(data)) == reading


# Stanzas


def test_a_stanza(xml):
    raw = (
        b"<message to='romeo@example.net' from='juliet@im.example.com/balcony' id='ktx72v49'"
        b" type='chat' xml:lang='en'><body>Art thou not Romeo?</body></message>"
    )
    (stanza,) = stanzas(xml, raw)
    assert stanza.tag == "{jabber:client}message"
    assert stanza.name == "message"
    assert stanza.xmlns == CLIENT
    assert stanza.to == "romeo@example.net"
    assert stanza.from_ == "juliet@im.example.com/balcony"
    assert stanza.id == "ktx72v49"
    assert stanza.type == "chat"
    assert stanza.lang == "en"
    assert stanza.payload == "{jabber:client}body"
    assert stanza.raw == raw
    assert type(stanza.raw) is bytes
    assert stanza.tail is None
    assert stanza.text is None
    assert list(stanza.attrib) == ["to", "from", "id", "type", XML_LANG]


def test_a_stanza_without_anything(xml):
    (stanza,) = stanzas(xml, b"<presence/>")
    assert stanza.to is stanza.from_ is stanza.id is stanza.type is stanza.lang is None
    assert stanza.payload is None
    assert stanza.text is None
    assert dict(stanza.attrib) == {}
    assert len(stanza) == 0
    assert stanza


def test_prefixed_attributes_are_not_the_stanzas_own(xml):
    (stanza,) = stanzas(xml, b"<iq xmlns:p='urn:p' p:to='a' p:from='b' p:id='c' p:type='d'/>")
    assert stanza.to is stanza.from_ is stanza.id is stanza.type is stanza.lang is None
    assert stanza.get("{urn:p}to") == "a"


def test_lang_is_not_inherited(xml):
    _, stanza = events(xml, b"<s xml:lang='en'><a><b xml:lang='de'/></a>")
    assert stanza.lang is None
    assert stanza[0].get(XML_LANG) == "de"


def test_payload_is_the_first_child(xml):
    (stanza,) = stanzas(xml, b"<iq>\n <q xmlns='urn:q'><r/></q><s/></iq>")
    assert stanza.payload == "{urn:q}q"


def test_no_tail_at_stream_level(xml):
    stanza, _ = stanzas(xml, b"<a/> \n <b/>")
    assert stanza.tail is None


def test_stanzas_outlive_their_parser(xml):
    parser = xml.StreamParser()
    kept = list(parser.feed(HEADER + b"<a b='1'><c>x</c></a>"))
    list(parser.feed(b"<d/>" * 5000))
    del parser
    assert kept[0].to == "example.org"
    assert kept[1].get("b") == "1"
    child = kept[1][0]
    del kept
    assert (child.text, child.raw, child.tag) == ("x", b"<c>x</c>", "{jabber:client}c")


# Content


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", None),
        ("x", "x"),
        ("&lt;&gt;&amp;&apos;&quot;", "<>&'\""),
        ("&#65;&#x41;&#x1F600;&#9;&#10;&#13;&#32;", "AA\U0001f600\t\n\r "),
        ("&#x00000000000000000000041;", "A"),
        ("&#xaBc;&#xABC;", "\u0abc\u0abc"),
        ("&#xD7FF;&#xE000;&#xFFFD;&#x10000;&#x10FFFF;", "\ud7ff\ue000\ufffd\U00010000\U0010ffff"),
        ("a\r\nb\rc\nd\r\r\ne", "a\nb\nc\nd\n\ne"),
        ("\r", "\n"),
        ("&#13;\n", "\r\n"),
        ("\r&#10;", "\n\n"),
        ("<![CDATA[]]>", None),
        ("<![CDATA[<a>&amp;]]]]><![CDATA[>]]>", "<a>&amp;]]>"),
        ("a<![CDATA[b]]>c<![CDATA[]]>d", "abcd"),
        ("<![CDATA[\r\n]]>\r<![CDATA[\n]]>", "\n\n\n"),
        ("<![CDATA[]]]]>", "]]"),
        ("<![CDATA[]]]>", "]"),
        ("]] >]>", "]] >]>"),
        ("]]&gt;", "]]>"),
        ("'\">/=", "'\">/="),
        ("\x7f\x80\x85\u2028", "\x7f\x80\x85\u2028"),
        ("\ud7ff\ue000\ufffd\U0010ffff", "\ud7ff\ue000\ufffd\U0010ffff"),
        (" \t\n ", " \t\n "),
    ],
)
def test_text(xml, source, text):
    data = HEADER + f"<a>{source}<b/>{source}</a>".encode()
    for chunks in ([data], bytewise(data)):
        reading = read(xml, chunks)
        assert reading.fault is None
        rows = reading.events[1][-1]
        assert rows == [
            (0, "{jabber:client}a", [], text, None),
            (1, "{jabber:client}b", [], None, text),
        ]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("", ""),
        ("x", "x"),
        (" a\tb\nc\rd\r\ne\r\r\nf ", " a b c d e  f "),
        ("&#9;&#10;&#13;&#x20;", "\t\n\r "),
        ("&lt;&gt;&amp;&apos;&quot;", "<>&'\""),
        (">]]>/", ">]]>/"),
        ("\u00e9\u65e5\U0001f600", "\u00e9\u65e5\U0001f600"),
        ("\r&#10;", " \n"),
    ],
)
@pytest.mark.parametrize("quote", ["'", '"'])
def test_attribute_values(xml, source, value, quote):
    other = {"'": '"', '"': "'"}[quote]
    data = HEADER + f"<a b={quote}{source}{other}{quote} c=''/>".encode()
    for chunks in ([data], bytewise(data)):
        reading = read(xml, chunks)
        assert reading.fault is None
        assert reading.events[1][-1][0][2] == [("b", value + other), ("c", "")]


def test_white_space_inside_tags(xml):
    data = HEADER + b"<a\t\r\nb = 'c'\n\td\n=\r\"e\" \n><f\n/><g ></g\r\n\t></a >"
    for chunks in ([data], bytewise(data)):
        reading = read(xml, chunks)
        assert reading.fault is None
        assert reading.events[1][-1] == [
            (0, "{jabber:client}a", [("b", "c"), ("d", "e")], None, None),
            (1, "{jabber:client}f", [], None, None),
            (1, "{jabber:client}g", [], None, None),
        ]


def test_a_value_may_look_like_markup(xml):
    (stanza,) = stanzas(xml, b"<a b='/>' c=\"'\" d='\"' e='-->' f='?>' g='=\"'/>")
    assert list(stanza.attrib.values()) == ["/>", "'", '"', "-->", "?>", '="']


@pytest.mark.parametrize(
    "name", ["a", "_", "a-b.c_d1", "\u00e9t\u00e9", "\u65e5\u672c", "\u0391\u0301", "xml", "XMLfoo"]
)
def test_names(xml, name):
    (stanza,) = stanzas(xml, f"<{name} {name}='1' x:{name}='2' xmlns:x='u'/>".encode())
    assert stanza.name == name
    assert dict(stanza.attrib) == {name: "1", f"{{u}}{name}": "2"}


def test_namespaces(xml):
    (stanza,) = stanzas(
        xml,
        b"<a xmlns:p='P' p:x='1' x='2'><p:b xmlns:p='Q' p:x='3'/><p:b/><c xmlns='C'><d/></c>"
        b"<e xmlns=''><f g='4'/></e><h/></a>",
    )
    assert content(stanza) == [
        (0, "{jabber:client}a", [("{P}x", "1"), ("x", "2")], None, None),
        (1, "{Q}b", [("{Q}x", "3")], None, None),
        (1, "{P}b", [], None, None),
        (1, "{C}c", [], None, None),
        (2, "{C}d", [], None, None),
        (1, "e", [], None, None),
        (2, "f", [("g", "4")], None, None),
        (1, "{jabber:client}h", [], None, None),
    ]


def test_a_declaration_may_follow_its_use_and_hold_references(xml):
    (stanza,) = stanzas(xml, b"<p:a p:b='1' xmlns:p='u&amp;&#118;'/>")
    assert stanza.tag == "{u&v}a"
    assert stanza.xmlns == "u&v"
    assert dict(stanza.attrib) == {"{u&v}b": "1"}


def test_the_prefix_xml_is_always_bound(xml):
    (stanza,) = stanzas(
        xml,
        b"<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='en' xml:space='default'/>",
    )
    assert dict(stanza.attrib) == {
        XML_LANG: "en",
        "{http://www.w3.org/XML/1998/namespace}space": "default",
    }
    assert stanza.lang == "en"


def test_namespaces_of_one_stanza_end_with_it(xml):
    parser = xml.StreamParser()
    list(parser.feed(HEADER + b"<a xmlns:p='P'/>"))
    with pytest.raises(xml.StreamError, match="namespace prefix is not declared"):
        list(parser.feed(b"<p:a/>"))


# restart


def test_restart_inside_the_loop(xml):
    parser = xml.StreamParser()
    second = b"<?xml version='1.0'?>" + HEADER
    seen = []
    data = HEADER + b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + second + b"<presence/>"
    for event in parser.feed(data):
        seen.append(event)
        if getattr(event, "name", None) == "proceed":
            parser.restart()
    assert [type(e).__name__ for e in seen] == ["StreamStart", "Stanza", "StreamStart", "Stanza"]
    assert seen[2].raw == second


def test_restart_between_feeds(xml):
    parser = xml.StreamParser()
    list(parser.feed(HEADER + b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"))
    parser.restart()
    start, stanza = parser.feed(b"<other xmlns='urn:o'><a/>")
    assert start.tag == "{urn:o}other"
    assert stanza.tag == "{urn:o}a"


def test_restart_drops_namespaces_of_the_old_header(xml):
    parser = xml.StreamParser()
    list(parser.feed(b"<a xmlns:p='P' xmlns='D'><b/>"))
    parser.restart()
    start, stanza = parser.feed(b"<a><b/>")
    assert (start.tag, stanza.tag) == ("a", "b")
    with pytest.raises(xml.StreamError, match="not declared"):
        list(parser.feed(b"<p:b/>"))


def test_restart_after_the_end(xml):
    parser = xml.StreamParser()
    seen = []
    for event in parser.feed(b"<a><b/></a><c><d/></c>"):
        seen.append(type(event).__name__)
        if isinstance(event, xml.StreamEnd):
            parser.restart()
    assert seen == ["StreamStart", "Stanza", "StreamEnd"] * 2


def test_restart_after_a_header_that_closes_itself(xml):
    parser = xml.StreamParser()
    seen = []
    for event in parser.feed(b"<a/><b/>"):
        seen.append(type(event).__name__)
        if isinstance(event, xml.StreamEnd):
            parser.restart()
    assert seen == ["StreamStart", "StreamEnd"] * 2


def test_restart_right_after_the_header(xml):
    parser = xml.StreamParser()
    seen = []
    for event in parser.feed(b"<a><b><c/>"):
        seen.append(event.raw)
        if event.raw == b"<a>":
            parser.restart()
    assert seen == [b"<a>", b"<b>", b"<c/>"]


def test_restart_before_anything(xml):
    parser = xml.StreamParser()
    parser.restart()
    assert len(list(parser.feed(HEADER))) == 1


def test_restart_reads_an_xml_declaration_again(xml):
    parser = xml.StreamParser()
    list(parser.feed(b"<a>"))
    parser.restart()
    (start,) = parser.feed(b"<?xml version='1.0'?><b>")
    assert start.raw == b"<?xml version='1.0'?><b>"


def test_offsets_and_lines_count_over_restarts(xml):
    parser = xml.StreamParser()
    list(parser.feed(b"<a>\n<b/>\n"))
    parser.restart()
    data = b"\n<c>\n<d>\n </e>"
    with pytest.raises(xml.StreamError) as caught:
        list(parser.feed(data))
    error = caught.value
    whole = b"<a>\n<b/>\n" + data
    assert error.offset == whole.index(b"</e>")
    assert (error.line, error.column) == place(whole, error.offset) == (6, 2)


# close


def test_close_between_stanzas(xml):
    for data in (b"", b" ", HEADER, HEADER + b"<a/>", HEADER + b"<a/> ", HEADER + FOOTER):
        parser = xml.StreamParser()
        list(parser.feed(data))
        parser.close()


@pytest.mark.parametrize(
    "rest", [b"<", b"<a", b"<a ", b"<a b='", b"<a>", b"<a>x", b"<a/><b>&am", b"</", b"</stream:st"]
)
def test_close_inside_something(xml, rest):
    parser = xml.StreamParser()
    list(parser.feed(HEADER + rest))
    with pytest.raises(xml.StreamError) as caught:
        parser.close()
    error = caught.value
    assert error.condition is xml.StreamCondition.NOT_WELL_FORMED
    assert error.text == "input ends inside an element"
    assert error.offset == len(HEADER + rest)
    for call in (parser.close, parser.restart, lambda: parser.feed(b"x")):
        with pytest.raises(xml.StreamError) as again:
            call()
        assert (again.value.text, again.value.offset) == (error.text, error.offset)


def test_feed_after_close(xml):
    parser = xml.StreamParser()
    list(parser.feed(HEADER))
    parser.close()
    with pytest.raises(ValueError, match="close"):
        parser.feed(b"<a/>")


def test_close_twice(xml):
    parser = xml.StreamParser()
    list(parser.feed(HEADER))
    parser.close()
    parser.close()


def test_close_inside_the_loop_drops_what_is_unread(xml):
    parser = xml.StreamParser()
    seen = []
    for event in parser.feed(HEADER + b"<a/><b/><!--"):
        seen.append(event.raw)
        if event.raw == b"<a/>":
            parser.close()
    assert seen == [HEADER, b"<a/>"]


# Errors at their place


def test_everything_complete_is_delivered_before_the_error(xml):
    parser = xml.StreamParser()
    seen = []
    with pytest.raises(xml.StreamError) as caught:
        seen.extend(event.raw for event in parser.feed(HEADER + b"<a/><b/><c><d></c>"))
    assert seen == [HEADER, b"<a/>", b"<b/>"]
    error = caught.value
    assert error.condition is xml.StreamCondition.NOT_WELL_FORMED
    assert error.offset == len(HEADER + b"<a/><b/><c><d>")


def test_the_error_is_raised_by_the_iterator(xml):
    parser = xml.StreamParser()
    iterator = parser.feed(b"x")
    with pytest.raises(xml.StreamError):
        next(iterator)


def test_every_later_call_raises_it_again(xml):
    parser = xml.StreamParser()
    with pytest.raises(xml.StreamError) as caught:
        list(parser.feed(HEADER + b"\n<a></b>"))
    first_time = caught.value
    for _ in range(2):
        for call in (
            lambda: parser.feed(b"<a/>"),
            lambda: parser.feed(b""),
            parser.restart,
            parser.close,
        ):
            with pytest.raises(xml.StreamError) as again:
                call()
            assert again.value.args == first_time.args
    assert first_time.line == 2
    assert first_time.column == 4


def test_str_of_an_error(xml):
    with pytest.raises(xml.StreamError) as caught:
        events(xml, b"<a>\n<!---->")
    assert str(caught.value) == "restricted-xml: comment (line 2, column 1, offset 4)"


@pytest.mark.parametrize("space", ["\n", "\r", "\r\n", "\n\r", "\t"])
def test_a_line_ends_with_a_line_feed(xml, space):
    data = f"{space}<a>{space}<b c='{space}'>\u00e9{space}\u00e9</a>".encode()
    for chunks in ([data], bytewise(data)):
        fault = read(xml, chunks).fault
        assert fault.offset == data.index(b"</a>")
        assert (fault.line, fault.column) == place(data, fault.offset)


# Objects


def test_limits_of_a_parser(xml):
    assert xml.StreamParser().limits == xml.Limits()
    limits = xml.Limits(depth=5)
    assert xml.StreamParser(limits=limits).limits is limits
    with pytest.raises(TypeError):
        xml.StreamParser(limits)


@pytest.mark.parametrize("limits", [None, 5, {}, "x"])
def test_limits_must_be_limits(xml, limits):
    with pytest.raises(TypeError):
        xml.StreamParser(limits=limits)


def test_match(xml):
    found = []
    for event in events(xml, HEADER + b"<message><body>hi</body></message><iq/>" + FOOTER):
        match event:
            case xml.StreamStart(tag=tag, version="1.0"):
                found.append(tag)
            case xml.Stanza("{jabber:client}message") as stanza:
                found.append(stanza.findtext("{jabber:client}body"))
            case xml.Stanza(tag, type=None):
                found.append(tag)
            case xml.StreamEnd():
                found.append("end")
    assert found == [STREAM, "hi", "{jabber:client}iq", "end"]


def test_match_by_position(xml):
    match first(xml, HEADER):
        case xml.StreamStart(tag):
            assert tag == STREAM
        case _:
            pytest.fail("StreamStart does not match by position")


def test_repr(xml):
    start, stanza, end = events(xml, HEADER + b"<message type='chat'><body/></message>" + FOOTER)
    assert "StreamStart" in repr(start)
    assert STREAM in repr(start)
    assert "Stanza" in repr(stanza)
    assert "{jabber:client}message" in repr(stanza)
    assert "Element" in repr(stanza[0])
    assert "{jabber:client}body" in repr(stanza[0])
    assert "StreamEnd" in repr(end)


def test_repr_of_a_large_stanza_is_short(xml):
    (stanza,) = stanzas(xml, b"<a b='" + b"x" * 10_000 + b"'>" + b"y" * 10_000 + b"</a>")
    assert len(repr(stanza)) < 2000


@pytest.mark.parametrize("attribute", ["tag", "raw", "attrib", "to", "text", "new"])
def test_stanzas_are_immutable(xml, attribute):
    (stanza,) = stanzas(xml, b"<a><b/></a>")
    with pytest.raises(AttributeError):
        setattr(stanza, attribute, "x")
    with pytest.raises(AttributeError):
        setattr(stanza[0], attribute, "x")


@pytest.mark.parametrize("attribute", ["tag", "raw", "attrib", "to", "prefixes", "new"])
def test_headers_are_immutable(xml, attribute):
    start = first(xml, HEADER)
    with pytest.raises(AttributeError):
        setattr(start, attribute, "x")


@pytest.mark.parametrize("source", ["<a b='1'/>", "<a/>"])
def test_attrib_is_a_read_only_mapping(xml, source):
    (stanza,) = stanzas(xml, source.encode())
    with pytest.raises(TypeError):
        stanza.attrib["b"] = "2"
    with pytest.raises(TypeError):
        del stanza.attrib["b"]
    with pytest.raises(TypeError):
        first(xml, HEADER).prefixes["b"] = "2"
    copied = dict(stanza.attrib)
    copied["new"] = "3"
    assert "new" not in stanza.attrib
    assert MappingProxyType(dict(stanza.attrib)) == stanza.attrib


def test_attrib_behaves_as_a_mapping(xml):
    (stanza,) = stanzas(xml, b"<a b='1' c='2'/>")
    attrib = stanza.attrib
    assert len(attrib) == 2
    assert list(attrib) == ["b", "c"]
    assert list(attrib.values()) == ["1", "2"]
    assert attrib["c"] == "2"
    assert "b" in attrib
    assert "d" not in attrib
    assert attrib.get("d") is None
    with pytest.raises(KeyError):
        attrib["d"]


@pytest.mark.parametrize("name", ["Element", "Stanza", "StreamStart", "StreamEnd"])
def test_events_come_from_parsers_only(xml, name):
    with pytest.raises(TypeError):
        getattr(xml, name)()


@pytest.mark.parametrize("name", ["Stanza", "StreamStart", "StreamEnd", "StreamParser"])
def test_final_classes(compiled, name):
    with pytest.raises(TypeError):
        type("Sub", (getattr(compiled, name),), {})


def test_a_stream_error_can_be_pickled_and_copied(xml):
    with pytest.raises(xml.StreamError) as caught:
        events(xml, b"<a>\n<!---->")
    for twin in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert str(twin) == str(caught.value)
        assert twin.condition is caught.value.condition
