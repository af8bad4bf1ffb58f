"""`pytest bench/` times every subject on small corpora, under pytest-benchmark."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
