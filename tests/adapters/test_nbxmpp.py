"""The node builder beside nbxmpp's own."""

from __future__ import annotations

import codecs
from typing import Any
from xml.parsers.expat import ExpatError

import pytest
from captured import chunks, examples, kinds_of_stanzas, splits, streams
from hosts import host, nbxmpp
from shared_data import needs_data

simplexml: Any = nbxmpp()
adapter: Any = host("xmppfast.adapters.nbxmpp")

Stock: Any = simplexml.NodeBuilder


def described(node):
    """All there is in a node, in order."""
    found = dict(vars(node))
    assert type(node) is simplexml.Node
    parent = found.pop("parent")
    kids = found.pop("kids")
    assert all(kid.parent is node for kid in kids)
    return (
        [(key, list(v.items()) if isinstance(v, dict) else v[:]) for key, v in found.items()],
        None if parent is None else parent.name,
        [described(kid) for kid in kids],
    )


def read(make, pieces, **options):
    """What was dispatched, what the builder knows then, and which kind of error ended it."""
    got = []
    builder = make(dispatch_depth=2, finished=False, **options)
    builder.dispatch = lambda node: got.append(described(node))
    error = None
    try:
        for piece in pieces:
            builder.Parse(piece)
    except (ExpatError, ValueError) as raised:
        error = type(raised)
    known = (
        builder._document_attrs,
        builder._document_nsp,
        builder.stream_error,
        builder.has_received_endtag(),
        builder.has_received_endtag(1),
    )
    return got, known, error


