"""tostring and escape: what is written is read back the same."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import NAMESPACES, elements, markup, texts
from streams import content, stanzas

CLIENT = "jabber:client"
STREAMS = "http://etherx.jabber.org/streams"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

UNKEPT = "\0", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800", "x\udfffy"


def wrapped(xml, written, xmlns=None, prefixes=None):
    """The element written, read where it was written for."""
    header = "<root"
    if xmlns is not None:
        header += f" xmlns='{xml.escape(xmlns)}'"
    for prefix, name in (prefixes or {}).items():
        header += f" xmlns:{prefix}='{xml.escape(name)}'"
    _, element = xml.StreamParser().feed(header.encode() + b">" + written)
    return element


# escape


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<&>'\"", "&lt;&amp;&gt;&apos;&quot;"),
        ("a<b", "a&lt;b"),
        ("&amp;", "&amp;amp;"),
        ("\u00e9\u65e5\U0001f600<", "\u00e9\u65e5\U0001f600&lt;"),
        ("]]>", "]]&gt;"),
        ("x" * 1000 + "&" + "y" * 1000, "x" * 1000 + "&amp;" + "y" * 1000),
    ],
)
def test_escape(xml, text, escaped):
    assert xml.escape(text) == escaped
    assert type(xml.escape(text)) is str


@pytest.mark.parametrize("text", UNKEPT, ids=ascii)
@pytest.mark.parametrize("before", ["", "x" * 100, "\u00e9" * 40, "\U0001f600<"], ids=len)
def test_escape_refuses_what_xml_cannot_carry(xml, text, before):
    with pytest.raises(ValueError):  # noqa: PT011 - the text is for people
        xml.escape(before + text)


@pytest.mark.parametrize("text", [None, b"x", 5])
def test_escape_takes_str(xml, text):
    with pytest.raises(TypeError):
        xml.escape(text)


@given(text=st.text())
def test_escaped_text_is_read_back(xml, text):
    try:
        escaped = xml.escape(text)
    except ValueError:
        assert any(not allowed(c) for c in text)
        return
    assert all(map(allowed, text))
    # Line ends are normalized wherever they stand as themselves.
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    stanza = xml.parse(f"<a b='{escaped}'>{escaped}</a>")
    if "\r" not in escaped:
        expected = text
    assert stanza.text == (expected or None)
    assert xml.parse(f"<a>x{escaped}</a>").text == "x" + expected


def allowed(character):
    """XML 1.0 section 2.2, production Char."""
    code = ord(character)
    return (
        code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code > 0xFFFF
    )


@pytest.mark.parametrize("size", [0, 1, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 200])
@pytest.mark.parametrize("character", ["<", "&", ">", "'", '"', "\u00e9", "\U0001f600"])
def test_escape_at_every_place(xml, size, character):
    references = {"<": "&lt;", "&": "&amp;", ">": "&gt;", "'": "&apos;", '"': "&quot;"}
    expected = references.get(character, character)
    for at in range(size + 1):
        text = "x" * at + character + "y" * (size - at)
        assert xml.escape(text) == "x" * at + expected + "y" * (size - at)


# tostring


@given(tree=elements)
def test_any_elementtree_element(xml, tree):
    written = xml.tostring(tree)
    assert type(written) is bytes
    assert content(xml.parse(written)) == content(tree)
    assert content(ET.fromstring(written)) == content(tree)


@given(
    tree=elements,
    xmlns=st.one_of(st.none(), st.sampled_from(NAMESPACES)),
    prefixes=st.dictionaries(
        st.sampled_from(["p", "q", "ns0", "ns1", "\u00e9"]), st.sampled_from(NAMESPACES)
    ),
)
def test_any_element_at_any_place(xml, tree, xmlns, prefixes):
    written = xml.tostring(tree, xmlns=xmlns, prefixes=prefixes)
    assert content(wrapped(xml, written, xmlns, prefixes)) == content(tree)


@given(source=markup())
def test_any_stanza_and_element(xml, source):
    header = b"<s xmlns='urn:default' xmlns:stream='urn:header' xmlns:p='urn:p&amp;'>"
    try:
        _, stanza = xml.StreamParser().feed(header + source.encode())
    except xml.StreamError:
        return
    assert xml.parse(xml.tostring(stanza)) == stanza
    assert content(xml.parse(xml.tostring(stanza))) == content(stanza)
    for element in stanza.iter():
        assert xml.parse(xml.tostring(element)) == element
    assert xml.tostring(stanza) == xml.tostring(stanza.to_etree())


@given(tree=elements)
def test_a_second_writing_is_the_same(xml, tree):
    written = xml.tostring(tree)
    assert xml.tostring(xml.parse(written)) == written


def test_the_tail_is_not_written(xml):
    element = ET.Element("a")
    element.tail = "tail"
    assert b"tail" not in xml.tostring(element)
    (stanza,) = stanzas(xml, b"<a><b/>tail</a>")
    assert b"tail" not in xml.tostring(stanza[0])
    assert b"tail" in xml.tostring(stanza)


@pytest.mark.parametrize(
    ("element", "xmlns", "prefixes", "written"),
    [
        ("<a/>", None, None, "<a/>"),
        ("<a></a>", None, None, "<a/>"),
        ("<a>x</a>", None, None, "<a>x</a>"),
        ("<a b='1' c='2'/>", None, None, "<a b='1' c='2'/>"),
        ("<a b='&lt;&gt;&amp;&apos;&#34;'/>", None, None, "<a b='&lt;&gt;&amp;&apos;\"'/>"),
        ("<a>&lt;&gt;&amp;&apos;&#34;</a>", None, None, "<a>&lt;&gt;&amp;'\"</a>"),
        ("<a xmlns='u'/>", None, None, "<a xmlns='u'/>"),
        ("<a xmlns='u'/>", "u", None, "<a/>"),
        ("<a/>", "u", None, "<a xmlns=''/>"),
        ("<a xmlns='u'><b/><c xmlns='v'><d/></c></a>", None, None, None),
        ("<a xmlns='u'><b/><c xmlns='v'/></a>", "u", None, "<a><b/><c xmlns='v'/></a>"),
        ("<p:a xmlns:p='u'/>", None, None, "<a xmlns='u'/>"),
        ("<p:a xmlns:p='u'/>", None, {"s": "u"}, "<s:a/>"),
        ("<p:a xmlns:p='u'/>", "u", {"s": "u"}, "<a/>"),
        ("<p:a xmlns:p='u'><p:b/></p:a>", "c", {"s": "u"}, "<s:a><s:b/></s:a>"),
        ("<a xml:lang='en'/>", None, None, "<a xml:lang='en'/>"),
        ("<a xmlns:p='u' p:b='1'/>", None, {"s": "u"}, "<a s:b='1'/>"),
        ("<a><b>x</b>y<c/></a>", None, None, "<a><b>x</b>y<c/></a>"),
        ("<a>\u00e9\U0001f600</a>", None, None, "<a>\u00e9\U0001f600</a>"),
    ],
)
def test_minimal_declarations(xml, element, xmlns, prefixes, written):
    expected = written if written is not None else element
    for thing in (ET.fromstring(element), xml.parse(element)):
        assert xml.tostring(thing, xmlns=xmlns, prefixes=prefixes) == expected.encode()


def test_declarations_are_not_repeated(xml):
    (stanza,) = stanzas(xml, b"<m><a xmlns='u'><b/><b/></a><a xmlns='u'/></m>")
    assert xml.tostring(stanza, xmlns=CLIENT).count(b"xmlns") == 2
    assert xml.tostring(stanza).count(b"xmlns") == 3


def test_an_attribute_needs_a_prefix_of_its_own(xml):
    element = ET.Element("{u}a", {"{u}b": "1", "{v}c": "2", "d": "3"})
    for xmlns in (None, "u"):
        written = xml.tostring(element, xmlns=xmlns)
        assert content(wrapped(xml, written, xmlns)) == content(element)


def test_generated_prefixes_hide_no_given_one(xml):
    written = xml.tostring(ET.Element("a", {"{v}b": ""}), prefixes={"p": "u", "ns0": "u"})
    assert written == b"<a xmlns:ns1='v' ns1:b=''/>"


def test_prefixes_that_hide_one_another(xml):
    for prefixes in ({"p": "u", "q": "u"}, {"p": "v"}, {"xml1": "u"}, {"ns0": "w", "ns1": "x"}):
        element = ET.Element("a", {"{u}b": "1", "{y}c": "2"})
        ET.SubElement(element, "{u}d", {"{v}e": "3", "{u}f": "4"})
        written = xml.tostring(element, xmlns="z", prefixes=prefixes)
        assert content(wrapped(xml, written, "z", prefixes)) == content(element)


def test_white_space_in_values_and_carriage_returns_survive(xml):
    element = ET.Element("a", {"b": "\t\n\r x\r\n"})
    element.text = "\t\n\r x\r\n"
    ET.SubElement(element, "c").tail = "\r"
    assert content(xml.parse(xml.tostring(element))) == content(element)


def test_a_stream_feature(xml):
    features = ET.Element(f"{{{STREAMS}}}features")
    ET.SubElement(features, "{urn:ietf:params:xml:ns:xmpp-bind}bind")
    written = xml.tostring(features, xmlns=CLIENT, prefixes={"stream": STREAMS})
    assert written == (
        b"<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"
    )


def test_written_stanzas_go_into_a_stream(xml):
    message = ET.Element("{jabber:client}message", {"to": "a@b", LANG: "en"})
    ET.SubElement(message, "{jabber:client}body").text = "a < b"
    written = xml.tostring(message, xmlns=CLIENT)
    assert written == b"<message to='a@b' xml:lang='en'><body>a &lt; b</body></message>"
    (stanza,) = stanzas(xml, written)
    assert content(stanza) == content(message)


# Refusals


@pytest.mark.parametrize("text", UNKEPT, ids=ascii)
def test_text_that_xml_cannot_carry(xml, text):
    places = [ET.Element("a"), ET.Element("a", {"b": text}), ET.Element("a"), ET.Element("a")]
    places[0].text = text
    ET.SubElement(places[2], "b").tail = text
    places[3].tag = f"{{{text}}}a"
    for element in places:
        with pytest.raises(ValueError):  # noqa: PT011 - the text is for people
            xml.tostring(element)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "a>",
        "1a",
        "-a",
        ".",
        "a:b",
        ":a",
        "a\0",
        "a=",
        "<a",
        "{u}",
        "{u}a b",
        "{u}a:b",
        "{u",
        "a}",
        "\ud800",
        "\u00d7",
        "a\u2028",
        "{http://www.w3.org/2000/xmlns/}a",
    ],
    ids=ascii,
)
def test_names_that_xml_cannot_carry(xml, name):
    inside = ET.Element("a")
    ET.SubElement(inside, name)
    for element in (ET.Element(name), ET.Element("a", {name: ""}), inside):
        with pytest.raises(ValueError):  # noqa: PT011 - the text is for people
            xml.tostring(element)


def test_an_attribute_is_no_declaration(xml):
    for name in ("xmlns", "{http://www.w3.org/2000/xmlns/}p", "xmlns:p"):
        with pytest.raises(ValueError):  # noqa: PT011 - the text is for people
            xml.tostring(ET.Element("a", {name: "u"}))


@pytest.mark.parametrize("thing", [None, "a", b"<a/>", 5, object, ["a"], {}])
def test_what_is_no_element(xml, thing):
    with pytest.raises(TypeError):
        xml.tostring(thing)


def test_what_is_no_string(xml):
    for value in (5, b"x", ["x"], object()):
        places = [ET.Element("a"), ET.Element("a", {"b": value}), ET.Element("a")]
        places[0].text = value
        ET.SubElement(places[2], "b").tail = value
        for element in places:
            with pytest.raises(TypeError):
                xml.tostring(element)
    with pytest.raises(TypeError):
        xml.tostring(ET.Element("a", {5: "x"}))
    with pytest.raises(TypeError):
        xml.tostring(ET.Element(5))


def test_comments_and_instructions_are_no_elements(xml):
    for thing in (ET.Comment("x"), ET.ProcessingInstruction("x")):
        element = ET.Element("a")
        element.append(thing)
        with pytest.raises(TypeError):
            xml.tostring(element)
        with pytest.raises(TypeError):
            xml.tostring(thing)


def test_a_very_deep_tree(xml):
    root = here = ET.Element("a")
    for _ in range(100_000):
        here = ET.SubElement(here, "a")
    assert xml.tostring(root) == b"<a>" * 100_000 + b"<a/>" + b"</a>" * 100_000
    while len(root):
        child = root[0]
        root.remove(child)
        root = child


def test_empty_text_is_no_text(xml):
    element = ET.Element("a")
    element.text = ""
    ET.SubElement(element, "b").tail = ""
    assert xml.tostring(element) == b"<a><b/></a>"


@given(text=texts)
def test_text_and_value(xml, text):
    element = ET.Element("a", {"b": text})
    element.text = text
    stanza = xml.parse(xml.tostring(element))
    assert stanza.get("b") == text
    assert stanza.text == (text or None)
