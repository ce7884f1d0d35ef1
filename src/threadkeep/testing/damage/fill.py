"""Fills a store with one record of every kind, and lists the records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from threadkeep.api.memory import Memory
from threadkeep.core import store_record
from threadkeep.protocols import Backend
from threadkeep.types import KEEP, Query, Record
from threadkeep.types.record_kinds import KINDS
from threadkeep.types.versions import generation_of

_CALL: Final = {"id": "call-1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
_MESSAGES: Final[tuple[dict[str, Any], ...]] = (
    {"role": "user", "content": "I am allergic to nuts", "id": "i1", "metadata": {"k": ["v"]}},
    {"role": "assistant", "content": None, "tool_calls": [_CALL], "id": "i2"},
    {"role": "tool", "tool_call_id": "call-1", "content": "42", "name": "f", "id": "i3"},
    {"role": "user", "content": [{"type": "text", "text": "And nuts?"}], "id": "i4"},
    {
        "role": "assistant",
        "content": "No nuts",
        "id": "i5",
        "model": "m",
        "usage": {"total_tokens": 3},
        "created_at": 1_600_000_000.5,
        "status": "completed",
        "reasoning_content": "because",
    },
)


class StoredRecord(NamedTuple):
    """A record, and the stream that it is in."""

    stream: str
    record: Record

    @property
    def label(self) -> str:
        """Which record it is, for the message of a failed assertion."""
        return f"{self.stream} {self.record.kind} {self.record.id}"


def fill(memory: Memory) -> None:
    """Write what two users may have, with at least one record of every kind."""
    for user_id, session_id in (("ada", "chat"), ("ada", "whole"), ("bob", "bobs")):
        _fill_session(memory, user_id, session_id)
    _fill_user(memory)


def _fill_session(memory: Memory, user: str, session: str) -> None:
    chat = memory.session(session, user=user, metadata={"plan": "gold"})
    chat.add(*_MESSAGES)
    chat.files.add({"url": f"{session}.txt", "name": "notes", "size": 1})
    for response_number in range(2):
        previous_response = (
            {"previous_response_id": f"{session}-r{response_number - 1}"} if response_number else {}
        )
        output_items = [{"type": "message", "content": [{"type": "output_text", "text": "nuts"}]}]
        response = {
            "id": f"{session}-r{response_number}",
            "model": "m",
            "output": output_items,
            "input": "nuts?",
        }
        usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
        extra_fields = {"metadata": {"a": "b"}, "safety_identifier": "p", "usage": usage}
        memory.responses.add(
            {**response, **extra_fields, **previous_response, "status": "completed"},
            conversation=session,
            user=user,
        )
    memory.responses.add({"id": f"{session}-r9", "output": []}, conversation=session, user=user)
    memory.responses.delete(f"{session}-r9", user=user)  # leaves a gap
    memory.feedback.add(f"{session}-r0", rating="positive", comment="fine", item="i1", user=user)
    _put_summary(memory, user, session)


def _fill_user(memory: Memory) -> None:
    ada, longterm_engine = memory.user("ada"), memory._engine.longterm
    first_fact = ada.facts.add("Ada is allergic to nuts", sources=[("chat", "i1")])
    ada.facts.add("Ada eats no nuts", replaces=first_fact.id)
    ada.facts.forget(ada.facts.add("Ada was here").id)
    ada.instructions.add("Answer briefly")
    fields_by_id = {
        memory._engine.stream("session", "chat"): {"life": 1, "seq": 3, "worker": "w"},
        "budget": {"day": "2026-01-01", "calls": 1, "tokens": 2},
    }
    records = [
        Record("watermark", watermark_id, json.dumps(watermark_fields), longterm_engine.now())
        for watermark_id, watermark_fields in fields_by_id.items()
    ]
    refusal_fields = {"kind": "fact", "text": "Ada is tall", "reason": "hearsay"}
    records.append(Record("refused", "tall", json.dumps(refusal_fields), longterm_engine.now()))
    longterm_engine.commit(longterm_engine.stream("user", "ada"), put=records, ttl=None)


def _put_summary(memory: Memory, user: str, session: str) -> None:
    longterm_engine = memory._engine.longterm
    session_stream_name = memory._engine.stream("session", session)
    session_version = memory._engine.read(Query(session_stream_name, "item", limit=0))[0].version
    summary_fields = {
        "session": session,
        "text": "They spoke of nuts",
        "topics": ["nuts"],
        "last_seq": 1,
        "version": 1,
        "life": generation_of(session_version),
        "user": user,
        "span": [1, 2],
    }
    summary_record = Record("summary", "summary", json.dumps(summary_fields), longterm_engine.now())
    longterm_engine.commit(
        longterm_engine.stream("summary", session), put=[summary_record], ttl=None
    )


def stored_records(memory: Memory) -> Iterator[StoredRecord]:
    """Every record of a namespace, without its `store` record."""
    engine = memory._engine
    backend, namespace_prefix, now = engine.backend, f"{engine.settings.namespace}/", engine.now()
    stream_names, cursor = set(), None
    while True:
        page_names, cursor = backend.streams(namespace_prefix, cursor=cursor)
        stream_names.update(page_names)
        if cursor is None:
            break
    for stream_name in sorted(
        stream_name for stream_name in stream_names if not store_record.is_store_stream(stream_name)
    ):
        for page_of_kind in backend.read(*(Query(stream_name, kind) for kind in KINDS), now=now):
            for record in page_of_kind.records:
                yield StoredRecord(stream_name, record)


def put_body(backend: Backend, stored: StoredRecord, body: str, now: float) -> None:
    """Give a record another body, in its place."""
    old_record = stored.record
    changed_record = Record(old_record.kind, old_record.id, body, old_record.at, old_record.expires)
    backend.commit(stored.stream, put=[changed_record], ttl=KEEP, now=now)
