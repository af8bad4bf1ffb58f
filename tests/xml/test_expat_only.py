"""What only the backend on the standard library's expat has: its table, its scanner, its cutter."""

from __future__ import annotations

import tracemalloc

import pytest
from streams import FOOTER, HEADER, bytewise, error_definitions, read

from xmppfast.xml import _diagnose, _expat_cutter, _expat_reader
from xmppfast.xml.errors import StreamError
from xmppfast.xml.limits import Limits

REFUSED = [
    b"<a><b></a>",
    b"<a b='1' b='2'/>",
    b"<a b='<'/>",
    b"<a b=1/>",
    b"<a b='1'c='2'/>",
    b"<a>&b;</a>",
    b"<a>&#0;</a>",
    b"<a>& </a>",
    b"<a>]]></a>",
    b"<p:a/>",
    b"<a:b:c/>",
    b"<a :b=''/>",
    b"<a xmlns:p=''/>",
    b"<a xmlns:xml='u'/>",
    b"<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>",
    b"<!-- -->",
    b"<a><!-- <b> --></a>",
    b"<?x?>",
    b"<?xml version='1.0'?>",
    b"<![CDATA[ ]]>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"<a>\xff</a>",
    b"<a>\x01</a>",
    b"<a \xc3\x97=''/>",
    b"< a/>",
    b"</a>",
    b"text",
    b"&amp;",
]


@pytest.fixture
def inspected(monkeypatch):
    """Sizes of the pieces that the scanner was given."""
    sizes: list[int] = []

    def counted(piece, *arguments, **keywords):
        sizes.append(len(piece))
        return _diagnose.diagnose(piece, *arguments, **keywords)

    monkeypatch.setattr(_expat_reader, "diagnose", counted)
    return sizes


def test_the_table_of_faults_is_that_of_the_tokenizer():
    table = {code: (condition.value, text) for code, (condition, text) in _diagnose.FAULTS.items()}
    assert table == error_definitions()


@pytest.mark.parametrize("data", REFUSED, ids=ascii)
def test_the_scanner_finds_what_expat_refuses(expat, data):
    """Were it to find nothing, the text would be expat's."""
    texts = {text for _, text in _diagnose.FAULTS.values()}
    for chunks in ([HEADER + data], bytewise(HEADER + data)):
        fault = read(expat, chunks).fault
        assert fault is not None
        assert fault.text in texts


def test_expat_is_believed_where_the_scanner_finds_nothing(expat, monkeypatch):
    parser = expat.StreamParser()
    list(parser.feed(HEADER))
    monkeypatch.setattr(_expat_reader, "diagnose", lambda *_, **__: None)
    with pytest.raises(StreamError) as caught:
        list(parser.feed(b"<a></b>"))
    assert caught.value.condition is expat.StreamCondition.NOT_WELL_FORMED
    assert caught.value.offset == len(HEADER) + 5


@pytest.mark.parametrize(
    ("pieces", "given"),
    [
        ([b"<a>x", b"<b c='", b">'", b"/", b">y"], [b"<a>x", b"", b"", b"", b"<b c='>'/>y"]),
        ([b"<a b=\"'>", b"'", b'">'], [b"", b"", b"<a b=\"'>'\">"]),
        ([b"x&a", b"mp", b";<"], [b"x", b"", b"&amp;"]),
        ([b"x&", b"y z"], [b"x", b"&y z"]),
        ([b"<", b"![CDA", b"TA[ ' <", b"b ' ", b"]]>"], [b"", b"", b"<![CDATA[ ' ", b"", b""]),
        ([b"<![CDATA[ '", b"x"], [b"<![CDATA[ '", b"x"]),
    ],
)
def test_tags_and_references_are_held_back(pieces, given):
    cutter = _expat_cutter.Cutter()
    assert [cutter.take(piece) for piece in pieces] == given
    assert b"".join(given) + cutter.release() == b"".join(pieces)


@pytest.mark.parametrize(
    "stanza",
    [
        b"<a>" + b"<b xmlns='u'/>" * 300 + b"</a>",
        b"<a>" + b"<p:b xmlns:p='u' p:c='d'>x</p:b>" * 300 + b"</a>",
        b"<a>" + b"n" * 5000 + b"</a>",
        b"<a b='" + b"v" * 5000 + b"'/>",
        b"<a><![CDATA[" + b"<b 'c &d <!-- " * 400 + b"]]></a>",
        b"<a>" + "\U0001f600".encode() * 1000 + b"</a>",
        b"<a>" + b"]" * 3000 + b"</a>",
    ],
    ids=lambda stanza: stanza[:24].decode("ascii", "replace"),
)
def test_the_scanner_reads_no_good_stanza(expat, inspected, stanza):
    """It is slow, and to run it over a stanza with every piece of it would be quadratic."""
    parser = expat.StreamParser()
    list(parser.feed(HEADER))
    inspected.clear()
    for piece in bytewise(stanza):
        events = list(parser.feed(piece))
    assert [event.raw for event in events] == [stanza]
    assert inspected == []


def test_a_low_limit_on_names_does_not_wake_the_scanner(expat, inspected):
    parser = expat.StreamParser(limits=Limits(name_bytes=13))
    list(parser.feed(HEADER))
    inspected.clear()
    stanza = b"<thirteen-byte thirteen_byte='1'/>".replace(b"-", b"").replace(b"_", b"")
    assert len(list(parser.feed(stanza * 500))) == 500
    assert inspected == []
    with pytest.raises(StreamError, match="name_bytes"):
        list(parser.feed(b"<fourteen-bytes/>"))


def test_namespaces_of_a_stanza_are_counted_from_where_they_may_be_too_many(expat):
    """The first chunks have too few for that; the count goes on from what is in scope there."""
    limits = Limits(namespaces=20)
    opened = [b"<a%d xmlns='u%d'>" % (i, i) for i in range(18)]
    closed = [b"</a%d>" % i for i in reversed(range(18))]
    good = [HEADER, *opened, *closed[:9], b"<b xmlns='u'/>" * 50, *closed[9:]]
    assert read(expat, good, limits=limits).fault is None
    fault = read(expat, [HEADER, *opened, b"<b xmlns='u'/>"], limits=limits).fault
    assert fault is not None
    assert fault.text == "limit on namespaces exceeded"
    assert fault.offset == len(HEADER + b"".join(opened)) + 3


def test_a_new_expat_goes_on_in_the_same_stream(expat, monkeypatch):
    monkeypatch.setattr(_expat_reader, "_EXPAT_BYTES", 50)
    body = b"".join(b"\n<m%d><stream:x>%d</stream:x></m%d>" % (i, i, i) for i in range(200))
    whole = read(expat, [HEADER + body + FOOTER])
    assert len(whole.events) == 202
    assert [event[1] for event in whole.events[1:-1]] == body.split(b"\n")[1:]
    assert read(expat, bytewise(HEADER + body + FOOTER)) == whole
    broken = HEADER + body + b"\n<a></b>"
    fault = read(expat, [broken]).fault
    assert fault is not None
    assert (fault.offset, fault.line, fault.column) == (len(broken) - 4, 202, 4)


def test_names_are_not_kept_for_ever(expat):
    parser = expat.StreamParser()
    list(parser.feed(HEADER))
    tracemalloc.start()
    try:
        for start in range(0, 60_000, 1000):
            for _ in parser.feed(b"".join(b"<n%d/>" % i for i in range(start, start + 1000))):
                pass
        assert tracemalloc.get_traced_memory()[1] < 16 * 128 * 1024 * 2
    finally:
        tracemalloc.stop()
