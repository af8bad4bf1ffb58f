"""Installs adapters in this process, and counts the bytes their parsers are fed.

The count is taken at the seam of the host: where it feeds its parser, or makes one.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import Any

Count = Callable[[Any], None]


def ours(parser: Any) -> bool:
    """Whether this is a parser of xmppfast."""
    return any(kind.__module__.startswith("xmppfast.") for kind in type(parser).__mro__)


class Meter:
    """The adapters at work; with none, nothing is installed."""

    def __init__(self, adapters: Iterable[str]) -> None:
        """Install them."""
        self.bytes = 0
        self.checks: list[Callable[[], bool]] = []
        for name in adapters:
            importlib.import_module(f"xmppfast.adapters.{name}").install()
            self.checks.append(WATCH[name](self.count))

    def count(self, data: Any) -> None:
        """Data was fed to a parser of ours: bytes, or text."""
        self.bytes += len(data)

    def installed(self) -> bool:
        """Whether the hosts, asked now, make parsers of ours."""
        return bool(self.checks) and all(check() for check in self.checks)


def _slixmpp(count: Count) -> Callable[[], bool]:
    from slixmpp.xmlstream import XMLStream

    stock: Any = XMLStream.data_received

    def data_received(self: Any, data: Any) -> None:
        if ours(self.parser):
            count(data)
        stock(self, data)

    XMLStream.data_received = data_received  # type: ignore[method-assign]

    def check() -> bool:
        stream = type("Stream", (), {})()
        XMLStream.init_parser(stream)
        return ours(stream.parser)

    return check


def _domish(count: Count) -> Callable[[], bool]:
    from twisted.words.xish import domish

    class Metered(domish.ExpatElementStream):  # type: ignore[misc]
        def parse(self, buffer: Any) -> None:
            count(buffer)
            super().parse(buffer)

    if ours(domish.elementStream()):
        domish.ExpatElementStream = Metered
    return lambda: ours(domish.elementStream())


def _nbxmpp(count: Count) -> Callable[[], bool]:
    from nbxmpp import dispatcher, simplexml

    class Metered(simplexml.NodeBuilder):  # type: ignore[misc]
        def __init__(self, data: str | None = None, *arguments: Any, **options: Any) -> None:
            count(data or "")
            super().__init__(data, *arguments, **options)

        def Parse(self, data: str, final: bool = False) -> Any:
            count(data)
            return super().Parse(data, final)

    if ours(simplexml.NodeBuilder()):
        simplexml.NodeBuilder = dispatcher.NodeBuilder = Metered
    return lambda: ours(simplexml.NodeBuilder()) and ours(dispatcher.NodeBuilder())


def _sax(count: Count) -> Callable[[], bool]:
    import xml.sax

    from xmppfast.adapters import sax

    class Metered(type(sax.create_parser())):  # type: ignore[misc]
        def feed(self, data: Any, *arguments: Any) -> None:
            count(data)
            super().feed(data, *arguments)

    if ours(xml.sax.make_parser()):
        sax.create_parser = Metered
    return lambda: ours(xml.sax.make_parser())


WATCH = {"slixmpp": _slixmpp, "domish": _domish, "nbxmpp": _nbxmpp, "sax": _sax}
