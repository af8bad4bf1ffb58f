"""Each limit: just at it, just past it, and that nothing grows beyond it."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from streams import FOOTER, HEADER, cut, error_definitions, every_split, outline, read

ERRORS = error_definitions()

MOST = 2**31 - 1


def check(xml, data, code, offset, **limits):
    """That a stream under these limits has this error there, in any chunks."""
    bounds = xml.Limits(**limits)
    whole = read(xml, [data], limits=bounds, see=outline)
    if code is None:
        assert whole.fault is None
    else:
        assert whole.fault is not None
        assert (whole.fault.condition, whole.fault.text) == ERRORS[code]
        assert whole.fault.offset == offset
    place = offset if code else len(data)
    assert read(xml, near(data, place), limits=bounds, see=outline) == whole
    if len(data) < 300:
        for chunks in every_split(data):
            assert read(xml, chunks, limits=bounds, see=outline) == whole


def near(data, place):
    """The data bytewise at both ends and around that place, else in small chunks."""
    edges = {*range(0, len(data), 509), *range(150), *range(place - 150, place + 50)}
    edges |= set(range(len(data) - 30, len(data)))
    return cut(data, [edge for edge in edges if 0 <= edge <= len(data)])


def passes(xml, data, **limits):
    """That a stream is within these limits, in any chunks."""
    check(xml, data, None, 0, **limits)


# The Limits themselves


def test_defaults(xml):
    limits = xml.Limits()
    assert limits.stanza_bytes == 512 * 1024
    assert limits.depth == 256
    assert limits.attributes == 256
    assert limits.children == 20_000
    assert limits.name_bytes == 1024
    assert limits.namespaces == 128


def test_keywords_only(xml):
    with pytest.raises(TypeError):
        xml.Limits(10_000)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("stanza_bytes", 10_000),
        ("depth", 1),
        ("attributes", 1),
        ("children", 0),
        ("name_bytes", 1),
        ("namespaces", 1),
    ],
)
def test_bounds_of_limits(xml, name, least):
    assert getattr(xml.Limits(**{name: least}), name) == least
    assert getattr(xml.Limits(**{name: MOST}), name) == MOST
    for value in (least - 1, -1, MOST + 1, 2**64):
        with pytest.raises(ValueError, match=name):
            xml.Limits(**{name: value})
    for value in (1e6, "100000", None, True):
        with pytest.raises(TypeError, match=name):
            xml.Limits(**{name: value})


def test_limits_are_values(xml):
    assert xml.Limits(depth=5) == xml.Limits(depth=5)
    assert xml.Limits(depth=5) != xml.Limits(depth=6)
    assert hash(xml.Limits(depth=5)) == hash(xml.Limits(depth=5))
    assert "depth=5" in repr(xml.Limits(depth=5))
    with pytest.raises(AttributeError):
        xml.Limits().depth = 5


def test_the_text_names_the_limit():
    for code in ("STANZA_BYTES", "DEPTH", "ATTRIBUTES", "CHILDREN", "NAME_BYTES", "NAMESPACES"):
        condition, text = ERRORS[code]
        assert condition == "policy-violation"
        assert code.lower() in text


# stanza_bytes


@pytest.mark.parametrize("size", [10_000, 10_001, 16_384])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<a>", b"</a>"),
        (b"<a b='", b"'/>"),
        (b"<a>\xc3\xa9&amp;<![CDATA[", b"]]></a>"),
        (b"<a>", b"<b/></a >"),
    ],
)
def test_stanza_bytes(xml, size, before, after):
    stanza = before + b"x" * (size - len(before) - len(after)) + after
    assert len(stanza) == size
    data = HEADER + b"\n" + stanza + b" \n<b/>" + FOOTER
    passes(xml, data, stanza_bytes=size)
    if size > 10_000:
        check(xml, data, "STANZA_BYTES", len(HEADER) + 1 + size - 1, stanza_bytes=size - 1)


def test_stanza_bytes_of_unfinished_stanzas(xml):
    for before in (b"<a>", b"<a b='", b"<a ", b"<a></a ", b"<a>&#", b"<a><![CDATA["):
        filling = {b"<a ": b" ", b"<a></a ": b" ", b"<a>&#": b"0"}.get(before, b"x")
        data = HEADER + before + filling * 10_000
        check(xml, data, "STANZA_BYTES", len(HEADER) + 10_000, stanza_bytes=10_000)


def test_stanza_bytes_of_tags(xml):
    data = HEADER + b"<a>" + b"<b/>" * 3000 + b"</a>"
    check(xml, data, "STANZA_BYTES", len(HEADER) + 10_000, stanza_bytes=10_000)


def test_stanza_bytes_of_the_header(xml):
    declaration = b"<?xml version='1.0'?>\n"
    for start in (b"", declaration):
        header = start + b"<a b='" + b"x" * (10_000 - len(start) - 8) + b"'>"
        assert len(header) == 10_000
        passes(xml, header + b"<b/></a>", stanza_bytes=10_000)
        data = header.replace(b"x'", b"xx'")
        check(xml, data, "STANZA_BYTES", 10_000, stanza_bytes=10_000)


def test_white_space_between_stanzas_counts_nowhere(xml):
    space = b" \t\r\n" * 5000
    passes(xml, space + HEADER + space + b"<a/>" + space + FOOTER + space, stanza_bytes=10_000)


def test_stanza_bytes_wins_over_everything_noticed_later(xml):
    for rest in (b"\xff", b"\0", b"<!--", b"</b>", b"&x;"):
        data = HEADER + b"<a>" + b"x" * 9_997 + rest
        code = {b"\xff": "NOT_UTF8", b"\0": "CHAR"}.get(rest, "STANZA_BYTES")
        found = read(xml, [data], limits=xml.Limits(stanza_bytes=10_000)).fault
        assert (found.condition, found.text) == ERRORS[code]
        assert found.offset == len(HEADER) + 10_000
        check(xml, data, code, len(HEADER) + 10_000, stanza_bytes=10_000)


def test_an_error_before_the_limit_wins(xml):
    data = HEADER + b"<a>" + b"x" * 9_990 + b"</b>" + b"x" * 100
    check(xml, data, "MISMATCH", len(HEADER) + 9_993, stanza_bytes=10_000)


def test_the_default_stanza_bytes(xml):
    data = HEADER + b"<a>" + b"x" * (512 * 1024 - 7) + b"</a>"
    assert read(xml, [data], see=outline).fault is None
    found = read(xml, [data.replace(b"x<", b"xx<")], see=outline).fault
    assert (found.condition, found.text) == ERRORS["STANZA_BYTES"]
    assert found.offset == len(HEADER) + 512 * 1024


# depth


def nest(depth, inside=b""):
    """Elements within each other; the outermost is the stanza."""
    return b"<a>" * depth + inside + b"</a>" * depth


@pytest.mark.parametrize("depth", [1, 2, 5, 64])
def test_depth(xml, depth):
    data = HEADER + nest(depth) * 2
    passes(xml, data, depth=depth)
    data = HEADER + nest(depth) + nest(depth + 1)
    check(xml, data, "DEPTH", len(HEADER) + 7 * depth + 3 * depth, depth=depth)
    data = HEADER + nest(depth, b"<b c='d'/>")
    check(xml, data, "DEPTH", len(HEADER) + 3 * depth, depth=depth)


def test_the_default_depth(xml):
    passes(xml, HEADER + nest(256))
    check(xml, HEADER + nest(257), "DEPTH", len(HEADER) + 3 * 256)


def test_depth_comes_before_what_the_whole_tag_tells(xml):
    data = HEADER + b"<a><p:b c='' c=''/></a>"
    check(xml, data, "DEPTH", len(HEADER) + 3, depth=1)


# attributes


def attributes(count, start=0):
    """Attributes in a tag, each eight bytes."""
    return b"".join(b" a%03d=''" % i for i in range(start, start + count))


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 40])
def test_attributes(xml, count):
    passes(xml, HEADER.replace(b" version='1.0'", b"") + b"<a/>", attributes=3)
    for tag in (b"<a%s/>", b"<a%s></a>", b"<a><b%s/></a>"):
        if count >= 4:
            passes(xml, HEADER + tag % attributes(count) * 2, attributes=count)
        data = b"<s>" + tag % attributes(count + 1)
        passes(xml, b"<s>" + tag % attributes(count) * 2 + b"</s>", attributes=count)
        check(xml, data, "ATTRIBUTES", data.index(b"a%03d" % count), attributes=count)


def test_declarations_are_attributes_too(xml):
    data = b"<s><a xmlns='u' xmlns:p='v' b=''/></s>"
    passes(xml, data, attributes=3)
    check(xml, data, "ATTRIBUTES", data.index(b"b=''"), attributes=2)
    check(xml, data, "ATTRIBUTES", data.index(b"xmlns:p"), attributes=1)


def test_attributes_of_the_header(xml):
    data = b"<s%s>" % attributes(3)
    passes(xml, data, attributes=3)
    check(xml, data, "ATTRIBUTES", data.index(b"a002"), attributes=2)


def test_the_default_attributes(xml):
    passes(xml, HEADER + b"<a%s/>" % attributes(256))
    data = HEADER + b"<a%s/>" % attributes(257)
    check(xml, data, "ATTRIBUTES", data.index(b"a256"))


# children


@pytest.mark.parametrize("count", [0, 1, 7, 100])
def test_children(xml, count):
    data = HEADER + (b"<a>" + b"<b/>" * count + b"</a>") * 2
    passes(xml, data, children=count)
    before = HEADER + b"<a>" + b"<b/>" * count
    check(xml, before + b"<b/></a>", "CHILDREN", len(before), children=count)
    check(xml, before + b"<b></b></a>", "CHILDREN", len(before), children=count)


def test_children_on_all_levels(xml):
    data = HEADER + b"<a><b><c/></b>text<d/></a>"
    passes(xml, data, children=3)
    check(xml, data, "CHILDREN", data.index(b"<d/>"), children=2)
    check(xml, data, "CHILDREN", data.index(b"<c/>"), children=1)
    check(xml, data, "CHILDREN", data.index(b"<b>"), children=0)


def test_stanzas_are_nobodys_children(xml):
    passes(xml, HEADER + b"<a/>" * 100 + FOOTER, children=0)


def test_the_default_children(xml):
    before = HEADER + b"<a>" + b"<b/>" * 20_000
    assert read(xml, [before + b"</a>"], see=outline).fault is None
    found = read(xml, [before + b"<b/></a>"], see=outline).fault
    assert (found.condition, found.text) == ERRORS["CHILDREN"]
    assert found.offset == len(before)


def test_depth_comes_before_children(xml):
    check(xml, HEADER + b"<a><b/></a>", "DEPTH", len(HEADER) + 3, depth=1, children=0)


# name_bytes


@pytest.mark.parametrize("size", [1, 2, 8, 9, 16, 31, 100])
@pytest.mark.parametrize("letter", ["n", "\u00e9", "\u65e5"])
def test_name_bytes(xml, size, letter):
    name = (letter.encode() * size)[: size - size % len(letter.encode())] or b"n"
    size = len(name)
    longer = name + b"x"
    for data, place in [
        (b"<%s/>", 1),
        (b"<%s></%s>".replace(b"</%s>", b"</" + name + b">"), 1),
        (b"<s><%s/></s>", 4),
        (b"<s %s=''/>", 3),
        (b"<s %s=''>", 3),
        (b"<s><a %s = ''/></s>", 6),
    ]:
        passes_name = data % name
        if not data.endswith(b"''>"):
            passes(xml, passes_name, name_bytes=size)
        check(xml, data % longer, "NAME_BYTES", place, name_bytes=size)
        check(xml, data % (longer + b"yz"), "NAME_BYTES", place, name_bytes=size)


def test_name_bytes_include_the_prefix(xml):
    data = b"<s><pp:a xmlns:pp='u'/></s>"
    passes(xml, data, name_bytes=8)
    check(xml, data, "NAME_BYTES", data.index(b"xmlns"), name_bytes=7)
    check(xml, data, "NAME_BYTES", data.index(b"pp:a"), name_bytes=3)


def test_name_bytes_come_with_the_first_byte_too_many(xml):
    check(xml, HEADER + b"<abcdefghijklmnopqrs", "NAME_BYTES", len(HEADER) + 1, name_bytes=15)
    check(xml, HEADER + b"<abcdefghijklmno", "UNFINISHED", len(HEADER) + 16, name_bytes=15)
    # Before it is looked at as a name; behind what is before it.
    check(xml, HEADER + b"<a:b:c:d:e:f:g:h:i:j:k ", "NAME_BYTES", len(HEADER) + 1, name_bytes=15)


def test_the_default_name_bytes(xml):
    name = b"n" * 1024
    passes(xml, HEADER + b"<%s %s=''></%s>" % (name, name, name))
    check(xml, HEADER + b"<%sn/>" % name, "NAME_BYTES", len(HEADER) + 1)
    check(xml, HEADER + b"<a %sn=''/>" % name, "NAME_BYTES", len(HEADER) + 3)


# namespaces


def test_namespaces(xml):
    # The header declares two.
    data = HEADER + b"<a xmlns:p='u'><b xmlns='v'/><c xmlns='w'/></a><d xmlns:p='u' xmlns='v'/>"
    passes(xml, data, namespaces=4)
    check(xml, data, "NAMESPACES", data.index(b"xmlns='v'"), namespaces=3)
    check(xml, data, "NAMESPACES", data.index(b"xmlns:p='u'"), namespaces=2)


def test_namespaces_of_the_header(xml):
    passes(xml, HEADER + b"<a/>", namespaces=2)
    check(xml, HEADER, "NAMESPACES", HEADER.index(b"xmlns:stream"), namespaces=1)


def test_namespaces_that_repeat_or_undo_others_count(xml):
    data = b"<s xmlns='u'><a xmlns='u'><b xmlns=''/></a></s>"
    passes(xml, data, namespaces=3)
    check(xml, data, "NAMESPACES", data.index(b"xmlns=''"), namespaces=2)


def test_the_default_namespaces(xml):
    data = HEADER + b"<a%s/>" % b"".join(b" xmlns:p%d='u'" % i for i in range(126))
    passes(xml, data * 1)
    data = HEADER + b"<a%s/>" % b"".join(b" xmlns:p%d='u'" % i for i in range(127))
    check(xml, data, "NAMESPACES", data.index(b"xmlns:p126"))


def test_the_namespaces_limit_comes_before_other_namespace_errors(xml):
    data = b"<p:s xmlns:a='u' b='' b='' xmlns:xml=''>"
    check(xml, data, "NAMESPACES", data.index(b"xmlns:xml"), namespaces=1)
    data = b"<p:s xmlns:a='' xmlns:b='u'>"
    check(xml, data, "NAMESPACE_EMPTY", data.index(b"xmlns:a"), namespaces=1)


# parse


def test_limits_of_parse(xml):
    limits = xml.Limits(depth=2, children=3, attributes=2, name_bytes=8, namespaces=2)
    assert xml.parse(b"<a><b/><b/><b/></a>", limits=limits).name == "a"
    for data, code, offset in [
        (b"<a><b><c/></b></a>", "DEPTH", 6),
        (b"<a><b/><b/><b/><b/></a>", "CHILDREN", 15),
        (b"<a b='' c='' d=''/>", "ATTRIBUTES", 13),
        (b"<abcdefghi/>", "NAME_BYTES", 1),
        (b"<a xmlns='u' xmlns:p='v'><b xmlns='w'/></a>", "NAMESPACES", 28),
    ]:
        with pytest.raises(xml.StreamError) as caught:
            xml.parse(data, limits=limits)
        error = caught.value
        assert (error.condition.value, error.text) == ERRORS[code]
        assert error.offset == offset


def test_stanza_bytes_of_parse(xml):
    limits = xml.Limits(stanza_bytes=10_000)
    stanza = b"<a>" + b"x" * 9_993 + b"</a>"
    assert len(xml.parse(b" \n" * 9000 + stanza + b" \n" * 9000, limits=limits).raw) == 10_000
    with pytest.raises(xml.StreamError) as caught:
        xml.parse(stanza.replace(b"x<", b"xx<"), limits=limits)
    assert caught.value.text == ERRORS["STANZA_BYTES"][1]
    assert caught.value.offset == 10_000


# Memory


def repeat(piece, count):
    """A chunk of many pieces, again and again."""
    return (piece for _ in range(count))


@pytest.mark.parametrize(
    ("before", "piece"),
    [
        (HEADER + b"<a>", b"x" * 4096),
        (HEADER + b"<a b='", b"x" * 4096),
        (HEADER + b"<", b"x" * 4096),
        (HEADER + b"<a ", b"x" * 4096),
        (HEADER + b"<a ", b" " * 4096),
        (HEADER + b"<a>&", b"x" * 4096),
        (HEADER + b"<a>&#", b"0" * 4096),
        (HEADER + b"<a>", b"<b>" * 1365),
        (HEADER + b"<a>", b"<b/>" * 1024),
        (HEADER + b"<a><![CDATA[", b"]" * 4096),
        (HEADER + b"</stream:stream", b" " * 4096),
        (b"<a ", b" " * 4096),
        (b"<?xml ", b" " * 4096),
    ],
)
def test_an_endless_stanza_is_refused(xml, before, piece):
    parser = xml.StreamParser(limits=xml.Limits(stanza_bytes=65_536))
    list(parser.feed(before))
    fed = 0
    with pytest.raises(xml.StreamError):  # noqa: PT012 - the whole loop is the input
        for chunk in repeat(piece, 64):
            list(parser.feed(chunk))
            fed += len(chunk)
    assert fed <= 65_536 + 4096


def peak(xml, chunks):
    """Most memory in use while a stream is read, in bytes, events dropped."""
    parser = xml.StreamParser(limits=xml.Limits(stanza_bytes=20_000))
    list(parser.feed(HEADER))
    gc.collect()
    tracemalloc.start()
    try:
        for chunk in chunks:
            for _ in parser.feed(chunk):
                pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "make",
    [
        lambda i: b" \n" * 2048,
        lambda i: b"<presence/>" * 300,
        lambda i: b"<m><body>%s</body></m>" % (b"x" * 4000),
        lambda i: b"".join(b"<n%d-%d a%d-%d=''/>" % (i, j, i, j) for j in range(200)),
        lambda i: b"".join(b"<p%d:x xmlns:p%d='urn:%d:%d'/>" % (j, j, i, j) for j in range(150)),
        lambda i: b"<m a='v%d' b='%d-%d'>" % (i, i, i) + b"<x y='z%d'/>" % i * 200 + b"</m>",
    ],
    ids=["keepalives", "stanzas", "texts", "new names", "new namespaces", "new values"],
)
def test_memory_of_an_endless_stream(backend, make):
    """A stream four times as long needs no more memory, with whatever kernel."""
    xml = backend[-1]
    short = peak(xml, (make(i) for i in range(30)))
    long = peak(xml, (make(i) for i in range(120)))
    assert long < short * 1.5 + 65_536


def test_an_unread_iterator_keeps_only_what_was_fed(xml):
    parser = xml.StreamParser()
    for _ in range(100):
        parser.feed(b" " * 1000)
    assert list(parser.feed(b"")) == []
