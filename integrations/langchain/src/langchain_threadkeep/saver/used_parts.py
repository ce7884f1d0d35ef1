"""Which records of a stream checkpoints need, so that a prune deletes the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from langchain_threadkeep.saver import references
from langchain_threadkeep.saver.form_references import forms_of, part_ids, tagged
from langchain_threadkeep.saver.list_values import RunSpan
from langchain_threadkeep.saver.loaded_parts import LoadedParts
from langchain_threadkeep.saver.records import TEXT, CheckpointBody
from langchain_threadkeep.saver.segments import keys_of
from langchain_threadkeep.saver.values import Form


class Used(NamedTuple):
    """What checkpoints refer to: the ids of parts of large values, and digests of elements."""

    values: set[str]
    elements: set[str]


def used_by(loaded_parts: LoadedParts, bodies: Sequence[CheckpointBody]) -> Used:
    """What these checkpoints refer to, which were loaded."""
    stored_forms: list[Form] = [stored_form for body in bodies for stored_form in forms_of(body)]
    stored_forms += _write_forms(loaded_parts, bodies)
    value_ids, element_ids = set[str](), set[str]()
    while stored_forms:
        element_keys = _element_keys(loaded_parts, stored_forms)
        stored_forms += [json.loads(key)["e"] for key in element_keys if key.startswith("{")]
        message_refs = [key for key in element_keys if not key.startswith("{")]
        message_refs += tagged(stored_forms, "m")
        element_ids.update(map(references.element_id, message_refs))
        element_ids.update(_text_elements(loaded_parts, tagged(stored_forms, "t")))
        value_refs = [
            value_ref
            for value_ref in tagged(stored_forms, "v")
            if f"{value_ref[0]}.0" not in value_ids
        ]
        value_ids.update(part_ids(value_refs))
        stored_forms = _inner_forms(loaded_parts, [name for name, _ in value_refs], message_refs)
    return Used(value_ids, element_ids)


def _write_forms(loaded_parts: LoadedParts, bodies: Sequence[CheckpointBody]) -> list[Form]:
    """The forms of pending writes: those in records of their own, then those of checkpoints."""
    chunks = [chunk for write_chunks in loaded_parts.chunks.values() for chunk in write_chunks]
    return [
        *(write.form for chunk in chunks for write in chunk.writes),
        *(write.form for body in bodies for write in body.writes),
    ]


def _element_keys(loaded_parts: LoadedParts, forms: Sequence[Form]) -> list[str]:
    """The keys of the elements of the long lists among forms."""
    span_lists = [[RunSpan(*span) for span in spans] for spans in tagged(forms, "r")]
    return [key for spans in span_lists for key in keys_of(spans, loaded_parts.segments)[0]]


def _text_elements(loaded_parts: LoadedParts, text_names: Sequence[str]) -> list[str]:
    """The ids of the elements that hold texts, or the messages which say them."""
    message_refs = [loaded_parts.texts.get(name, {}).get("of") for name in text_names]
    return [
        *(TEXT + name for name in text_names),
        *(references.element_id(reference) for reference in message_refs if reference),
    ]


def _inner_forms(
    loaded_parts: LoadedParts, value_names: Sequence[str], message_refs: Sequence[str]
) -> list[Form]:
    """The forms inside large values and inside the elements of messages."""
    large_forms = [
        loaded_parts.large_forms[name] for name in value_names if name in loaded_parts.large_forms
    ]
    elements = map(loaded_parts.stored_elements.get, map(references.element_id, message_refs))
    stored_elements = [element for element in elements if element]
    return [
        *large_forms,
        *(element["form"] for element in stored_elements if "form" in element),
        *({"m": element["of"]} for element in stored_elements if "of" in element),
    ]
