"""`xmppfast serve`: a server."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module, util
from pathlib import Path
from typing import TYPE_CHECKING

from .. import Limits
from .._extras import need
from . import logs, settings
from .configuration import Configuration, ConfigurationError

if TYPE_CHECKING:
    from ..cluster.interface import Bus
    from ..core.jid import JID
    from ..server.control import Control
    from ..server.quotas import Quotas
    from ..server.server import Settings
    from ..server.service import Certificate, Opened, Service

DESCRIPTION = """\
Run a server. Without options it serves the domain localhost on this machine only, keeps what it
stores in SQLite in a data folder, and makes a certificate for itself.

Options go before the configuration file, which `docs/xmppfast.toml` describes. SIGHUP reads the
file and the certificates again; SIGTERM ends all sessions in an orderly way, then the server.
"""

log = logging.getLogger("xmppfast.server")


@dataclass(slots=True)
class Running:
    """The configuration that a server was started with, and the server once it runs."""

    configuration: Configuration
    service: Service | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this command."""
    settings.add_arguments(parser)
    parser.add_argument("--domain", help="the domain to serve (default: localhost)")
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument(
        "--port", type=_port, metavar="N", help="port for STARTTLS (default: 5222; 0: any)"
    )
    parser.add_argument(
        "--tls-port", type=_port, metavar="N", help="port for direct TLS (default: 5223; 0: any)"
    )
    parser.add_argument(
        "--metrics-port",
        type=_port,
        metavar="N",
        help="port for Prometheus, on this machine only (default: none; 0: any)",
    )
    parser.add_argument(
        "--workers", type=_workers, metavar="N", help="processes that share the ports (default: 1)"
    )
    parser.add_argument(
        "--bus",
        metavar="URL",
        help="Redis or Valkey, where processes that serve the domain find each other",
    )
    parser.add_argument(
        "--allow-plaintext", action="store_true", help="allow to log in without TLS"
    )
    parser.add_argument(
        "--admin", action="append", metavar="JID", help="account that may administer the server"
    )


def run(options: argparse.Namespace) -> int:
    """Serve until a signal ends it; returns the exit code.

    Raises ConfigurationError, ExtraMissing, OSError and ValueError.
    """
    configuration = read(options)
    logs.configure(configuration.log.level, configuration.log.format)
    need("xmppfast.server.service", "server")
    if configuration.cluster.workers > 1:
        from . import workers

        return asyncio.run(workers.serve(options, configuration))
    with loop_runner() as runner:
        return runner.run(_serve(options, configuration))


