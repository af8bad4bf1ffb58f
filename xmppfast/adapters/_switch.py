"""Putting an adapter in the place of what it stands in for, and taking it out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Place = tuple[Any, str, Any]
"""An owner (module or class), the name of its attribute, and what to put there."""


class Switch:
    """Replacements that are made and undone together.

    `places` is called when they are to be made, with the options given: only then is the host
    imported.
    """

    def __init__(self, places: Callable[..., list[Place]]) -> None:
        self._places = places
        self._replaced: list[tuple[Any, str, Any, Any]] = []

    @property
    def is_installed(self) -> bool:
        """Whether the replacements are made."""
        return bool(self._replaced)

    def install(self, **options: Any) -> None:
        """Make the replacements; nothing happens if they are made already.

        Raises ImportError if the host isn't installed, AttributeError if it lacks a name.
        """
        if self._replaced:
            return
        places = self._places(**options)
        originals = [(owner, name, getattr(owner, name), ours) for owner, name, ours in places]
        for owner, name, ours in places:
            setattr(owner, name, ours)
        self._replaced = originals

    def uninstall(self) -> None:
        """Undo them, but for a name that somebody else has replaced since."""
        for owner, name, original, ours in self._replaced:
            if owner.__dict__.get(name) is ours:
                setattr(owner, name, original)
        self._replaced = []

    @contextmanager
    def installed(self, **options: Any) -> Iterator[None]:
        """Make them for the time of a `with` block, unless they are made already."""
        if self._replaced:
            yield
            return
        self.install(**options)
        try:
            yield
        finally:
            self.uninstall()
