"""What wokkel 18 imports from older versions of Twisted, under its old names."""

from __future__ import annotations

import sys

import constantly
import twisted.python.compat


def apply() -> None:
    """Put the names where they were."""
    twisted.python.compat._PY3 = True
    sys.modules["twisted.python.constants"] = constantly
