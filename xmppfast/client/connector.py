"""From an address to a session: find the server, connect, negotiate."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from ssl import SSLContext

from ..core.errors import PeerStreamError, SaslError, StanzaError
from ..core.jid import JID
from ..protocol.connecting import Bound, NegotiationError, Tls
from ..protocol.link import Link
from ..protocol.sasl.mechanisms import Client as Mechanisms
from ..transport.certificates import client_context, dns_name
from ..transport.connection import Connection
from ..transport.dns import PORT, Endpoint, Resolver, endpoints, resolve_srv
from ..transport.tcp import connect
from ..transport.tls import TlsRole
from ..xml import Stanza, StreamCondition, StreamError
from .errors import AuthenticationFailed, ConnectFailed, Disconnected
from .session import Session

log = logging.getLogger("xmppfast.client")

# How often servers may send a client on (RFC 6120 section 4.9.3.19).
_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Address:
    """How to reach the server.

    host        instead of what DNS says; None to ask it
    port        with `host`; 5222 unless given, for direct TLS 5223
    direct_tls  with `host`: whether the connection begins with TLS
    verify      whether the server's certificate has to be good; False is for tests
    ca_file     PEM file with the authorities to trust, or the certificate itself
    plaintext   whether to go on where a server offers no TLS
    timeout     seconds, for each address that is tried
    resolve     looks up SRV records
    """

    host: str | None = None
    port: int | None = None
    direct_tls: bool = False
    verify: bool = True
    ca_file: Path | None = None
    plaintext: bool = False
    timeout: float = 30.0
    resolve: Resolver = resolve_srv


@dataclass(frozen=True, slots=True)
class Established:
    """A session, what it was bound to, and the connection under it."""

    session: Session
    bound: Bound
    connection: Connection


class Connector:
    """Makes sessions of an account."""

    def __init__(self, account: JID, resource: str | None, password: str, address: Address) -> None:
        self._account = account
        self._resource = resource
        self._password = password
        self._address = address
        self._context: SSLContext | None = None

    async def establish(
        self,
        stanza: Callable[[Stanza], None],
        over: Callable[[Session, Exception | None], None],
        first: Endpoint | None = None,
    ) -> Established:
        """Make a session; `stanza` and `over` are called as `Session` says.

        first  where to try before anything else

        Raises AuthenticationFailed, Disconnected for a stream error that is no redirection, and
        ConnectFailed for everything else; but OSError and ValueError for the file with authorities.
        """
        self._tls()  # so that what is wrong with `ca_file` is told, and here
        waiting = [first] if first is not None else []
        waiting += await self._endpoints()
        redirects = 0
        failures: list[str] = []
        while waiting:
            endpoint = waiting.pop(0)
            try:
                async with asyncio.timeout(self._address.timeout):
                    return await self._try(endpoint, stanza, over)
            except PeerStreamError as error:
                there = redirection(error, endpoint)
                if there is None:
                    raise Disconnected.by(error) from error
                redirects += 1
                if redirects > _REDIRECTS:
                    raise ConnectFailed("servers keep on sending us elsewhere") from error
                waiting.insert(0, there)
            except StreamError as error:
                raise Disconnected.by(error) from error
            except SaslError as error:
                raise AuthenticationFailed(str(self._account), error) from error
            except TimeoutError:
                failures.append(f"{endpoint.host}:{endpoint.port}: no answer in time")
            except (OSError, NegotiationError, StanzaError) as error:
                failures.append(f"{endpoint.host}:{endpoint.port}: {error}")
            if failures:
                log.info("no session at %s", failures[-1])
        raise ConnectFailed(f"{self._account.domain}: {'; '.join(failures)}")

    async def _endpoints(self) -> list[Endpoint]:
        address = self._address
        if address.host is not None:
            port = address.port or (5223 if address.direct_tls else PORT)
            return [Endpoint(address.host, port, address.direct_tls)]
        domain = self._account.domain
        if domain.startswith("[") or domain.replace(".", "").isdecimal():
            return [Endpoint(domain.strip("[]"), PORT, False)]
        try:
            return await endpoints(
                dns_name(domain), resolve=address.resolve, choose=partial(random.randint, 0)
            )
        except OSError as error:
            raise ConnectFailed(f"{domain}: {error}") from error

    async def _try(
        self,
        endpoint: Endpoint,
        stanza: Callable[[Stanza], None],
        over: Callable[[Session, Exception | None], None],
    ) -> Established:
        session = Session(
            self._account,
            self._resource,
            tls=Tls.OFFERED if self._address.plaintext else Tls.REQUIRED,
            mechanisms=self._mechanisms,
            stanza=stanza,
            over=over,
        )
        try:
            connection = await connect(
                endpoint.host, endpoint.port, session, tls=self._tls, direct=endpoint.direct
            )
            return Established(session, await session.bound, connection)
        except BaseException:
            session.abort()
            raise

    def _tls(self) -> TlsRole:
        # The certificate has to be for the domain, wherever DNS or a server sent us (RFC 6120
        # section 13.7.2).
        if self._context is None:
            address = self._address
            self._context = client_context(verify=address.verify, ca_file=address.ca_file)
        return TlsRole(self._context, server_side=False, hostname=dns_name(self._account.domain))

    def _mechanisms(self, link: Link) -> Mechanisms:
        return Mechanisms(
            self._account.local or "",
            self._password,
            new_nonce=partial(secrets.token_urlsafe, 18),
            bindings=link.channel_bindings,
            plaintext=link.secure or self._address.plaintext,
        )


def redirection(error: Exception | None, endpoint: Endpoint | None) -> Endpoint | None:
    """Where a stream error says the server is instead; None if it does not say that."""
    if not isinstance(error, PeerStreamError) or error.address is None:
        return None
    if error.condition is not StreamCondition.SEE_OTHER_HOST:
        return None
    text = error.address.strip()
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or (":" in host and not host.startswith("[")):
        host, port = text, ""
    host = host.strip("[]")
    if not host:
        return None
    direct = endpoint is not None and endpoint.direct
    return Endpoint(host, int(port) if port else PORT, direct and bool(port))
