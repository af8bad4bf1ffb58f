"""Service Administration (XEP-0133): accounts and announcements, by the admins of a server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from ..core.dispatch import Host
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID, InvalidJID
from ..core.namespaces import CLIENT
from ..core.stanza import element, finished, stanza
from .commands import Command, Done
from .forms import Field

NAMESPACE = "http://jabber.org/protocol/admin"

Values = Mapping[str, list[str]]
Run = Callable[[Values, JID], Awaitable[Done]]

_ACCOUNT = Field("accountjid", "jid-single", "Address of the account", required=True)
_ACCOUNTS = Field("accountjids", "jid-multi", "Addresses of the accounts", required=True)
_PASSWORD = Field("password", "text-private", "Password", required=True)
_AGAIN = Field("password-verify", "text-private", "Password again", required=True)
_MOST = Field("max_items", "text-single", "How many at most")
_SUBJECT = Field("subject", "text-single", "Subject")
_TEXT = Field("announcement", "text-multi", "Text", required=True)

# Accounts that are shown unless fewer are asked for.
_MOST_SHOWN = 10_000


def service_admin(host: Host) -> list[Command]:
    """Commands for `commands`, which see to it that only admins use them."""

    async def add(values: Values, who: JID) -> Done:
        account = _local(host, values["accountjid"])
        if values["password"] != values["password-verify"]:
            raise StanzaError(StanzaCondition.BAD_REQUEST, "the passwords differ")
        try:
            created = await host.accounts.create(account, values["password"][0])
        except ValueError as error:
            raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, str(error)) from None
        if not created:
            raise StanzaError(StanzaCondition.CONFLICT, f"{account} exists")
        return f"{account} was added"

    async def delete(values: Values, who: JID) -> Done:
        accounts = [_local(host, [text]) for text in values["accountjids"]]
        removed = [str(account) for account in accounts if await host.accounts.remove(account)]
        if not removed:
            raise StanzaError(StanzaCondition.ITEM_NOT_FOUND, "there is no such account")
        return f"deleted: {', '.join(removed)}"

    async def password(values: Values, who: JID) -> Done:
        account = _local(host, values["accountjid"])
        try:
            changed = await host.accounts.set_password(account, values["password"][0])
        except ValueError as error:
            raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, str(error)) from None
        if not changed:
            raise StanzaError(StanzaCondition.ITEM_NOT_FOUND, f"there is no {account}")
        return f"{account} has a new password"

    async def accounts(values: Values, who: JID) -> Done:
        asked = "".join(values.get("max_items", ()))
        most = int(asked) if asked.isascii() and asked.isdecimal() else _MOST_SHOWN
        names = await host.accounts.names(limit=min(most, _MOST_SHOWN))
        found = [str(name) for name in names]
        return [Field("registereduserjids", "jid-multi", "Accounts", values=found)]

    async def announce(values: Values, who: JID) -> Done:
        subject = "\n".join(values.get("subject", ()))
        message = finished(
            stanza(
                "message",
                element(f"{{{CLIENT}}}subject", None, subject) if subject else None,
                element(f"{{{CLIENT}}}body", None, "\n".join(values["announcement"])),
                type="headline",
            )
        )
        told, last = 0, ""
        while page := await host.accounts.names(last):
            for account in page:
                if host.is_connected(account):
                    outcome = host.route(message, host.domain, account)
                    if outcome is not None:
                        await outcome
                    told += 1
            last = str(page[-1])
        return f"sent to {told} accounts that are connected"

    return [
        _command("add-user", "Add an account", (_ACCOUNT, _PASSWORD, _AGAIN), add),
        _command("delete-user", "Delete accounts", (_ACCOUNTS,), delete),
        _command("change-user-password", "Change a password", (_ACCOUNT, _PASSWORD), password),
        _command("get-registered-users-list", "List accounts", (_MOST,), accounts),
        _command("announce", "Tell everybody who is connected", (_SUBJECT, _TEXT), announce),
    ]


def _command(name: str, title: str, fields: tuple[Field, ...], run: Run) -> Command:
    return Command(f"{NAMESPACE}#{name}", title, NAMESPACE, fields, run)


def _local(host: Host, texts: list[str]) -> JID:
    """The bare address of an account here; StanzaError for anything else."""
    try:
        jid = JID.parse(texts[0])
    except InvalidJID as error:
        raise StanzaError(StanzaCondition.JID_MALFORMED, str(error)) from None
    if len(texts) != 1 or not host.is_local(jid) or jid.resource is not None:
        raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, f"{jid} is no address of an account here")
    return jid
