"""What importing xmppfast does, in fresh interpreters."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys

import pytest
from implementations import CI, compiled_module
from shared_data import ROOT

HEAVY = {
    "argparse",
    "asyncio",
    "concurrent.futures",
    "dataclasses",
    "email",
    "html",
    "http",
    "inspect",
    "json",
    "logging",
    "multiprocessing",
    "pathlib",
    "pickle",
    "random",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "typing_extensions",
    "unittest",
    "urllib.request",
    "xml.dom",
    "xml.etree.ElementTree",
    "xml.sax",
}


def python(code, backend=None, check=True):
    """Run code in a fresh interpreter without site packages' start-up code."""
    environment = {k: v for k, v in os.environ.items() if k != "XMPPFAST_BACKEND"}
    if backend is not None:
        environment["XMPPFAST_BACKEND"] = backend
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    if check:
        assert result.returncode == 0, result.stderr
    return result


def needs_compiled():
    """Skip where the extension is not built; fail in CI."""
    if compiled_module() is None:
        if CI:
            pytest.fail("the extension is not built")
        pytest.skip("the extension is not built")


def imported(backend):
    """Modules that importing xmppfast adds."""
    code = (
        "import sys; before = set(sys.modules); import xmppfast;"
        "print(xmppfast.backend, *sorted(set(sys.modules) - before))"
    )
    name, *modules = python(code, backend).stdout.split()
    assert name == backend
    return set(modules)


def test_the_compiled_backend_imports_little():
    needs_compiled()
    modules = imported("compiled")
    assert modules & HEAVY == set()
    assert "xmppfast.xml._expat" not in modules
    assert not any(module.startswith(("pyexpat", "xml.")) for module in modules)


def test_the_expat_backend_imports_little():
    modules = imported("expat")
    assert modules & HEAVY == set()
    assert "xmppfast.xml._tokenizer" not in modules


def test_etree_is_imported_when_it_is_asked_for():
    for backend in ["expat"] + (["compiled"] if compiled_module() else []):
        code = (
            "import sys, xmppfast; s = xmppfast.parse('<a><b/></a>'); s.find('b').get('c');"
            "assert 'xml.etree.ElementTree' not in sys.modules, 'early';"
            "print(type(s.to_etree()).__module__)"
        )
        assert python(code, backend).stdout.strip() == "xml.etree.ElementTree"


def test_the_compiled_backend_is_the_default():
    needs_compiled()
    assert python("import xmppfast; print(xmppfast.backend)").stdout.strip() == "compiled"
    assert python("import xmppfast; print(xmppfast.backend)", "").stdout.strip() == "compiled"


def test_expat_where_the_extension_is_missing():
    code = (
        "import sys; sys.modules['xmppfast.xml._tokenizer'] = None;"
        "import xmppfast; print(xmppfast.backend, xmppfast.parse('<a/>').tag)"
    )
    assert python(code).stdout.split() == ["expat", "a"]


def test_compiled_asked_for_and_missing():
    code = "import sys; sys.modules['xmppfast.xml._tokenizer'] = None; import xmppfast"
    result = python(code, "compiled", check=False)
    assert result.returncode != 0
    assert "ImportError" in result.stderr or "ModuleNotFoundError" in result.stderr


@pytest.mark.parametrize("value", ["c", "Expat", "pyexpat", " expat"])
def test_other_backends(value):
    result = python("import xmppfast", value, check=False)
    assert result.returncode != 0
    assert "XMPPFAST_BACKEND" in result.stderr
    assert repr(value) in result.stderr


def test_public_names(xml):
    import xmppfast

    for name in xmppfast.__all__:
        assert getattr(xmppfast, name) is not None
    for name in ("Element", "Stanza", "StreamEnd", "StreamParser", "StreamStart"):
        assert getattr(xml, name).__name__ == name
    for name in ("parse", "tostring", "escape"):
        assert callable(getattr(xml, name))


def test_the_installed_package_depends_on_nothing():
    try:
        distribution = importlib.metadata.distribution("xmppfast")
    except importlib.metadata.PackageNotFoundError:
        if CI:
            pytest.fail("xmppfast is not installed")
        pytest.skip("xmppfast is not installed")
    required = [r for r in distribution.requires or [] if "extra ==" not in r]
    assert required == []
