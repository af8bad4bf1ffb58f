"""Ad-Hoc Commands (XEP-0050): forms that the server has filled in, then does as they say."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from ..core.dispatch import Disco, Feature, Host, OnIq, Request, Target
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from ..core.stanza import element
from .disco import Item
from .forms import FORM, Field, form, submitted

NAMESPACE = "http://jabber.org/protocol/commands"
_COMMAND = f"{{{NAMESPACE}}}command"

Done = str | list[Field]
"""What is said when a command is done: a note, or fields of a form."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of two steps: a form, and what is done with it.

    run  takes the values by field and who sends them. Raises StanzaError.
    """

    node: str
    name: str
    form_type: str
    fields: Sequence[Field]
    run: Callable[[Mapping[str, list[str]], JID], Awaitable[Done]]


def commands(host: Host, known: Sequence[Command], allowed: Callable[[JID], bool]) -> Feature:
    """Executes commands for those who are allowed to; for others there are none.

    Nothing is kept between the steps: what is submitted is all there is to know.
    """
    by_node = {command.node: command for command in known}

    async def execute(request: Request) -> ET.Element:
        command = by_node.get(request.payload.get("node", ""))
        if command is None:
            raise StanzaError(StanzaCondition.ITEM_NOT_FOUND)
        if not allowed(request.sender):
            raise StanzaError(StanzaCondition.FORBIDDEN)
        session = request.payload.get("sessionid") or host.new_id()
        action = request.payload.get("action", "execute")
        if action not in ("execute", "next", "complete", "cancel", "prev"):
            raise _bad("malformed-action")
        if action == "cancel":
            return _state(command, session, "canceled")
        filled = request.payload.find(FORM)
        if action == "prev" or filled is None:
            actions = element(
                f"{{{NAMESPACE}}}actions",
                {"execute": "complete"},
                element(f"{{{NAMESPACE}}}complete"),
            )
            asked = form("form", command.name, command.form_type, command.fields)
            return _state(command, session, "executing", actions, asked)
        values = submitted(filled)
        for field in command.fields:
            if field.required and not any(values.get(field.var, ())):
                raise _bad("bad-payload", f"{field.var} is missing")
        done = await command.run(values, request.sender)
        if isinstance(done, str):
            note = element(f"{{{NAMESPACE}}}note", {"type": "info"}, done)
            return _state(command, session, "completed", note)
        result = form("result", command.name, command.form_type, done)
        return _state(command, session, "completed", result)

    return Feature(
        "commands",
        (
            OnIq(_COMMAND, Target.SERVER, set=execute),
            Disco(Target.SERVER, features=(NAMESPACE,)),
        ),
    )


def listed(
    host: Host, known: Sequence[Command], allowed: Callable[[JID], bool]
) -> Callable[[JID], list[Item]]:
    """The node of `NAMESPACE` in service discovery (section 2.2)."""

    def items(who: JID) -> list[Item]:
        if not allowed(who):
            return []
        return [Item(host.domain, command.name, command.node) for command in known]

    return items


def _state(command: Command, session: str, status: str, *content: ET.Element | None) -> ET.Element:
    attributes = {"node": command.node, "sessionid": session, "status": status}
    return element(_COMMAND, attributes, *content)


def _bad(condition: str, text: str = "") -> StanzaError:
    """Section 4.4."""
    application = element(f"{{{NAMESPACE}}}{condition}")
    return StanzaError(StanzaCondition.BAD_REQUEST, text, application=application)
