"""The features of every server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import version as version_of

from ..core.dispatch import Feature, Host
from ..core.jid import JID
from ..core.namespaces import CLIENT
from ..im.features import InstantMessaging
from ..storage.interface import Storage
from ..xep.blocking import blocking
from ..xep.commands import NAMESPACE as COMMANDS
from ..xep.commands import commands, listed
from ..xep.disco import disco
from ..xep.last_activity import Seen, last_activity
from ..xep.ping import ping
from ..xep.private_xml import private_xml
from ..xep.registration import registration
from ..xep.service_admin import service_admin
from ..xep.vcard import vcard
from ..xep.version import version
from .established import established


def features(
    storage: Storage, admins: Iterable[JID] = (), *, register: bool = False
) -> Callable[[Host], list[Feature]]:
    """What a server installs, in the order handlers are called.

    admins    bare addresses of accounts that may administer the server
    register  whether anybody may make an account (XEP-0077)
    """
    known = frozenset(admins)

    def is_admin(who: JID) -> bool:
        return who.bare in known

    def install(host: Host) -> list[Feature]:
        messaging = InstantMessaging(
            host, storage, lambda account: account.state.get("blocking", ())
        )
        administration = service_admin(host)

        async def last_seen(account: JID) -> Seen | None:
            last = await messaging.last.find(account)
            if last is None:
                return None
            return Seen(last.at, last.presence.findtext(f"{{{CLIENT}}}status"))

        return [
            established(),
            blocking(host, storage, messaging.may_see),
            *messaging.features,
            disco(host, {"": lambda who: [], COMMANDS: listed(host, administration, is_admin)}),
            ping(host),
            version(host, "xmppfast", version_of("xmppfast")),
            last_activity(host, messaging.may_see, last_seen),
            vcard(host, storage),
            private_xml(host, storage),
            commands(host, administration, is_admin),
            *([registration(host)] if register else []),
        ]

    return install
