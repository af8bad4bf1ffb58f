"""The serializer of domish and ours: the same characters for everything."""

from __future__ import annotations

import pytest
from hosts import host
from hypothesis import given
from hypothesis import strategies as st
from strategies import CHARACTERS, LOCAL_NAMES, NAMESPACES, XML_NAMESPACE

from xmppfast.adapters import _domish_writer as writer

domish = host("twisted.words.xish.domish")

odd_text = st.one_of(
    st.text(st.sampled_from(CHARACTERS + "\0\x0b\ud800\udc00\ufffe"), max_size=12),
    st.text(),
    st.sampled_from(["x" * 300, "x" * 140 + "<" + "\u00e9" * 40, "&" * 50]),
)
uris = st.one_of(st.none(), st.sampled_from([*NAMESPACES, "", XML_NAMESPACE]))
local_names = st.sampled_from([*LOCAL_NAMES, "p:a", "\ud800"])
prefixes = st.sampled_from(["p", "q", "xn0", "xn1", "stream", "\u00e9", ""])
attribute_names = st.one_of(local_names, st.tuples(uris, local_names))


def _element(uri, name, default, attributes, local_prefixes, children):
    element = domish.Element((uri, name), default, attributes, local_prefixes)
    element.defaultUri = default
    for child in children:
        element.addChild(child)
    return element


def _elements(children):
    return st.builds(
        _element,
        uris,
        local_names,
        uris,
        st.dictionaries(attribute_names, odd_text, max_size=4),
        st.dictionaries(prefixes, uris.filter(bool), max_size=2),
        children,
    )


strings = st.one_of(odd_text, st.builds(domish.SerializedXML, odd_text))
elements = st.recursive(
    _elements(st.lists(strings, max_size=2)),
    lambda inner: _elements(st.lists(st.one_of(inner, strings), max_size=4)),
    max_leaves=8,
)

scopes = st.one_of(
    st.none(),
    st.lists(st.one_of(prefixes, st.lists(prefixes, max_size=2)), max_size=3),
)


def serialized(serializer_class, nodes, given_prefixes=None, scope=None, **keywords):
    """What a serializer makes of some nodes, one after the other."""
    serializer = serializer_class(given_prefixes, scope)
    for node in nodes:
        serializer.serialize(node, **keywords)
    return serializer.getValue(), serializer.prefixes


def both(*arguments, **keywords):
    """What the stock serializer makes of the arguments, after a look at ours."""
    ours = serialized(writer.ListSerializer, *arguments, **keywords)
    theirs = serialized(domish._ListSerializer, *arguments, **keywords)
    assert ours == theirs
    assert type(ours[0]) is str
    return theirs[0]


@given(
    nodes=st.lists(st.one_of(elements, strings), max_size=3),
    given_prefixes=st.one_of(st.none(), st.dictionaries(uris, prefixes, max_size=2)),
    scope=scopes,
    close=st.sampled_from([0, 1, True, False, 2]),
    default=uris,
)
def test_any_tree(nodes, given_prefixes, scope, close, default):
    both(nodes, given_prefixes, scope, closeElement=close, defaultUri=default)


@given(element=elements)
def test_as_domish_calls_it(element):
    stock = element.toXml()
    before = domish.SerializerClass
    domish.SerializerClass = writer.ListSerializer
    try:
        assert element.toXml() == stock
        assert element.toXml(closeElement=0, prefixesInScope=["stream"]) == both(
            [element], None, ["stream"], closeElement=0
        )
    finally:
        domish.SerializerClass = before


def test_a_subclass_and_what_it_makes_up():
    class Element(domish.Element):
        @property
        def name(self):
            return "made-up"

        @name.setter
        def name(self, _name):
            pass

    element = Element(("urn:a", "x"))
    element.addElement("y")
    assert both([element]) == "<made-up xmlns='urn:a'><y/></made-up>"


def test_an_attribute_that_was_deleted():
    element = domish.Element(("urn:a", "x"))
    del element.uri
    assert both([element], defaultUri="urn:a") == "<x/>"


@pytest.mark.parametrize("wrong", [5, None, b"x"], ids=repr)
def test_values_that_are_no_strings(wrong):
    element = domish.Element((None, "x"), attribs={"a": wrong})
    with pytest.raises((AttributeError, TypeError)) as theirs:
        serialized(domish._ListSerializer, [element])
    with pytest.raises(theirs.type):
        serialized(writer.ListSerializer, [element])


def test_a_serializer_goes_on_after_an_error():
    element = domish.Element((None, "x"))
    element.addChild(domish.Element((None, "y"), attribs={"a": None}))
    serializer = writer.ListSerializer()
    with pytest.raises(AttributeError):
        serializer.serialize(element)
    before = serializer.getValue()
    serializer.serialize(domish.Element((None, "z")))
    assert serializer.getValue() == before + "<z/>"


@pytest.mark.parametrize("depth", [5, 6, 7, 1_000, 100_000])
def test_deep_trees(depth):
    element = domish.Element(("urn:a", "x"))
    for _ in range(depth):
        outer = domish.Element(("urn:a", "x"))
        outer.children.append(element)
        element = outer
    expected = "<x xmlns='urn:a'>" + "<x>" * (depth - 1) + "<x/>" + "</x>" * depth
    assert serialized(writer.ListSerializer, [element])[0] == expected
    while element.children:  # deallocated from the root it would recurse
        element = element.children.pop()


def test_an_element_inside_itself():
    element = domish.Element((None, "x"))
    element.children.append(element)
    with pytest.raises(RecursionError):
        serialized(writer.ListSerializer, [element])
    element.children.clear()
