"""The configuration file of a server: what can be in it, and what is wrong with it.

`docs/xmppfast.toml` documents every key.
"""

from __future__ import annotations

import os
import re
import tomllib
import types
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from .. import Limits
from ..server.quotas import PerAddress, PerSession, Quotas


class ConfigurationError(Exception):
    """A configuration file that can't be used; the text names the file, the line and the key."""


def default_data() -> Path:
    """The folder for everything a server stores, unless another one is given."""
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "xmppfast"


@dataclass(frozen=True, slots=True)
class Listen:
    """Section `[listen]`; a port that is false is not opened, 0 is any that is free."""

    host: str = "127.0.0.1"
    port: int | bool = 5222
    tls_port: int | bool = 5223
    metrics_port: int | bool = False


@dataclass(frozen=True, slots=True)
class Tls:
    """Section `[tls]`; without a certificate, a self-signed one is made."""

    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """Section `[login]`."""

    plaintext: bool = False
    seconds: float = 60.0
    resources: int = 20
    register: bool = False


@dataclass(frozen=True, slots=True)
class Storage:
    """Section `[storage]`; without a URL, it is SQLite in the data folder."""

    url: str | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Section `[cluster]`; without a bus, several workers make one for themselves."""

    workers: int = 1
    bus: str | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """Section `[log]`; the format is "auto", "text" or "json"."""

    level: str = "info"
    format: str = "auto"


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Section `[limits]`; see `xmppfast.Limits`."""

    stanza_bytes: int = Limits().stanza_bytes
    depth: int = Limits().depth
    attributes: int = Limits().attributes
    children: int = Limits().children
    name_bytes: int = Limits().name_bytes
    namespaces: int = Limits().namespaces


@dataclass(frozen=True, slots=True)
class Together:
    """Section `[together]`; see `xmppfast.server.quotas.Quotas`."""

    queued_bytes: int = Quotas().queued_bytes
    unauthenticated: int = Quotas().unauthenticated


@dataclass(frozen=True, slots=True)
class Configuration:
    """A server's configuration. Paths in a file are relative to its folder."""

    domain: str = "localhost"
    admins: tuple[str, ...] = ()
    data: Path = field(default_factory=default_data)
    listen: Listen = field(default_factory=Listen)
    tls: Tls = field(default_factory=Tls)
    login: Login = field(default_factory=Login)
    storage: Storage = field(default_factory=Storage)
    cluster: Cluster = field(default_factory=Cluster)
    log: Log = field(default_factory=Log)
    limits: StreamLimits = field(default_factory=StreamLimits)
    per_session: PerSession = field(default_factory=PerSession)
    per_address: PerAddress = field(default_factory=PerAddress)
    together: Together = field(default_factory=Together)

    @property
    def storage_url(self) -> str:
        """URL of the database."""
        return self.storage.url or f"sqlite:///{(self.data / 'xmppfast.sqlite').absolute()}"


_T = TypeVar("_T")

_NAMES = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Path: "a path",
    tuple: "a list of strings",
}
_CHOICES = {
    "log.level": ("debug", "info", "warning", "error"),
    "log.format": ("auto", "text", "json"),
}
_LEAST = {
    "login.seconds": 1,
    "login.resources": 1,
    "cluster.workers": 1,
    "per_session.queued_bytes": 65_536,
    "per_session.bytes_per_second": 1_000,
    "per_session.stanzas_per_second": 1,
    "per_session.bytes_before_login": 10_000,  # RFC 6120 section 13.12
    "per_address.connections": 1,
    "per_address.connections_per_second": 1,
    "per_address.failed_logins_per_minute": 1,
    "per_address.registrations_per_hour": 1,
    "together.queued_bytes": 1_048_576,
    "together.unauthenticated": 1,
}
_PORTS = ("listen.port", "listen.tls_port", "listen.metrics_port")


def load(path: Path) -> Configuration:
    """Read a configuration file. Raises ConfigurationError, and OSError if it can't be read."""
    text = path.read_text(encoding="utf-8")
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    return _Reader(path, text).section(Configuration, content, "")


class _Reader:
    """Makes a configuration of a file's content."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text

    def section(self, kind: type[_T], content: dict[str, Any], prefix: str) -> _T:
        types_ = get_type_hints(kind)
        for key in content:
            if key not in types_:
                known = ", ".join(types_)
                raise self._error(prefix + key, f"no such key; there are: {known}")
        values = {
            key: self._value(types_[key], value, prefix + key) for key, value in content.items()
        }
        made = kind(**values)
        if isinstance(made, StreamLimits):
            for each in fields(made):
                try:
                    Limits(**{each.name: getattr(made, each.name)})
                except ValueError as error:
                    raise self._error(prefix + each.name, str(error)) from None
        return made

    def _value(self, kind: Any, value: Any, key: str) -> Any:
        if is_dataclass(kind) and isinstance(kind, type):
            if not isinstance(value, dict):
                raise self._error(key, "is a section, not a value")
            return self.section(kind, value, f"{key}.")
        allowed = get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
        allowed = tuple(get_origin(each) or each for each in allowed if each is not type(None))
        value = self._converted(allowed, value, key)
        choices = _CHOICES.get(key)
        if choices is not None and value not in choices:
            raise self._error(key, f"must be one of {', '.join(choices)}, not {value!r}")
        if value < _LEAST.get(key, value):
            raise self._error(key, f"must be at least {_LEAST[key]}, not {value!r}")
        if key in _PORTS and not (value is False or (value is not True and 0 <= value < 65536)):
            raise self._error(key, f"must be a port or false, not {value!r}")
        return value

    def _converted(self, allowed: tuple[type, ...], value: Any, key: str) -> Any:
        if type(value) in allowed:
            return value
        if Path in allowed and isinstance(value, str):
            return (self._path.parent / Path(value).expanduser()).absolute()
        if tuple in allowed and isinstance(value, list):
            if all(isinstance(each, str) for each in value):
                return tuple(value)
        elif float in allowed and type(value) is int:
            return float(value)
        named = " or ".join(_NAMES[each] for each in allowed)
        raise self._error(key, f"must be {named}, not {value!r}")

    def _error(self, key: str, what: str) -> ConfigurationError:
        line = _line(self._text, key)
        place = f"{self._path}, line {line}" if line else str(self._path)
        return ConfigurationError(f"{place}: {key}: {what}")


_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[\w"'-]+)*)\s*=""")


def _line(text: str, key: str) -> int:
    """Line of a key, from 1; 0 if it is written in a way this does not understand."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.fullmatch(line)
        if header is not None:
            section = _plain(header[1]) + "."
            if section == f"{key}.":
                return number
            continue
        found = _KEY.match(line)
        if found is not None:
            name = section + _plain(found[1])
            if name == key or name.startswith(f"{key}."):
                return number
    return 0


def _plain(dotted: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in dotted.split("."))
