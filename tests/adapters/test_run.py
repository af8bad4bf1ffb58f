"""Scripts and modules run with adapters in place."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys
import xml.etree.ElementTree as ET
from xml.parsers import expat
import beside
print(__name__, sys.argv[1:], beside.NAME)
print(ET.XMLPullParser.__module__, expat.ParserCreate.__module__)
"""


@pytest.fixture
def script(tmp_path):
    """A script beside a module."""
    (tmp_path / "beside.py").write_text("NAME = 'beside'")
    path = tmp_path / "program.py"
    path.write_text(SCRIPT)
    return path


def run(*arguments: str, cwd: object = None) -> subprocess.CompletedProcess[str]:
    """The command's result."""
    return subprocess.run(
        [sys.executable, "-m", "xmppfast.adapters", *arguments],
        capture_output=True, text=True, cwd=cwd, timeout=60, check=False,
    )


def test_a_script_with_its_arguments(script, tmp_path):
    done = run("run", "--for", "etree", str(script), "--for", "x")
    assert done.stdout.splitlines() == [
        "__main__ ['--for', 'x'] beside", "xmppfast.adapters.etree pyexpat"
    ]


def test_a_module_for_two_hosts(script, tmp_path):
    done = run("run", "--for", "etree", "--for", "expat", "-m", "program", "a", cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "__main__ ['a'] beside", "xmppfast.adapters.etree xmppfast.adapters.expat"
    ]


def test_who_is_unknown(script):
    done = run("run", "--for", "nobody", str(script))
    assert done.returncode == 2
    assert "invalid choice: 'nobody'" in done.stderr
