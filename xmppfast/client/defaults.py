"""The features every client has; the same files as a server's."""

from __future__ import annotations

from importlib.metadata import version as version_of

from ..core.dispatch import Feature, Host
from ..xep.disco import disco
from ..xep.ping import ping
from ..xep.version import version


def features(host: Host) -> list[Feature]:
    """Make them for this host."""
    return [disco(host), ping(host), version(host, "xmppfast", version_of("xmppfast"))]
