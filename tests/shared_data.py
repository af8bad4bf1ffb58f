"""The recorded and conformance data that lies beside a checkout.

It is looked for where XMPPFAST_DATA says, else in ../shared/data. Where it is absent, the tests on
it are skipped by name, and those on the project's own cases run alone.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("XMPPFAST_DATA") or ROOT.parent / "shared" / "data")

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no data at {DATA}: only the project's own cases run"
)


def records(path: str) -> Iterator[dict[str, Any]]:
    """The records of a .jsonl file; none where the data is absent."""
    if not DATA.is_dir():
        return
    with open(DATA / path, encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def document(record: dict[str, Any]) -> bytes:
    """The bytes of a conformance record."""
    return base64.b64decode(record["b64"])


def capture_names() -> list[str]:
    """Recorded sessions over plain XML transports."""
    return sorted(path.parent.name for path in DATA.glob("captures/*/stanzas.jsonl"))


@functools.cache
def _torture_cases() -> dict[str, Any]:
    path = DATA / "xml" / "gen_torture.py"
    spec = importlib.util.spec_from_file_location("gen_torture", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.CASES)


def torture_document(record: dict[str, Any]) -> bytes:
    """The bytes of a torture record; large ones are made by the generator beside the data."""
    if "b64" in record:
        return document(record)
    make = _torture_cases()[record["name"]][3]
    data = bytes(make())
    assert hashlib.sha256(data).hexdigest() == record["sha256"]
    return data
