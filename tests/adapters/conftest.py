"""The adapters need the compiled backend: where it isn't built, their tests are skipped by name."""

from __future__ import annotations

import pytest
from implementations import CI

try:
    import xmppfast.adapters  # noqa: F401
except ImportError as error:
    if CI:
        raise
    pytest.skip(str(error), allow_module_level=True)
