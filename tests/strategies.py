"""Random XML for hypothesis: well-formed elements as ElementTree trees and as bytes."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

from hypothesis import strategies as st

XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
NAMESPACES = ["jabber:client", "urn:a", "urn:b", "http://example.org/?x=1&y='2'", "\u00fcrn:\u65e5"]
LOCAL_NAMES = ["a", "b", "message", "iq", "x-1", "_y.z", "\u00e9t\u00e9", "\u65e5\u672c", "xml"]

# Every kind of character that XML allows: markup, white space, one to four bytes, C1, edges.
CHARACTERS = "ab <>&'\"]\t\n\r/=;#\x7f\x85\u00e9\u2028\u65e5\ud7ff\ue000\ufffd\U00010000\U0001f600"

texts = st.text(st.sampled_from(CHARACTERS), max_size=12)
some_text = st.one_of(st.none(), texts.filter(bool))
namespaces = st.one_of(st.none(), st.sampled_from(NAMESPACES))


def clark(namespace: str | None, local: str) -> str:
    """Clark name."""
    return f"{{{namespace}}}{local}" if namespace else local


tags = st.builds(clark, namespaces, st.sampled_from(LOCAL_NAMES))
attribute_names = st.one_of(
    tags, st.sampled_from(["to", "from", "id", "type", clark(XML_NAMESPACE, "lang")])
)


def _element(tag, attrib, text, children):
    element = ET.Element(tag, attrib)
    element.text = text
    for child, tail in children:
        child.tail = tail
        element.append(child)
    return element


def _with_children(inner):
    children = st.lists(st.tuples(inner, some_text), max_size=4)
    return st.builds(
        _element, tags, st.dictionaries(attribute_names, texts, max_size=4), some_text, children
    )


def _leaf():
    return st.builds(
        _element,
        tags,
        st.dictionaries(attribute_names, texts, max_size=3),
        some_text,
        st.just([]),
    )


# ElementTree elements, without text that is the empty string.
elements = st.recursive(_leaf(), _with_children, max_leaves=8)

_PREFIXES = ["p", "q", "stream", "\u00e9"]
_SPACE = st.sampled_from([" ", "  ", "\n", "\t", "\r\n"])
_NO_SPACE = st.sampled_from(["", "", "", " ", "\n"])


@st.composite
def character_data(draw, quote: str | None = None) -> str:
    """Text, or an attribute value without its quotes, in its many spellings."""
    pieces = st.sampled_from(
        [
            "x",
            "text",
            " ",
            "\n",
            "\r\n",
            "\r",
            "\t",
            ">",
            "]",
            "&amp;",
            "&lt;",
            "&gt;",
            "&apos;",
            "&quot;",
            "&#10;",
            "&#xD;",
            "&#x1F600;",
            "&#0065;",
            "\u00e9",
            "\u65e5\u672c",
            "\U0001f600",
            "\x7f",
            "\ufffd",
            "'" if quote != "'" else '"',
        ]
    )
    parts = draw(st.lists(pieces, max_size=6))
    if quote is None and draw(st.integers(0, 3)) == 0:
        inside = draw(st.sampled_from(["", "<&", "]]", "\r\n", "&amp;", "\u00e9", "<a>", "] ]>"]))
        parts.insert(draw(st.integers(0, len(parts))), f"<![CDATA[{inside}]]>")
    return "".join(parts)


@st.composite
def markup(draw, depth: int = 3, scope: tuple[str, ...] = ()) -> str:
    """An element as it might be written: any quotes, white space, prefixes and references.

    Mostly well-formed; now and then an attribute twice, a prefix not declared or `]]>` in text.
    """
    declared = draw(st.lists(st.sampled_from(_PREFIXES[:3]), max_size=2, unique=True))
    names = st.sampled_from(["urn:a", "urn:&#97;", "u&amp;"])
    attributes = [(f"xmlns:{prefix}", draw(names)) for prefix in declared]
    if draw(st.integers(0, 3)) == 0:
        attributes.append(("xmlns", draw(st.sampled_from(["", "urn:a", "jabber:client"]))))
    inner = scope + tuple(declared)
    prefixes = st.sampled_from(("", "", *(f"{prefix}:" for prefix in inner)))
    for local in draw(st.lists(st.sampled_from(["to", "from", "id", "b", "\u00e9"]), max_size=3)):
        name = draw(prefixes) + local
        if name not in dict(attributes) or draw(st.integers(0, 9)) == 0:
            attributes.append((name, None))
    if draw(st.integers(0, 4)) == 0:
        attributes.append(("xml:lang", "en"))
    name = draw(prefixes) + draw(st.sampled_from(["a", "message", "b-1", "\u65e5"]))
    tag = name
    for key, value in draw(st.permutations(attributes)):
        quote = draw(st.sampled_from("'\""))
        written = draw(character_data(quote)) if value is None else value
        tag += draw(_SPACE) + key + draw(_NO_SPACE) + "=" + draw(_NO_SPACE)
        tag += quote + written + quote
    tag += draw(_NO_SPACE)
    if draw(st.integers(0, 3)) == 0:
        return f"<{tag}/>"
    content = draw(character_data())
    for _ in range(draw(st.integers(0, 3)) if depth else 0):
        content += draw(markup(depth - 1, inner)) + draw(character_data())
    return f"<{tag}>{content}</{name}{draw(_NO_SPACE)}>"


@st.composite
def streams(draw) -> bytes:
    """A stream of some stanzas, with or without XML declaration and end."""
    declaration = draw(
        st.sampled_from(
            [
                "",
                "",
                "\n",
                "<?xml version='1.0'?>",
                '<?xml version="1.0" encoding="utf-8" standalone=\'yes\' ?>\r\n',
            ]
        )
    )
    header = draw(
        st.sampled_from(
            [
                "<s:s xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' to='x'>",
                "<stream xmlns='urn:s' xmlns:stream='urn:a' xmlns:p='urn:b' version='1.0' >",
                "<a>",
                "<p:a\txmlns:p='urn:a' xmlns:q = \"urn:&#97;\" xml:lang='en' p:b='&lt;'>",
            ]
        )
    )
    scope = tuple(prefix for prefix in ("stream", "p", "q") if f"xmlns:{prefix}" in header)
    name = header[1:].split(">")[0].split(" ")[0].split("\t")[0]
    body = ""
    for _ in range(draw(st.integers(0, 4))):
        body += draw(st.sampled_from(["", "", " ", "\n", "\r\n\t"])) + draw(markup(2, scope))
    end = draw(st.sampled_from(["", f"</{name}>", f"</{name} >\n"]))
    return (declaration + header + body + end).encode()


# What a mutation may put anywhere: the beginnings, ends and pieces of everything XML has.
FRAGMENTS = [
    b"<",
    b">",
    b"/>",
    b"</",
    b"&",
    b";",
    b"=",
    b"'",
    b'"',
    b":",
    b"]]>",
    b"]]",
    b" ",
    b"\n",
    b"\r",
    b"\r\n",
    b"\t",
    b"x",
    b"&amp;",
    b"&lt;",
    b"&#0;",
    b"&#60;",
    b"&#xD800;",
    b"&#x110000;",
    b"&#99999999999;",
    b"&#x1F600;",
    b"&nbsp;",
    b"&a b;",
    b"&#;",
    b"<a>",
    b"</a>",
    b"<a/>",
    b"<p:a/>",
    b"<a b='c'/>",
    b"<a b='c' b='d'/>",
    b"<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>",
    b"<a xmlns:p=''/>",
    b"<a xmlns:xml='u'/>",
    b"<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
    b"<xmlns:a/>",
    b"<xml:a/>",
    b"<a:b:c/>",
    b"<:a/>",
    b"<a:/>",
    b" xmlns:p='urn:z'",
    b" xmlns=''",
    b" b='1'",
    b" p:b='1'",
    b" xml:lang='de'",
    b"<!--",
    b"<!-- x -->",
    b"<!-",
    b"<?x?>",
    b"<?xml version='1.0'?>",
    b"<?xml version='1.1'?>",
    b"<?xml version='1.0' encoding='latin1'?>",
    b"<?xml",
    b"<?",
    b"<!DOCTYPE a>",
    b"<!DOC",
    b"<![CDATA[",
    b"<![CDATA[]]>",
    b"<![CDATA[x]]]>",
    b"<!",
    b"<1/>",
    b"</ a>",
    b"\0",
    b"\x01",
    b"\x0b",
    b"\x7f",
    b"\x80",
    b"\xc0\xaf",
    b"\xc3",
    b"\xc3\xa9",
    b"\xcc\x81",
    b"\xe2\x82",
    b"\xe2\x82\xac",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xef\xbf\xbd",
    b"\xef\xbf\xbe",
    b"\xf0\x9f\x98",
    b"\xf0\x9f\x98\x80",
    b"\xf4\x90\x80\x80",
    b"\xff",
    b"\xff\xfe",
    "\u0100\u0131\u0e01\u3005\ua000\U00010000".encode(),
]

fragments = st.sampled_from(FRAGMENTS)


@st.composite
def mutated(draw, inputs=None) -> bytes:
    """A stream with some of its bytes changed, taken out, doubled or put in."""
    data = draw(streams() if inputs is None else inputs)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["put", "put", "put", "take", "flip", "double", "end"])):
            case "put":
                data = data[:at] + draw(fragments) + data[at:]
            case "take":
                data = data[:at] + data[at + draw(st.integers(1, 9)) :]
            case "flip":
                byte = bytes([draw(st.integers(0, 255))])
                data = data[:at] + byte + data[at + 1 :]
            case "double":
                to = draw(st.integers(at, min(len(data), at + 40)))
                data = data[:to] + data[at:to] + data[to:]
            case "end":
                data = data[:at]
    return data


# Pieces without any order, in and before a stream.
soups = st.builds(
    lambda start, pieces: start + b"".join(pieces),
    st.sampled_from([b"", b"<a>", b"<a><a>", b"<p:a xmlns:p='urn:a' xmlns:q='urn:b'>", b"<a b='"]),
    st.lists(fragments, max_size=12),
)

inputs = st.one_of(mutated(), soups, mutated(soups), st.binary(max_size=12))


@st.composite
def pieces(draw, data: bytes) -> list[bytes]:
    """The data in chunks: whole, bytewise or cut anywhere."""
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return [data]
    if kind == 1:
        return [data[i : i + 1] for i in range(len(data))]
    offsets = draw(st.lists(st.integers(0, len(data)), max_size=5))
    edges = [0, *sorted(offsets), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


# Limits low enough for small streams to reach them; None is for the default.
low_limits = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "depth": st.integers(1, 4),
            "attributes": st.integers(1, 6),
            "children": st.integers(0, 5),
            "name_bytes": st.integers(1, 14),
            "namespaces": st.integers(1, 5),
        },
    ),
)

restarts = st.frozensets(st.integers(1, 6), max_size=2)
