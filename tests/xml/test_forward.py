"""A forwarded stanza differs from the received one in what was asked, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import markup, texts
from streams import HEADER, content, stanzas

UNKEPT = "\0", "\x01", "\x1f", "\ufffe", "\uffff", "\ud800", "ok\udfff"

SOURCE = (
    b"<message to='a' from='b'\n\tid = \"c&amp;d\" xml:lang='en'><body>x &lt; y</body>"
    b"<p:q xmlns:p='u' p:r='1'/></message >"
)
LEANS = b"<stream xmlns='jabber:client' xmlns:p='urn:p' xmlns:q='urn:&amp;q' xmlns:unused='urn:n'>"


def only(xml, data, header=HEADER):
    """The one stanza of a stream."""
    _, stanza = xml.StreamParser().feed(header + data)
    return stanza


def behind_start_tag(raw):
    """What follows the name and attributes; the tests' values have no raw `>`."""
    return raw[raw.index(b">") - (raw[raw.index(b">") - 1 : raw.index(b">")] == b"/") :]


def test_nothing_asked_nothing_changed(xml):
    stanza = only(xml, SOURCE)
    assert stanza.forward() == SOURCE
    assert type(stanza.forward()) is bytes
    assert xml.parse(SOURCE).forward() == SOURCE


@pytest.mark.parametrize(
    "changes",
    [
        {"from_": "new"},
        {"to": "new"},
        {"from_": None},
        {"to": None},
        {"from_": "one", "to": "two"},
        {"from_": None, "to": None},
        {"from_": None, "to": "two"},
        {"from_": ""},
    ],
)
@pytest.mark.parametrize(
    "source",
    [
        SOURCE,
        b"<iq/>",
        b"<iq />",
        b"<iq></iq>",
        b"<iq from='x'/>",
        b"<iq to='x'/>",
        b"<iq to='x' from = \"y\" />",
        b"<iq id='1' from='x'>text</iq>",
        b"<iq tox='1' x:to='2' x:from='3' xmlns:x='from'/>",
        b"<iq a='to=&apos;' b=' from=\"x\" '/>",
    ],
)
def test_attributes(xml, source, changes):
    stanza = only(xml, source)
    forwarded = stanza.forward(**changes)
    assert forwarded.endswith(behind_start_tag(source))
    again = only(xml, forwarded)
    expected = dict(stanza.attrib)
    for key, value in changes.items():
        name = key.rstrip("_")
        expected.pop(name, None)
        if value is not None:
            expected[name] = value
    assert dict(again.attrib) == expected
    assert again.tag == stanza.tag
    assert content(again)[1:] == content(stanza)[1:]
    assert again.text == stanza.text


def test_what_is_not_asked_keeps_its_bytes(xml):
    forwarded = only(xml, SOURCE).forward(to="z")
    assert b"from='b'" in forwarded
    assert b'id = "c&amp;d"' in forwarded
    assert b"xml:lang='en'" in forwarded


@pytest.mark.parametrize("value", ["<&>'\"", "\t\n\r ", " a  b ", "\u00e9\u65e5\U0001f600", "]]>"])
def test_values_are_escaped(xml, value):
    again = only(xml, only(xml, SOURCE).forward(from_=value, to=value))
    assert again.from_ == again.to == value


@pytest.mark.parametrize(
    "source",
    [
        b"<a/>",
        b"<a ><b from='c'/></a >",
        b"<a from=''/>",
        b"<a to='x'\n/>",
        b'<a to="x" from = "a\'b" id=\'1\'>c</a>',
        b"<a xmlns:from='urn:x' from='b' >c</a>",
        b"<p:a/>",
    ],
)
@pytest.mark.parametrize("value", ["", "a@b/c", "a@example.org/" + "r" * 100, "\u00e9@b", "<'&"])
def test_the_same_value_again(xml, source, value):
    stanza = only(xml, source, LEANS)
    first = stanza.forward(from_=value)
    assert only(xml, first, LEANS).from_ == value
    assert [stanza.forward(from_=value) for _ in range(2)] == [first, first]
    assert only(xml, stanza.forward(from_=None), LEANS).from_ is None
    assert stanza.forward(to=None, from_=value) == only(xml, first, LEANS).forward(to=None)


@pytest.mark.parametrize("value", UNKEPT, ids=ascii)
@pytest.mark.parametrize("key", ["from_", "to", "xmlns"])
def test_what_xml_cannot_carry_is_refused(xml, key, value):
    with pytest.raises(ValueError):  # noqa: PT011 - the text is for people
        only(xml, SOURCE).forward(**{key: value})


@pytest.mark.parametrize("value", [5, b"x", ["x"]])
@pytest.mark.parametrize("key", ["from_", "to", "xmlns"])
def test_other_types_are_refused(xml, key, value):
    with pytest.raises(TypeError):
        only(xml, SOURCE).forward(**{key: value})


def test_keywords_only(xml):
    with pytest.raises(TypeError):
        only(xml, SOURCE).forward("x")
    with pytest.raises(TypeError):
        only(xml, SOURCE).forward(id="x")


