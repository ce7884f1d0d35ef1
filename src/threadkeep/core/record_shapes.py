"""The shape of the body of each kind of record; whoever reads or imports one checks it by these.

What is written by `item_codec` and its siblings has these shapes, which tests hold.
"""

from __future__ import annotations

from typing import Final

from threadkeep.core.shape import (
    Check,
    Fault,
    absent,
    anything,
    count,
    either,
    fields,
    flag,
    list_of,
    mapping,
    moment,
    nonempty,
    number,
    one_of,
    optional,
    share,
    text,
)
from threadkeep.types import Json
from threadkeep.types.states import PRIORITIES, RATINGS, STATUSES

_TEXT_OR_NONE: Final = optional(text)
_ID_OR_NONE: Final = optional(nonempty)

_BRANCH: Final = fields(
    {"name": nonempty}, {"parent": _TEXT_OR_NONE, "at": _TEXT_OR_NONE, "shown": optional(flag)}
)

SESSION: Final = fields(
    {"id": nonempty, "created_at": moment},
    {
        "user": _ID_OR_NONE,
        "agent": _TEXT_OR_NONE,
        "title": _TEXT_OR_NONE,
        "metadata": optional(mapping),
        "forked_from": _TEXT_OR_NONE,
        "branches": optional(list_of(_BRANCH)),
    },
)

CALL: Final = fields(
    {"id": text, "name": text, "args": either(text, mapping, "an object or a text")}
)

_BLOCK_FIELDS: Final[dict[str, Check]] = {
    **dict.fromkeys(("text", "reasoning", "url", "base64", "mime_type", "file_id"), _TEXT_OR_NONE),
    "extras": fields({}, {"encrypted_content": _TEXT_OR_NONE}),
}
_TEXT_BLOCK: Final = fields({"type": text, "text": text}, {"extras": _BLOCK_FIELDS["extras"]})
_OTHER_BLOCK: Final = fields({"type": text}, _BLOCK_FIELDS)


def _block(value: Json) -> Fault | None:
    is_text = type(value) is dict and value.get("type") == "text"
    return _TEXT_BLOCK(value) if is_text else _OTHER_BLOCK(value)


def _path(value: Json) -> Fault | None:
    if type(value) is list and value and all(type(path_step) in (str, int) for path_step in value):
        return None
    return Fault("", "a list of keys and indexes", value)


BLOB_REFERENCE: Final = fields(
    {
        "path": _path,
        "id": nonempty,
        "length": count,
        "pieces": count,
    },
    {"before": text, "json": flag},
)

ITEM: Final = fields(
    {"role": nonempty, "content": either(text, list_of(_block), "a text or a list of blocks")},
    {
        "id": nonempty,
        "type": nonempty,
        **dict.fromkeys(("name", "tool_call_id", "status", "model"), _TEXT_OR_NONE),
        "tool_calls": optional(list_of(CALL)),
        "usage": optional(mapping),
        "metadata": optional(mapping),
        "created_at": moment,
        "hidden": flag,
        "raw": optional(fields({"format": text}, {"data": anything})),
        "blobs": list_of(BLOB_REFERENCE),
    },
)

UNDO: Final = fields({"remove": list_of(nonempty), "show": list_of(nonempty), "hide": mapping})
"""What takes back a part of a change: ids of items; those to hide each with its branch or null."""

PIECE: Final = fields({"text": text})

BLOB: Final = fields(
    {"blob": nonempty, "item": nonempty, "size": count, "pieces": count, "complete": flag},
    {"user": _ID_OR_NONE},
)
"""That an item refers to a blob of its session."""

FILE: Final = fields(
    {"id": nonempty}, {"url": _TEXT_OR_NONE, "name": _TEXT_OR_NONE, "metadata": mapping}
)

_IMPLIED: Final = dict.fromkeys(("conversation", "user", "seq"), absent)
_OBJECTS: Final = list_of(mapping)

