"""Accounts from the command line."""

from __future__ import annotations

import asyncio
import io
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from playing import exists, subscribe

from xmppfast.cli import main
from xmppfast.core.jid import JID
from xmppfast.im.rosters import Rosters
from xmppfast.im.subscription import State
from xmppfast.storage.sql import SqlStorage


class Commands:
    """`xmppfast user` on one data folder."""

    def __init__(
        self, data: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch
    ) -> None:
        self.data = data
        self._capsys = capsys
        self._patch = patch

    def __call__(self, *arguments: str, stdin: bytes = b"secret\n") -> tuple[int, str, str]:
        """Exit code, output and complaints."""
        source = SimpleNamespace(buffer=io.BytesIO(stdin), isatty=lambda: False)
        self._patch.setattr("sys.stdin", source)
        code = main(["user", *arguments, "--data", str(self.data)])
        out, err = self._capsys.readouterr()
        return code, out, err


@pytest.fixture
def user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Commands:
    return Commands(tmp_path / "data", capsys, monkeypatch)


def test_add_list_passwd_remove(user: Commands) -> None:
    assert user("list") == (0, "", "")
    assert user("add", "alice@localhost", "--password-stdin") == (0, "", "")
    assert user("add", "BOB@localhost.", "--password-stdin") == (0, "", "")
    assert user("list") == (0, "alice@localhost\nbob@localhost\n", "")
    code, out, err = user("add", "Alice@localhost", "--password-stdin")
    assert (code, out, err) == (1, "", "xmppfast: alice@localhost exists already\n")
    assert user("passwd", "alice@localhost", "--password-stdin", stdin=b"new") == (0, "", "")
    assert user("remove", "alice@localhost") == (0, "", "")
    assert user("list") == (0, "bob@localhost\n", "")
    for command in (["remove"], ["passwd", "--password-stdin"]):
        code, out, err = user(*command, "alice@localhost")
        assert (code, out, err) == (1, "", "xmppfast: there is no account alice@localhost\n")


def test_remove_ends_subscriptions(user: Commands) -> None:
    """While no server runs: who had the account in the roster no longer has a subscription."""
    alice, bob = "alice@example.org", "bob@example.org"
    for jid in (alice, bob):
        user("add", jid, "--password-stdin")

    async def state(*relations: str) -> State:
        storage = await SqlStorage.open(f"sqlite:///{user.data / 'xmppfast.sqlite'}")
        try:
            await subscribe(storage, *relations)
            roster = await Rosters(storage, exists).load(JID.parse(bob))
            assert roster is not None
            return roster.get(JID.parse(alice)).state
        finally:
            await storage.close()

    assert asyncio.run(state("alice both bob")).subscription == "both"
    assert user("remove", alice) == (0, "", "")
    assert asyncio.run(state()) == State()


def test_data_is_nobody_elses_business(user: Commands) -> None:
    user("add", "alice@localhost", "--password-stdin", stdin=b"hunter22\n")
    assert stat.S_IMODE(user.data.stat().st_mode) == 0o700
    for path in user.data.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"hunter22" not in path.read_bytes()


