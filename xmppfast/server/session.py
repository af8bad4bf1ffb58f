"""A session: a connected resource on its stream."""

from __future__ import annotations

import asyncio

from ..core.dispatch import Account, Resource
from ..core.jid import JID
from ..protocol.link import Link
from ..protocol.stream import ReceivingStream
from ..xml import StreamCondition, StreamError


class Session(Resource):
    """A connected resource of this server.

    address   text of its full address
    link      its connection; what is written there goes out with the loop's turn, and so is what
              `send` is given
    stream    its stream
    lang      `xml:lang` that its stanzas have where they don't say (RFC 6120 section 8.1.5)
    finished  None until features are told that it is over; set when they have been
    """

    __slots__ = ("address", "finished", "lang", "link", "send", "stream")

    finished: asyncio.Event | None

    def __init__(self, jid: JID, account: Account, link: Link, stream: ReceivingStream) -> None:
        super().__init__(jid, account)
        self.address = str(jid)
        self.finished = None
        self.link = link
        self.stream = stream
        self.lang = stream.peer.lang if stream.peer is not None else None
        # The way of every stanza: no call in between.
        self.send = stream.write

    def end(self, condition: StreamCondition, text: str = "") -> None:
        """Close the stream with an error."""
        self.stream.fail(StreamError(condition, text))
