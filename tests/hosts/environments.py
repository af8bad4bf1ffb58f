"""Environments and sources of the host projects, in one folder, made once.

A folder holds, per environment, `<name>/bin/python` with its packages and xmppfast from this
checkout, and per project its unpacked source in `sources/<name>`. What can't be had is reported
with the reason, by name.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from projects import Environment, Host, environments, hosts

ROOT = Path(__file__).parents[2]
# Where `make test-hosts` keeps them; the tests look there.
FOLDER = Path(os.environ.get("XMPPFAST_HOSTS") or ROOT / ".venv" / "hosts")


class Missing(Exception):
    """Something can't be had on this machine; the text says what and why."""


def run(*command: str | Path, timeout: float = 600, cwd: Path | None = None) -> str:
    """Standard output of a program; Missing with the end of what it said if it fails."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(str(error)) from error
    if done.returncode:
        raise Missing(f"{Path(command[0]).name} failed: {done.stdout.strip()[-600:]}")
    return done.stdout


def python_of(environment: Environment, folder: Path = FOLDER) -> Path:
    """The interpreter of an environment, whether it is there or not."""
    return folder / environment.name / "bin" / "python"


def _sources_digest() -> str:
    """Of everything that an installation of xmppfast is made from."""
    digest = hashlib.sha256()
    for top in ("xmppfast", "src_c"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in {".py", ".pyx", ".pxd", ".pyi", ".h", ".def"} or (
                path.suffix == ".c" and top == "src_c"
            ):
                digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
                digest.update(path.read_bytes())
    digest.update((ROOT / "setup.py").read_bytes() + (ROOT / "pyproject.toml").read_bytes())
    return digest.hexdigest()


def _make_environment(environment: Environment, folder: Path) -> None:
    """The environment with its packages, unless it is there already."""
    python = sys.executable if environment.python == "this" else environment.python
    home = folder / environment.name
    wanted = "\n".join([python, *environment.packages])
    stamp = home / "packages"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    if not Path(python).exists():
        raise Missing(f"there is no {python}; {environment.needs}")
    if environment.probe:
        try:
            run(python, "-c", "\n".join(_probe(name) for name in environment.probe))
        except Missing as error:
            raise Missing(f"{python} lacks {environment.needs}") from error
    shutil.rmtree(home, ignore_errors=True)
    run(python, "-m", "venv", *(["--system-site-packages"] if environment.system else []), home)
    pip = [home / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    run(*pip, "install", "--quiet", "--no-deps", *environment.packages)
    stamp.write_text(wanted, encoding="utf-8")


def _probe(module: str) -> str:
    """A line of Python that fails without that module."""
    parent, _, name = module.rpartition(".")
    if parent != "gi.repository":
        return f"import {module}"
    return f"import gi; gi.require_version({name!r}, '3.0')"


def _install_ours(environment: Environment, folder: Path) -> None:
    """Install this checkout's xmppfast.

    An environment of the running interpreter uses what was built here in place; for another one, it
    is compiled from the source distribution.
    """
    home = folder / environment.name
    python = home / "bin" / "python"
    if environment.python == "this":
        site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        (Path(site) / "xmppfast-checkout.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    else:
        digest = _sources_digest()
        stamp = home / "xmppfast"
        if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
            return
        made = folder / "sdist"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        archive = run(ROOT / ".ci" / "archive", sys.executable, made).strip()
        pip = [python, "-m", "pip", "--disable-pip-version-check"]
        run(*pip, "install", "--quiet", "--no-deps", "--force-reinstall", archive)
        stamp.write_text(digest, encoding="utf-8")
    run(python, "-c", "import xmppfast.adapters", cwd=folder)  # not without what is compiled


def _fetch(host: Host, folder: Path, python: Path) -> None:
    """The project's archive, unpacked to sources/<name>."""
    target = folder / "sources" / host.name
    stamp = target / ".sha256"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == host.sha256:
        return
    archives = folder / "archives"
    archives.mkdir(exist_ok=True)
    archive = archives / host.archive
    if not archive.exists():
        if host.source == "debian":
            _fetch_from_debian(archives, host)
        else:
            pip = [python, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
            package = f"{host.name}=={host.version}"
            # Not ":all:", with which older pips build from source what the project is built with.
            run(*pip, "--no-deps", "--no-binary", host.name, "--dest", archives, package)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != host.sha256:
        archive.unlink()
        raise Missing(f"{host.archive} is not the archive that hosts.toml names")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    run("tar", "-x", "--no-same-owner", "-f", archive, "-C", target)
    inside = list(target.iterdir())
    if len(inside) == 1 and inside[0].is_dir():  # everything in one folder: up by one level
        wrapped = inside[0].rename(target / ".wrapped")
        for path in wrapped.iterdir():
            path.rename(target / path.name)
        wrapped.rmdir()
    for path in target.iterdir() if host.keep else ():
        if path.name not in host.keep:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    stamp.write_text(host.sha256, encoding="utf-8")


def _source_lists() -> str:
    """The system's own apt sources of its release, asked for source packages."""
    release = re.search(r"^VERSION_CODENAME=(.*)$", Path("/etc/os-release").read_text(), re.M)
    codename = release[1] if release else "?"
    found = []
    for path in sorted(Path("/etc/apt").glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text()):
            fields = dict(re.findall(r"^([\w-]+):\s*(.*)$", stanza, re.MULTILINE))
            if codename in fields.get("Suites", "").split():
                fields |= {"Types": "deb-src", "Suites": codename}
                found.append("\n".join(f"{k}: {v}" for k, v in fields.items()))
    for path in [Path("/etc/apt/sources.list"), *Path("/etc/apt").glob("sources.list.d/*.list")]:
        line = re.compile(rf"^deb\s+(?:\[.*?\]\s+)?(\S+)\s+{codename}\s+(.*)$", re.MULTILINE)
        for uri, components in line.findall(path.read_text() if path.exists() else ""):
            fields = {"Types": "deb-src", "URIs": uri, "Suites": codename, "Components": components}
            found.append("\n".join(f"{k}: {v}" for k, v in fields.items()))
    if not found:
        raise Missing("apt has no sources for this release")
    return "\n\n".join(found) + "\n"


def _fetch_from_debian(archives: Path, host: Host) -> None:
    """The upstream archive of a Debian source package, with lists of our own for apt."""
    if shutil.which("apt-get") is None:
        raise Missing(f"{host.archive} comes with apt-get, which is not here")
    apt = archives / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "parts"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "parts" / "release.sources").write_text(_source_lists(), encoding="utf-8")
    options = [
        *("-o", "Dir::Etc::sourcelist=/dev/null"),
        *("-o", f"Dir::Etc::sourceparts={apt / 'parts'}"),
        *("-o", f"Dir::State::lists={apt / 'lists'}"),
        *("-o", f"Dir::Cache={apt / 'cache'}"),
        *("-o", "Acquire::Retries=5"),
    ]
    package = host.archive.partition("_")[0]
    run("apt-get", *options, "-qq", "update", cwd=archives)
    download = ["source", "--tar-only", "--download-only", package]
    run("apt-get", *options, "-qq", *download, cwd=archives)
    shutil.rmtree(apt)
    if not (archives / host.archive).exists():
        raise Missing(f"the system's release has another version than {host.archive}")


def prepare(folder: Path = FOLDER, names: Iterable[str] | None = None) -> dict[str, str]:
    """Make everything; by project, why it can't run here."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [host for host in hosts().values() if names is None or host.name in names]
    known = environments()
    missing: dict[str, str] = {}

    def make(name: str) -> None:
        try:
            _make_environment(known[name], folder)
            _install_ours(known[name], folder)
        except Missing as error:
            missing.update({host.name: str(error) for host in chosen if host.environment == name})

    def fetch(host: Host) -> None:
        try:
            _fetch(host, folder, Path(sys.executable))
        except Missing as error:
            missing.setdefault(host.name, str(error))

    with ThreadPoolExecutor(3) as pool:
        making = [pool.submit(make, name) for name in {host.environment for host in chosen}]
        making += [pool.submit(fetch, host) for host in chosen if host.source != "installed"]
        for future in making:
            future.result()
    return missing
