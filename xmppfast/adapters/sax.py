"""An XMLReader for XMPP streams, as aioxmpp and pyjabber use one.

`create_parser` is what `xml.sax.make_parser` looks for in the module that PY_SAX_PARSER names.
What is fed is read as a stream; `parse`, for whole documents, leaves them to the standard library.
docs/adapters.md lists what is refused.
"""

from __future__ import annotations

import xml.sax
from typing import Any
from xml.sax import SAXNotRecognizedException, SAXNotSupportedException, expatreader, handler
from xml.sax.xmlreader import IncrementalParser, Locator

from ..xml import Limits
from . import DEFAULT_LIMITS, _sax
from ._switch import Place, Switch

_NEVER = {
    handler.feature_validation: "validation",
    handler.feature_external_pes: "external parameter entities",
    handler.feature_namespace_prefixes: "names with their prefixes",
}
_KEPT = dict.fromkeys((handler.feature_external_ges, handler.feature_string_interning), False)
# Those that a reader begins with: they have no state, so one of each will do.
_DTD_HANDLER = handler.DTDHandler()
_ENTITY_RESOLVER = handler.EntityResolver()
_ERROR_HANDLER = handler.ErrorHandler()


class Parser(_sax.StreamReader, IncrementalParser, Locator):
    """An incremental XMLReader and its locator; see `create_parser`."""

    def __init__(self, *, limits: Limits = DEFAULT_LIMITS, compat: bool = False) -> None:
        _sax.StreamReader.__init__(self, limits, compat)
        self._cont_handler = handler.ContentHandler()
        self._dtd_handler = _DTD_HANDLER
        self._ent_handler = _ENTITY_RESOLVER
        self._err_handler = _ERROR_HANDLER
        self._namespaces = False
        self._kept: dict[str, Any] = _KEPT

    def parse(self, source: Any) -> None:
        """Read a whole document with the standard library's parser and these handlers."""
        document = expatreader.create_parser()
        document.setFeature(handler.feature_namespaces, self._namespaces)
        for name, state in self._kept.items():
            document.setFeature(name, state)
        document.setProperty(handler.property_lexical_handler, self._lex_handler_prop)
        document.setContentHandler(self.getContentHandler())
        document.setDTDHandler(self.getDTDHandler())
        document.setEntityResolver(self.getEntityResolver())
        document.setErrorHandler(self.getErrorHandler())
        document.parse(source)

    def getFeature(self, name: str) -> Any:
        """State of a feature; SAXNotRecognizedException for one that isn't known."""
        if name == handler.feature_namespaces:
            return self._namespaces
        if name in _NEVER:
            return False
        if name in _KEPT:
            return self._kept[name]
        raise SAXNotRecognizedException(f"Feature '{name}' not recognized")

    def setFeature(self, name: str, state: Any) -> None:
        """Set a feature. Only namespaces make a difference: there are no entities to look up.

        Raises SAXNotRecognizedException for one that isn't known, SAXNotSupportedException for what
        can't be had and while a stream is read.
        """
        if self._parsing:
            raise SAXNotSupportedException("Cannot set features while parsing")
        if name == handler.feature_namespaces:
            self._namespaces = state
        elif name in _KEPT:
            self._kept = {**self._kept, name: state}
        elif name not in _NEVER:
            raise SAXNotRecognizedException(f"Feature '{name}' not recognized")
        elif state:
            raise SAXNotSupportedException(f"there is no support for {_NEVER[name]}")

    def getProperty(self, name: str) -> Any:
        """Value of a property; SAXNotRecognizedException for one that isn't known."""
        if name == handler.property_lexical_handler:
            return self._lex_handler_prop
        raise SAXNotRecognizedException(f"Property '{name}' not recognized")

    def setProperty(self, name: str, value: Any) -> None:
        """Set a property: `property_lexical_handler`; SAXNotRecognizedException for others."""
        if name != handler.property_lexical_handler:
            raise SAXNotRecognizedException(f"Property '{name}' not recognized")
        self._lex_handler_prop = value

    def getPublicId(self) -> None:
        """Streams have none."""

    def getSystemId(self) -> None:
        """Streams have none."""


def create_parser(*, limits: Limits = DEFAULT_LIMITS, compat: bool = False) -> Parser:
    """Make an XMLReader.

    limits  bounds on the stream
    compat  pass over comments, processing instructions, text between stanzas and a byte order mark
            instead of refusing them
    """
    return Parser(limits=limits, compat=compat)


def _places(**options: Any) -> list[Place]:
    stock = xml.sax.make_parser

    def make_parser(parser_list: Any = ()) -> Any:
        """Make an XMLReader: of the first module in the list that has one, or else ours."""
        return stock(parser_list) if parser_list else create_parser(**options)

    return [(xml.sax, "make_parser", make_parser)]


_switch = Switch(_places)
install = _switch.install
uninstall = _switch.uninstall
installed = _switch.installed

__all__ = ["Parser", "create_parser", "install", "installed", "uninstall"]
