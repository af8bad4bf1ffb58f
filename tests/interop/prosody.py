"""Prosody, as Debian packages it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from others import ACCOUNTS, PASSWORD, Other, free_ports, program, running

from xmppfast.transport.certificates import self_signed

_CONFIGURATION = """
daemonize = false
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}"
log = {{ info = "*console" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{ {tls_port} }}
s2s_ports = {{ }}
http_ports = {{ }}
https_ports = {{ }}
c2s_require_encryption = true
authentication = "internal_plain"
modules_enabled = {{
    "disco", "roster", "saslauth", "tls", "ping", "version", "time", "vcard_legacy", "pep",
    "private", "blocklist", "offline"
}}
modules_disabled = {{ "s2s" }}
ssl = {{ certificate = "{folder}/self-signed.pem", key = "{folder}/self-signed.pem" }}
VirtualHost "localhost"
"""


@contextmanager
def prosody(folder: Path, *, without: str = "") -> Iterator[Other]:
    """Run it with everything in that folder.

    without  a module that is not wanted
    """
    command = program("prosody")
    port, tls_port = free_ports(2)
    self_signed(folder, ["localhost"])
    accounts = folder / "data" / "localhost" / "accounts"
    accounts.mkdir(parents=True)
    for name in ACCOUNTS:
        text = f'return {{ ["password"] = "{PASSWORD}" }};\n'
        (accounts / f"{name}.dat").write_text(text, encoding="utf-8")
    path = folder / "prosody.cfg.lua"
    text = _CONFIGURATION.replace(f'"{without}", ', "")
    path.write_text(text.format(folder=folder, port=port, tls_port=tls_port), encoding="utf-8")
    with running([command, "--config", str(path), "-F"], tls_port, folder / "log"):
        yield Other("prosody", port, tls_port, folder / "self-signed.pem")
