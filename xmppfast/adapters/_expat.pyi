from collections.abc import Callable, MutableMapping
from typing import Any, Protocol

from typing_extensions import Buffer

from ..xml import Limits

class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...

class XMLParser:
    """`pyexpat.XMLParserType` for XMPP streams; see `xmppfast.adapters.expat`."""

    StartElementHandler: Callable[[str, Any], object] | None
    EndElementHandler: Callable[[str], object] | None
    CharacterDataHandler: Callable[[str], object] | None
    StartNamespaceDeclHandler: Callable[[str | None, str | None], object] | None
    EndNamespaceDeclHandler: Callable[[str | None], object] | None
    XmlDeclHandler: Callable[[str | None, str | None, int], object] | None
    CommentHandler: Any
    ProcessingInstructionHandler: Any
    StartCdataSectionHandler: Any
    EndCdataSectionHandler: Any
    DefaultHandler: Any
    DefaultHandlerExpand: Any
    SkippedEntityHandler: Any
    StartDoctypeDeclHandler: Any
    EndDoctypeDeclHandler: Any
    ElementDeclHandler: Any
    AttlistDeclHandler: Any
    EntityDeclHandler: Any
    NotationDeclHandler: Any
    UnparsedEntityDeclHandler: Any
    ExternalEntityRefHandler: Any
    NotStandaloneHandler: Any
    ordered_attributes: bool
    specified_attributes: bool
    buffer_text: bool
    namespace_prefixes: bool
    buffer_size: int

    def __init__(
        self,
        encoding: str | None = None,
        namespace_separator: str | None = None,
        intern: MutableMapping[str, str] | None = None,
        *,
        limits: Limits = ...,
        compat: bool = False,
    ) -> None: ...
    def Parse(self, data: Buffer | str, isfinal: bool = False, /) -> int:
        """Read more bytes or text; 1, or ExpatError once the stream is wrong."""
    def ParseFile(self, file: _Readable, /) -> int:
        """Read a binary file to its end."""
    def GetBase(self) -> str | None:
        """What `SetBase` was given."""
    def SetBase(self, base: str, /) -> None:
        """Keep a base URI; nothing is resolved against it."""
    def GetInputContext(self) -> bytes | None:
        """The input from the current event on, inside of a handler; else None."""
    def UseForeignDTD(self, flag: bool = True, /) -> None:
        """Do nothing: there is no DTD in XMPP."""
    def SetParamEntityParsing(self, flag: int, /) -> int:
        """Do nothing: there are no parameter entities in XMPP."""
    def SetReparseDeferralEnabled(self, enabled: bool, /) -> None:
        """Do nothing: no event is ever deferred."""
    def GetReparseDeferralEnabled(self) -> bool:
        """Tell that no event is deferred."""
    @property
    def intern(self) -> MutableMapping[str, str]:
        """The mapping that was given, or an empty one; names are shared without it."""
    @property
    def buffer_used(self) -> int:
        """Characters that wait to be reported: none."""
    @property
    def CurrentLineNumber(self) -> int:
        """Line of the current event, from 1."""
    @property
    def CurrentColumnNumber(self) -> int:
        """Column of the current event, from 0, in characters."""
    @property
    def CurrentByteIndex(self) -> int:
        """Offset of the current event in bytes of UTF-8."""
    @property
    def ErrorCode(self) -> int:
        """Number of the error; 0 if there is none."""
    @property
    def ErrorLineNumber(self) -> int:
        """Line of the error, or else of the current event."""
    @property
    def ErrorColumnNumber(self) -> int:
        """Column of the error, or else of the current event."""
    @property
    def ErrorByteIndex(self) -> int:
        """Offset of the error, or else of the current event."""
