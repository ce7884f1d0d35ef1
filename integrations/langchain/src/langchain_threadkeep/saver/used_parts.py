"""Which records of a stream checkpoints need, so that a prune deletes the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from langchain_threadkeep.saver import references
from langchain_threadkeep.saver.form_references import forms_of, part_ids, tagged
from langchain_threadkeep.saver.library import Library
from langchain_threadkeep.saver.list_values import RunSpan
from langchain_threadkeep.saver.records import TEXT, CheckpointBody
from langchain_threadkeep.saver.segments import keys_of
from langchain_threadkeep.saver.values import Form


class Used(NamedTuple):
    """What checkpoints refer to: the ids of parts of large values, and digests of elements."""

    values: set[str]
    elements: set[str]


def used_by(library: Library, bodies: Sequence[CheckpointBody]) -> Used:
    """What these checkpoints refer to, which were loaded."""
    pending = [w.form for chunks in library.chunks.values() for c in chunks for w in c.writes]
    pending += [write.form for body in bodies for write in body.writes]
    forms: Sequence[Form] = [form for body in bodies for form in forms_of(body)] + pending
    values, elements = set[str](), set[str]()
    while forms:
        spans = [[RunSpan(*span) for span in spans] for spans in tagged(forms, "r")]
        keys = [key for s in spans for key in keys_of(s, library.segments)[0]]
        forms = [*forms, *(json.loads(key)["e"] for key in keys if key.startswith("{"))]
        refs = [key for key in keys if not key.startswith("{")] + tagged(forms, "m")
        elements.update(map(references.element_id, refs))
        elements.update(TEXT + name for name in tagged(forms, "t"))
        text_references = [library.texts.get(name, {}).get("of") for name in tagged(forms, "t")]
        elements.update(references.element_id(ref) for ref in text_references if ref)
        names = [v for v in tagged(forms, "v") if f"{v[0]}.0" not in values]
        values.update(part_ids(names))
        inner = [library.large_forms[name] for name, _ in names if name in library.large_forms]
        stored = [library.stored_elements.get(references.element_id(ref)) for ref in refs]
        inner += [e["form"] for e in stored if e and "form" in e]
        inner += [{"m": e["of"]} for e in stored if e and "of" in e]
        forms = inner
    return Used(values, elements)
