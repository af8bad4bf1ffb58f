"""Sessions of many accounts: logging in, and out."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter

from ..client.session import Session
from ..core.jid import JID
from ..protocol.connecting import Tls
from ..protocol.link import Link
from ..protocol.sasl.interface import ClientMechanism
from ..protocol.sasl.mechanisms import Client as Mechanisms
from ..transport.certificates import client_context, dns_name
from ..transport.connection import Connection
from ..transport.tcp import connect
from ..transport.tls import TlsRole
from ..xml import Stanza, StreamEnd, StreamError, StreamStart
from .histogram import Histogram

Progress = Callable[[str, float], None]
"""Is told what is being done, and how much of it is: 0 to 1."""

_FEW = 5
# Of accounts that are given without one. Short and of one length, as messages have it in them.
_RESOURCE = "load"
_PRESENCE = b"<presence/>"
_ROSTER = b"<iq type='get' id='load-roster'><query xmlns='jabber:iq:roster'/></iq>"


@dataclass(frozen=True, slots=True)
class Target:
    """The server, and how to log in there.

    tls        what is thought of STARTTLS; `Tls.NEVER` logs in without, whatever is offered
    direct     whether the port begins with TLS
    verify     whether the certificate has to be good
    ca_file    PEM file with the authorities to trust
    mechanism  SASL mechanism to use; None takes the best
    roster     whether to ask for the roster while logging in, as clients do
    presence   whether to become available
    timeout    seconds for a login
    """

    host: str = "127.0.0.1"
    port: int = 5222
    tls: Tls = Tls.REQUIRED
    direct: bool = False
    verify: bool = True
    ca_file: Path | None = None
    mechanism: str | None = None
    roster: bool = False
    presence: bool = True
    timeout: float = 60.0


class Peer:
    """A session of an account.

    jid      its full address
    stanza   is called with each stanza that comes; assign it
    write    queues bytes, which go out together at the end of the loop's turn
    """

    def __init__(self, session: Session, connection: Connection, jid: JID) -> None:
        self._session = session
        self._connection = connection
        self.jid = jid
        self.write: Callable[[bytes], None] = connection.write

    @property
    def stanza(self) -> Callable[[Stanza], None]:
        """What is called with each stanza."""
        return self._session.stanza

    @stanza.setter
    def stanza(self, handler: Callable[[Stanza], None]) -> None:
        self._session.stanza = handler

    def hear(self, received: Callable[[bytes], None]) -> bool:
        """Give what comes to that function from now on, unless there is TLS.

        It feeds the parser, and gives `receive` the events that it does not know.
        """
        if self._connection.secure:
            return False
        self._connection.hear(received)
        return True

    def feed(self, data: bytes) -> Iterator[StreamStart | Stanza | StreamEnd]:
        """Feed the parser, as the session does."""
        return self._session.stream.parser.feed(data)

    def receive(self, event: StreamStart | Stanza | StreamEnd) -> None:
        """Take an event of the parser."""
        self._session.receive(event)

    def fail(self, error: StreamError) -> None:
        """Take an error of the parser."""
        self._session.stream.fail(error)

    @property
    def descriptor(self) -> int | None:
        """The socket's file descriptor; None where what is written there is not what is sent."""
        return None if self._connection.secure else self._connection.descriptor

    @property
    def queued(self) -> int:
        """Bytes written that the network has not taken."""
        return self._connection.queued

    def close(self) -> None:
        """Log out."""
        self._session.close()

    async def finished(self) -> None:
        """Wait until the connection is gone."""
        await self._connection.finished()


