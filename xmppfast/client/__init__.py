"""A client for scripts and programs: `async with Client(jid, password) as client`."""

from __future__ import annotations

from .client import Client
from .connector import Address
from .errors import AuthenticationFailed, ClientError, ConnectFailed, Disconnected
from .events import Message, Presence
from .roster import Roster, RosterItem

__all__ = [
    "Address",
    "AuthenticationFailed",
    "Client",
    "ClientError",
    "ConnectFailed",
    "Disconnected",
    "Message",
    "Presence",
    "Roster",
    "RosterItem",
]
