"""slixmpp's tostring and ours: the same characters for everything."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

import pytest
from hosts import host
from hypothesis import given
from hypothesis import strategies as st
from strategies import CHARACTERS, LOCAL_NAMES, NAMESPACES, XML_NAMESPACE, clark

from xmppfast.adapters import _slixmpp_writer as writer
from xmppfast.adapters._slixmpp_tostring import places
from xmppfast.adapters._switch import Switch

host("slixmpp")
stock = host("slixmpp.xmlstream.tostring").tostring
writer.imitate(stock)

STREAMS = "http://etherx.jabber.org/streams"

# Whatever Python can have in a string, XML or not.
odd_text = st.one_of(
    st.text(st.sampled_from(CHARACTERS + "\0\x0b\ud800\udc00\ufffe]>"), max_size=12),
    st.text(),
    st.sampled_from(["]]>", "a]]>b]]>", "x" * 300, "x" * 140 + "<" + "\u00e9" * 40, "&" * 50]),
)
maybe_text = st.one_of(st.none(), odd_text)
any_namespace = st.sampled_from([*NAMESPACES, "", STREAMS, XML_NAMESPACE, 'odd"&', "\ud800"])
names = st.one_of(
    st.builds(clark, any_namespace, st.sampled_from(LOCAL_NAMES)),
    st.sampled_from(["{}a", "a}b", "{a}b}c", "", "{a", "}", "a:b", "\ud800"]),
)


def _element(tag, attrib, text, tail, children):
    element = ET.Element(tag, attrib)
    element.text, element.tail = text, tail
    element.extend(children)
    return element


def _elements(children):
    attributes = st.dictionaries(names, odd_text, max_size=4)
    return st.builds(_element, names, attributes, maybe_text, maybe_text, children)


elements = st.recursive(
    _elements(st.just([])), lambda inner: _elements(st.lists(inner, max_size=4)), max_leaves=8
)


@dataclass
class Stream:
    """What tostring looks at in a stream."""

    default_ns: str = "jabber:client"
    stream_ns: str = STREAMS
    use_cdata: bool = False
    namespace_map: dict[str, object] = field(
        default_factory=lambda: {XML_NAMESPACE: "xml", STREAMS: "stream"}
    )


streams = st.one_of(
    st.none(),
    st.builds(
        Stream,
        default_ns=any_namespace,
        use_cdata=st.booleans(),
        namespace_map=st.dictionaries(
            any_namespace, st.sampled_from(["p", "q", "stream", "", None, 5, "\u00e9"])
        ),
    ),
    st.just(Stream()),
)


@given(
    element=elements,
    xmlns=st.one_of(st.none(), any_namespace),
    stream=streams,
    outbuffer=st.sampled_from(["", "before", "\u00e9<", "\ud800"]),
    top_level=st.booleans(),
    open_only=st.booleans(),
    namespaces=st.one_of(st.none(), st.sets(any_namespace, max_size=2)),
)
def test_any_tree(element, xmlns, stream, outbuffer, top_level, open_only, namespaces):
    theirs, ours = namespaces, copy.copy(namespaces)
    arguments = xmlns, stream, outbuffer, top_level, open_only
    written = writer.tostring(element, *arguments, ours)
    assert written == stock(element, *arguments, theirs)
    assert type(written) is str
    assert ours == theirs


@given(element=elements)
def test_defaults(element):
    assert writer.tostring(element) == stock(element)


def test_nothing():
    assert writer.tostring() == stock() == ""
    assert writer.tostring(None, outbuffer="x") == stock(None, outbuffer="x")


def test_a_map_that_is_not_a_dict():
    class Map:
        def __contains__(self, ns):
            return ns == "urn:a"

        def __getitem__(self, ns):
            return "p"

    element = ET.Element("{urn:a}x", {"{urn:a}y": "1", "{urn:b}z": "2"})
    stream = Stream(namespace_map=Map())
    assert writer.tostring(element, "", stream) == stock(element, "", stream)


def test_elements_and_strings_of_other_types():
    class Text(str):
        __slots__ = ()

    class Element(ET.Element):
        pass

    element = Element(Text("{urn:a}x"), {Text("a"): Text("<")})
    element.text = Text("&")
    ET.SubElement(element, "y").tail = Text("'")
    assert writer.tostring(element) == stock(element)


@pytest.mark.parametrize("strings", [("Not good",), ["a", "<", "b"]])
def test_strings_in_a_row(strings):
    # The error of a failed registration (XEP-0077) has an exception's `args` for a text.
    element = ET.Element("a", {"b": strings})
    element.text = element.tail = strings
    assert writer.tostring(element) == stock(element)


@pytest.mark.parametrize(
    "wrong", [5, b"x", [5], (b"x",), pytest.param(object(), id="object")], ids=repr
)
def test_what_is_no_string_is_refused(wrong):
    element = ET.Element("a")
    element.text = wrong
    with pytest.raises(TypeError):
        writer.tostring(element)
    with pytest.raises(TypeError):
        writer.tostring(ET.Element("a", {"b": wrong}))
    element.text, element.tail = None, wrong
    with pytest.raises(TypeError):
        writer.tostring(element)


@pytest.mark.parametrize("depth", [5, 6, 7, 1_000, 100_000])
def test_deep_trees(depth):
    root = element = ET.Element("{urn:a}x")
    for _ in range(depth):
        element = ET.SubElement(element, "{urn:a}x", {"n": "1"})
    inner = '<x n="1">' * (depth - 1) + '<x n="1" />' + "</x>" * depth
    assert writer.tostring(root) == '<x xmlns="urn:a">' + inner
    while len(root):  # deallocated from the root it would recurse
        root = root[0]


def test_an_element_inside_itself():
    element = ET.Element("x")
    element.append(element)
    with pytest.raises(RecursionError):
        writer.tostring(element)
    element.clear()


def test_many_names_are_not_kept():
    for number in range(10_000):
        element = ET.Element(f"{{urn:a}}n{number}", {f"a{number}": ""})
        assert writer.tostring(element, "urn:a") == f'<n{number} a{number}="" />'


OLD = "<p:x />", "<x><y /></x>"
NEW = '<p:p:x xmlns="urn:a" />', '<x><y xmlns="" /></x>'


@pytest.mark.parametrize("dialect", [OLD, NEW], ids=["before 1.17", "1.17"])
def test_versions_that_differ(dialect):
    mapped = ET.Element("{urn:a}x")
    outer = ET.Element("{urn:a}x")
    ET.SubElement(outer, "y")
    try:
        writer.imitate(lambda element, _ns, stream=None: dialect[stream is None])
        assert writer.tostring(mapped, "urn:a", Stream(namespace_map={"urn:a": "p"})) == dialect[0]
        assert writer.tostring(outer, "urn:a") == dialect[1]
    finally:
        writer.imitate(stock)


def test_an_unknown_version_is_refused():
    with pytest.raises(ValueError, match="unknown way"):
        writer.imitate(lambda *_: "<x/>")


def test_all_of_slixmpp_gets_it():
    stanzabase = host("slixmpp.xmlstream.stanzabase")
    switch = Switch(places)
    assert stanzabase.tostring is stock
    with switch.installed():
        assert stanzabase.tostring is writer.tostring
        assert host("slixmpp.xmlstream.tostring").tostring is writer.tostring
        assert host("slixmpp").xmlstream.tostring is writer.tostring
        assert host("slixmpp").xmlstream.xmlstream.tostring is writer.tostring
    assert stanzabase.tostring is stock
    assert host("slixmpp.xmlstream.tostring").tostring is stock
