"""Invariant: both backends give the same events, the same error and the same bytes to send on, for
any input in any chunks with any limits and restarts.

    fuzz_api.py SECONDS [SEED]

Inputs are hypothesis's and, mutated, those that the C fuzzers have found worth keeping. Prints a
failing example, made as small as possible, and exits with status 1.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

TESTS = Path(__file__).parents[1]
CORPUS = Path(__file__).parent / "out" / "corpus"
CONTROL_BYTES = {"chunks": 8, "expat": 1}
LONGEST = 2000  # bytes of an input from the corpus: longer ones shrink slowly
sys.path.insert(0, str(TESTS))

from strategies import inputs, low_limits, mutated, pieces, restarts, texts  # noqa: E402
from streams import describe, read  # noqa: E402

from xmppfast.xml import _expat, _tokenizer  # type: ignore[attr-defined]  # noqa: E402
from xmppfast.xml.errors import StreamError  # noqa: E402
from xmppfast.xml.limits import Limits  # noqa: E402


class Backend:
    """A backend's module with the classes that both share."""

    StreamError = StreamError

    def __init__(self, module: Any) -> None:
        self.module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)


EXPAT, COMPILED = Backend(_expat), Backend(_tokenizer)


def kept() -> list[bytes]:
    """Documents of the C fuzzers' corpora."""
    return [
        path.read_bytes()[control:]
        for target, control in CONTROL_BYTES.items()
        for path in sorted((CORPUS / target).glob("*"))
        if path.stat().st_size <= LONGEST
    ]


changes = st.fixed_dictionaries(
    {}, optional={name: st.one_of(st.none(), texts) for name in ("from_", "to", "xmlns")}
)


def sent_on(xml: Any, event: Any, change: dict[str, str | None]) -> Any:
    """What can be seen of an event, and the bytes that it is forwarded and serialized as."""
    if not isinstance(event, xml.Stanza):
        return describe(event)
    try:
        forwarded = event.forward(**change)
    except ValueError as error:
        forwarded = str(error)
    again = (xml.tostring(event), xml.tostring(event.to_etree()), xml.tostring(event, xmlns="u"))
    return describe(event), forwarded, again


def differential(documents: list[bytes], examples: int) -> Any:
    """The property, as a function that tries that many examples."""
    sources = inputs
    if documents:
        sources = st.one_of(inputs, mutated(st.sampled_from(documents)))

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(
        data=st.data(),
        source=sources,
        low=low_limits,
        restart_after=restarts,
        kernel=st.sampled_from(_tokenizer.kernels()),
        change=changes,
    )
    def same(data, source, low, restart_after, kernel, change):
        limits = Limits(**(low or {}))
        chunks = data.draw(pieces(source))
        _tokenizer.use_kernel(kernel)
        theirs, ours = (
            read(
                xml,
                cut,
                limits=limits,
                restart_after=restart_after,
                see=lambda event, xml=xml: sent_on(xml, event, change),
            )
            for xml, cut in ((EXPAT, [source]), (COMPILED, chunks))
        )
        assert ours == theirs

    return same


def main(seconds: float, begin: int | None = None) -> None:
    """Run until the time is over or a difference is found; with a seed, always the same way."""
    end = time.monotonic() + seconds
    documents = kept()
    same = differential(documents, 200)
    rounds = 0
    while time.monotonic() < end:
        (same if begin is None else seed(begin + rounds)(same))()
        rounds += 1
    print(f"{rounds * 200} examples, {len(documents)} inputs of the C fuzzers: no difference")


if __name__ == "__main__":
    main(float(sys.argv[1]), *map(int, sys.argv[2:]))
