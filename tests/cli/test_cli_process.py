"""The command as a process: exit codes, pipes, signals, terminals; and never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import xmppfast
from xmppfast.cli import main

COMMAND = [sys.executable, "-m", "xmppfast"]
HEADER = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and terminals")


def run(
    *arguments: str, data: bytes = b"", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end, on this input."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=data,
        capture_output=True,
        timeout=120,
        env=os.environ | (environment or {}),
        check=False,
    )


def test_version() -> None:
    done = run("--version")
    assert done.returncode == 0
    words = done.stdout.decode().split()
    assert words[:2] == ["xmppfast", xmppfast.__version__]
    assert words[2] == f"({xmppfast.backend}"


def test_the_installed_command_is_this_one() -> None:
    command = Path(sys.executable).with_name("xmppfast" + (".exe" if os.name == "nt" else ""))
    done = subprocess.run([command, "--version"], capture_output=True, timeout=120, check=True)
    assert done.stdout == run("--version").stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "COMMAND"),
        (["prase"], "invalid choice: 'prase'"),
        (["parse", "--chunk-size", "0"], "at least 1, not '0'"),
        (["parse", "--chunk-size", "many"], "at least 1, not 'many'"),
        (["parse", "--stanza-bytes", "9999"], "stanza_bytes must be between 10000 and"),
        (["parse", "--depth", "x"], "argument --depth"),
        (["parse", "--json", "--stats"], "not allowed with"),
        (["parse", "--restarts", "sometimes"], "invalid choice: 'sometimes'"),
        (["parse", "a", "b"], "unrecognized arguments: b"),
    ],
)
def test_wrong_usage(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert complaint in err


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = run("parse", str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"xmppfast: {tmp_path / 'none'}: No such file")
    assert done.stderr.count(b"\n") == 1


@posix
def test_a_folder(tmp_path: Path) -> None:
    done = run("parse", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"xmppfast: {tmp_path}: Is a directory\n"


def test_exit_codes_and_streams_of_output() -> None:
    fine = run("parse", data=HEADER + b"<presence/>")
    assert (fine.returncode, fine.stderr) == (0, b"")
    wrong = run("parse", data=HEADER + b"<presence/><!-- -->")
    assert wrong.returncode == 1
    assert wrong.stdout == fine.stdout
    assert b"stdin: restricted-xml: comment" in wrong.stderr


def test_input_that_ends_too_early() -> None:
    done = run("parse", data=HEADER + b"<presence>")
    assert done.returncode == 1
    message, line, caret = done.stderr.decode().splitlines()
    assert "input ends inside an element" in message
    assert line.endswith("<presence>")
    assert len(caret) == len(line) + 1


def test_any_bytes_are_a_stream_error_and_no_traceback() -> None:
    for data in (b"\x16\x03\x01\x02\x00", bytes(range(256)), b"GET / HTTP/1.1\r\n", b"\xff" * 999):
        done = run("parse", data=data)
        assert (done.returncode, done.stdout) == (1, b"")
        assert len(done.stderr.splitlines()) == 3


def test_output_that_cannot_be_encoded_is_escaped() -> None:
    data = HEADER + "<message><body>ü漢</body></message>".encode()
    done = run("parse", data=data, environment={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert rb'body "\xfc\u6f22"' in done.stdout


@posix
def test_a_reader_that_goes_away_is_no_reason_to_complain() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    data = HEADER + b"<presence/>" * 20_000
    try:
        done = subprocess.run(
            [*COMMAND, "parse"],
            input=data,
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@posix
def test_events_come_as_they_are_complete_and_ctrl_c_ends_quietly() -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "parse"],
        stdin=subprocess.PIPE,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=os.environ | {"NO_COLOR": "1"},
    )
    os.close(theirs)
    try:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(HEADER + b"<presence/>")
        process.stdin.flush()
        shown = b""
        while not shown.endswith(b"  presence\r\n"):
            shown += os.read(ours, 4096)
        _interrupt(process)
        assert process.stderr.read() == b""
        assert process.returncode == 130
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stderr.close()
        os.close(ours)


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """Press Ctrl-C, and again when nothing came of it.

    Python notes a signal and acts on it between two instructions: what comes behind the last one
    before it waits for input has no effect until there is some.
    """
    for _ in range(10):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
            return
    pytest.fail("it goes on in spite of Ctrl-C")
