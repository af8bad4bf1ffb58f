"""Software Version (XEP-0092)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import NamedTuple

from ..core.dispatch import Disco, Feature, Host, OnIq, Request, Target
from ..core.jid import JID
from ..core.stanza import element

NAMESPACE = "jabber:iq:version"
_QUERY = f"{{{NAMESPACE}}}query"


class Version(NamedTuple):
    """What runs there; None for what it doesn't say."""

    name: str | None
    version: str | None
    os: str | None = None


def version(host: Host, name: str, number: str) -> Feature:
    """Says which software this is. Not on which system: that would only serve an attacker."""

    def get(request: Request) -> ET.Element:
        return element(
            _QUERY,
            None,
            element(f"{{{NAMESPACE}}}name", None, name),
            element(f"{{{NAMESPACE}}}version", None, number),
        )

    targets = (Target.SERVER, Target.CLIENT)
    return Feature(
        "version",
        (
            *(OnIq(_QUERY, target, get=get) for target in targets),
            *(Disco(target, features=(NAMESPACE,)) for target in targets),
        ),
    )


async def get_version(host: Host, to: JID) -> Version:
    """Ask which software runs there. Raises StanzaError and TimeoutError."""
    answer = await host.request(to, "get", element(_QUERY))
    query = f"{{*}}query/{{{NAMESPACE}}}"
    return Version(*(answer.findtext(query + part) for part in ("name", "version", "os")))
