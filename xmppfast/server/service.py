"""A running server: storage, accounts, sessions and open ports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING

from ..cluster.interface import Bus
from ..core.dispatch import Feature, Host
from ..core.jid import JID
from ..storage.interface import Storage
from ..transport.backlog import Backlog
from ..transport.certificates import ServerCertificate, load, self_signed
from ..transport.tcp import Listener, listen
from ..transport.tls import TlsRole
from .accounts import AccountStore, open_accounts
from .defaults import features
from .hashing import Hashing
from .server import Server, Settings

if TYPE_CHECKING:
    from .metrics import Endpoint

log = logging.getLogger("xmppfast.server")

# Seconds that clients get to take what is left and close, when the server stops.
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen.

    host      address or name; an empty one is every address of the machine
    port      for connections that begin without TLS; None for none, 0 for any that is free
    tls_port  for connections that begin with TLS (XEP-0368); likewise
    metrics   for Prometheus, on loopback whatever `host` is; likewise
    opened    sockets that are open already, instead of those two ports
    """

    host: str = "127.0.0.1"
    port: int | None = 5222
    tls_port: int | None = 5223
    metrics: int | None = None
    opened: Opened | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """Sockets that were opened for this process, see `transport.tcp.open_shared`."""

    plain: Sequence[socket] = ()
    tls: Sequence[socket] = ()


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where the certificate is: PEM files, or a folder where a self-signed one is kept."""

    chain: Path | None = None
    key: Path | None = None
    folder: Path | None = None

    def read(self, domain: JID) -> ServerCertificate:
        """Read the files; make one for that domain if none is named. OSError and ValueError."""
        if self.chain is not None:
            return load(self.chain, self.key)
        assert self.folder is not None
        names = (str(domain), "localhost", "127.0.0.1", "::1")
        return self_signed(self.folder, list(dict.fromkeys(names)))


class Service:
    """A server with everything around it: `start`, then `stop`.

    accounts  those of the domain
    server    its sessions
    metrics   gives them as Prometheus reads them; nothing where they are not counted

    `install` makes the features, by default those of `defaults.features`. `bus` leads to other
    processes that serve the same domain from the same storage.
    """

    def __init__(
        self,
        settings: Settings,
        ports: Ports,
        certificate: Certificate,
        storage: Storage,
        install: Callable[[Host], list[Feature]] | None = None,
        bus: Bus | None = None,
    ) -> None:
        self._settings = settings
        self._ports = ports
        self._certificate = certificate
        self._storage = storage
        self._install = install or features(storage)
        self._bus = bus
        self._role: TlsRole | None = None
        self._listeners: list[Listener] = []
        self._metrics: Endpoint | None = None
        self.accounts: AccountStore
        self.server: Server
        self.metrics: Callable[[], bytes] = bytes

    async def start(self) -> None:
        """Open the ports. Raises OSError, ValueError (certificate), StorageError or BusLost."""
        if self._settings.tls:
            self._role = self._read_certificate(self._certificate)
        self._hashing = Hashing()
        domain = self._settings.domain
        self.accounts = await open_accounts(self._storage, domain, self._hashing)
        self.server = Server(self._settings, self.accounts, self._install, self._hashing)
        self._connection = self.server.connection
        quotas = self._settings.quotas
        self._backlog = Backlog(quotas.per_session.queued_bytes, quotas.queued_bytes)
        opened = self._ports.opened or Opened()
        if self._bus is not None:
            await self.server.join(self._bus)
        try:
            await self._count()
            await self._listen(self._ports.port, opened.plain, direct=False)
            if self._settings.tls:
                await self._listen(self._ports.tls_port, opened.tls, direct=True)
        except BaseException:
            self._close_ports()
            if self.server.neighbours is not None:
                await self.server.neighbours.close()
            raise

    async def _count(self) -> None:
        if self._ports.metrics is None:
            return
        from . import metrics

        counted = metrics.Metrics(self.server)
        self._connection = counted.connection
        self.metrics = metrics.exposed(counted)
        if self._ports.opened is not None:
            return  # who opened the ports has that one, and asks for `metrics`

        async def source() -> bytes:
            return self.metrics()

        self._metrics = await metrics.serve(source, self._ports.metrics)
        log.info("metrics on http://127.0.0.1:%d/metrics", self._metrics.port)

    async def _listen(self, port: int | None, opened: Sequence[socket], *, direct: bool) -> None:
        if port is None or (self._ports.opened is not None and not opened):
            return
        tls: Callable[[], TlsRole] | None = self._tls if self._settings.tls else None
        connection = self._connection
        listener = await listen(
            self._ports.host,
            port,
            connection,
            tls=tls,
            direct=direct,
            backlog=self._backlog,
            sockets=opened,
        )
        self._listeners.append(listener)
        if opened:
            return  # who opened them has said so
        for host, number in listener.addresses:
            log.info("listening on %s port %d%s", host, number, " (TLS)" if direct else "")

    def _tls(self) -> TlsRole:
        assert self._role is not None
        return self._role

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each open port, those with TLS from the first byte last."""
        return [address for listener in self._listeners for address in listener.addresses]

    def reload(self, settings: Settings, certificate: Certificate) -> None:
        """Have connections to come follow other settings, and use a certificate that is read now.

        The domain, and whether there is TLS, stay as they were. Raises OSError or ValueError for
        the certificate, and then changes nothing.
        """
        if self._settings.tls:
            self._role = self._read_certificate(certificate)
        self.server.reconfigure(settings)
        self._backlog.each = settings.quotas.per_session.queued_bytes
        self._backlog.in_all = settings.quotas.queued_bytes

    def _read_certificate(self, certificate: Certificate) -> TlsRole:
        found = certificate.read(self._settings.domain)
        if certificate.chain is None:
            log.warning("no certificate is configured: using a self-signed one")
        return TlsRole(found.context, server_side=True, certificate=found.der)

    def _close_ports(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        if self._metrics is not None:
            self._metrics.close()
            self._metrics = None

    async def stop(self) -> None:
        """Close the ports, end all sessions, wait until everything is stored."""
        self._close_ports()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.server.close()
        except TimeoutError:
            log.warning("some clients did not close in time")
        self._hashing.close()
        await self._storage.close()
