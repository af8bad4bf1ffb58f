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
    # The fixtures choose implementations, and are the same for every example.
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
    """A backend's module, seen together with what all backends share.

    With a kernel, parsers made through this object use that one.
    """

    def __init__(self, name: str, module: ModuleType, kernel: str | None = None) -> None:
        errors = importlib.import_module("xmppfast.xml.errors")
        self.name = name
        self.module = module
        self.kernel_name = kernel
        self.StreamError = errors.StreamError
        self.StreamCondition = errors.StreamCondition
        self.Limits = importlib.import_module("xmppfast.xml.limits").Limits

    def __getattr__(self, name: str) -> Any:
        if self.kernel_name is not None:
            self.module.use_kernel(self.kernel_name)
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


def _kernels() -> list[str]:
    module = compiled_module()
    return ["compiled"] if module is None else [f"compiled-{name}" for name in module.kernels()]


@pytest.fixture
def _compiled_module() -> Iterator[ModuleType]:
    module = compiled_module()
    if module is None:
        message = f"{_COMPILED} is not built"
        if CI:
            pytest.fail(message)
        pytest.skip(message)
    before = module.kernel()
    yield module
    module.use_kernel(before)


@pytest.fixture
def expat() -> Implementation:
    """The backend on the standard library, the oracle."""
    return Implementation("expat", importlib.import_module(_EXPAT))


@pytest.fixture
def kernels(_compiled_module: ModuleType) -> list[Implementation]:
    """The compiled backend with each kernel."""
    return [
        Implementation(f"compiled-{kernel}", _compiled_module, kernel)
        for kernel in _compiled_module.kernels()
    ]


@pytest.fixture(params=_kernels())
def compiled(request: pytest.FixtureRequest, _compiled_module: ModuleType) -> Implementation:
    """The compiled backend, one kernel in turn."""
    kernel = request.param.removeprefix("compiled-")
    return Implementation(request.param, _compiled_module, kernel)


@pytest.fixture(params=["expat", *_kernels()])
def xml(request: pytest.FixtureRequest) -> Implementation:
    """Each implementation in turn."""
    if request.param == "expat":
        return request.getfixturevalue("expat")
    module = request.getfixturevalue("_compiled_module")
    return Implementation(request.param, module, request.param.removeprefix("compiled-"))


@pytest.fixture(params=["expat", "compiled"])
def backend(request: pytest.FixtureRequest) -> list[Implementation]:
    """Each backend in turn, as all its implementations at once.

    For tests that cost more to make up than to run.
    """
    if request.param == "expat":
        return [request.getfixturevalue("expat")]
    return request.getfixturevalue("kernels")
