"""One suite over every implementation of the event API.

The fixture `xml` runs a test once with the expat backend and once with each kernel of the compiled
one. Where the extension is not built, its tests are skipped by name; under CI=true they fail.
"""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from implementations import CI, COMPILED, EXPAT, Implementation, compiled_module, kernel_names

_hypothesis: dict[str, Any] = {
    "deadline": None,
    # CI tries the same ones each time: what is found there is about the change.
    "derandomize": CI,
    "print_blob": CI,
    # The fixtures choose implementations, and are the same for every example.
    "suppress_health_check": [
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
}
settings.register_profile("few", max_examples=20, **_hypothesis)
settings.register_profile("default", max_examples=60, **_hypothesis)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or "default")


# Run in the background by a shell, this ignores Ctrl-C, and so would the programs that tests start
# in order to interrupt them.
signal.signal(signal.SIGINT, signal.default_int_handler)


def _kernels() -> list[str]:
    module = compiled_module()
    return ["compiled"] if module is None else [f"compiled-{name}" for name in kernel_names(module)]


@pytest.fixture
def _compiled_module() -> Iterator[ModuleType]:
    module = compiled_module()
    if module is None:
        message = f"{COMPILED} is not built"
        if CI:
            pytest.fail(message)
        pytest.skip(message)
    before = module.kernel()
    yield module
    module.use_kernel(before)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """What tests marked `anyio`, which are coroutine functions, run on."""
    return "asyncio"


@pytest.fixture
def expat() -> Implementation:
    """The backend on the standard library, the oracle."""
    return Implementation("expat", importlib.import_module(EXPAT))


@pytest.fixture
def kernels(_compiled_module: ModuleType) -> list[Implementation]:
    """The compiled backend with each kernel."""
    return [
        Implementation(f"compiled-{kernel}", _compiled_module, kernel)
        for kernel in kernel_names(_compiled_module)
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
