"""What needs an extra says which."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


class ExtraMissing(ImportError):
    """A package of an extra is not installed; the text says how to get it."""


def need(module: str, extra: str) -> ModuleType:
    """Import a module of this package that needs an extra.

    Raises ExtraMissing if a package of another project is missing.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "xmppfast":
            raise
        raise ExtraMissing(
            f"this needs {error.name}, which is not installed: pip install 'xmppfast[{extra}]'",
            name=error.name,
        ) from error
