"""The bus on Redis or Valkey: its hash is the registry, its channels carry what is said.

One connection subscribes, another one asks and publishes: what is given to the bus while an answer
is awaited goes out together. So the more there is to say, the less each costs.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from . import scripts
from .interface import BusLost, Member

log = logging.getLogger("xmppfast.cluster")

# Seconds: a worker that says nothing for so long is gone; it says something that often.
LEASE: Final = 10.0
_BEAT: Final = 2.0
# Seconds without any word, be it one's own, before the connection counts as broken.
_SILENCE: Final = 6.0
# Seconds for an answer, and between two attempts to connect.
_TIMEOUT: Final = 5.0
_RETRY: Final = 0.2

# Accounts that are claimed again in one step: the server does nothing else meanwhile.
_RECLAIMED: Final = 1000


def new_name() -> str:
    """A name for a worker of this process that no other one has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}".replace(" ", "_")


def prefix(domain: str) -> str:
    """What all keys and channels of a domain begin with; braces keep them together."""
    return f"xmppfast:{{{domain}}}:"


_Command = tuple[Any, ...]


class _Publication(NamedTuple):
    channel: str
    gather: Callable[[], bytes | None]


_Asked = tuple[_Command | _Publication, asyncio.Future[Any] | None]


class RedisBus:
    """See `Bus`.

    url     redis://..., rediss://... or unix://...
    domain  whose bus it is: several servers can share a Redis
    """

    def __init__(self, url: str, domain: str, name: str | None = None) -> None:
        self.name = name or new_name()
        self._url = url
        self._prefix = prefix(domain)
        self._mine: set[str] = set()
        self._workers: set[str] = set()
        self._heard: set[str] = set()
        self._asked: list[_Asked] = []
        self._under_way: list[_Asked] = []
        self._sender = self.name.encode() + b" "
        self._wake = asyncio.Event()
        self._up = False
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._member: Member

    # Bus -----------------------------------------------------------------------------------------

    async def start(self, member: Member) -> None:
        """`Bus.start`."""
        self._member = member
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(first), name="bus")
        await first

    def publish(self, to: str, gather: Callable[[], bytes | None]) -> None:
        """`Bus.publish`."""
        if self._up:
            self._asked.append((_Publication(f"{self._prefix}to:{to}", gather), None))
            self._wake.set()

    async def claim(self, account: str) -> str:
        """`Bus.claim`."""
        if not self._up:
            raise BusLost("the bus is away")
        answer = await self._ask(*self._script(scripts.CLAIM, self.name, account))
        if isinstance(answer, Exception):
            raise BusLost(str(answer))
        owner: str = answer.decode()
        if not owner:
            raise BusLost("this worker was believed dead")
        if owner == self.name:
            self._mine.add(account)
        return owner

    def release(self, account: str) -> None:
        """`Bus.release`."""
        self._mine.discard(account)
        if self._up:
            self._ask(*self._script(scripts.RELEASE, self.name, account))

    async def close(self) -> None:
        """`Bus.close`."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task

    # Asking --------------------------------------------------------------------------------------

    def _script(self, text: str, *arguments: object) -> _Command:
        return ("EVAL", text, 1, self._prefix, *arguments)

    def _ask(self, *command: Any) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.append((command, answer))
        self._wake.set()
        return answer

    async def _ask_all(self, redis: Redis) -> None:
        """Send what is asked for, until the bus is closed."""
        while self._asked or not self._closing:
            await self._wake.wait()
            self._wake.clear()
            self._under_way, self._asked = self._asked, []
            commands: list[_Command] = []
            futures: list[asyncio.Future[Any] | None] = []
            for what, future in self._under_way:
                if isinstance(what, _Publication):
                    data = what.gather()
                    if data is None:
                        continue
                    commands.append(("PUBLISH", what.channel, self._sender + data))
                else:
                    commands.append(what)
                futures.append(future)
            answers = await _together(redis, commands) if commands else ()
            self._under_way = []
            for future, answer in zip(futures, answers, strict=True):
                if future is not None and not future.done():
                    future.set_result(answer)

    # Connections ---------------------------------------------------------------------------------

    async def _run(self, first: asyncio.Future[None]) -> None:
        while not self._closing:
            try:
                await self._connected(first)
            except (RedisError, OSError, TimeoutError) as error:
                self._lost(error)
                if not first.done():
                    first.set_exception(BusLost(f"the bus can't be reached: {error}"))
                    return
                await asyncio.sleep(_RETRY)

    async def _connected(self, first: asyncio.Future[None]) -> None:
        redis = Redis.from_url(
            self._url,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        async with redis, redis.pubsub() as pubsub:
            await pubsub.subscribe(f"{self._prefix}events", f"{self._prefix}to:{self.name}")
            for _ in range(2):  # until it is confirmed, what is published goes by
                await pubsub.get_message(timeout=_TIMEOUT)
            await self._join(redis)
            if not first.done():
                first.set_result(None)
            asking = asyncio.create_task(self._ask_all(redis))
            work = [asking, *map(asyncio.create_task, (self._hear(pubsub), self._beat()))]
            try:
                done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                await _together(redis, [self._script(scripts.REMOVE, self.name)])
            finally:
                for task in work:
                    task.cancel()
                await asyncio.gather(*work, return_exceptions=True)

    async def _join(self, redis: Redis) -> None:
        lease = int(LEASE * 1000)
        mine = tuple(self._mine)
        parts = [mine[at : at + _RECLAIMED] for at in range(0, len(mine), _RECLAIMED)]
        *_, workers, owners = answers = await _together(
            redis,
            [
                self._script(scripts.JOIN, self.name, lease),
                *(self._script(scripts.RECLAIM, self.name, *part) for part in parts),
                ("ZRANGE", f"{self._prefix}workers", 0, -1),
                ("HGETALL", f"{self._prefix}owners"),
            ],
            at_once=True,  # who sees this worker sees all that it has
        )
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        there = {worker.decode() for worker in workers}
        self._up = True
        for taken in answers[1:-2]:
            for account, owner in zip(taken[::2], taken[1::2], strict=True):
                self._mine.discard(account.decode())
                self._member.taken(account.decode(), owner.decode())
        if missing := self._workers - there:
            asyncio.get_running_loop().call_later(LEASE, self._give_up, missing)
        self._workers |= there
        self._member.restored(_pairs(owners), there)

    def _give_up(self, workers: Iterable[str]) -> None:
        """Those who were not there when the bus came back, and have not come since."""
        for worker in workers:
            if self._up and worker in self._workers and worker not in self._heard:
                self._gone(worker)

    def _lost(self, error: Exception) -> None:
        asked = self._under_way + self._asked
        self._under_way, self._asked = [], []
        for _, future in asked:
            if future is not None and not future.done():
                future.set_exception(BusLost(str(error)))
                future.exception()  # not everybody wants to know
        self._heard.clear()
        if self._up:
            self._up = False
            log.error("the bus is lost: %s", error)
            self._member.lost()

    # Hearing -------------------------------------------------------------------------------------

    async def _hear(self, pubsub: PubSub) -> None:
        events = f"{self._prefix}events".encode()
        while True:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=_SILENCE)
            if message is None:
                raise RedisError("nothing is heard any more")
            data: bytes = message["data"]
            if message["channel"] == events:
                self._event(*data.decode().split(" "))
            else:
                sender, _, batch = data.partition(b" ")
                self._member.received(sender.decode(), batch)

    def _event(self, verb: str, worker: str, account: str = "") -> None:
        member = self._member
        if worker == self.name:
            return
        if verb != "gone":
            self._heard.add(worker)
        if verb == "claimed":
            member.claimed(account, worker)
        elif verb == "released":
            member.released(account, worker)
        elif verb == "gone":
            self._gone(worker)
        elif worker not in self._workers:
            self._workers.add(worker)
            member.joined(worker)

    def _gone(self, worker: str) -> None:
        self._workers.discard(worker)
        self._heard.discard(worker)
        self._member.gone(worker)

    async def _beat(self) -> None:
        while True:
            beat = await self._ask(*self._script(scripts.BEAT, self.name, int(LEASE * 1000)))
            if isinstance(beat, Exception):
                raise beat
            if not beat:
                raise RedisError("this worker was believed dead")
            await asyncio.sleep(_BEAT)


async def remove_worker(url: str, domain: str, name: str) -> None:
    """Tell everybody that a worker is gone: for whoever sees it die. Raises BusLost."""
    try:
        async with Redis.from_url(url, socket_timeout=_TIMEOUT) as redis:
            await _together(redis, [("EVAL", scripts.REMOVE, 1, prefix(domain), name)])
    except (RedisError, OSError, TimeoutError) as error:
        raise BusLost(f"the bus can't be reached: {error}") from error


async def end_if_alone(url: str, domain: str) -> None:
    """End a Redis that nobody else will, unless there are workers. Raises BusLost."""
    try:
        async with Redis.from_url(url, socket_timeout=_TIMEOUT) as redis:
            if await _together(redis, [("ZCARD", f"{prefix(domain)}workers")]) == [0]:
                await _together(redis, [("SHUTDOWN", "NOSAVE")])
    except (RedisError, OSError, TimeoutError) as error:
        raise BusLost(f"the bus can't be reached: {error}") from error


async def _together(
    redis: Redis, commands: Sequence[_Command], *, at_once: bool = False
) -> list[Any]:
    """The answers to commands that are sent in one piece; some may be exceptions.

    at_once  whether nobody else's come between
    """
    pipeline = redis.pipeline(transaction=at_once)
    for command in commands:
        pipeline.execute_command(*command)
    answers: list[Any] = await pipeline.execute(raise_on_error=False)
    return answers


def _pairs(found: Any) -> dict[str, str]:
    """What `HGETALL` answers, by either version of the protocol."""
    if isinstance(found, dict):
        return {key.decode(): value.decode() for key, value in found.items()}
    return {
        key.decode(): value.decode() for key, value in zip(found[::2], found[1::2], strict=True)
    }
