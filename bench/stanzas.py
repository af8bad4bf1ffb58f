"""Random stanzas as clients send them; the same seed gives the same bytes on every Python."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from xml.sax.saxutils import escape


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_DOMAINS = (
    "example.org",
    "chat.example.net",
    "xmpp.university.example",
    "jabber.example.com",
    "im.hospital.example",
    "a3.example",
)
_RESOURCES = ("phone", "laptop", "Conversations.k3Vq", "gajim.7GQ2M1ZD", "dino.88ab01fe", "web-51")
_PEOPLE = _words(
    "ada grace alan barbara.liskov dijkstra edsger frances hedy john.backus katherine ken "
    "lovelace margaret niklaus radia rosalind.p shafi sophie tim.bl tony vint yukihiro"
)
_ENGLISH = _words(
    "a about after again all also and any are as at back be because been before but by can "
    "could day did do does down each even every few find first for from get give go good had has "
    "have he here him his house how I if in into is it its just know last like little long look "
    "made make many may me meet morning more most much my new no not now of off on one only or "
    "other our out over people please quite right said same see she should so some sure ten than "
    "thanks that the their them then there these they thing think this time to tomorrow two under "
    "up us use very want was way we well went were what when where which who why will with work "
    "would year yes you your don't that's we're"
)
_FOREIGN = (
    _words("Привет завтра встреча в восемь спасибо хорошо увидимся на вокзале"),
    _words("Schöne Grüße aus Köln später müssen wir übers Gespräch für Dienstag reden"),
    _words("明日 会議 資料 送って ください ありがとう 了解 です"),
    _words("مرحبا غدا نلتقي في المحطة شكرا جزيلا نعم"),
)
_EMOJI = ("🙂", "🎈", "🍰", "🚲", "👋🏽")
_REFERENCES = (
    " &lt;3",
    " &amp; co",
    " -&gt; see",
    " &quot;so&quot;",
    " it&apos;s",
    " &#8364;20",
    " &#x1F44D;",
)
_FEATURES = _words(
    "http://jabber.org/protocol/caps http://jabber.org/protocol/chatstates "
    "http://jabber.org/protocol/disco#info http://jabber.org/protocol/ibb "
    "http://jabber.org/protocol/muc http://jabber.org/protocol/si jabber:iq:last "
    "jabber:iq:version jabber:x:conference urn:xmpp:attention:0 urn:xmpp:blocking "
    "urn:xmpp:carbons:2 urn:xmpp:jingle:1 urn:xmpp:mam:2 urn:xmpp:message-correct:0 "
    "urn:xmpp:ping urn:xmpp:receipts urn:xmpp:time"
)
_CLIENTS = ("http://conversations.im", "https://gajim.org", "https://dino.im", "https://psi-im.org")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

# Stanzas that begin at the left margin, with places to be filled.
_EXTENSIONS = re.split(
    r"\n(?=<[a-z])",
    (Path(__file__).parent / "data" / "extensions.xml").read_text(encoding="utf-8").strip(),
)
_PLACE = re.compile(r"\$([a-z0-9]+)")

Attributes = dict[str, str | None]


class StanzaSource:
    """An endless supply of stanzas.

    Only `random()` and `getrandbits()` are drawn from: what they give is fixed by the seed.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._quote = "'"
        self._acknowledged = 0

    # -- draws

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _below(self, bound: int) -> int:
        return int(self._random.random() * bound)

    def _one(self, choices: tuple[str, ...] | str) -> str:
        return choices[self._below(len(choices))]

    def _bytes(self, count: int) -> bytes:
        return self._random.getrandbits(8 * count).to_bytes(count, "big")

    def _base64(self, count: int) -> str:
        return base64.b64encode(self._bytes(count)).decode()

    def _id(self) -> str:
        """An identifier as libraries make them: a UUID, hexadecimal digits, or letters."""
        kind = self._below(10)
        if kind < 4:
            digits = self._bytes(16).hex()
            return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        if kind < 7:
            return self._bytes(5).hex()
        return "".join(self._one(_ALPHABET) for _ in range(12))

    def _bare(self) -> str:
        number = str(self._below(100)) if self._chance(0.4) else ""
        return f"{self._one(_PEOPLE)}{number}@{self._one(_DOMAINS)}"

    def _full(self) -> str:
        return f"{self._bare()}/{self._one(_RESOURCES)}"

    def _sentence(self) -> str:
        """What people write: mostly short; one in ten with other scripts or references."""
        count = 2 + self._below(8) + (self._below(24) if self._chance(0.15) else 0)
        words = _ENGLISH
        foreign = self._chance(0.07)
        if foreign:
            words = _FOREIGN[self._below(len(_FOREIGN))]
        text = escape(" ".join(self._one(words) for _ in range(count)))
        if self._chance(0.03):
            text += " " + self._one(_EMOJI)
        if self._chance(0.1):
            text += self._one(_REFERENCES)
        return text

    # -- elements

    def _element(self, name: str, attributes: Attributes, inside: str = "") -> str:
        quote = self._quote
        head = name + "".join(
            f" {key}={quote}{escape(value)}{quote}"
            for key, value in attributes.items()
            if value is not None
        )
        return f"<{head}>{inside}</{name}>" if inside else f"<{head}/>"

    def _shuffled(self, attributes: Attributes) -> Attributes:
        keys = list(attributes)
        for place in range(len(keys) - 1, 0, -1):
            other = self._below(place + 1)
            keys[place], keys[other] = keys[other], keys[place]
        return {key: attributes[key] for key in keys}

    def _message(self, xmlns: str | None = None) -> str:
        origin = self._id()
        to = self._full() if self._chance(0.8) else self._bare()
        attributes = self._shuffled({"type": "chat", "to": to, "from": self._full(), "id": origin})
        inside = ""
        kind = self._below(100)
        chat_states = "http://jabber.org/protocol/chatstates"
        if kind < 8:
            inside = self._element(self._one(("composing", "paused")), {"xmlns": chat_states})
            if self._chance(0.5):
                inside += self._element("no-store", {"xmlns": "urn:xmpp:hints"})
        elif kind < 15:
            receipt: Attributes = {"xmlns": "urn:xmpp:receipts", "id": self._id()}
            inside = self._element("received", receipt)
        else:
            inside = self._element("body", {}, self._sentence())
            if self._chance(0.85):
                inside += self._element("active", {"xmlns": chat_states})
            if self._chance(0.8):
                inside += self._element("request", {"xmlns": "urn:xmpp:receipts"})
            if self._chance(0.8):
                inside += self._element("origin-id", {"xmlns": "urn:xmpp:sid:0", "id": origin})
            if self._chance(0.25):
                marked: Attributes = {
                    "xmlns": "urn:xmpp:sid:0",
                    "by": self._bare(),
                    "id": self._id(),
                }
                inside += self._element("stanza-id", marked)
        return self._element("message", {"xmlns": xmlns, **attributes}, inside)

    def _presence(self) -> str:
        attributes: Attributes = {
            "from": self._full(),
            "to": self._full() if self._chance(0.5) else self._bare(),
            "id": self._id() if self._chance(0.3) else None,
            "type": "unavailable" if self._chance(0.12) else None,
            "xml:lang": "en" if self._chance(0.3) else None,
        }
        inside = ""
        if self._chance(0.4):
            inside += self._element("show", {}, self._one(("away", "xa", "dnd", "chat")))
        if self._chance(0.2):
            inside += self._element("status", {}, self._sentence())
        if self._chance(0.5):
            inside += self._element("priority", {}, str(self._below(64) - 1))
        capabilities: Attributes = {
            "xmlns": "http://jabber.org/protocol/caps",
            "hash": "sha-1",
            "node": self._one(_CLIENTS),
            "ver": self._base64(20),
        }
        inside += self._element("c", capabilities)
        if self._chance(0.3):
            photo = self._element("photo", {}, self._bytes(20).hex())
            inside += self._element("x", {"xmlns": "vcard-temp:x:update"}, photo)
        if self._chance(0.12):
            occupant: Attributes = {
                "affiliation": "member",
                "role": "participant",
                "jid": self._full(),
            }
            item = self._element("item", occupant) + self._element("status", {"code": "110"})
            inside += self._element("x", {"xmlns": "http://jabber.org/protocol/muc#user"}, item)
        return self._element("presence", attributes, inside)

    def _iq(self, kind: str, inside: str) -> str:
        attributes: Attributes = {
            "from": self._full(),
            "to": self._full(),
            "id": self._id(),
            "type": kind,
        }
        return self._element("iq", attributes, inside)

    def _ping(self) -> str:
        if self._chance(0.5):
            return self._iq("result", "")
        return self._iq("get", self._element("ping", {"xmlns": "urn:xmpp:ping"}))

    def _roster(self, items: int) -> str:
        inside = ""
        for _ in range(items):
            groups = "".join(
                self._element("group", {}, self._one(("Friends", "Work", "Chess &amp; Go")))
                for _ in range(self._below(3))
            )
            contact: Attributes = {
                "jid": self._bare(),
                "name": self._one(_PEOPLE).title() if self._chance(0.9) else "Иван",
                "subscription": self._one(("both", "to", "from", "none")),
            }
            inside += self._element("item", contact, groups)
        query: Attributes = {"xmlns": "jabber:iq:roster", "ver": f"ver{self._below(1000)}"}
        return self._iq("result", self._element("query", query, inside))

    def _disco(self) -> str:
        identity: Attributes = {"category": "client", "type": "phone", "name": "Conversations"}
        inside = self._element("identity", identity)
        for feature in _FEATURES:
            if self._chance(0.6):
                inside += self._element("feature", {"var": feature})
        query: Attributes = {
            "xmlns": "http://jabber.org/protocol/disco#info",
            "node": f"{self._one(_CLIENTS)}#{self._base64(20)}",
        }
        return self._iq("result", self._element("query", query, inside))

    def _refusal(self) -> str:
        condition = self._element(
            "service-unavailable", {"xmlns": "urn:ietf:params:xml:ns:xmpp-stanzas"}
        )
        return self._iq("error", self._element("error", {"type": "cancel"}, condition))

    def _archived(self) -> str:
        """One result of an archive query (XEP-0313): a message in a message."""
        stamp = (
            f"2025-{1 + self._below(12):02}-{1 + self._below(28):02}"
            f"T{self._below(24):02}:{self._below(60):02}:{self._below(60):02}Z"
        )
        delay = self._element("delay", {"xmlns": "urn:xmpp:delay", "stamp": stamp})
        message = self._message(xmlns="jabber:client")
        forwarded = self._element("forwarded", {"xmlns": "urn:xmpp:forward:0"}, delay + message)
        found: Attributes = {"xmlns": "urn:xmpp:mam:2", "queryid": self._id(), "id": self._id()}
        attributes: Attributes = {"id": self._id(), "from": self._bare(), "to": self._full()}
        return self._element("message", attributes, self._element("result", found, forwarded))

    # -- the kinds of stream

    def chat(self) -> str:
        """A stanza of a client's stream: 60% chat messages, 25% presence, 15% the rest."""
        self._quote = "'" if self._chance(0.75) else '"'
        kind = self._below(100)
        if kind < 60:
            return self._message()
        if kind < 85:
            return self._presence()
        rest: tuple[tuple[int, Callable[[], str]], ...] = (
            (35, self._ping),
            (42, lambda: self._roster(2 + self._below(20))),
            (60, self._disco),
            (67, self._refusal),
            (100, self._archived),
        )
        kind = self._below(100)
        return next(make for bound, make in rest if kind < bound)()

    def small(self) -> str:
        """Acknowledgements (XEP-0198), pings, empty presence."""
        self._quote = "'"
        kind = self._below(100)
        if kind < 15:
            return "<r xmlns='urn:xmpp:sm:3'/>"
        if kind < 40:
            self._acknowledged += 1
            return f"<a xmlns='urn:xmpp:sm:3' h='{self._acknowledged}'/>"
        identifier = self._bytes(3).hex()
        if kind < 65:
            to = f"{self._one(_PEOPLE)}@example.org"
            ping: Attributes = {"from": "example.org", "id": identifier, "to": to, "type": "get"}
            return self._element("iq", ping, "<ping xmlns='urn:xmpp:ping'/>")
        if kind < 90:
            answer: Attributes = {
                "type": "result",
                "id": identifier,
                "from": self._full(),
                "to": "example.org",
            }
            return self._element("iq", answer)
        return self._element("presence", {"from": self._full(), "type": "unavailable"})

    def extension(self) -> str:
        """A stanza as the XEPs show them: indented, in many namespaces, some with prefixes."""
        self._quote = "'"
        draws: dict[str, Callable[[], str]] = {
            "id": self._id,
            "full": self._full,
            "bare": self._bare,
            "word": lambda: self._one(_ENGLISH),
            "base64": lambda: self._base64(36),
        }
        pattern = _EXTENSIONS[self._below(len(_EXTENSIONS))]
        return _PLACE.sub(lambda place: escape(draws[place[1]]()), pattern)

    def large_payload(self) -> str:
        """48 KiB of data as base64: in-band bytes (XEP-0047) or an avatar (XEP-0084)."""
        self._quote = "'"
        payload = self._base64(48 * 1024)
        if self._chance(0.5):
            block: Attributes = {
                "xmlns": "http://jabber.org/protocol/ibb",
                "seq": str(self._below(65536)),
                "sid": self._id(),
            }
            return self._iq("set", self._element("data", block, payload))
        if self._chance(0.3):
            payload = "\n".join(payload[at : at + 76] for at in range(0, len(payload), 76))
        node = "urn:xmpp:avatar:data"
        data = self._element("data", {"xmlns": node}, payload)
        item = self._element("item", {"id": self._bytes(20).hex()}, data)
        items = self._element("items", {"node": node}, item)
        pubsub: Attributes = {"xmlns": "http://jabber.org/protocol/pubsub"}
        return self._iq("result", self._element("pubsub", pubsub, items))

    def large_roster(self) -> str:
        """A roster of about 64 KiB."""
        self._quote = "'"
        return self._roster(620)
