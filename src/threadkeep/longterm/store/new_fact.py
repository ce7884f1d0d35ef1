"""Facts as an application gives them: every value checked, nothing written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from inspect import signature
from typing import Any, Final

from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.longterm.store import validate
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.merge_facts import first_said
from threadkeep.longterm.store.validate import Moment
from threadkeep.types.knowledge import APPLICATION, Fact, Refusal
from threadkeep.types.states import Status
from threadkeep.types.timestamps import utc_datetime


def new_fact(
    engine: Engine,
    text: object,
    *,
    sources: Iterable[object] = (),
    confidence: float = 1.0,
    pinned: bool = False,
    observed_at: Moment | None = None,
    valid_from: Moment | None = None,
    valid_to: Moment | None = None,
    expires_at: Moment | None = None,
    extractor: str = APPLICATION,
    status: Status = "active",
    category: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Fact:
    """A fact of the application, as `Facts.add` takes it.

    Raises:
        InputError: a value is not what it should be; it is named.
    """
    now = engine.now()
    clean_text = validate.checked_text(engine, text, "fact")
    said_at = validate.checked_moment(observed_at, "observed_at") or utc_datetime(now)
    return Fact(
        identity("fact", clean_text),
        clean_text,
        validate.checked_sources(engine, sources),
        validate.checked_status(status) or "active",
        confidence=validate.checked_share(confidence, "confidence"),
        pinned=bool(pinned),
        observed_at=said_at,
        first_observed_at=said_at,
        valid_from=validate.checked_moment(valid_from, "valid_from"),
        valid_to=validate.checked_moment(valid_to, "valid_to"),
        expires_at=validate.checked_moment(expires_at, "expires_at"),
        extractor=names.check(extractor, "extractor"),
        created_at=utc_datetime(now),
        category=None if category is None else names.check(category, "category"),
        metadata=validate.checked_metadata(metadata),
    )


FIELDS: Final = ("replaces", *(name for name in signature(new_fact).parameters if name != "engine"))
"""What may be said of one of several facts."""


def approved_fact(refusal: Refusal, now: float) -> Fact:
    """The fact that somebody approves although it was let go."""
    return Fact(
        identity("fact", refusal.text),
        refusal.text,
        refusal.sources,
        observed_at=refusal.refused_at,
        first_observed_at=refusal.refused_at,
        created_at=utc_datetime(now),
        gloss=refusal.gloss,
    )


def held_at(fact: Fact, moment: datetime, status: str | None) -> bool:
    """Whether a fact held at a time, as far as is known: a superseded one until it was replaced."""
    held_since = fact.valid_from or first_said(fact)
    is_within = (held_since is None or held_since <= moment) and (
        fact.valid_to is None or moment < fact.valid_to
    )
    if fact.status == "superseded" and status == "active":
        return is_within and fact.valid_to is not None
    return is_within and status in (None, fact.status)
