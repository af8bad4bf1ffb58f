"""The pull parser beside ElementTree's own."""

from __future__ import annotations

import functools
import gc
import io
import itertools
import tracemalloc
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from captured import chunks, examples, streams
from hypothesis import given
from hypothesis import strategies as st
from shared_data import needs_data
from strategies import elements, mutated, pieces
from strategies import streams as bytestreams

from xmppfast import Limits
from xmppfast.adapters import etree

ALL = ("start", "end", "start-ns", "end-ns")


def content(element: ET.Element) -> list[tuple[Any, ...]]:
    """All there is in a tree, in document order."""
    return [(e.tag, dict(e.attrib), e.text, e.tail, len(e)) for e in element.iter()]


def read(make: Any, pieces: Any, final: bool = False) -> tuple[list[Any], Any, bool]:
    """The events' names, the tree, and whether an error ended it; `final`: an early end, too."""
    parser = make(ALL)
    events: list[Any] = []
    root = None
    for piece in pieces:
        parser.feed(piece)
        try:
            for event, about in parser.read_events():
                if root is None and event == "start":
                    root = about
                events.append((event, about.tag if ET.iselement(about) else about))
        except ET.ParseError:
            return events, None if root is None else content(root), True
    try:
        if final:
            parser.close()
    except ET.ParseError:
        return events, None if root is None else content(root), True
    return events, None if root is None else content(root), False


@needs_data
@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 30])
def test_recorded_streams_read_as_by_elementtree(size):
    count = 0
    for stream in streams():
        if stream.name.startswith("errors-"):  # what XMPP forbids, some of it good XML
            continue
        pieces = list(chunks(stream.data, size))
        # At once, as otherwise it may hold something back.
        theirs = read(ET.XMLPullParser, [stream.data])
        assert read(etree.XMLPullParser, pieces) == theirs, stream.name
        count += 1
    assert count > 100


@given(data=st.data(), stream=bytestreams())
def test_generated_streams_read_as_by_elementtree(data, stream):
    cut = data.draw(pieces(stream))
    ours, theirs = read(etree.XMLPullParser, cut), read(ET.XMLPullParser, [stream])
    if not ours[2]:
        assert ours == theirs
    else:  # then it is refused by both, or by the profile of XMPP; before that nothing differs
        assert ours[0] == theirs[0][: len(ours[0])]


@given(data=st.data(), stream=mutated())
def test_nothing_is_accepted_that_elementtree_refuses(data, stream):
    ours = read(etree.XMLPullParser, data.draw(pieces(stream)), final=True)
    theirs = read(ET.XMLPullParser, [stream], final=True)
    assert ours[2] or not theirs[2]
    assert ours[0] == theirs[0][: len(ours[0])]


@needs_data
def test_examples_of_the_xeps_read_as_by_elementtree():
    compatible = functools.partial(etree.XMLPullParser, compat=True)
    for example in examples():
        if not example.strict:
            assert read(etree.XMLPullParser, [example.stream])[2], example
        if example.compatible:
            make = etree.XMLPullParser if example.strict else compatible
            assert read(make, [example.stream]) == read(ET.XMLPullParser, [example.stream]), example
    assert len(examples()) > 3000


def pairs(parser: Any) -> list[Any]:
    """Events with tags for elements."""
    return [(event, about.tag if ET.iselement(about) else about) for event, about in
            parser.read_events()]


@pytest.fixture(params=[etree.XMLPullParser, ET.XMLPullParser], ids=["ours", "elementtree"])
def make(request):
    """Both parsers: what is said about one holds for the other."""
    return request.param


def test_elements_are_genuine_and_the_same_at_start_and_end(make):
    parser = make(("start", "end"))
    parser.feed("<a><b/></a>")
    events = list(parser.read_events())
    elements = [element for _, element in events]
    assert [event for event, _ in events] == ["start", "start", "end", "end"]
    assert elements[0] is elements[3]
    assert elements[1] is elements[2]
    assert {type(element) for element in elements} == {ET.Element}
    assert list(elements[0]) == [elements[1]]


