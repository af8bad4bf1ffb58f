"""`serve` and the commands that talk to it, as processes."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from xmppfast.cli import main

COMMAND = [sys.executable, "-m", "xmppfast"]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX signals")


class Running:
    """A server process and what it has logged."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self._partial = b""

    def until(self, text: str) -> str:
        """Wait for a line of the log with that in it; gives its message."""
        seen = 0
        assert self.process.stderr is not None
        end = time.monotonic() + 120
        while True:
            for line in self.lines[seen:]:
                if text in line["message"]:
                    return str(line["message"])
            seen = len(self.lines)
            ready, _, _ = select.select([self.process.stderr], [], [], end - time.monotonic())
            assert ready, f"{text!r} is not logged: {self.lines}"
            data = os.read(self.process.stderr.fileno(), 65536)
            assert data, f"{text!r} is not logged: {self.lines}"
            *lines, self._partial = (self._partial + data).split(b"\n")
            self.lines += [json.loads(line) for line in lines]

    def port(self, direct: bool = False) -> str:
        """The port that it names."""
        self.until("(TLS)")
        for line in self.lines:
            if "listening" in line["message"] and line["message"].endswith("(TLS)") == direct:
                return str(line["message"].split(" port ")[1].split()[0])
        raise AssertionError


@contextmanager
def serving(data: Path, *arguments: str) -> Iterator[Running]:
    """Run `xmppfast serve` on free ports."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--data", str(data), "--port", "0", "--tls-port", "0", *arguments],
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    try:
        yield Running(process)
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run another command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def features(server: Running, domain: str) -> str:
    """What the server offers before TLS."""
    header = f"<stream:stream xmlns='jabber:client' to='{domain}' version='1.0'"
    header += " xmlns:stream='http://etherx.jabber.org/streams'>"
    with socket.create_connection(("127.0.0.1", int(server.port()))) as connection:
        connection.sendall(header.encode())
        received = b""
        while b"</stream:features>" not in received:
            data = connection.recv(4096)
            assert data
            received += data
    return received.decode()


def add(data: Path, jid: str, password: str = "secret") -> None:
    """Make an account."""
    arguments = ("user", "add", jid, "--password-stdin", "--data", str(data))
    done = run(*arguments, stdin=password + "\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def login(server: Running, data: Path, jid: str, direct: bool = False) -> list[str]:
    """Options of a client of that server."""
    where = ["--host", "127.0.0.1", "--port", server.port(direct)]
    trust = ["--ca-file", str(data / "self-signed.pem"), "--password-stdin"]
    return ["-a", jid, *where, *trust, *(["--direct-tls"] if direct else [])]


def test_a_day_in_the_life(tmp_path: Path) -> None:
    data = tmp_path / "data"
    add(data, "alice@localhost")  # before it runs
    with serving(data) as server:
        server.until("listening")
        assert any("self-signed" in line["message"] for line in server.lines)
        add(data, "bob@localhost")  # and while it does
        bob = login(server, data, "bob@localhost", direct=True)
        text = "¿Qué? 漢字 🐎\nsecond line"
        done = run("send", *bob, "alice@localhost", text, stdin="secret\n")
        assert (done.returncode, done.stderr) == (0, "")
        alice = login(server, data, "alice@localhost")
        done = run("listen", *alice, "--count", "1", "--json", stdin="secret\n")
        assert done.returncode == 0
        message = json.loads(done.stdout)
        assert message["body"] == text
        assert message["from"].startswith("bob@localhost/")
        done = run("send", *bob, "alice@localhost", "a\x07b\nc", stdin="secret\n")
        assert done.returncode == 2  # what XML can't carry
        done = run("send", *bob, "alice@localhost", "a\u202eb\nc", stdin="secret\n")
        done = run("listen", *alice, "--count", "1", stdin="secret\n")
        assert done.stdout.endswith(": a\ufffdb\n    c\n")
        assert done.stderr.startswith("connected as alice@localhost/")
        done = run("roster", *alice, stdin="secret\n")
        assert (done.returncode, done.stdout) == (0, "")
        done = run("ping", *alice, stdin="secret\n")
        assert done.stdout.startswith("localhost: ")
        assert done.stdout.endswith(" ms\n")
        done = run("ping", *alice, stdin="wrong\n")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "xmppfast: alice@localhost: not-authorized: wrong name or password\n"
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=120) == 0
        server.until("stopped")
        logged = json.dumps(server.lines)
    assert "secret" not in logged
    assert "wrong name" in logged
    assert "second line" not in logged


def test_ends_sessions_on_sigterm(tmp_path: Path) -> None:
    add(tmp_path, "alice@localhost")
    with serving(tmp_path) as server:
        options = login(server, tmp_path, "alice@localhost")
        client = subprocess.Popen(
            [*COMMAND, "listen", *options], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            assert client.stdin is not None
            assert client.stderr is not None
            client.stdin.write(b"secret\n")
            client.stdin.flush()
            assert client.stderr.readline().startswith(b"connected as alice@localhost/")
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=120) == 0
            client.send_signal(signal.SIGINT)
            assert client.wait(timeout=120) == 130
        finally:
            client.kill()
            client.communicate()


def test_sighup_reads_the_file_again(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("domain = 'example.org'\n")
    with serving(tmp_path / "data", "--config", str(path)) as server:
        server.until("example.org is served")
        path.write_text("domian = 'example.org'\n")
        server.process.send_signal(signal.SIGHUP)
        server.until("not reloaded: ")
        server.until("line 1: domian: no such key")
        assert "<required/>" in features(server, "example.org")
        path.write_text("domain = 'example.org'\nadmins = ['a@b']\n[login]\nplaintext = true\n")
        server.process.send_signal(signal.SIGHUP)
        server.until("reloaded")
        server.until("admins has changed: that takes effect when the server is started again")
        assert "<required/>" not in features(server, "example.org")
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=120) == 0


def test_certificate_is_read_again(tmp_path: Path) -> None:
    """A new certificate is used by the next connection; the old file is what the client trusts."""
    from xmppfast.transport.certificates import self_signed

    path, old, new = tmp_path / "x.toml", tmp_path / "old", tmp_path / "new"
    self_signed(old, ["localhost"])
    self_signed(new, ["localhost"])
    used = tmp_path / "used.pem"
    used.write_bytes((old / "self-signed.pem").read_bytes())
    path.write_text("[tls]\ncertificate = 'used.pem'\n")
    add(tmp_path / "data", "alice@localhost")
    with serving(tmp_path / "data", "--config", str(path)) as server:
        options = ["-a", "alice@localhost", "--password-stdin", "--host", "127.0.0.1"]
        options += ["--port", server.port()]
        trust_old = ["--ca-file", str(old / "self-signed.pem")]
        trust_new = ["--ca-file", str(new / "self-signed.pem")]
        assert run("ping", *options, *trust_old, stdin="secret\n").returncode == 0
        used.write_bytes((new / "self-signed.pem").read_bytes())
        server.process.send_signal(signal.SIGHUP)
        server.until("reloaded")
        assert run("ping", *options, *trust_new, stdin="secret\n").returncode == 0
        done = run("ping", *options, *trust_old, stdin="secret\n")
        assert done.returncode == 1
        assert "certificate verify failed" in done.stderr


def test_plaintext_only_with_the_flag(tmp_path: Path) -> None:
    add(tmp_path, "alice@localhost")
    for flag in ([], ["--allow-plaintext"]):
        with serving(tmp_path, *flag) as server:
            received = features(server, "localhost")
            assert ("<mechanism>PLAIN</mechanism>" in received) == bool(flag)
            assert ("<required/>" in received) != bool(flag)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--domain", "a@b"], "a@b is no domain"),
        (["--domain", ""], "'' is no domain name"),
        (["--host", "256.0.0.1"], "256.0.0.1: "),
        (["--config", "none.toml"], "none.toml: No such file"),
    ],
)
def test_what_it_can_not_serve(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    done = run("serve", "--port", "0", "--tls-port", "0", "--data", str(tmp_path), *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_port_in_use(tmp_path: Path) -> None:
    with serving(tmp_path / "1") as server:
        port = server.port()
        done = run("serve", "--port", port, "--tls-port", "0", "--data", str(tmp_path / "2"))
        assert done.returncode == 2
        assert "address already in use" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_ports_that_are_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", f"--port={port}"])
    assert "must be a port, 0 to 65535" in capsys.readouterr().err


def test_removing_an_account_of_a_running_server(tmp_path: Path) -> None:
    """Its sessions end with it."""
    data = tmp_path / "d"
    add(data, "alice@localhost")
    with serving(data) as server:
        listening = subprocess.Popen(
            [*COMMAND, "listen", *login(server, data, "alice@localhost")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert listening.stdin is not None
        listening.stdin.write(b"secret\n")
        listening.stdin.close()
        server.until("alice@localhost/")
        done = run("user", "remove", "alice@localhost", "--data", str(data))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert listening.wait(30) != 0
        assert listening.stderr is not None
        assert b"account was removed" in listening.stderr.read()
        for stream in (listening.stdout, listening.stderr):
            assert stream is not None
            stream.close()
