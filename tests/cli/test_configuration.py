"""The configuration file: every key, and what is said about wrong ones."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from xmppfast.cli import main
from xmppfast.cli.configuration import Configuration, ConfigurationError, load

EXAMPLE = Path(__file__).parents[2] / "docs" / "xmppfast.toml"


def read(tmp_path: Path, text: str) -> Configuration:
    """Read a file with that text."""
    path = tmp_path / "test.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def keys(made: object, prefix: str = "") -> set[str]:
    """All keys that there are."""
    found: set[str] = set()
    for field in dataclasses.fields(made):
        value = getattr(made, field.name)
        if dataclasses.is_dataclass(value):
            found |= keys(value, f"{prefix}{field.name}.")
        else:
            found.add(prefix + field.name)
    return found


def uncommented() -> str:
    """The documented file with all keys in force."""
    return re.sub(r"^# (\w+ = )", r"\1", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_empty_is_default(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Configuration()
    assert load(EXAMPLE) == Configuration()


def test_every_key_is_documented() -> None:
    section, found = "", set()
    for line in uncommented().splitlines():
        if line.startswith("["):
            section = line.strip("[]") + "."
        elif " = " in line and not line.startswith("#"):
            found.add(section + line.partition(" ")[0])
    assert found == keys(Configuration())


def test_documented_defaults_are_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    found = read(tmp_path, uncommented())
    # These have no default; the file shows an example.
    found = dataclasses.replace(
        found,
        tls=Configuration().tls,
        storage=Configuration().storage,
        cluster=dataclasses.replace(found.cluster, bus=None),
    )
    assert found == Configuration()


def test_values(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        domain = "example.org"
        admins = ["a@example.org", "b@example.org"]
        data = "data"
        listen.port = 0
        [tls]
        certificate = "/etc/cert.pem"
        [login]
        seconds = 5
        plaintext = true
        """,
    )
    assert found.domain == "example.org"
    assert found.admins == ("a@example.org", "b@example.org")
    assert found.data == tmp_path / "data"
    assert found.storage_url == f"sqlite:///{tmp_path}/data/xmppfast.sqlite"
    assert found.listen.port == 0
    assert found.tls.certificate == Path("/etc/cert.pem")
    assert (found.login.seconds, found.login.plaintext) == (5.0, True)


def test_data_folder_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert Configuration().data == Path("/somewhere/xmppfast")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("domian = 'x'", "line 1: domian: no such key; there are: domain, admins, "),
        ("\n[listen]\nprot = 1", "line 3: listen.prot: no such key; there are: host, "),
        ("[listne]\nport = 1", "line 1: listne: no such key"),
        ("listen.prot = 1", "line 1: listen.prot: no such key"),
        ("# x\n[ listen ] # y\n'port' = 'x'", "line 3: listen.port: must be a whole number or "),
        ("domain = 1", "line 1: domain: must be a string, not 1"),
        ("admins = 'a@b'", "line 1: admins: must be a list of strings, not 'a@b'"),
        ("admins = [1]", "line 1: admins: must be a list of strings, not [1]"),
        ("tls = true", "line 1: tls: is a section, not a value"),
        ("[listen]\nport = 65536", "line 2: listen.port: must be a port or false, not 65536"),
        ("[listen]\nport = -1", "line 2: listen.port: must be a port or false, not -1"),
        ("[listen]\ntls_port = true", "line 2: listen.tls_port: must be a port or false"),
        ("[login]\nplaintext = 1", "line 2: login.plaintext: must be true or false, not 1"),
        ("[login]\nseconds = 0.5", "line 2: login.seconds: must be at least 1, not 0.5"),
        ("[login]\nresources = true", "line 2: login.resources: must be a whole number, not True"),
        ("[log]\nlevel = 'loud'", "line 2: log.level: must be one of debug, info, warning, error"),
        ("[limits]\n\nstanza_bytes = 9", "line 3: limits.stanza_bytes: stanza_bytes must be betw"),
        ("[tls]\ncertificate = 1", "line 2: tls.certificate: must be a path, not 1"),
        ("domain = \n", "Invalid value (at line 1, column 10)"),
        ("domain = 'a'\ndomain = 'b'\n", "Cannot overwrite a value (at line 2, column 13)"),
    ],
)
def test_wrong_ones_are_named_with_their_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    assert complaint in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "test.toml"))


def test_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.toml"
    path.write_text("domain = 'example.org'\n")
    assert main(["config", "check", str(path)]) == 0
    assert capsys.readouterr() == (f"{path}: fine\n", "")
    for text, complaint in (
        ("prot = 1", "line 1: prot: no such key"),
        ("domain = ''", "'' is no domain name"),
        ("admins = ['@']", "not allowed in a localpart"),
        ("[tls]\ncertificate = 'none.pem'", "none.pem: No such file"),
    ):
        path.write_text(text)
        assert main(["config", "check", str(path)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert complaint in err