def test_only_what_is_asked_for(make):
    document = b"<a xmlns:p='u' p:x='1'><p:b/></a>"
    parser = make()
    parser.feed(document)
    assert pairs(parser) == [("end", "{u}b"), ("end", "a")]
    for kind, found in {
        "start": ["a", "{u}b"], "end": ["{u}b", "a"], "start-ns": [("p", "u")], "end-ns": [None]
    }.items():
        parser = make([kind])
        parser.feed(document)
        assert pairs(parser) == [(kind, about) for about in found]
    assert pairs(make(())) == []
    with pytest.raises(ValueError, match="unknown event 'bogus'"):
        make(("start", "bogus"))


def test_bytes_and_text_in_turn(make):
    parser = make(("end",))
    for piece in ["<a>", b"<b>\xc3\xa9", "\u65e5", bytearray(b"</b>"), "", b"", "</a>"]:
        parser.feed(piece)
    (_, b), (_, a) = parser.read_events()
    assert (b.text, a.tag) == ("\u00e9\u65e5", "a")
    parser.close()


def test_events_before_an_error_come_first_and_then_the_error(make):
    parser = make(("start", "end"))
    parser.feed(b"<a><b/>\n<c></d>")
    events = parser.read_events()
    found = [(event, element.tag) for event, element in itertools.islice(events, 4)]
    with pytest.raises(ET.ParseError) as caught:
        next(events)
    assert found == [("start", "a"), ("start", "b"), ("end", "b"), ("start", "c")]
    assert caught.value.code == 7
    assert caught.value.position[0] == 2
    assert list(parser.read_events()) == []
    parser.feed(b"<e/>")
    with pytest.raises(ET.ParseError):
        list(parser.read_events())


