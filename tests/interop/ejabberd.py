"""ejabberd, as Debian packages it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from others import ACCOUNTS, PASSWORD, Other, free_ports, program, running

from xmppfast.transport.certificates import self_signed

_CONFIGURATION = """
hosts: [localhost]
loglevel: info
certfiles: ["{folder}/self-signed.pem"]
auth_password_format: scram
auth_scram_hash: sha256
listen:
  - port: {port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    starttls_required: true
  - port: {tls_port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    tls: true
modules:
  mod_roster:
    versioning: true
  mod_disco: {{}}
  mod_ping: {{}}
  mod_private: {{}}
  mod_offline: {{}}
  mod_vcard: {{}}
  mod_version: {{}}
  mod_last: {{}}
  mod_blocking: {{}}
  mod_privacy: {{}}
"""


@contextmanager
def ejabberd(folder: Path) -> Iterator[Other]:
    """Run it with everything in that folder; without a node name, so there is no port mapper."""
    program("ejabberdctl")
    port, tls_port = free_ports(2)
    self_signed(folder, ["localhost"])
    path = folder / "ejabberd.yml"
    path.write_text(_CONFIGURATION.format(folder=folder, port=port, tls_port=tls_port))
    password = ",".join(str(byte) for byte in PASSWORD.encode())
    accounts = "".join(
        f"ok = ejabberd_auth:try_register(<<{name!r}>>, <<'localhost'>>, <<{password}>>),"
        for name in ACCOUNTS
    ).replace("'", '"')
    ready = folder / "ready"
    command = [program("erl"), "-noinput", "-mnesia", "dir", f'"{folder}/mnesia"', "-s", "ejabberd"]
    command += ["-eval", f'{accounts} file:write_file("{ready}", "")']
    libraries = {str(found.parent.parent) for found in Path("/usr/lib").glob("*/ejabberd-*/ebin")}
    env = os.environ | {
        "ERL_LIBS": ":".join(libraries),
        "EJABBERD_CONFIG_PATH": str(path),
        "EJABBERD_LOG_PATH": str(folder / "ejabberd.log"),
        "ERL_CRASH_DUMP": str(folder / "crash"),
        "HOME": str(folder),
    }
    with running(command, tls_port, folder / "log", env, ready):
        yield Other("ejabberd", port, tls_port, folder / "self-signed.pem")
