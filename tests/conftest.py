"""One suite over every implementation of the event API.

The fixture `xml` runs a test once with the expat backend and once with each kernel of the compiled
one. Where the extension is not built, its tests are skipped by name; under CI=true they fail.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

CI = os.environ.get("CI", "").lower() in ("1", "true")

_COMPILED = "xmppfast.xml._tokenizer"
_EXPAT = "xmppfast.xml._expat"

_hypothesis: dict[str, Any] = {
    "deadline": None,
    "derandomize": False,
    # `xml` chooses the kernel for the whole test function; every example is to run with it.
    "suppress_health_check": [
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
}
settings.register_profile("default", max_examples=60, **_hypothesis)
settings.register_profile("ci", max_examples=300, print_blob=True, **_hypothesis)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if CI else "default"))


class Implementation:
    """A backend's module, seen together with what all backends share."""

    def __init__(self, name: str, module: ModuleType) -> None:
        errors = importlib.import_module("xmppfast.xml.errors")
        self.name = name
        self.module = module
        self.StreamError = errors.StreamError
        self.StreamCondition = errors.StreamCondition
        self.Limits = importlib.import_module("xmppfast.xml.limits").Limits

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)

    def __repr__(self) -> str:
        return self.name


def compiled_module() -> ModuleType | None:
    """The extension; None if it is not built. One that is there but broken raises."""
    try:
        return importlib.import_module(_COMPILED)
    except ModuleNotFoundError as error:
        if error.name != _COMPILED:
            raise
        return None


def _names() -> list[str]:
    module = compiled_module()
    if module is None:
        return ["compiled"]
    return [f"compiled-{kernel}" for kernel in module.kernels()]


def _require_compiled() -> ModuleType:
    module = compiled_module()
    if module is None:
        message = f"{_COMPILED} is not built"
        if CI:
            pytest.fail(message)
        pytest.skip(message)
    return module


def _implementation(name: str) -> Iterator[Implementation]:
    if name == "expat":
        yield Implementation(name, importlib.import_module(_EXPAT))
        return
    module = _require_compiled()
    before = module.kernel()
    module.use_kernel(name.removeprefix("compiled-"))
    try:
        yield Implementation(name, module)
    finally:
        module.use_kernel(before)


@pytest.fixture(params=["expat", *_names()])
def xml(request: pytest.FixtureRequest) -> Iterator[Implementation]:
    """Each implementation in turn."""
    yield from _implementation(request.param)


@pytest.fixture(params=_names())
def compiled(request: pytest.FixtureRequest) -> Iterator[Implementation]:
    """The compiled backend with each kernel in turn."""
    yield from _implementation(request.param)


@pytest.fixture
def expat() -> Implementation:
    """The backend on the standard library, the oracle."""
    return Implementation("expat", importlib.import_module(_EXPAT))
