"""The libraries that adapters are for, as the tests see them.

One that isn't installed has its tests skipped by name; under CI=true they fail.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pytest
from implementations import CI


def host(name: str) -> Any:
    """A library's module; skips or fails the module that asks where it isn't installed."""
    try:
        with warnings.catch_warnings():
            # What others' modules deprecate in one another is not our concern.
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.split(".")[0] or CI:
            raise
        pytest.skip(f"{error.name} is not installed", allow_module_level=True)


def aioxmpp() -> Any:
    """The module for XML of aioxmpp."""
    if sys.version_info >= (3, 13):
        pytest.skip("aioxmpp's requirements can't be installed for this Python")
    return host("aioxmpp.xml")


def nbxmpp() -> Any:
    """The module for XML of nbxmpp; without the rest of it where GObject's gi is missing."""
    if "nbxmpp" not in sys.modules and not importlib.util.find_spec("gi"):
        _leave_gi_out()
    return host("nbxmpp.simplexml")


def _leave_gi_out() -> None:
    spec = importlib.util.find_spec("nbxmpp")
    if spec is None:
        return
    stand_ins = {
        name: ModuleType(name) for name in ("gi", "gi.repository", "nbxmpp", "nbxmpp.dispatcher")
    }
    # What nbxmpp.const looks at when it is imported.
    repository: Any = stand_ins["gi.repository"]
    repository.Gio = MagicMock()
    repository.GLib = MagicMock(MAJOR_VERSION=2, MINOR_VERSION=74, MICRO_VERSION=0)
    stand_ins["nbxmpp"].__path__ = list(spec.submodule_search_locations or ())
    sys.modules.update(stand_ins)
    # nbxmpp.dispatcher has it by name.
    builder = importlib.import_module("nbxmpp.simplexml").NodeBuilder
    vars(stand_ins["nbxmpp.dispatcher"])["NodeBuilder"] = builder
    for name in ("gi", "gi.repository"):  # whoever asks for them later is to be told the truth
        del sys.modules[name]
