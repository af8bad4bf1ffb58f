"""The SAX events of a stream, and the attributes that come with them."""

from typing import Any, final

from typing_extensions import Buffer

from ..xml import Limits

_Name = tuple[str | None, str]

@final
class Attributes(dict[_Name, str]):
    """Attributes by (namespace, local name): a dict with what `AttributesNSImpl` has."""

    def getLength(self) -> int:
        """Number of attributes."""
    def getType(self, name: _Name) -> str:
        """Always "CDATA"."""
    def getValue(self, name: _Name) -> str:
        """Value by name; KeyError if there is none."""
    def getValueByQName(self, name: str) -> str:
        """Value by the name as written; KeyError if there is none."""
    def getNameByQName(self, name: str) -> _Name:
        """Name by the name as written; KeyError if there is none."""
    def getQNameByName(self, name: _Name) -> str:
        """The name as written; KeyError if there is none."""
    def getNames(self) -> list[_Name]:
        """List of names."""
    def getQNames(self) -> list[str]:
        """List of names as written."""

class StreamReader:
    """The part of `xmppfast.adapters.sax.Parser` that runs for every tag."""

    _cont_handler: Any
    _err_handler: Any
    _lex_handler_prop: Any
    _namespaces: Any
    _parsing: bool
    def __init__(self, limits: Limits, compat: bool) -> None: ...
    def reset(self) -> None:
        """Forget what was fed: what is fed next begins a stream."""
    def feed(self, data: Buffer | str, isFinal: bool = False) -> None:
        """Take more bytes or text and call the handlers for them."""
    def flush(self) -> None:
        """Do nothing: no event is ever held back."""
    def close(self) -> None:
        """End of input; the error handler is told if the root element isn't complete."""
    def getLineNumber(self) -> int:
        """Line of what a handler is told, from 1."""
    def getColumnNumber(self) -> int:
        """Column of what a handler is told, in characters from 0."""
