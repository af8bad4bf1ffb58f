"""The table of host projects, hosts.toml, as values."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Environment:
    """A virtual environment that projects run in."""

    name: str
    python: str
    packages: list[str]
    system: bool = False
    probe: list[str] = field(default_factory=list)
    needs: str = ""


@dataclass(frozen=True)
class Host:
    """A project with tests of its own."""

    name: str
    version: str
    environment: str
    adapters: list[str]
    source: str
    arguments: list[str]
    archive: str = ""
    sha256: str = ""
    keep: list[str] = field(default_factory=list)
    reads: bool = True
    shims: bool = False


@functools.cache
def _table() -> dict[str, dict[str, dict[str, Any]]]:
    return tomllib.loads((HERE / "hosts.toml").read_text(encoding="utf-8"))


def environments() -> dict[str, Environment]:
    """All environments by name."""
    return {k: Environment(name=k, **v) for k, v in _table()["environments"].items()}


def hosts() -> dict[str, Host]:
    """All projects by name."""
    return {k: Host(name=k, **v) for k, v in _table()["hosts"].items()}


def pinned() -> dict[str, dict[str, str]]:
    """Tests that pin a parser's internals: by project, name of the test and the reason."""
    return tomllib.loads((HERE / "internals.toml").read_text(encoding="utf-8"))
