"""The libraries that adapters are for, as the tests see them.

One that isn't installed has its tests skipped by name; under CI=true they fail.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any

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
