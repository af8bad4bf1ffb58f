"""The features every client has."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.dispatch import Feature, Host


def features(host: Host) -> Iterable[Feature]:
    """Make them for this host."""
    return ()