RESPONSE: Final = fields(
    {"id": nonempty, "created_at": moment},
    {
        **_IMPLIED,
        **dict.fromkeys(
            ("previous_response_id", "model", "status", "safety_identifier"), _TEXT_OR_NONE
        ),
        "input": optional(either(text, _OBJECTS, "a text or a list of objects")),
        "output": _OBJECTS,
        "tool_calls": list_of(CALL),
        "usage": optional(mapping),
        "metadata": mapping,
        "extra": mapping,
    },
)

RESPONSE_ENTRY: Final = fields(
    {
        "id": nonempty,
        "previous": _ID_OR_NONE,
        "safety_identifier": _TEXT_OR_NONE,
        "model": _TEXT_OR_NONE,
        "created_at": moment,
        "tokens": list_of(count, length=3),
    },
    {"cached": count, "reasoning": count, "tools": list_of(text), "branch": text},
)

FEEDBACK: Final = fields(
    {"id": nonempty, "response": nonempty, "rating": one_of(RATINGS), "created_at": moment},
    {
        **_IMPLIED,
        **dict.fromkeys(("comment", "author", "item", "model"), _TEXT_OR_NONE),
        "metadata": mapping,
    },
)

POINTER: Final = fields({"session": nonempty}, {"id": nonempty, "user": _ID_OR_NONE})

INDEX_ENTRY: Final = fields({"id": nonempty})

NAMESPACE: Final = fields({"namespace": text})

_SPAN: Final = list_of(count, length=2)
SUMMARY: Final = fields(
    {"text": text, "last_seq": count, "version": count, "life": count},
    {
        "session": text,
        "topics": optional(list_of(text)),
        "user": _ID_OR_NONE,
        "span": optional(_SPAN),
        "shown": optional(fields({"text": text, "last_seq": count, "span": _SPAN})),
    },
)

_SOURCE: Final = fields(
    {"session": nonempty, "item": nonempty},
    {"quote": text, "namespace": _TEXT_OR_NONE, "speaker": text, "version": text},
)
_LEARNED: Final[dict[str, Check]] = {
    "sources": list_of(_SOURCE),
    "status": one_of(STATUSES),
    "pinned": flag,
    "seen": count,
    "observed_at": optional(moment),
    "superseded_by": _TEXT_OR_NONE,
    "extractor": text,
    "created_at": optional(moment),
}

FACT: Final = fields(
    {"text": text},
    {
        **_LEARNED,
        "confidence": share,
        "gloss": text,
        "reason": text,
        "first_observed_at": optional(moment),
        "category": _TEXT_OR_NONE,
        "metadata": mapping,
        "valid_from": optional(moment),
        "valid_to": optional(moment),
    },
)

INSTRUCTION: Final = fields(
    {"text": text},
    {
        **_LEARNED,
        "priority": one_of(PRIORITIES),
        "gloss": text,
        "reason": text,
        "agent": _TEXT_OR_NONE,
        "session": _TEXT_OR_NONE,
    },
)

WATERMARK: Final = fields(
    {},
    {
        **dict.fromkeys(("life", "seq", "tries", "count"), count),
        **dict.fromkeys(("next", "lease"), number),
        **dict.fromkeys(("state", "error", "worker", "item", "digest"), text),
        "again": list_of(nonempty),
    },
)

WATERMARK_LINE: Final = fields(
    {"session": nonempty, "item": nonempty, "digest": text}, {"again": list_of(nonempty)}
)
"""Of a line of an export: what is in it does not depend on the store."""

REFUSED: Final = fields(
    {"kind": one_of(("fact", "instruction")), "text": text, "reason": text},
    {
        "status": text,
        "sources": list_of(_SOURCE),
        "gloss": text,
        "refused_at": optional(moment),
    },
)

BUDGET: Final = fields({}, {"day": text, "calls": count, "tokens": count})

STORE: Final = fields({"encryption": text}, {"unfinished": flag})

EMPTY: Final = fields({})
"""Of kinds that only mark something, such as `forgotten` and `response_gap`."""

CHECKPOINT_THREAD: Final = fields(
    {"thread": text, "namespace": text},
    {"user": _ID_OR_NONE, "unordered": flag, "newest": text},
)
