"""What an idle parser of an adapter holds, beside the stock one's: a quarter of it at most."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from hosts import aioxmpp, host, nbxmpp

from bench.corpus import HEADER
from bench.subjects import TABLE, make

STANZA = (
    b"<message to='juliet@example.com/balcony' from='romeo@example.net/orchard' id='a1' "
    b"type='chat'><body>Art thou not Romeo, and a Montague?</body>"
    b"<active xmlns='http://jabber.org/protocol/chatstates'/></message>"
)
PARSERS = 50
NEEDS: dict[str, Callable[[], Any]] = {
    "aioxmpp": aioxmpp,
    "nbxmpp": nbxmpp,
    "slixmpp": lambda: host("slixmpp"),
    "Twisted": lambda: host("twisted.words.xish.domish"),
}


def held(name: str, data: bytes) -> float:
    """Bytes that a parser holds once it has read this."""

    def opened() -> Any:
        reader = subject.open()
        for _ in reader.feed(data):
            pass
        return reader

    subject = make(name)
    with ExitStack() as stack:
        stack.enter_context(subject.around())
        before_all = [opened() for _ in range(3)]  # what these set up is no parser's own
        gc.collect()
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        parsers = [opened() for _ in range(PARSERS)]
        gc.collect()
        assert len(before_all) + len(parsers) == PARSERS + 3
        return tracemalloc.get_traced_memory()[0] / PARSERS


@pytest.mark.parametrize("stanzas", [0, 3])
@pytest.mark.parametrize("name", [n for n, entry in TABLE.items() if entry.group == "adapter"])
def test_an_idle_parser_holds_a_quarter_of_the_stock_one(name, stanzas):
    entry = TABLE[name]
    if entry.library:
        NEEDS[entry.library]()
    data = HEADER + stanzas * STANZA
    assert held(name, data) <= held(entry.stock, data) / 4
