"""The servers: how each is started, with accounts, on a free port of loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xmppfast.transport.certificates import self_signed

HERE = Path(__file__).parent
Accounts = Sequence[tuple[str, str]]
"""Localparts and passwords."""

_PATIENCE = 120.0
_ITERATIONS = 4096


class ServerMissingError(RuntimeError):
    """A server can't be started here; says why."""


@dataclass(frozen=True)
class Running:
    """A server that listens: its process and its port."""

    pid: int
    port: int


@dataclass(frozen=True)
class Prepared:
    """How to start a server whose files are in place."""

    command: list[str]
    environment: dict[str, str]
    ready: Path | None = None


Prepare = Callable[[Path, int, Accounts], Prepared]
"""Puts a server's files into a folder, for a port and accounts. ServerMissingError."""

_PROSODY_USUAL = (
    "disco", "roster", "saslauth", "tls", "ping", "version", "time", "vcard_legacy", "private",
    "blocklist", "offline", "pep", "carbons",
)  # fmt: skip
_PROSODY_LEAN = ("roster", "saslauth", "tls")
_EJABBERD_USUAL = (
    "mod_roster", "mod_disco", "mod_ping", "mod_private", "mod_offline", "mod_vcard",
    "mod_version", "mod_last", "mod_blocking", "mod_privacy", "mod_pubsub", "mod_carboncopy",
    "mod_caps", "mod_stream_mgmt",
)  # fmt: skip
_EJABBERD_LEAN = ("mod_roster",)


def xmppfast(folder: Path, port: int, accounts: Accounts) -> Prepared:
    """Ours, with everything that it has by default."""
    configuration = folder / "xmppfast.toml"
    configuration.write_text((HERE / "xmppfast.toml").read_text().format(port=port))
    command = [sys.executable, "-m", "xmppfast"]
    # Hashed as often as ejabberd does: by default ours are 10,000 times.
    program = (
        "from xmppfast.protocol.sasl.keys import derive; import runpy;"
        f"derive.__kwdefaults__['iterations'] = {_ITERATIONS};"
        "runpy.run_module('xmppfast', run_name='__main__')"
    )
    lines = "".join(f"{name}@localhost,{password}\n" for name, password in accounts)
    subprocess.run(
        [sys.executable, "-c", program, "user", "import", "-", "--config", str(configuration)],
        input=lines.encode(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return Prepared([*command, "serve", "--config", str(configuration)], {})


def xmppfast_asyncio(folder: Path, port: int, accounts: Accounts) -> Prepared:
    """Ours, on the event loop of the standard library."""
    prepared = xmppfast(folder, port, accounts)
    program = "import sys; sys.modules['uvloop'] = None; import xmppfast.__main__"
    return Prepared([sys.executable, "-c", program, *prepared.command[3:]], {})


def prosody(folder: Path, port: int, accounts: Accounts, *, lean: bool = False) -> Prepared:
    """Prosody as packaged; lean without what is not needed, and its better garbage collection."""
    command = _program("prosody")
    stored = folder / "data" / "localhost" / "accounts"
    stored.mkdir(parents=True)
    for name, password in accounts:
        # The server hashes it when the account logs in for the first time.
        (stored / f"{name}.dat").write_text(f'return {{ ["password"] = "{password}" }};\n')
    configuration = folder / "prosody.cfg.lua"
    configuration.write_text(
        (HERE / "prosody.cfg.lua")
        .read_text()
        .format(
            folder=folder,
            port=port,
            certificate=_certificate(folder),
            tuning='gc = { mode = "generational" }' if lean else "",
            modules=_quoted(_PROSODY_LEAN if lean else _PROSODY_USUAL),
            disabled=_quoted(("offline", "presence_cache") if lean else ()),
        )
    )
    return Prepared([command, "--config", str(configuration), "-F"], {})


def ejabberd(folder: Path, port: int, accounts: Accounts, *, lean: bool = False) -> Prepared:
    """Ejabberd as packaged, without busy waiting, which would look like work."""
    _program("ejabberdctl")
    configuration = folder / "ejabberd.yml"
    modules = _EJABBERD_LEAN if lean else _EJABBERD_USUAL
    listed = "".join(f"\n  {name}: {{}}" for name in modules)
    configuration.write_text(
        (HERE / "ejabberd.yml")
        .read_text()
        .format(port=port, modules=listed, certificate=_certificate(folder))
    )
    # Without a node name, there is no port mapper. The accounts are made from inside.
    names = folder / "accounts"
    names.write_text("".join(f'{{<<"{name}">>, <<"{word}">>}}.\n' for name, word in accounts))
    ready = folder / "ready"
    work = (
        f'{{ok, All}} = file:consult("{names}"),'
        '[ok = ejabberd_auth:try_register(N, <<"localhost">>, P) || {N, P} <- All],'
        f'file:write_file("{ready}", "")'
    )
    quiet = ["+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none", "+K", "true"]
    command = [_program("erl"), *quiet, "-noinput", "-mnesia", "dir", f'"{folder}/mnesia"']
    libraries = {str(found.parent.parent) for found in Path("/usr/lib").glob("*/ejabberd-*/ebin")}
    environment = {
        "ERL_LIBS": ":".join(libraries),
        "EJABBERD_CONFIG_PATH": str(configuration),
        "EJABBERD_LOG_PATH": str(folder / "ejabberd.log"),
        "ERL_CRASH_DUMP": str(folder / "crash"),
        "HOME": str(folder),
    }
    return Prepared([*command, "-s", "ejabberd", "-eval", work], environment, ready)


def prosody_lean(folder: Path, port: int, accounts: Accounts) -> Prepared:
    """Prosody, lean."""
    return prosody(folder, port, accounts, lean=True)


def ejabberd_lean(folder: Path, port: int, accounts: Accounts) -> Prepared:
    """ejabberd, lean."""
    return ejabberd(folder, port, accounts, lean=True)


ASYNCIO = "xmppfast, asyncio"

SERVERS: dict[str, Prepare] = {
    "xmppfast": xmppfast,
    ASYNCIO: xmppfast_asyncio,
    "ejabberd, lean": ejabberd_lean,
    "ejabberd": ejabberd,
    "Prosody, lean": prosody_lean,
    "Prosody": prosody,
}


def _certificate(folder: Path) -> Path:
    """A PEM file with a key and a certificate of its own, of the kind that ours makes."""
    self_signed(folder / "tls", ["localhost"])
    return folder / "tls" / "self-signed.pem"


@contextmanager
def running(prepare: Prepare, folder: Path, accounts: Accounts, core: int) -> Iterator[Running]:
    """Run a server on one processor. ServerMissingError; RuntimeError if it does not listen."""
    port = _free_port()
    prepared = prepare(folder, port, accounts)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            prepared.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=os.environ | prepared.environment,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        try:
            _wait(process, port, prepared.ready, folder / "log")
            yield Running(process.pid, port)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, ready: Path | None, log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        if ready is None or ready.exists():
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                pass
            else:
                return
        time.sleep(0.05)
    said = log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"{process.args!r} does not listen: {said}")


def _program(name: str) -> str:
    # Debian keeps servers in folders that are not in everybody's PATH.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        raise ServerMissingError(f"{name} is not installed")
    return found


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port
