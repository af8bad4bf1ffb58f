"""Parsers and stanzas in many threads."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

from streams import FOOTER, HEADER, content

THREADS = 8


def run(work, count=THREADS):
    """Call work(i) in that many threads at once; gives the results, raises what they raise."""
    barrier = threading.Barrier(count)

    def started(i):
        barrier.wait()
        return work(i)

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(started, i) for i in range(count)]]


def test_a_parser_in_each_thread(xml):
    def work(i):
        parser = xml.StreamParser()
        data = HEADER + b"".join(
            b"<message id='%d-%d' t%d='x'><body>%d</body></message>" % (i, j, j % 50, j)
            for j in range(300)
        )
        found = []
        for at in range(0, len(data), 100 + i):
            found += parser.feed(data[at : at + 100 + i])
        return [(e.id, e.findtext("{jabber:client}body")) for e in found[1:]]

    for i, found in enumerate(run(work)):
        assert found == [(f"{i}-{j}", str(j)) for j in range(300)]


def test_one_parser_in_many_threads(xml):
    """Each stanza comes out once, in some thread."""
    parser = xml.StreamParser()
    assert len(list(parser.feed(HEADER))) == 1

    def work(i):
        return [
            stanza
            for j in range(200)
            for stanza in parser.feed(b"<iq id='%d-%d'><q xmlns='urn:q'/></iq>" % (i, j))
        ]

    found = [stanza for part in run(work) for stanza in part]
    found += parser.feed(b"")
    assert sorted(stanza.id for stanza in found) == sorted(
        f"{i}-{j}" for i in range(THREADS) for j in range(200)
    )
    assert {stanza.payload for stanza in found} == {"{urn:q}q"}
    parser.close()


def test_one_iterator_in_many_threads(xml):
    parser = xml.StreamParser()
    iterator = parser.feed(HEADER + b"".join(b"<a id='%d'/>" % i for i in range(2000)) + FOOTER)

    def work(_):
        found = []
        while True:
            try:
                event = next(iterator, None)
            except ValueError:  # a generator that another thread runs at the moment
                continue
            if event is None:
                return found
            found.append(event.id if isinstance(event, xml.Stanza) else type(event).__name__)

    found = [seen for part in run(work) for seen in part]
    assert sorted(found) == sorted([*map(str, range(2000)), "StreamStart", "StreamEnd"])


def test_one_failing_parser_in_many_threads(xml):
    parser = xml.StreamParser()
    list(parser.feed(HEADER))

    def work(_):
        errors = set()
        for _ in range(100):
            try:
                list(parser.feed(b"<a></b>"))
            except xml.StreamError as error:
                errors.add((error.condition, error.text, error.offset))
        return errors

    (same,) = set().union(*run(work))
    assert same == (
        xml.StreamCondition.NOT_WELL_FORMED,
        "end tag does not match the start tag",
        len(HEADER) + 3,
    )


def test_restart_and_close_in_many_threads(xml):
    """Whatever happens in between, nothing but a StreamError or ValueError comes of it."""
    parser = xml.StreamParser()

    def work(i):
        outcomes = []
        for j in range(100):
            try:
                if (i + j) % 7 == 0:
                    parser.restart()
                outcomes.extend(event.raw for event in parser.feed(b"<s><a>x</a>"))
            except (xml.StreamError, ValueError) as error:
                outcomes.append(type(error))
        return outcomes

    assert len(run(work)) == THREADS
    with contextlib.suppress(xml.StreamError, ValueError):
        parser.close()


def test_one_stanza_in_many_threads(xml):
    source = b"<m a='1' b='2'>" + b"<x c='&lt;'>t&amp;<y/>u</x>v" * 200 + b"</m>"
    for _ in range(5):
        stanza = xml.parse(source)
        expected = content(xml.parse(source))

        def work(i, stanza=stanza):
            assert stanza.get("a") == "1"
            assert len(stanza.findall("x/y")) == 200
            assert stanza.forward(to=str(i)).endswith(b"</m>")
            assert hash(stanza) == hash(stanza)
            assert stanza.raw == source
            return content(stanza)

        assert all(seen == expected for seen in run(work))


def test_writing_in_many_threads(xml):
    stanza = xml.parse(b"<m xmlns='u'>" + b"<x y='&lt;'/>text" * 100 + b"</m>")
    expected = xml.tostring(stanza)
    tree = stanza.to_etree()

    def work(_):
        return {xml.tostring(thing) for thing in (stanza, tree) for _ in range(50)}

    assert all(written == {expected} for written in run(work))
