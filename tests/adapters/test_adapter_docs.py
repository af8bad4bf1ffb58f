"""The Python code in docs/adapters.md runs."""

from __future__ import annotations

import re
from typing import Any

from shared_data import ROOT

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_code_runs():
    path = ROOT / "docs" / "adapters.md"
    text = path.read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    blocks = list(BLOCK.finditer(text))
    assert blocks
    for block in blocks:
        code = "\n" * text.count("\n", 0, block.start(1)) + block[1]
        exec(compile(code, str(path), "exec"), names)
