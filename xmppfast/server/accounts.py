"""Whose server this is: accounts, as far as sessions need to know of them."""

from __future__ import annotations

from typing import Protocol

from ..core.jid import JID
from ..protocol.sasl.interface import Credentials


class Accounts(Credentials, Protocol):
    """The accounts of a server."""

    async def exists(self, jid: JID) -> bool:
        """Whether there is an account of that address, bare or full."""