def as_text(pieces):
    """The same as text, as nbxmpp is fed."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    return [decode(piece) for piece in pieces]


def equal(pieces, **options):
    """What both make of it, which has to be the same; ours is given the bytes."""
    ours = read(adapter.NodeBuilder, pieces, **options)
    assert ours == read(Stock, as_text(pieces))
    return ours


@needs_data
@pytest.mark.parametrize("size", [7, 4096, 1 << 30])
def test_recorded_streams(size):
    count = 0
    for stream in streams():
        if stream.name.startswith("errors-") or b"<stream:stream" not in stream.header:
            continue
        # At once, as otherwise it may hold something back.
        ours = read(adapter.NodeBuilder, list(chunks(stream.data, size)))
        assert ours == read(Stock, as_text([stream.data])), stream.name
        count += 1
    assert count > 100


@needs_data
def test_examples_of_the_xeps():
    for example in examples():
        error = equal([example.stream])[2]
        assert (error is None) == example.strict, example
    assert len(examples()) > 3000


@needs_data
def test_every_split_of_every_kind_of_recorded_stanza():
    builders: dict[bytes, Any] = {}
    for header, stanza in kinds_of_stanzas():
        if b"<stream:stream" not in header:
            continue
        if header not in builders:
            got: list[Any] = []
            builder = adapter.NodeBuilder(dispatch_depth=2, finished=False)
            builder.dispatch = got.append
            builder.Parse(header)
            builders[header] = builder, got
            assert len(got) == 1
        builder, got = builders[header]
        for cut in splits(stanza):
            got.clear()
            builder.Parse(stanza[:cut])
            assert len(got) == (cut == len(stanza)), (stanza, cut)
            builder.Parse(stanza[cut:])
            assert len(got) == 1, (stanza, cut)
    assert len(builders) > 20


HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='c' id='1' xml:lang='en'"
    b" xmlns:stream='http://etherx.jabber.org/streams' xmlns:p='urn:p' p:a='2'>"
)


@pytest.mark.parametrize(
    "stanza",
    [
        b"<a/>",
        b"<a></a>",
        b"<a>1</a>",
        b"<a><b/><b/></a>",
        b"<a>1<b/>2<b/>3</a>",
        b"<a><b>1</b>\n<c><d/>2</c></a>",
        b"<a xmlns='x'><b/><c xmlns=''><d/></c><p:e xmlns:p='urn:q'><p:f/></p:e></a>",
        b"<p:a><b p:c='1' xml:lang='de' xmlns:q='urn:q'><q:d/><p:d/></b></p:a>",
        b"<a>1<![CDATA[]]><b/>2<![CDATA[<&]]>3&amp;&#x1F600;<b>4</b>\r\n5</a>",
        b"<a><![CDATA[]]><b/></a>",
        b"<a b='&lt; \t&#9;\n'>\r</a>",
        "<\u00e9 \u00fc='\u65e5'>\U0001f600</\u00e9>".encode(),
        b" \n<a/> \n<b/> ",
        b"<a/></stream:stream>",
        b"<stream:error><x xmlns='y'/><text/></stream:error></stream:stream>",
        b"<error>reason</error>",
        b"<a>" + b"x" * 20_000 + b"<b/></a>",
    ],
    ids=lambda stanza: repr(stanza[:60]),
)
def test_nodes(stanza):
    data = HEADER + stanza
    expected = equal([data])
    assert expected[2] is None
    assert len(expected[0]) >= 2
    for at in range(1, min(len(data), 500)):
        assert read(adapter.NodeBuilder, [data[:at], data[at:]]) == expected
    assert read(adapter.NodeBuilder, [HEADER, bytearray(stanza)]) == expected
    assert read(adapter.NodeBuilder, [HEADER.decode(), stanza]) == expected


@pytest.mark.parametrize(
    "wrong",
    [b"</b>", b"<b></a>", b"<b c='1' c='2'/>", b"&x;", b"]]>", b"\0", b"<!-- x -->", b"<?x?>"],
)
def test_errors_come_after_the_nodes_before_them(wrong):
    ours = equal([HEADER + b"<a/><x>" + wrong + b"</x>"])
    assert len(ours[0]) == 2
    assert ours[2] is ExpatError


def test_what_the_error_says():
    builder = adapter.NodeBuilder(dispatch_depth=2, finished=False)
    for _ in range(2):
        with pytest.raises(ExpatError, match=r": line 2, column 4$") as caught:
            builder.Parse(HEADER + b"\n<x>\xc3\xa9&y;</x>")
        assert (caught.value.code, caught.value.lineno, caught.value.offset) == (11, 2, 4)


@pytest.mark.parametrize(
    "root",
    [b"<a/>", b"<stream/>", b"<stream:stream xmlns:stream='urn:a'>", b"<stream xmlns='urn:a'>"],
)
def test_a_root_that_is_no_stream(root):
    ours = equal([root])
    assert ours[2] is ValueError
    for make in Stock, adapter.NodeBuilder:
        with pytest.raises(ValueError, match="Incorrect stream start: "):
            make(root.decode(), dispatch_depth=2, finished=False)


def test_text_between_stanzas():
    data = HEADER + b"x<a/>y&amp;<b><c/></b>"
    assert read(adapter.NodeBuilder, [data])[2] is ExpatError
    equal([data], compat=True)
    equal([b"\xef\xbb\xbf" + data], compat=True)


DOCUMENTS = [
    "<a/>",
    "<a>1</a>",
    "<a>1<b/>2<c>3</c>4</a>",
    " <a> <b/>\n</a> \n",
    "<a><![CDATA[<]]>&amp;<b/>\r\n</a>",
    "<?xml version='1.0'?><p:a xmlns:p='urn:p'>x<p:b>y</p:b></p:a>",
    "<a xmlns='urn:a' b='c'/>",
    "<error>reason</error>",
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents(document):
    stock, ours = Stock(document), adapter.NodeBuilder(document)
    assert described(ours.getDom()) == described(stock.getDom())
    assert ours._document_attrs == stock._document_attrs
    assert ours._document_nsp == stock._document_nsp
    assert ours.stream_error == stock.stream_error
    for at in range(1, len(document)):
        pieces = adapter.NodeBuilder()
        pieces.Parse(document[:at])
        pieces.Parse(document[at:], True)
        assert described(pieces.getDom()) == described(stock.getDom())


@pytest.mark.parametrize("document", ["<a>", "<a></b>", "x", "<a/><b/>", "<a>&x;</a>"])
def test_documents_that_are_wrong(document):
    for make in Stock, adapter.NodeBuilder:
        with pytest.raises(ExpatError):
            make(document)


def test_an_initial_node():
    class Mine(simplexml.Node):
        pass

    for make in Stock, adapter.NodeBuilder:
        node = Mine("old", attrs={"x": "y"})
        assert make("<new xmlns='urn:a'>1<b/></new>", node).getDom() is node
        assert str(node) == '<new xmlns="urn:a">1<b /></new>'
        assert node.attrs == {"xmlns": "urn:a"}


def test_one_node_for_all_stanzas():
    """As nbxmpp has it: its dispatcher makes a copy first."""
    for make in Stock, adapter.NodeBuilder:
        got: list[Any] = []
        builder = make(dispatch_depth=2, finished=False)
        builder.dispatch = got.append
        builder.Parse((HEADER + b"<a/><b/>").decode())
        assert got[1] is got[2] is builder.getDom()


def test_methods_that_subclasses_have():
    for base in Stock, adapter.NodeBuilder:
        calls: list[Any] = []

        class Builder(base):
            def dispatch(self, stanza, calls=calls):
                calls.append(stanza.getName())

            def stream_header_received(self, calls=calls):
                calls.append("header")

            def stream_footer_received(self, calls=calls):
                calls.append("footer")

        Builder("<a><b/></a>")
        assert calls == ["a", "header", "a", "footer"]


def test_a_depth_that_is_set_later():
    for make in Stock, adapter.NodeBuilder:
        got: list[str] = []
        builder = make()
        builder._dispatch_depth = 2
        builder.dispatch = lambda node, got=got: got.append(node.getName())
        builder.Parse("<stream><a/><b/>")
        assert got == ["stream", "a", "b"]


def test_a_dispatch_may_replace_the_builder():
    """As nbxmpp's dispatcher does after TLS and SASL."""
    for make in Stock, adapter.NodeBuilder:
        got: list[str] = []
        builder = make(dispatch_depth=2, finished=False)

        def dispatch(node, got=got, builder=builder):
            got.append(node.getName())
            if node.getName() == "proceed":
                builder.dispatch = None
                builder.destroy()

        builder.dispatch = dispatch
        builder.Parse((HEADER + b"<a/><proceed><b/></proceed><c/>").decode())
        assert got == ["stream", "a", "proceed"]


def test_a_dispatch_that_raises():
    for make in Stock, adapter.NodeBuilder:
        builder = make(dispatch_depth=2, finished=False)
        builder.dispatch = [].index
        with pytest.raises(ValueError, match="not in list"):
            builder.Parse(HEADER.decode())
        assert builder._document_attrs is None


def test_install():
    dispatcher = host("nbxmpp.dispatcher")
    with adapter.installed():
        assert simplexml.NodeBuilder is adapter.NodeBuilder
        assert dispatcher.NodeBuilder is adapter.NodeBuilder
        node = simplexml.Node(node="<a xmlns='b'>c<d/></a>")
        assert str(node) == '<a xmlns="b">c<d /></a>'
    assert simplexml.NodeBuilder is Stock
    assert dispatcher.NodeBuilder is Stock
    with adapter.installed(compat=True):
        assert isinstance(simplexml.NodeBuilder("<a/>"), adapter.NodeBuilder)