# The default namespace


@pytest.mark.parametrize(
    "source",
    [b"<iq/>", b"<iq xmlns='jabber:client'/>", b"<iq to='x' xmlns = \"urn:x\" ><q/></iq>"],
)
@pytest.mark.parametrize("namespace", ["jabber:server", "urn:a&b'c", ""])
def test_xmlns_is_set(xml, source, namespace):
    again = xml.parse(only(xml, source).forward(xmlns=namespace))
    assert again.xmlns == (namespace or None)
    assert all(child.xmlns == again.xmlns for child in again)


def test_xmlns_is_removed(xml):
    stanza = only(xml, b"<iq xmlns='jabber:client' to='a'><q xmlns='u'/></iq>")
    again = xml.parse(stanza.forward(xmlns=None))
    assert again.tag == "iq"
    assert again.payload == "{u}q"
    assert again.to == "a"


def test_an_inherited_default_namespace_is_not_declared(xml):
    assert only(xml, b"<iq to='a'/>").forward() == b"<iq to='a'/>"
    assert b"xmlns" not in only(xml, b"<iq to='a'/>").forward(to="b")


def test_xmlns_and_attributes_together(xml):
    forwarded = only(xml, SOURCE).forward(from_="f", to="t", xmlns="jabber:server")
    again = xml.parse(forwarded)
    assert again.tag == "{jabber:server}message"
    assert (again.from_, again.to, again.id, again.lang) == ("f", "t", "c&d", "en")
    assert again.payload == "{jabber:server}body"
    assert again[1].tag == "{u}q"


# Prefixes of the stream header

LEANING = [
    (b"<p:a/>", {b"p"}),
    (b"<a p:b='1'/>", {b"p"}),
    (b"<a><p:b/></a>", {b"p"}),
    (b"<a><b q:c='1'/></a>", {b"q"}),
    (b"<a><p:b q:c='1'/></a>", {b"p", b"q"}),
    (b"<p:a><b><q:c/></b></p:a>", {b"p", b"q"}),
    (b"<a><b xmlns:p='v'><p:c/></b><p:d/></a>", {b"p"}),
    (b"<a><b xmlns:p='v'><p:c/></b></a>", set()),
    (b"<a xmlns:p='v'><p:b/><q:c/></a>", {b"q"}),
    (b"<p:a xmlns:p='v'/>", set()),
    (b"<a xml:lang='en'/>", set()),
    (b"<a>p:b</a>", set()),
    (b"<a b='p:c'/>", set()),
    (b"<p:a>\n<p:b>x</p:b ></p:a>", {b"p"}),
]


@pytest.mark.parametrize(("source", "leans"), LEANING)
def test_prefixes_of_the_header_are_declared(xml, source, leans):
    stanza = only(xml, source, LEANS)
    for changes in ({}, {"from_": "f"}, {"to": "t", "from_": None}):
        forwarded = stanza.forward(**changes)
        declared = {p for p in (b"p", b"q", b"unused") if b"xmlns:%s=" % p in forwarded}
        inside = {p for p in (b"p", b"q", b"unused") if b"xmlns:%s=" % p in source}
        assert declared == leans | inside
        again = only(xml, forwarded, b"<s xmlns='jabber:client'>")
        assert again.tag == stanza.tag
        assert content(again)[1:] == content(stanza)[1:]
        assert {k: v for k, v in again.attrib.items() if k not in ("from", "to")} == dict(
            stanza.attrib
        )
        if not leans:
            assert forwarded.endswith(behind_start_tag(source))


def test_no_leaning_after_restart(xml):
    parser = xml.StreamParser()
    list(parser.feed(LEANS))
    parser.restart()
    _, stanza = parser.feed(b"<s xmlns='u'><a/>")
    assert stanza.forward() == b"<a/>"


# Any stanza


@given(source=markup(), to=st.one_of(st.none(), texts), from_=st.one_of(st.none(), texts))
def test_any_stanza(xml, source, to, from_):
    header = b"<s xmlns='urn:default' xmlns:stream='urn:header' xmlns:p='urn:p&amp;'>"
    try:
        _, stanza = xml.StreamParser().feed(header + source.encode())
    except xml.StreamError:
        return
    forwarded = stanza.forward(to=to, from_=from_)
    again = only(xml, forwarded, b"<s xmlns='urn:default'>")
    expected = {k: v for k, v in stanza.attrib.items() if k not in ("to", "from")}
    expected |= {k: v for k, v in (("to", to), ("from", from_)) if v is not None}
    assert dict(again.attrib) == expected
    assert (again.tag, again.text) == (stanza.tag, stanza.text)
    assert content(again)[1:] == content(stanza)[1:]


def test_a_stanza_forwards_again_and_again(xml):
    (stanza,) = stanzas(xml, SOURCE)
    results = {stanza.forward(to=f"user{i}@example.org") for i in range(100)}
    assert len(results) == 100
    assert stanza.raw == SOURCE
