"""Where a measurement was taken: what its figures depend on."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path
from types import ModuleType
from xml.parsers import expat


def facts(backend: ModuleType, name: str, core: int | None) -> dict[str, str]:
    """Name and value of each fact."""
    return {
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "expat of Python": ".".join(map(str, expat.version_info)),
        "backend": name,
        "kernel": backend.kernel() if hasattr(backend, "kernel") else "-",
        "pinned": "no" if core is None else "to one core",
        "free-threaded": "no" if getattr(sys, "_is_gil_enabled", lambda: True)() else "yes",
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or "unknown"
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^flags\s*:\s*(.+)$", text, re.MULTILINE)
    widest = ""
    if flags:
        present = flags[1].split()
        widest = next((f" ({f})" for f in ("avx512bw", "avx2", "sse2") if f in present), "")
    return (model[1] if model else platform.processor() or "unknown") + widest
