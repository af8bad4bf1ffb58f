"""What negotiation and the mechanisms of SASL agree on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from .keys import StoredKeys

_T = TypeVar("_T")

ChannelBindings = Mapping[str, bytes]
"""Data by the name of the channel binding type ("tls-exporter", ...); empty without TLS."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server has more to ask; `data` before base64."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Success:
    """The client is who it says. `data` goes along with the success; None if there is none."""

    username: str
    data: bytes | None = None


Step = Challenge | Success
"""What a server's mechanism has to say."""


class Credentials(Protocol):
    """Where a server's mechanisms find what is stored of an account."""

    async def lookup(self, username: str) -> StoredKeys | None:
        """Salted keys of an account; None if it doesn't exist, which takes no other time to say.

        username  the localpart, prepared
        """


Offload = Callable[[Callable[[], _T]], Awaitable[_T]]
"""Runs a costly function where it holds up nobody."""


class ServerMechanism(Protocol):
    """One attempt to authenticate, seen from the server."""

    def respond(self, data: bytes | None) -> Step | Awaitable[Step]:
        """Take what the client sent; first its initial response, None if it sent none.

        Raises SaslError, itself or awaited. The attempt is over after that, or after Success.
        """


class ServerMechanisms(Protocol):
    """The mechanisms of a server, for one stream."""

    def names(self) -> tuple[str, ...]:
        """Names to offer, strongest first."""

    def channel_bindings(self) -> tuple[str, ...]:
        """Names of the types of channel binding to advertise (XEP-0440)."""

    def start(self, name: str) -> ServerMechanism:
        """Begin. SaslError `invalid-mechanism`, `encryption-required` or `mechanism-too-weak`."""


class ClientMechanism(Protocol):
    """One attempt to authenticate, seen from the client."""

    name: str

    def initial(self) -> bytes | None:
        """The initial response; None if the server speaks first."""

    def respond(self, challenge: bytes) -> bytes:
        """The answer to a challenge. SaslError if the server can't be trusted."""

    def succeed(self, data: bytes | None) -> None:
        """Check what came with the success, such as the server's signature; raises SaslError."""


class ClientMechanisms(Protocol):
    """How a client authenticates."""

    def choose(
        self, offered: tuple[str, ...], channel_bindings: tuple[str, ...], tried: tuple[str, ...]
    ) -> ClientMechanism | None:
        """The best of what the server offers that was not tried yet; None if there is none.

        channel_bindings  types the server advertises (XEP-0440); empty if it advertises none
        """
