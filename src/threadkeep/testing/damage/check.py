"""Checks that one damaged record hides no other, and stops no verb."""

# ruff: noqa: S101 (tests assert)

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from threadkeep.api.memory import Memory
from threadkeep.errors import ThreadkeepError
from threadkeep.testing.damage import verbs
from threadkeep.testing.damage.fill import StoredRecord, put_body, stored_records

OpenMemory = Callable[[], Memory]
"""Opens the store of a test once more, with nothing cached."""

_UNTOUCHED: Final = {
    **{f"{name} of bobs": verb for name, verb in verbs.reads_of_session("bobs").items()},
    **{
        f"{name} of whole": verb
        for name, verb in verbs.reads_of_session("whole").items()
        if name != "context"  # which tells of ada's facts
    },
    **verbs.of_user("bob"),
}


def undamaged_results(memory: Memory) -> dict[str, str]:
    """What the verbs give of sessions that will not be damaged."""
    return {verb_name: repr(verb(memory)) for verb_name, verb in _UNTOUCHED.items()}


def check_damage(
    open_memory: OpenMemory, stored: StoredRecord, body: str, expected: Mapping[str, str]
) -> None:
    """Damage a record of ada's, call every verb, and let ada be forgotten.

    Args:
        open_memory: opens the filled store.
        stored: a record that says nothing of bob, nor of the session `whole`.
        body: its new body.
        expected: what `undamaged_results` said before.
    """
    memory = open_memory()
    backend, now = memory._engine.backend, memory._engine.now()
    put_body(backend, stored, body, now)
    with _quiet():
        _call_all({**verbs.OF_EVERYBODY, **verbs.of_user("ada")}, open_memory)
        for verb_name, verb in _UNTOUCHED.items():
            assert repr(verb(open_memory())) == expected[verb_name], verb_name
        _call_all(verbs.reads_of_session("chat"), open_memory, may_refuse=True)
        _call_all(verbs.writes_to_session("chat"), open_memory, may_refuse=True)
        put_body(backend, stored, body, now)  # as some of the verbs have mended it
        if not _names_another_owner(body):
            _check_forgotten(open_memory())


def _names_another_owner(body_json: str) -> bool:
    """Whether a session was given to somebody else, who may well have it."""
    try:
        field_values = json.loads(body_json)
    except (ValueError, RecursionError):
        return False
    owner_id = field_values.get("user") if isinstance(field_values, dict) else None
    return isinstance(owner_id, str) and owner_id not in ("", "ada")


def _call_all(
    verb_by_name: Mapping[str, verbs.Verb], open_memory: OpenMemory, *, may_refuse: bool = False
) -> None:
    for verb_name, verb in verb_by_name.items():
        try:
            verb(open_memory())
        except ThreadkeepError as error:
            _check_refusal(verb_name, error, may_refuse)
        except Exception as error:
            raise AssertionError(f"{verb_name} ended in {error!r:.300}") from error


def _check_refusal(name: str, error: ThreadkeepError, may_refuse: bool) -> None:
    error_text = str(error)
    assert may_refuse, f"{name} was stopped: {error_text}"
    assert len(error_text) < 1_000, f"{name}: an error of {len(error_text)} characters"
    assert "\n" not in error_text, f"{name}: {error_text!r}"


def _check_forgotten(memory: Memory) -> None:
    """Nothing that names ada stays, but for sessions that `forget` names as unreadable."""
    bodies_before = _bodies(memory, "bob")
    try:
        forget_report = memory.user("ada").forget(purge=False)
    except Exception as error:
        raise AssertionError(f"forget ended in {error!r:.300}") from error
    assert _bodies(memory, "bob") == bodies_before
    leftover_names = {stream for stream, _ in _bodies(memory, "") if "bob" not in stream}
    if "cannot be read" in " ".join(forget_report.beyond):  # of whom it is, nobody can say
        leftover_names.discard(memory._engine.stream("session", "chat"))
    assert not leftover_names, leftover_names


def _bodies(memory: Memory, word: str) -> set[tuple[str, str]]:
    return {
        (stored_record.stream, stored_record.record.id + stored_record.record.body)
        for stored_record in stored_records(memory)
        if word in stored_record.stream
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings about damaged records, which these checks cause by the hundred."""
    logger = logging.getLogger("threadkeep")
    previous_level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(previous_level)


def damageable(memory: Memory) -> list[StoredRecord]:
    """The records that `check_damage` may damage."""
    return [record for record in stored_records(memory) if not _names(record, "bob", "whole")]


def _names(stored: StoredRecord, *words: Any) -> bool:
    record_text = f"{stored.stream} {stored.record.id} {stored.record.body}"
    return any(word in record_text for word in words)
