"""Walks once over the streams of a namespace and names what is wrong in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.longterm.repair import (
    blob_checks,
    checkpoint_checks,
    index_checks,
    learned_checks,
    session_checks,
)
from threadkeep.longterm.repair.problem import StoreFinding, streams
from threadkeep.sessions import blobs, checkpoints, derived

StreamCheck = Callable[[Engine, str], Iterator[StoreFinding]]


def store_findings(engine: Engine, limit: int | None = None) -> Iterator[StoreFinding]:
    """What is wrong in the streams of a namespace, broken histories aside.

    Args:
        engine: of the sessions; long-term memory is looked at in its own store.
        limit: the number of streams of each kind to look at, about; `None` = all.
    """
    for stream_engine, stream_prefix, stream_check in _checks(engine):
        for stream_names in streams(stream_engine, stream_prefix, limit):
            for stream_name in stream_names:
                yield from stream_check(engine, stream_name)


def _checks(engine: Engine) -> Iterator[tuple[Engine, str, StreamCheck]]:
    namespace = engine.settings.namespace
    yield engine, names.noun_prefix(namespace, "session"), session_checks.check
    yield engine, names.noun_prefix(namespace, blobs.NOUN), blob_checks.check
    yield engine, names.noun_prefix(namespace, checkpoints.NOUN), checkpoint_checks.check
    yield engine, names.noun_prefix(namespace, "sessions"), index_checks.check_list
    yield engine, names.noun_prefix(namespace, "response"), index_checks.check_pointer
    longterm_engine = engine.longterm
    for stream_noun, stream_check in (
        (derived.SUMMARY, learned_checks.check_summary),
        (derived.ANONYMOUS, learned_checks.check_anonymous),
    ):
        yield longterm_engine, derived.stream(engine, stream_noun, ""), stream_check
    user_prefix = names.noun_prefix(longterm_engine.settings.namespace, "user")
    yield longterm_engine, user_prefix, learned_checks.check_user
