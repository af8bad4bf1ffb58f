"""Requests that the server itself sends, and waits to have answered."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import Callable

from ..core.dispatch import Outcome
from ..core.jid import JID
from ..core.stanza import finished, received_error, stanza
from ..xml import Stanza


class Requests:
    """Iqs on their way and back (RFC 6120 section 8.2.3).

    timeout  seconds to wait for an answer
    """

    def __init__(self, new_id: Callable[[], str], timeout: float = 30.0) -> None:
        self._new_id = new_id
        self._timeout = timeout
        self._waiting: dict[tuple[str, JID], asyncio.Future[Stanza]] = {}

    async def ask(
        self,
        route: Callable[[Stanza, JID, JID], Outcome],
        sender: JID,
        to: JID,
        type: str,
        payload: ET.Element,
    ) -> Stanza:
        """Send a request, wait for its answer. StanzaError for an error, TimeoutError for none."""
        id = self._new_id()
        answer: asyncio.Future[Stanza] = asyncio.get_running_loop().create_future()
        self._waiting[id, to] = answer
        try:
            outcome = route(finished(stanza("iq", payload, type=type, id=id)), sender, to)
            if outcome is not None:
                await outcome
            async with asyncio.timeout(self._timeout):
                received = await answer
        finally:
            del self._waiting[id, to]
        if received.type == "error":
            raise received_error(received)
        return received

    def answered(self, answer: Stanza, sender: JID) -> None:
        """Take a result or error that is for this server; nobody waiting for it is no matter."""
        waiting = self._waiting.get((answer.id or "", sender))
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
