"""`xmppfast serve --workers`: the process that opens the ports, starts workers and replaces them.

It has a socket for each worker and port and keeps it open: connections that come while a worker is
started anew wait for it, and the system spreads the others.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._extras import need
from . import private_bus
from . import serve as single
from .configuration import Configuration
from .worker import Orders

if TYPE_CHECKING:
    from ..core.jid import JID
    from ..server.control import Control
    from ..server.metrics import Endpoint

log = logging.getLogger("xmppfast.server")

# Seconds before a worker that ended is started anew: at first, and at most if it ends each time.
_SOON, _LATE = 0.1, 10.0
# Seconds after which a worker counts as one that works.
_WORKS = 10.0
# Seconds that workers get to stop.
_PATIENCE = 30.0


@dataclass(slots=True)
class _Worker:
    """A worker's place; the process in it changes.

    number  from 1
    plain   its sockets for connections that begin without TLS
    tls     likewise with TLS
    """

    number: int
    plain: list[socket.socket] = field(default_factory=list)
    tls: list[socket.socket] = field(default_factory=list)
    process: Process | None = None
    name: str = ""
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def answer(self) -> bytes:
        """What it says next. IncompleteReadError or ValueError if it ends instead."""
        assert self.process is not None
        assert self.process.stdout is not None
        size = int(await self.process.stdout.readline())
        return await self.process.stdout.readexactly(size)

    async def ask(self, line: str) -> bytes:
        """Its answer to a line. IncompleteReadError, ValueError or OSError if there is none."""
        assert self.process is not None
        assert self.process.stdin is not None
        async with self._asking:
            self.process.stdin.write(f"{line}\n".encode())
            await self.process.stdin.drain()
            return await self.answer()


async def serve(options: argparse.Namespace, configuration: Configuration) -> int:
    """Serve until a signal ends it; returns the exit code.

    Raises ConfigurationError, ExtraMissing, OSError, ValueError, StorageError and BusLost.
    """
    need("xmppfast.cluster.redis_bus", "cluster")
    if configuration.listen.metrics_port is not False:
        need("xmppfast.server.metrics", "metrics")
    private = _private_bus(configuration) if configuration.cluster.bus is None else None
    await _prepare(configuration)
    workers = [_Worker(number) for number in range(1, configuration.cluster.workers + 1)]
    try:
        _open_ports(configuration, workers)
        if private is not None:
            await private.start()
        url = configuration.cluster.bus if private is None else private.url
        assert url is not None
        return await _Workers(options, configuration, url, workers).run()
    finally:
        if private is not None:
            await private.stop()
        for worker in workers:
            for opened in (*worker.plain, *worker.tls):
                opened.close()


def _private_bus(configuration: Configuration) -> private_bus.PrivateBus:
    program = private_bus.program()
    if program is None:
        names = " or ".join(private_bus.PROGRAMS)
        raise ValueError(f"several workers need a bus: install {names}, or name one with --bus")
    return private_bus.PrivateBus(program, configuration.data)


async def _prepare(configuration: Configuration) -> None:
    """Do once what each worker would do: make the tables, and a certificate if there is none."""
    from ..server.accounts import open_accounts
    from ..storage.sql import SqlStorage

    domain = single.settings_of(configuration).domain
    configuration.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    single.certificate(configuration).read(domain)
    storage = await SqlStorage.open(configuration.storage_url)
    try:
        accounts = await open_accounts(storage, domain)
        if not await accounts.names(limit=1):
            log.info(
                "no accounts yet: xmppfast user add NAME@%s --data %s",
                configuration.domain,
                configuration.data,
            )
    finally:
        await storage.close()


def _open_ports(configuration: Configuration, workers: Sequence[_Worker]) -> None:
    from ..transport.tcp import open_shared

    listen = configuration.listen
    for port, direct in ((listen.port, False), (listen.tls_port, True)):
        if port is False:
            continue
        shared = open_shared(listen.host, port, len(workers))
        for worker, sockets in zip(workers, shared, strict=True):
            if direct:
                worker.tls = sockets
            else:
                worker.plain = sockets
        for opened in shared[0]:
            host, number = opened.getsockname()[:2]
            log.info("listening on %s port %d%s", host, number, " (TLS)" if direct else "")


class _Workers:
    def __init__(
        self,
        options: argparse.Namespace,
        configuration: Configuration,
        url: str,
        workers: Sequence[_Worker],
    ) -> None:
        self._options = {
            name: value for name, value in vars(options).items() if not callable(value)
        }
        self._configuration = configuration
        self._url = url
        self._workers = workers
        self._stop = asyncio.Event()

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGINT"):
            loop.add_signal_handler(getattr(signal, name), self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        keeping: list[asyncio.Task[None]] = []
        try:
            # What is wrong with the first one is wrong with all.
            for worker in self._workers:
                await self._start(worker)
            for worker in self._workers:
                if not await self._ready(worker):
                    return 2  # it has said why
            keeping = [asyncio.create_task(self._keep(worker)) for worker in self._workers]
            log.info(
                "%s is served by %d workers; data in %s",
                self._configuration.domain,
                len(self._workers),
                self._configuration.data,
            )
            control = await self._control()
            metrics = await self._metrics()
            try:
                await self._stop.wait()
                log.info("stopping")
            finally:
                control.close()
                if metrics is not None:
                    metrics.close()
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            await self._end()
        log.info("stopped")
        return 0

    async def _control(self) -> Control:
        """Take what `xmppfast user` has to have done by a server that runs."""
        from ..server.control import Control

        async def remove(account: JID) -> bool:
            # Whichever is asked has it done by the worker that has the account.
            answer = (await self._workers[0].ask(f"remove {account}")).decode()
            if answer not in ("yes", "no"):
                raise ValueError(answer.removeprefix("failed "))
            return answer == "yes"

        control = Control(self._configuration.data, {"remove": remove})
        await control.open()
        return control

    async def _metrics(self) -> Endpoint | None:
        """Metrics of all workers on one port."""
        port = self._configuration.listen.metrics_port
        if port is False:
            return None
        from ..server import metrics

        async def source() -> bytes:
            found: dict[str, bytes] = {}
            for worker in self._workers:
                # One that is being started has none.
                with suppress(OSError, ValueError, asyncio.IncompleteReadError):
                    found[str(worker.number)] = await worker.ask("metrics")
            return metrics.merged(found)

        endpoint = await metrics.serve(source, port)
        log.info("metrics on http://127.0.0.1:%d/metrics", endpoint.port)
        return endpoint

    def _reload(self) -> None:
        for worker in self._workers:
            if worker.process is not None and worker.process.returncode is None:
                worker.process.send_signal(signal.SIGHUP)

    async def _start(self, worker: _Worker) -> None:
        host = socket.gethostname().replace(" ", "_")
        worker.name = f"{host}-{os.getpid()}-{worker.number}-{secrets.token_hex(4)}"
        plain, tls = ([it.fileno() for it in kind] for kind in (worker.plain, worker.tls))
        worker.process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "xmppfast.cli.worker"),
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=(*plain, *tls),
        )
        log.info("worker %d is process %d", worker.number, process.pid)
        assert process.stdin is not None
        private = self._configuration.cluster.bus is None
        orders = Orders(self._options, worker.name, self._url, private, plain, tls)
        process.stdin.write(orders.write())
        with suppress(ConnectionError):
            await process.stdin.drain()

    async def _ready(self, worker: _Worker) -> bool:
        """Wait until a worker accepts connections; False if it ends, having said why."""
        try:
            return bool(await worker.answer())
        except (OSError, ValueError, asyncio.IncompleteReadError):
            return False

    async def _keep(self, worker: _Worker) -> None:
        """Replace a worker whenever it ends."""
        loop = asyncio.get_running_loop()
        pause = _SOON
        while True:
            assert worker.process is not None
            begun = loop.time()
            code = await worker.process.wait()
            log.error(
                "worker %d (process %d) ended with %d: another one is started",
                worker.number,
                worker.process.pid,
                code,
            )
            await self._remove(worker)
            pause = _SOON if loop.time() - begun > _WORKS else min(2 * pause, _LATE)
            await asyncio.sleep(pause)
            await self._start(worker)
            if await self._ready(worker):
                log.info("worker %d is there again", worker.number)

    async def _remove(self, worker: _Worker) -> None:
        """Have the others know at once that it is gone; without the bus, they'll notice."""
        from ..cluster.interface import BusLost
        from ..cluster.redis_bus import remove_worker

        try:
            await remove_worker(self._url, self._configuration.domain, worker.name)
        except BusLost as error:
            log.warning("%s", error)

    async def _end(self) -> None:
        processes = [it.process for it in self._workers if it.process is not None]
        for process in processes:
            with suppress(ProcessLookupError):
                process.terminate()
        try:
            async with asyncio.timeout(_PATIENCE):
                for process in processes:
                    await process.wait()
        except TimeoutError:
            log.error("some workers did not stop in time")
            for process in processes:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