@pytest.mark.parametrize(
    ("document", "code", "position"),
    [
        (b"<a>\n<b x='1' x='2'/>", 8, (2, 9)),
        (b"<a>\xc3\xa9", 2, (1, 3)),
        ("<a><b>\u00e9\u65e5&x;", 11, (1, 8)),
        (b"<a><b>\xff", 4, (1, 6)),
        ("<a><b>x\ud800", 4, (1, 7)),
        (b"<a><p:b/>", 27, (1, 4)),
        (b"<a/><b/>", 9, (1, 4)),
        (b"<a>\r\n <!-- -->", 2, (2, 1)),
        (b"<!DOCTYPE a>", 2, (1, 0)),
        (b"<a><b>&#0;", 14, (1, 6)),
        (b"<a><b>]]>", 4, (1, 6)),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_numbers_and_places_of_errors(document, code, position, size):
    parser = etree.XMLPullParser(("start",))
    for piece in chunks(document, size):
        parser.feed(piece)
    with pytest.raises(ET.ParseError) as caught:
        list(parser.read_events())
    assert (caught.value.code, caught.value.position) == (code, position)
    assert str(caught.value).endswith(f": line {position[0]}, column {position[1]}")


def test_columns_count_characters_of_lines_that_are_gone():
    parser = etree.XMLPullParser(("start",))
    for piece in ["<a>\n<b>\u00e9\u65e5\n\u00e9</b>", "<b>\u00e9", "</b>  ", " <c>\U0001f600</d>"]:
        parser.feed(piece)
    with pytest.raises(ET.ParseError) as caught:
        list(parser.read_events())
    assert caught.value.position == (3, 20)


def test_the_end_of_input(make):
    parser = make()
    parser.feed("<a><b/></a>")
    parser.close()
    assert [element.tag for _, element in parser.read_events()] == ["b", "a"]
    with pytest.raises(ValueError, match="after end of stream"):
        parser.feed("<c/>")
    if hasattr(parser, "flush"):
        with pytest.raises(ValueError, match="after end of stream"):
            parser.flush()


@pytest.mark.parametrize(
    ("document", "code"), [("", 3), ("<a>", 3), ("<a><b/>", 3), ("<a><b", 5), ("<a><b>t", 3)]
)
def test_an_end_that_comes_too_early(make, document, code):
    parser = make()
    parser.feed(document)
    with pytest.raises(ET.ParseError) as caught:
        parser.close()
    assert caught.value.code == code


def test_an_iterator_ends_once_and_another_goes_on(make):
    parser = make(("start",))
    parser.feed("<a>")
    events = parser.read_events()
    assert next(events)[1].tag == "a"
    parser.feed("<b>")
    assert next(events)[1].tag == "b"
    assert next(events, None) is None
    parser.feed("<c>")
    assert next(events, None) is None
    assert pairs(parser) == [("start", "c")]


def test_a_parser_that_is_replaced_is_read_to_its_end(make):
    holder = [make(("start", "end"))]
    holder[0].feed("<a><b/><c/></a>")
    found = []
    for event, element in holder[0].read_events():
        found.append(event + element.tag)
        if element.tag == "b" and event == "end":
            holder[0] = make(("start", "end"))
            gc.collect()
            holder[0].feed("<x/>")
    assert found == ["starta", "startb", "endb", "startc", "endc", "enda"]
    assert pairs(holder[0]) == [("start", "x"), ("end", "x")]


def test_pairs_that_are_kept_stay_what_they_are():
    parser = etree.XMLPullParser(("start", "end"))
    parser.feed("<a><b/><c/></a>")
    events = parser.read_events()
    kept = next(events)
    assert [next(events)[1].tag, next(events)[1].tag] == ["b", "b"]
    assert (kept[0], kept[1].tag) == ("start", "a")


def test_the_tree_may_be_cleared_in_between(make):
    parser = make(("start", "end"))
    root = None
    sizes = []
    for piece in ["<a>t<b>", "x</b>\n<b>x", "</b> <b/>", "y</a>"] if make is ET.XMLPullParser else [
        "<a>\n<b>", "x</b>\n<b>x", "</b> <b/>", "\n</a>"
    ]:
        parser.feed(piece)
        for event, element in parser.read_events():
            if root is None:
                root = element
            if event == "end" and element.tag == "b":
                root.clear()
        sizes.append(len(root))
    assert sizes[-1] == 0
    parser.close()


def test_white_space_between_stanzas_is_their_tail_in_any_pieces(make):
    parser = make(("end",))
    for piece in ["<a> ", "\r", "\n", "<b/>", "\r", "\t", " <b/>", "  ", "</a>"]:
        parser.feed(piece)
    events = list(parser.read_events())
    assert events[-1][1].text == " \n"
    assert [element.tail for _, element in events] == ["\n\t ", "  ", None]


def test_tails_are_bounded():
    parser = etree.XMLPullParser(("end",))
    parser.feed("<a><b/>")
    (_, element), = parser.read_events()
    for _ in range(100):
        parser.feed(" " * 1000)
    parser.feed("<c/>")
    assert 65536 <= len(element.tail) < 66600


def test_elements_of_a_stanza_that_is_not_complete_grow(make):
    parser = make(("start",))
    parser.feed("<a><b x='1'>t<c/>")
    a, b, c = (element for _, element in parser.read_events())
    assert (a[0], b[0], b.text, b.get("x")) == (b, c, "t", "1")
    parser.feed("u<d/></b>")
    assert c.tail == "u"
    assert [element.tag for element in b] == ["c", "d"]


def test_limits():
    parser = etree.XMLPullParser(limits=Limits(depth=2))
    parser.feed("<s><a><b/></a><a><b><c/>")
    with pytest.raises(ET.ParseError, match="limit on depth exceeded") as caught:
        list(parser.read_events())
    assert caught.value.code == 43
    with pytest.raises(TypeError, match="limits must be Limits"):
        etree.XMLPullParser(limits=7)


def test_default_limits_let_large_stanzas_pass():
    parser = etree.XMLPullParser()
    parser.feed("<s><a>" + "x" * 15_000_000 + "</a><a>" + "<b/>" * 400_000 + "</a>")
    assert len([1 for event, element in parser.read_events() if element.tag == "a"]) == 2


COMPAT = (
    "\ufeff<?xml version='1.0'?><!-- c --><?pi x?><a> x &amp; y<![CDATA[<z>]]>"
    "<!-- > - <b> --><b>t<!---->u<?pi <>?>v</b> z;'\"<?xmlx?><b/>]]&gt;</a><!--d--> "
)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_compat_passes_over_what_is_harmless(size):
    ours = etree.XMLPullParser(("start", "end"), compat=True)
    theirs = ET.XMLPullParser(("start", "end"))
    found = []
    for parser in (ours, theirs):
        for piece in chunks(COMPAT.encode(), size):
            parser.feed(piece)
        events = list(parser.read_events())
        found.append([(event, content(element)) for event, element in events])
        parser.close()
    assert found[0] == found[1]
    assert found[0][0][1][0][2] == " x & y<z>"


@pytest.mark.parametrize(
    "document",
    [
        "<a><!-- -- --></a>", "<a><!-- ---></a>", "<a><?pi", "<a><b><?xml version='1.0'?>",
        "<a>]]></a>", "<a>x&y;</a>", "<a>x&#0;</a>", "<a><!DOCTYPE b>", "<a><?p~q?>",
        "<a><??>", "<?p?>x<a/>", "<a/>x", "<a/><![CDATA[]]>", "<!-- --><?xml version='1.0'?><a/>",
        " \ufeff<a/>", "\ufeff\ufeff<a/>", "<a>x<b>&lt</b>", "<a><!-", "<a><![CDATA[",
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_compat_refuses_what_elementtree_refuses(document, size):
    for parser in (etree.XMLPullParser(compat=True), ET.XMLPullParser()):
        with pytest.raises(ET.ParseError):  # noqa: PT012
            for piece in chunks(document.encode(), size):
                parser.feed(piece)
            list(parser.read_events())
            parser.close()


@given(data=st.data(), stream=mutated())
def test_compat_accepts_nothing_that_elementtree_refuses(data, stream):
    make = functools.partial(etree.XMLPullParser, compat=True)
    ours = read(make, data.draw(pieces(stream)), final=True)
    theirs = read(ET.XMLPullParser, [stream], final=True)
    assert ours[2] or not theirs[2]
    if not ours[2]:
        assert ours == theirs


def test_nothing_is_held_between_stanzas():
    parser = etree.XMLPullParser(("start", "end"))
    parser.feed("<a>")
    root = next(parser.read_events())[1]
    tracemalloc.start()
    try:
        for _ in range(3):
            parser.feed("<b>" + "x" * 1_000_000 + "</b><b/>")  # the last one may get a tail
            list(parser.read_events())
            root.clear()
        # Less than a stanza: others allocate, too.
        assert tracemalloc.get_traced_memory()[0] < 500_000
    finally:
        tracemalloc.stop()


def test_tostring_as_far_as_xmpp_needs_it():
    element = ET.XML("<a xmlns='u' x='&lt;'><b>\u00e9</b></a>")
    element.tail = "<t>"
    assert etree.tostring(element, "unicode") == (
        "<a xmlns='u' x='&lt;'><b>\u00e9</b></a>&lt;t&gt;"
    )
    assert etree.tostring(element).endswith(b"<b>&#233;</b></a>&lt;t&gt;")
    assert etree.tostring(element, "utf-8").endswith("<b>\u00e9</b></a>&lt;t&gt;".encode())
    for options in [
        {"method": "text"}, {"xml_declaration": True}, {"short_empty_elements": False},
        {"encoding": "iso-8859-1"},
    ]:
        assert etree.tostring(element, **options) == ET.tostring(element, **options)


@given(element=elements)
def test_tostring_writes_the_same_tree(element):
    again = ET.fromstring(etree.tostring(element, "unicode"))
    assert content(again) == content(element)


def test_install_and_back():
    stock = ET.XMLPullParser, ET.tostring
    with etree.installed():
        assert (ET.XMLPullParser, ET.tostring) == (etree.XMLPullParser, etree.tostring)
        etree.install()
        assert [element.tag for _, element in ET.iterparse(io.BytesIO(b"<!DOCTYPE a><a>x</a>"))]
    assert (ET.XMLPullParser, ET.tostring) == stock
    etree.install()
    etree.install()
    with etree.installed():
        pass
    assert ET.XMLPullParser is etree.XMLPullParser
    etree.uninstall()
    etree.uninstall()
    assert (ET.XMLPullParser, ET.tostring) == stock
