"""The serializer of Twisted's domish, compiled: the same characters, without recursion."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, final

@final
class ListSerializer:
    """Drop-in for `domish.SerializerClass`: serializes elements into one string.

    prefixes         prefixes by the namespace they are to stand for
    prefixesInScope  prefixes that are declared where the string will stand
    """

    @property
    def prefixes(self) -> dict[str, str]:
        """Prefixes by namespace, the given ones and those made up."""
    def __init__(
        self,
        prefixes: Mapping[str, str] | None = None,
        prefixesInScope: Sequence[Collection[str]] | None = None,
    ) -> None: ...
    def getValue(self) -> str:
        """Everything serialized so far."""
    def getPrefix(self, uri: str) -> str:
        """The prefix for a namespace; a new one if there is none."""
    def prefixInScope(self, prefix: str) -> bool:
        """Whether a prefix is declared where the serializer is now."""
    def serialize(self, elem: Any, closeElement: int = 1, defaultUri: str | None = "") -> None:
        """Append an element or a string; with `closeElement=0` only the element's start tag."""
