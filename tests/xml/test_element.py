"""Elements and stanzas say what ElementTree says of the same bytes."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from strategies import elements, markup
from streams import HEADER, content, stanzas

DOCUMENT = """<message xmlns='jabber:client' to='a@b' type='chat' xml:lang='en'>
  <body>one</body><body xml:lang='de'>zwei &amp; <b>drei</b> vier</body>
  <x xmlns='urn:x' a='1'><y>t1<z/>t2<z b='2'>t3</z>t4</y><y a='1'/><y a='2'>t3</y></x>tail
  <p:q xmlns:p='urn:p' p:a='3'><p:r/><s/><s xmlns=''><t>deep</t></s></p:q>
  <![CDATA[<raw>]]>
  <empty></empty>
</message>"""

PATHS = [
    ".",
    "*",
    "./*",
    "**",
    "body",
    "{jabber:client}body",
    "{jabber:client}body/{jabber:client}b",
    "{*}body",
    "{}t",
    "{urn:x}*",
    "{*}*",
    "{urn:x}x/{urn:x}y",
    "{urn:x}x/{urn:x}y/{urn:x}z",
    "{urn:x}x//{urn:x}z",
    "*/*",
    "*/*/*",
    "*//*",
    ".//*",
    ".//{urn:x}y",
    ".//{urn:x}y[@a]",
    ".//{urn:x}y[@a='2']",
    ".//{urn:x}y[@a!='2']",
    ".//{urn:x}y[1]",
    ".//{urn:x}y[2]",
    ".//{urn:x}y[last()]",
    ".//{urn:x}y[last()-1]",
    ".//{urn:x}y[{urn:x}z]",
    ".//{urn:x}y[{urn:x}z='t3']",
    ".//{urn:x}y[.='t3']",
    ".//{urn:x}y[.!='t3']",
    ".//{urn:x}z/..",
    ".//{urn:x}z/../..",
    "..",
    "*[@{http://www.w3.org/XML/1998/namespace}lang]",
    "*[@{http://www.w3.org/XML/1998/namespace}lang='de']",
    "*[2]",
    "*[{jabber:client}b]",
    ".//t",
    ".//{}t",
    "{urn:p}q/s",
    "{urn:p}q/{jabber:client}s",
    "{urn:p}q/s/t",
    "{urn:none}x",
    "{jabber:client}empty",
    "{jabber:client}body[@none]",
    "./{jabber:client}body/.",
    "{jabber:client}body[2]/{jabber:client}b",
]

PREFIXED = [
    ("c:body", {"c": "jabber:client"}),
    ("body", {"": "jabber:client"}),
    ("x:x/x:y[@a='2']", {"x": "urn:x"}),
    (".//x:z", {"x": "urn:x"}),
    ("c:*", {"c": "jabber:client"}),
    ("x:x/x:*", {"x": "urn:x"}),
    ("*[c:b]", {"c": "jabber:client"}),
]

BAD_PATHS = ["/x", "*[", "*[0]", "*[last()-x]", "*[@]", "a]", "", "*[1][", "//", "c:body"]


def pair(xml, source=DOCUMENT):
    """The same document read by us and by ElementTree."""
    return xml.parse(source), ET.fromstring(source)


def same(ours, theirs):
    """Whether two results of a search agree in content, with tails."""
    if ours is None or theirs is None:
        return ours is theirs
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return content(ours) == content(theirs)


def outcome(call, *args):
    """What a call gives, or the type of what it raises."""
    try:
        return call(*args)
    except (SyntaxError, ValueError, KeyError, TypeError) as error:
        return type(error)


# Against ElementTree


def test_content(xml):
    stanza, tree = pair(xml)
    assert content(stanza) == content(tree)


@pytest.mark.parametrize("path", PATHS)
def test_paths(xml, path):
    stanza, tree = pair(xml)
    assert same(outcome(stanza.find, path), outcome(tree.find, path))
    assert same(outcome(stanza.findall, path), outcome(tree.findall, path))
    assert same(
        outcome(lambda: list(stanza.iterfind(path))), outcome(lambda: list(tree.iterfind(path)))
    )
    assert outcome(stanza.findtext, path) == outcome(tree.findtext, path)
    assert outcome(stanza.findtext, path, 5) == outcome(tree.findtext, path, 5)


@pytest.mark.parametrize(("path", "namespaces"), PREFIXED)
def test_paths_with_prefixes(xml, path, namespaces):
    stanza, tree = pair(xml)
    assert tree.find(path, namespaces) is not None
    assert same(stanza.find(path, namespaces), tree.find(path, namespaces))
    assert same(stanza.find(path, namespaces=namespaces), tree.find(path, namespaces))
    assert same(stanza.findall(path, namespaces), tree.findall(path, namespaces))
    assert same(list(stanza.iterfind(path, namespaces)), tree.findall(path, namespaces))
    assert stanza.findtext(path, None, namespaces) == tree.findtext(path, None, namespaces)
    assert stanza.findtext(path, namespaces=namespaces) == tree.findtext(path, None, namespaces)


@pytest.mark.parametrize("path", BAD_PATHS)
def test_bad_paths(xml, path):
    stanza, tree = pair(xml)
    assert outcome(stanza.findall, path) in (outcome(tree.findall, path), SyntaxError)
    assert outcome(stanza.find, path) in (outcome(tree.find, path), SyntaxError)


def test_paths_from_inside(xml):
    stanza, tree = pair(xml)
    for ours, theirs in zip(stanza.iter(), tree.iter(), strict=True):
        for path in ("*", ".//*", ".", "*[1]", ".//*[@a]"):
            assert same(ours.findall(path), theirs.findall(path))


@pytest.mark.parametrize(
    "tag", [None, "*", "{jabber:client}body", "{urn:x}y", "y", "{urn:none}y", "{urn:x}*", ""]
)
def test_iter(xml, tag):
    stanza, tree = pair(xml)
    ours = list(stanza.iter()) if tag is None else list(stanza.iter(tag))
    theirs = list(tree.iter()) if tag is None else list(tree.iter(tag))
    assert [e.tag for e in ours] == [e.tag for e in theirs]
    assert same(ours, theirs)


def test_iter_is_lazy(xml):
    (stanza,) = stanzas(xml, b"<a>" + b"<b/>" * 1000 + b"</a>")
    iterator = stanza.iter()
    assert iter(iterator) is iterator
    assert next(iterator).name == "a"
    assert next(iterator).name == "b"


def test_itertext(xml):
    stanza, tree = pair(xml)
    assert "".join(stanza.itertext()) == "".join(tree.itertext())
    for ours, theirs in zip(stanza.iter(), tree.iter(), strict=True):
        assert list(ours.itertext()) == list(theirs.itertext())


def test_len_and_indexing(xml):
    stanza, tree = pair(xml)
    assert len(stanza) == len(tree) == 5
    for i in range(-5, 5):
        assert same(stanza[i], tree[i])
    for i in (5, -6, 100, 2**70):
        with pytest.raises(IndexError):
            stanza[i]
    for index in (None, "0", 1.0):
        with pytest.raises(TypeError):
            stanza[index]


@pytest.mark.parametrize("start", [None, 0, 1, 4, 5, 9, -1, -4, -9])
@pytest.mark.parametrize("stop", [None, 0, 2, 5, -2, 9])
@pytest.mark.parametrize("step", [None, 1, 2, -1, -3])
def test_slices(xml, start, stop, step):
    stanza, tree = pair(xml)
    part = stanza[start:stop:step]
    assert isinstance(part, list)
    assert same(part, tree[start:stop:step])


def test_iteration(xml):
    stanza, tree = pair(xml)
    assert same(list(stanza), list(tree))
    assert same(list(reversed(list(stanza))), list(reversed(list(tree))))
    assert list(stanza[0]) == []


def test_get(xml):
    stanza, _ = pair(xml)
    assert stanza.get("to") == "a@b"
    assert stanza.get("none") is None
    assert stanza.get("none", "x") == "x"
    assert stanza.get("to", "x") == "a@b"
    assert stanza.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    assert stanza.get("xml:lang") is None
    assert stanza.find("{urn:p}q").get("{urn:p}a") == "3"
    assert stanza.find("{urn:p}q").get("a") is None


def test_children_are_elements_and_no_stanzas(xml):
    stanza, _ = pair(xml)
    assert type(stanza[0]) is xml.Element
    assert not hasattr(stanza[0], "forward")


def test_an_element_is_true(xml):
    stanza, _ = pair(xml)
    assert all(bool(element) for element in stanza.iter())


def test_name_and_namespace(xml):
    stanza, _ = pair(xml)
    for element in stanza.iter():
        namespace = "" if element.xmlns is None else f"{{{element.xmlns}}}"
        assert element.tag == namespace + element.name
    assert stanza.find(".//t").xmlns is None


def test_raw_of_children(xml):
    stanza, _ = pair(xml)
    raw = DOCUMENT.encode()
    assert stanza.raw == raw
    assert stanza[0].raw == b"<body>one</body>"
    assert stanza[1][0].raw == b"<b>drei</b>"
    assert stanza[4].raw == b"<empty></empty>"
    for element in stanza.iter():
        assert element.raw in raw


def test_parse_drops_what_is_around(xml):
    for source in (
        " \n<a/>\r\n",
        "<?xml version='1.0'?><a/>",
        "<?xml version='1.0' encoding='utf-8'?>\n <a/> ",
    ):
        stanza = xml.parse(source.encode())
        assert type(stanza) is xml.Stanza
        assert stanza.raw == b"<a/>"
        assert stanza.tail is None
        assert xml.parse(source) == stanza


def test_parse_takes_what_feed_takes(xml):
    source = b"<a b='c'>d</a>"
    expected = xml.parse(source)
    for data in (
        bytearray(source),
        memoryview(source),
        source.decode(),
        memoryview(source * 2)[:14],
    ):
        assert xml.parse(data) == expected
        assert xml.parse(data).raw == source
    for data in (None, 5, [source]):
        with pytest.raises(TypeError):
            xml.parse(data)


def test_parse_reads_the_head(xml):
    stanza = xml.parse("<iq to='t' from='f' id='i' type='get' xml:lang='l'><q xmlns='u'/></iq>")
    assert (stanza.to, stanza.from_, stanza.id, stanza.type) == ("t", "f", "i", "get")
    assert (stanza.lang, stanza.payload) == ("l", "{u}q")


# to_etree


def test_to_etree(xml):
    stanza, tree = pair(xml)
    ours = stanza.to_etree()
    assert type(ours) is ET.Element
    assert ET.tostring(ours) == ET.tostring(tree)
    assert content(ours) == content(tree)
    assert ours.tail is None


def test_to_etree_gives_a_new_tree(xml):
    stanza, tree = pair(xml)
    first, second = stanza.to_etree(), stanza.to_etree()
    first[0].text = "changed"
    first.set("new", "x")
    first.remove(first[1])
    assert content(second) == content(tree) == content(stanza)


def test_to_etree_of_children(xml):
    stanza, tree = pair(xml)
    for ours, theirs in zip(stanza.iter(), tree.iter(), strict=True):
        made = ours.to_etree()
        theirs = copy.deepcopy(theirs)
        theirs.tail = made.tail
        assert content(made) == content(theirs)
        assert ET.tostring(made) == ET.tostring(theirs)


# Equality


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<a/>", "<a></a>"),
        ("<a b='1' c='2'/>", "<a c='2' b='1'/>"),
        ("<a b='1'/>", '<a  b = "1" />'),
        ("<p:a xmlns:p='u' p:b='1'/>", "<a xmlns='u' xmlns:q='u' q:b='1'/>"),
        ("<a>&lt;</a>", "<a><![CDATA[<]]></a>"),
        ("<a>\n</a>", "<a>\r\n</a>"),
        ("<a><b/>x</a>", "<a><b></b>&#120;</a>"),
        ("<a xmlns:unused='u'/>", "<a/>"),
    ],
)
def test_equal(xml, one, other):
    first, second = xml.parse(one), xml.parse(other)
    assert first == second
    assert not first != second  # noqa: SIM202 - both operators are under test
    assert hash(first) == hash(second)
    assert len({first, second}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<a/>", "<b/>"),
        ("<a/>", "<a xmlns='u'/>"),
        ("<a/>", "<a b=''/>"),
        ("<a b='1'/>", "<a b='2'/>"),
        ("<a b='1'/>", "<a c='1'/>"),
        ("<a/>", "<a> </a>"),
        ("<a>x</a>", "<a>y</a>"),
        ("<a><b/></a>", "<a/>"),
        ("<a><b/></a>", "<a><c/></a>"),
        ("<a><b/></a>", "<a><b/>x</a>"),
        ("<a><b/><c/></a>", "<a><c/><b/></a>"),
        ("<a><b><c/></b></a>", "<a><b/><c/></a>"),
        ("<a b=' '/>", "<a b='&#10;'/>"),
    ],
)
def test_unequal(xml, one, other):
    first, second = xml.parse(one), xml.parse(other)
    assert first != second
    assert not first == second  # noqa: SIM201 - both operators are under test


def test_equality_of_children(xml):
    (stanza,) = stanzas(xml, b"<m><a>x</a><a>x</a>tail<a>y</a></m>")
    one, two, three = stanza
    assert one == two  # the tail belongs to the parent
    assert one != three
    assert hash(one) == hash(two)
    assert stanza[0] == stanza[0]
    assert stanza in [stanza]


def test_equality_over_stanzas_and_streams(xml):
    (one,) = stanzas(xml, b"<a><b/></a>")
    other = xml.parse("<a xmlns='jabber:client'><b/></a>")
    assert one == other
    assert one[0] == xml.parse("<b xmlns='jabber:client'/>")


def test_other_types_are_unequal(xml):
    stanza = xml.parse("<a/>")
    for other in (None, "a", b"<a/>", ET.Element("a"), 5):
        assert stanza != other


def test_elements_are_not_ordered(xml):
    stanza = xml.parse("<a/>")
    with pytest.raises(TypeError):
        stanza < stanza  # noqa: B015


# Deep and wide


DEEP = 100_000


@pytest.fixture
def deep(xml):
    """A stanza of 100,000 levels, twice."""
    limits = xml.Limits(depth=DEEP + 1, children=2 * DEEP, stanza_bytes=10_000_000)
    source = b"<a>" * DEEP + b"x" + b"</a>" * DEEP
    return [xml.parse(source, limits=limits) for _ in range(2)]


def test_a_deep_stanza(deep):
    one, other = deep
    assert sum(1 for _ in one.iter()) == DEEP
    assert "".join(one.itertext()) == "x"
    assert one == other
    assert hash(one) == hash(other)
    assert len(one.raw) == DEEP * 7 + 1
    assert "a" in repr(one)


def test_a_deep_stanza_as_tree(deep):
    tree = deep[0].to_etree()
    level = 1
    here = tree
    while len(here):
        here = here[0]
        level += 1
    assert level == DEEP
    assert here.text == "x"
    # ElementTree frees a tree recursively, as deep as the C stack allows: take it apart.
    while len(tree):
        child = tree[0]
        tree.remove(child)
        tree = child


def test_a_deep_stanza_written_again(xml, deep):
    assert xml.tostring(deep[0]) == deep[0].raw


def test_a_deep_descent_by_index(deep):
    here = deep[0]
    for _ in range(DEEP - 1):
        here = here[0]
    assert here.text == "x"
    assert here.raw == b"<a>x</a>"


def test_a_wide_stanza(xml):
    limits = xml.Limits(children=50_000, stanza_bytes=2_000_000)
    stanza = xml.parse(b"<a>" + b"<b c='1'>x</b>y" * 50_000 + b"</a>", limits=limits)
    assert len(stanza) == 50_000
    assert sum(len(child.text + child.tail) for child in stanza) == 100_000
    assert stanza[-1].tail == "y"
    assert len(stanza.findall("b[@c='1']")) == 50_000


def test_many_attributes(xml):
    limits = xml.Limits(attributes=2000)
    source = "<a" + "".join(f" a{i}='{i}'" for i in range(2000)) + "/>"
    stanza = xml.parse(source, limits=limits)
    assert stanza.get("a1999") == "1999"
    assert stanza.get("a2000") is None
    assert list(stanza.attrib) == [f"a{i}" for i in range(2000)]


# Any element


@given(source=markup())
def test_any_element_is_read_as_elementtree_reads_it(xml, source):
    try:
        tree = ET.fromstring(source)
    except ET.ParseError:
        with pytest.raises(xml.StreamError):
            xml.parse(source)
        return
    stanza = xml.parse(source)
    assert content(stanza) == content(tree)
    assert content(stanza.to_etree()) == content(tree)
    for path in ("*", ".//*", ".//a", "{urn:a}*", ".//*[@to]", "*[1]"):
        assert same(stanza.findall(path), tree.findall(path))
    assert list(stanza.itertext()) == list(tree.itertext())


@given(tree=elements)
def test_any_tree_is_read_back(xml, tree):
    written = ET.tostring(tree, encoding="utf-8", xml_declaration=True)
    assert content(xml.parse(written)) == content(ET.fromstring(written))


def test_raw_of_every_element_is_that_element(xml):
    (stanza,) = stanzas(xml, b"<a><b c='1'/>x<d\n><e/></d >y</a>")
    assert [e.raw for e in stanza.iter()] == [
        b"<a><b c='1'/>x<d\n><e/></d >y</a>",
        b"<b c='1'/>",
        b"<d\n><e/></d >",
        b"<e/>",
    ]
    assert HEADER not in stanza.raw
