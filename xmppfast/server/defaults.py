"""The features of every server."""

from __future__ import annotations

from collections.abc import Callable

from ..core.dispatch import Feature, Host
from ..im.features import instant_messaging
from ..storage.interface import Storage
from .established import established


def features(storage: Storage) -> Callable[[Host], list[Feature]]:
    """What a server installs, in the order handlers are called."""

    def install(host: Host) -> list[Feature]:
        return [
            established(),
            *instant_messaging(host, storage),
        ]

    return install
