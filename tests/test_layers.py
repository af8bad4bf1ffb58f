"""The import rules of ARCHITECTURE.md, held by reading every module of the package."""

from __future__ import annotations

import ast
import sys

import pytest
from shared_data import ROOT

PACKAGE = ROOT / "xmppfast"

# Layer: what it may import of the package, besides itself. One without files yet holds trivially.
ALLOWED = {
    "xml": set(),
    "core": {"xml"},
    "protocol": {"xml", "core"},
    "transport": {"xml", "core", "protocol"},
    "im": {"xml", "core", "storage"},
    "xep": {"xml", "core", "storage"},
    "storage": {"xml", "core"},
    "adapters": {"xml"},
    "client": {"xml", "core", "protocol", "transport", "im", "xep", "storage"},
    "cluster": {"xml", "core"},
    "server": {"xml", "core", "protocol", "transport", "im", "xep", "storage", "cluster"},
    "load": {"xml", "core", "protocol", "transport", "client"},
    "cli": None,
}

# Sans-I/O: neither sockets nor clocks nor chance.
NO_IO = {
    "asyncio",
    "random",
    "secrets",
    "select",
    "selectors",
    "socket",
    "ssl",
    "time",
}
SANS_IO = ("xml", "core", "protocol", "im", "xep")

# Packages that are not ours, by the layer that may import them; adapters import what they adapt.
OTHERS = {
    "cli": {"rich"},
    "cluster": {"redis"},
    "core": {"idna", "precis_i18n"},
    "load": {"matplotlib"},
    "protocol": {"precis_i18n", "scramp"},
    "server": {"prometheus_client"},
    "storage": {"alembic", "sqlalchemy"},
    "transport": {"cryptography", "dns", "idna"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def module_name(path):
    """Dotted name of a source file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def running(tree):
    """All nodes but those for the type checker only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from running(node)


def imports(path):
    """Absolute names of everything that a file imports when it runs."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package.pop()
    for node in running(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{start}.{alias.name}"


def layer(name):
    """Folder of a module of the package; None for the package itself and for others."""
    parts = name.split(".")
    return parts[1] if parts[0] == "xmppfast" and len(parts) > 1 else None


def test_there_are_modules():
    assert PACKAGE / "xml" / "__init__.py" in MODULES


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_who_imports_whom(path):
    here = layer(module_name(path))
    if here is None:
        return
    assert here in ALLOWED or path.parent == PACKAGE, f"{here} is in no rule"
    allowed = ALLOWED.get(here)
    if allowed is None:
        return
    for name in imports(path):
        there = layer(name)
        if name.split(".")[0] == "xmppfast" and there != here:
            assert there in allowed, f"{module_name(path)} imports {name}"
            if there == "storage":
                assert name.startswith("xmppfast.storage.interface"), name


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_sans_io(path):
    if layer(module_name(path)) in SANS_IO:
        found = {name.split(".")[0] for name in imports(path)}
        assert found & NO_IO == set()


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_who_imports_what_is_not_ours(path):
    here = layer(module_name(path))
    if here != "adapters":
        allowed = sys.stdlib_module_names | {"xmppfast"} | OTHERS.get(here, set())
        for name in imports(path):
            assert name.split(".")[0] in allowed, name
