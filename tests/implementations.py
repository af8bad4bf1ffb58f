"""The implementations of the event API, as the tests see them."""

from __future__ import annotations

import importlib
import os
from types import ModuleType
from typing import Any

CI = os.environ.get("CI", "").lower() in ("1", "true")

COMPILED = "xmppfast.xml._tokenizer"
EXPAT = "xmppfast.xml._expat"


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
        return importlib.import_module(COMPILED)
    except ModuleNotFoundError as error:
        if error.name != COMPILED:
            raise
        return None


def kernel_names(module: ModuleType) -> tuple[str, ...]:
    """The kernels to test, slowest first: all, or with XMPPFAST_TEST_KERNELS=best the last."""
    if os.environ.get("XMPPFAST_TEST_KERNELS") == "best":
        return module.kernels()[-1:]
    return module.kernels()
