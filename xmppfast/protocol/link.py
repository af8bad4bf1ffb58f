"""What a session and its transport agree on, whichever transport it is."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from .sasl.interface import ChannelBindings


class Link(Protocol):
    """A connection, as a session sees it."""

    peer: str
    """Address of the other side, for logs and limits."""
    secure: bool
    """Whether TLS is active."""

    @property
    def channel_bindings(self) -> ChannelBindings:
        """Channel binding data of the TLS connection, by type; empty without TLS."""

    @property
    def queued(self) -> int:
        """Bytes written and not yet taken by the network."""

    def write(self, data: bytes) -> None:
        """Queue bytes. Those of one turn of the loop go out in one write."""

    def start_tls(self) -> Awaitable[None]:
        """Negotiate TLS, once what was written before is out. OSError or ssl.SSLError if it fails.

        Bytes that came before the handshake are not given to the receiver.
        """

    def pause(self) -> None:
        """Read nothing more for now. What was read already may still come."""

    def resume(self) -> None:
        """Read again."""

    def close(self) -> None:
        """Close, once what was written is out, or after a while if the peer doesn't read.

        Nothing is received any more, and what is written from now on goes nowhere.
        """

    def abort(self) -> None:
        """Close now."""


class Receiver(Protocol):
    """Whom a transport tells; a new one for each connection."""

    def connected(self, link: Link) -> None:
        """The connection is there, with TLS if it is direct."""

    def received(self, data: bytes) -> None:
        """Bytes from the peer. The transport looks this up once: it stays the same object."""

    def overflowed(self) -> None:
        """The peer doesn't read, and more is queued than the transport was told to keep."""

    def ended(self) -> None:
        """The peer sends no more; the link can still be written to."""

    def lost(self, error: Exception | None) -> None:
        """The connection is gone. Called once, last."""