@dataclass
class Crowd:
    """The sessions of a run.

    peers         those that are logged in, in the order of their accounts
    failures      why some are not; a few of them
    failed        how many
    disconnected  how many sessions ended that should not have
    times         how long logins took, until the answer to the last request
    """

    target: Target
    peers: list[Peer] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    failed: int = 0
    disconnected: int = 0
    times: Histogram = field(default_factory=Histogram)
    _leaving: bool = False
    _role: TlsRole | None = None

    async def log_in(
        self, accounts: Sequence[tuple[JID, str]], *, at_once: int, progress: Progress
    ) -> None:
        """Make a session for each account.

        at_once  logins under way at the same time
        """
        _allow_files(len(accounts))
        found: list[Peer | None] = [None] * len(accounts)
        waiting = iter(enumerate(accounts))

        async def work() -> None:
            for place, (account, password) in waiting:
                try:
                    found[place] = await self._log_in(account, password)
                except Exception as error:
                    self.failed += 1
                    self.note(f"{account}: {error or type(error).__name__}")
                done = len(accounts) - found.count(None) + self.failed
                progress("logging in", done / len(accounts))

        await asyncio.gather(*(work() for _ in range(min(at_once, len(accounts)))))
        self.peers += [peer for peer in found if peer is not None]

    async def log_out(self) -> None:
        """End all sessions, and wait until they are gone."""
        self._leaving = True
        for peer in self.peers:
            peer.close()
        await asyncio.gather(*(peer.finished() for peer in self.peers))
        self.peers.clear()

    @property
    def queued(self) -> int:
        """Bytes that we wrote and the network has not taken."""
        return sum(peer.queued for peer in self.peers)

    def note(self, problem: str) -> None:
        """Keep a problem, if there are not too many already."""
        if len(self.failures) < _FEW:
            self.failures.append(problem)

    async def _log_in(self, account: JID, password: str) -> Peer:
        target = self.target
        begin = perf_counter()
        session = Session(
            account.bare,
            account.resource or _RESOURCE,
            tls=target.tls,
            mechanisms=partial(self._mechanisms, account.local or "", password),
            stanza=_ignored,
            over=self._over,
        )
        session.stream.lang = None  # or the server would have to add it to each stanza
        role = partial(self._tls, account)
        try:
            async with asyncio.timeout(target.timeout):
                connection = await connect(
                    target.host, target.port, session, tls=role, direct=target.direct
                )
                peer = Peer(session, connection, (await session.bound).jid)
                session.begin()
                if target.roster:
                    await _roster(peer)
        except BaseException:
            session.abort()
            raise
        self.times.add(perf_counter() - begin)
        if target.presence:
            peer.write(_PRESENCE)
        return peer

    def _tls(self, account: JID) -> TlsRole:
        if self._role is None:
            context = client_context(verify=self.target.verify, ca_file=self.target.ca_file)
            self._role = TlsRole(context, server_side=False, hostname=dns_name(account.domain))
        return self._role

    def _mechanisms(self, username: str, password: str, link: Link) -> _Only:
        name = self.target.mechanism
        # A mechanism without channel binding is for clients that know of none (RFC 5802 section 6).
        plain = name is not None and not name.endswith("-PLUS")
        found = Mechanisms(
            username,
            password,
            new_nonce=partial(secrets.token_urlsafe, 18),
            bindings={} if plain else link.channel_bindings,
            plaintext=True,
        )
        return _Only(found, name)

    def _over(self, session: Session, error: Exception | None) -> None:
        if not self._leaving:
            self.disconnected += 1
            self.note(f"a session ended: {error or 'the server closed the stream'}")


class _Only:
    """Mechanisms of which all but one are left out; see `ClientMechanisms`."""

    def __init__(self, mechanisms: Mechanisms, name: str | None) -> None:
        self._mechanisms = mechanisms
        self._name = name

    def choose(
        self, offered: tuple[str, ...], channel_bindings: tuple[str, ...], tried: tuple[str, ...]
    ) -> ClientMechanism | None:
        """Choose the one."""
        names = tuple(name for name in offered if self._name in (None, name))
        return self._mechanisms.choose(names, channel_bindings, tried)


async def _roster(peer: Peer) -> None:
    answered = asyncio.get_running_loop().create_future()

    def answer(stanza: Stanza) -> None:
        if stanza.id == "load-roster" and not answered.done():
            answered.set_result(None)

    peer.stanza = answer
    peer.write(_ROSTER)
    await answered
    peer.stanza = _ignored


def _ignored(stanza: Stanza) -> None:
    """Presence, and whatever else comes before there is traffic."""


def _allow_files(sessions: int) -> None:
    """Have as many files open as it takes; OSError if the system doesn't let us."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = sessions + 64
    if soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise OSError(f"{sessions} sessions need {needed} open files, {hard} are allowed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
