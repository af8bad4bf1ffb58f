"""`xmppfast bench`: options, outputs, and errors without tracebacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shared_data import ROOT

from bench import environment, native
from bench.corpus import generate
from bench.figures import Result
from bench.subjects import TABLE
from xmppfast.cli import bench, main


def start(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as it pins itself to a core."""
    places = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": places, "CI": "false"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One with a small corpus."""
    (tmp_path / "small.xml").write_bytes(generate("small", scale=0.002).data)
    return tmp_path


def test_it_measures_and_reports(folder: Path) -> None:
    out = folder / "out"
    done = start(
        *("-m", "xmppfast", "bench", "--quick", "--only", "pyexpat", "peers"),
        *("--corpus", str(folder), "small", "--out", str(out)),
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    result = Result.load(out / "result.json")
    assert [(f.section, f.subject, f.case) for f in result.figures] == [
        ("peers", "pyexpat", "small")
    ]
    assert "pyexpat" in done.stdout
    assert "[1/1] peers" in done.stderr
    assert str(folder) not in (out / "result.json").read_text(encoding="utf-8")
    assert {"result.json", "result.md", "result.html"} <= {path.name for path in out.iterdir()}


def test_as_a_file(folder: Path) -> None:
    path = folder / "result.json"
    done = start("bench/run.py", "--quick", "--only", "start", "--json", str(path))
    assert done.returncode == 0, done.stderr
    result = Result.load(path)
    assert [found.subject for found in result.figures] == ["import"]
    assert result.machine["command"].startswith("python -m bench --quick --only start")
    assert not (folder / "result.md").exists()


def test_another_baseline(folder: Path) -> None:
    path = folder / "result.json"
    done = start(
        *("-m", "xmppfast", "bench", "--quick", "--only", "peers", "XMLPullParser", "xml.sax"),
        *("--corpus", str(folder), "--baseline", "pyexpat", "--json", str(path)),
    )
    assert done.returncode == 0, done.stderr
    assert {(f.subject, f.against) for f in Result.load(path).figures} == {("xml.sax", "pyexpat")}


def test_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--list"]) == 0
    out = capsys.readouterr().out
    for name in (*TABLE, "native-growth", "captures", "(needs aioxmpp)"):
        assert name in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "speed"], "no part or subject speed; parts are python"),
        (["--baseline", "speed"], "no subject speed"),
        (["--corpus", "speed"], "no corpus and no folder speed; there are chat, xep"),
        (["--corpus", "tests", "docs"], "no corpus and no folder tests, docs"),
        (["--corpus", "tests", "--only", "start"], "none of chat, xep"),
        (["--checkout", "docs"], "docs is none"),
    ],
)
def test_wrong_usage(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("bench.timing.pin", lambda: None)
    assert main(["bench", "--quick", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("xmppfast: ")
    assert words in said


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (native.ToolMissingError("no valgrind"), 1),
        (NotImplementedError("not here"), 1),
        (PermissionError(13, "Permission denied", "/x"), 2),
        (KeyboardInterrupt(), 130),
    ],
)
def test_failures_are_lines(
    error: BaseException,
    code: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("bench.command.measure", fail)
    monkeypatch.setattr("bench.timing.pin", lambda: None)
    assert main(["bench", "--quick"]) == code
    assert capsys.readouterr().err.count("\n") == (code != 130)


class TestCheckout:
    """Where the measurements are looked for."""

    def test_the_packages_own(self) -> None:
        assert bench.find_checkout(None) == ROOT

    def test_around_us(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        inside = tmp_path / "bench" / "subjects"
        inside.mkdir(parents=True)
        (tmp_path / "bench" / "command.py").touch()
        monkeypatch.setattr(
            bench, "__file__", str(tmp_path / "a" / "xmppfast" / "cli" / "bench.py")
        )
        monkeypatch.chdir(inside)
        assert bench.find_checkout(None) == tmp_path.resolve()

    def test_nowhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(bench, "__file__", str(tmp_path / "xmppfast" / "cli" / "bench.py"))
        monkeypatch.chdir(tmp_path)
        assert main(["bench", "--quick"]) == 2
        assert "need a checkout of the project" in capsys.readouterr().err


class TestInstall:
    """An environment with the libraries to compare with."""

    def test_one_that_fails_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            asked.extend(command[command.index("--quiet") + 1 :])
            failed = "nbxmpp" in command
            return subprocess.CompletedProcess(command, int(failed), "", "one\nERROR: none such\n")

        monkeypatch.setattr(environment.venv.EnvBuilder, "create", lambda *_: None)
        monkeypatch.setattr(environment.subprocess, "run", pip)
        interpreter, failed = environment.install(tmp_path)
        assert Path(interpreter).parents[1] == tmp_path
        assert sorted(asked) == ["Twisted", "aioxmpp", "lxml", "nbxmpp", "pytz", "slixmpp"]
        assert failed == ["nbxmpp could not be installed: ERROR: none such"]

    def test_none_is_an_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            return subprocess.CompletedProcess(command, 1, "", "error: no network")

        monkeypatch.setattr(environment.venv.EnvBuilder, "create", lambda *_: None)
        monkeypatch.setattr(environment.subprocess, "run", pip)
        with pytest.raises(environment.InstallError, match="lxml could not be installed"):
            environment.install(tmp_path)