def loop_runner() -> asyncio.Runner:
    """What runs a server: uvloop where it is installed."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if util.find_spec("uvloop") is not None:
        factory = import_module("uvloop").new_event_loop
    return asyncio.Runner(loop_factory=factory)


def read(options: argparse.Namespace) -> Configuration:
    """Put the options over the configuration file."""
    found = settings.read(options)
    listen = {
        name: value
        for name, value in (
            ("host", options.host),
            ("port", options.port),
            ("tls_port", options.tls_port),
            ("metrics_port", options.metrics_port),
        )
        if value is not None
    }
    found = replace(found, listen=replace(found.listen, **listen))
    if options.workers is not None:
        found = replace(found, cluster=replace(found.cluster, workers=options.workers))
    if options.bus is not None:
        found = replace(found, cluster=replace(found.cluster, bus=options.bus))
    if options.domain is not None:
        found = replace(found, domain=options.domain)
    if options.allow_plaintext:
        found = replace(found, login=replace(found.login, plaintext=True))
    if options.admin:
        found = replace(found, admins=(*found.admins, *options.admin))
    return found


async def _serve(options: argparse.Namespace, configuration: Configuration) -> int:
    stop = asyncio.Event()
    running = Running(configuration)
    handlers = {
        "SIGTERM": stop.set,
        "SIGINT": stop.set,
        "SIGHUP": lambda: reload(options, running),
    }
    # Windows has no such signals in event loops; there, Ctrl-C ends the process.
    if sys.platform != "win32":
        for name, handler in handlers.items():
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), handler)
    service = running.service = await start(configuration)
    domain, data = configuration.domain, configuration.data
    control = await _control(service, data)
    log.info("%s is served; data in %s", domain, data)
    if not await service.accounts.names(limit=1):
        log.info("no accounts yet: xmppfast user add NAME@%s --data %s", domain, data)
    try:
        await stop.wait()
        log.info("stopping")
    finally:
        control.close()
        await service.stop()
    log.info("stopped")
    return 0


async def _control(service: Service, data: Path) -> Control:
    """Take what `xmppfast user` has to have done by a server that runs."""
    from ..server.control import Control

    async def remove(account: JID) -> bool:
        log.info("%s is removed", account)
        return await service.accounts.remove(account)

    control = Control(data, {"remove": remove})
    await control.open()
    return control


async def start(
    configuration: Configuration, opened: Opened | None = None, bus: Bus | None = None
) -> Service:
    """Open storage and ports.

    opened  sockets that are open already, instead of the ports
    bus     to other processes; by default the one of the configuration, if there is one

    Raises OSError, ValueError (domain, administrators, certificate), StorageError and BusLost.
    """
    from ..core.jid import JID
    from ..server.defaults import features
    from ..server.service import Ports, Service
    from ..storage.sql import SqlStorage

    if configuration.listen.metrics_port is not False:
        need("xmppfast.server.metrics", "metrics")
    settings_ = settings_of(configuration)
    admins = [JID.parse(admin).bare for admin in configuration.admins]
    configuration.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    listen = configuration.listen
    ports = Ports(
        listen.host,
        None if listen.port is False else listen.port,
        None if listen.tls_port is False else listen.tls_port,
        None if listen.metrics_port is False else listen.metrics_port,
        opened,
    )
    if bus is None and configuration.cluster.bus is not None:
        need("xmppfast.cluster.redis_bus", "cluster")
        from ..cluster.redis_bus import RedisBus

        bus = RedisBus(configuration.cluster.bus, configuration.domain)
    storage = await SqlStorage.open(configuration.storage_url)
    installed = features(storage, admins, register=configuration.login.register)
    service = Service(settings_, ports, certificate(configuration), storage, installed, bus)
    try:
        await service.start()
    except BaseException:
        await storage.close()
        raise
    return service


def settings_of(configuration: Configuration) -> Settings:
    """What can be chosen about sessions. Raises ValueError."""
    from ..core.jid import JID
    from ..server.server import Settings

    domain = JID.parse(configuration.domain)
    if domain.local is not None or domain.resource is not None:
        raise ValueError(f"{domain} is no domain")
    limits = configuration.limits
    return Settings(
        domain,
        plaintext=configuration.login.plaintext,
        limits=Limits(**{name: getattr(limits, name) for name in Limits.__slots__}),
        login_seconds=configuration.login.seconds,
        resources=configuration.login.resources,
        quotas=_quotas(configuration),
    )


def _quotas(configuration: Configuration) -> Quotas:
    from ..server.quotas import Quotas

    together = configuration.together
    return Quotas(
        configuration.per_session,
        configuration.per_address,
        queued_bytes=together.queued_bytes,
        unauthenticated=together.unauthenticated,
    )


def certificate(configuration: Configuration) -> Certificate:
    """Where the certificate is."""
    from ..server.service import Certificate

    return Certificate(configuration.tls.certificate, configuration.tls.key, configuration.data)


def reload(options: argparse.Namespace, running: Running) -> None:
    """Read the configuration file and the certificates again; what is wrong leaves all as it is."""
    if running.service is None:
        return  # it is just being read for the first time
    try:
        configuration = read(options)
        running.service.reload(settings_of(configuration), certificate(configuration))
    except (ConfigurationError, OSError, ValueError) as error:
        log.error("not reloaded: %s", error)
        return
    logs.configure(configuration.log.level, configuration.log.format)
    log.info("reloaded")
    for name in changed_for_later(running.configuration, configuration):
        log.warning("%s has changed: that takes effect when the server is started again", name)


def changed_for_later(old: Configuration, new: Configuration) -> list[str]:
    """Name the keys that differ and that a running server does not follow."""
    names = [
        name
        for name in ("domain", "admins", "data", "listen", "storage", "cluster")
        if getattr(old, name) != getattr(new, name)
    ]
    if old.login.register != new.login.register:
        names.append("login.register")
    return names


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"must be 1 to 1024, not {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"must be a port, 0 to 65535, not {text!r}")
    return int(text)
