"""What importing the package costs, and what it says when something is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import xmppfast

# Has every import of another project's package fail, as if none was installed.
BARE = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in sys.stdlib_module_names | {"xmppfast"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Nothing())
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a Python without other packages."""
    return subprocess.run(
        [sys.executable, "-c", BARE + code],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_the_package_needs_nothing() -> None:
    code = """
import xmppfast
layers = {name.split(".")[1] for name in sys.modules if name.startswith("xmppfast.")}
print(sorted(layers))
"""
    done = run(code)
    assert (done.stdout, done.stderr) == ("['xml']\n", "")


def test_the_command_needs_nothing() -> None:
    done = run("from xmppfast.cli import main; sys.exit(main(['parse', '--stats', '/dev/null']))")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        ("['serve']", "server"),
        ("['user', 'list']", "server"),
        ("['ping', '-a', 'alice@example.org', '--password-stdin']", "client"),
    ],
)
def test_a_command_names_the_extra_it_needs(arguments: str, extra: str) -> None:
    done = run(f"from xmppfast.cli import main; sys.exit(main({arguments}))")
    assert done.returncode == 2
    assert done.stderr.startswith("xmppfast: this needs ")
    assert done.stderr.endswith(f"pip install 'xmppfast[{extra}]'\n")
    assert done.stderr.count("\n") == 1


def test_client_names_the_extra_it_needs() -> None:
    done = run("from xmppfast import Client")
    assert done.returncode == 1
    assert "ExtraMissing: this needs " in done.stderr
    assert done.stderr.endswith("pip install 'xmppfast[client]'\n")


def test_client_is_found_when_asked_for() -> None:
    from xmppfast.client import Client

    assert xmppfast.Client is Client
    with pytest.raises(AttributeError, match="has no attribute 'Klient'"):
        _ = xmppfast.Klient