def test_password_from_a_file(user: Commands, tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes(b"secret\r\nsecond line\n")
    assert user("add", "a@localhost", "--password-file", str(path))[0] == 0
    for content, complaint in ((b"", "no password"), (b"\n", "no password"), (b"\xff", "UTF-8")):
        path.write_bytes(content)
        code, _, err = user("add", "b@localhost", "--password-file", str(path))
        assert code == 2
        assert complaint in err
    code, _, err = user("add", "b@localhost", "--password-file", str(tmp_path / "none"))
    assert code == 2
    assert err.startswith(f"xmppfast: {tmp_path / 'none'}: No such file")


def test_password_from_a_prompt(user: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = user("add", "a@localhost")
    assert (code, err) == (
        2,
        "xmppfast: no terminal to ask for a password: use --password-stdin or a file\n",
    )
    monkeypatch.setattr(Commands, "__call__", _on_a_terminal)
    answers = iter(["one", "two", "same", "same"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    code, _, err = user("add", "a@localhost")
    assert (code, err) == (2, "xmppfast: the passwords differ\n")
    assert user("add", "a@localhost") == (0, "", "")


def _on_a_terminal(self: Commands, *arguments: str) -> tuple[int, str, str]:
    self._patch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    code = main(["user", *arguments, "--data", str(self.data)])
    out, err = self._capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("jid", "complaint"),
    [
        ("localhost", "no address of an account"),
        ("a@localhost/x", "no address of an account"),
        ("@localhost", "not allowed in a localpart"),
        ("a b@localhost", "not allowed in a localpart"),
    ],
)
def test_addresses_that_are_none(user: Commands, jid: str, complaint: str) -> None:
    code, out, err = user("add", jid, "--password-stdin")
    assert (code, out) == (2, "")
    assert complaint in err


def test_import(user: Commands, tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text('\ufeffa@localhost,secret\n\n"b@localhost","x,""y"""\n c@localhost,é漢\n')
    assert user("import", str(path)) == (0, "3 accounts made, 0 existed already\n", "")
    path.write_text("a@localhost,other\nd@localhost,x\n")
    assert user("import", str(path)) == (0, "1 accounts made, 1 existed already\n", "")
    assert user("list")[1] == "a@localhost\nb@localhost\nc@localhost\nd@localhost\n"
    assert user("import", "-", stdin=b"e@localhost,x\n")[1].startswith("1 accounts made")
    assert user("import", "-", stdin=b"")[1].startswith("0 accounts made")
    twice = b"\nJID, Password\nf@localhost,first\nF@localhost,second\n"
    assert user("import", "-", stdin=twice)[1] == "1 accounts made, 0 existed already\n"
    assert user("import", "-", stdin=b"jid,password\r\n")[1].startswith("0 accounts made")


def test_import_complains_of_every_line(user: Commands) -> None:
    lines = [b"jid,password", b"a@localhost,x", b"b@localhost", b'"c@localhost",""']
    lines += [b"jid,password", *[b"@"] * 20]
    code, out, err = user("import", "-", stdin=b"\n".join(lines))
    assert (code, out) == (2, "")
    complaints = err.splitlines()
    assert len(complaints) == 11
    assert [line.partition(": ")[0] for line in complaints[1:4]] == [
        f"stdin, line {number}" for number in (4, 5, 6)
    ]
    assert complaints[0].startswith("xmppfast: stdin, line 3: an address and a password, not 1")
    assert complaints[-1] == "and 13 lines more"
    assert user("list") == (0, "", "")


def test_import_says_how_far_it_has_come(
    user: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("xmppfast.cli.user._BATCH", 2)
    monkeypatch.setattr("xmppfast.cli.progress._FIRST_AFTER", 0)
    monkeypatch.setattr("xmppfast.cli.progress._EVERY", 0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    code, out, err = user("import", "-", stdin=b"a@localhost,x\nb@localhost,x\nc@localhost,x\n")
    assert (code, out) == (0, "3 accounts made, 0 existed already\n")
    assert err.split("\r") == ["", "2 of 3 accounts", "3 of 3 accounts", " " * 15, ""]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a@localhost,x\nb@localhost\n", "line 2: an address and a password, not 1 fields"),
        (b"a@localhost,x\nb@localhost,x,y\n", "line 2: an address and a password, not 3 fields"),
        (b"a@localhost,x\n\nlocalhost,x\n", "line 3: 'localhost' is no address of an account"),
        (b"a@localhost,\n", "line 1: a password must not be empty"),
        (b"a@localhost,x\nb@localhost,\xff\n", "line 2: not UTF-8"),
        (b"a@localhost,x\nb@example.org,x\n", "accounts of several domains: example.org, localh"),
    ],
)
def test_import_does_all_or_nothing(
    user: Commands, tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "accounts.csv"
    path.write_bytes(content)
    code, out, err = user("import", str(path))
    assert (code, out) == (2, "")
    assert f"{path}" in err
    assert complaint in err
    assert user("list") == (0, "", "")


def test_missing_extra_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)

    monkeypatch.setattr("xmppfast._extras.import_module", missing)
    for package, arguments, extra in (
        ("sqlalchemy", ["user", "list"], "server"),
        ("sqlalchemy", ["serve"], "server"),
        ("scramp", ["ping", "-a", "a@b"], "client"),
    ):
        assert main(arguments) == 2
        assert capsys.readouterr().err == (
            f"xmppfast: this needs {package}, which is not installed:"
            f" pip install 'xmppfast[{extra}]'\n"
        )
