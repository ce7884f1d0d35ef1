"""What forms refer to, and the queries that read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from langchain_threadkeep.saver.records import CheckpointBody
from langchain_threadkeep.saver.values import Form, walk
from threadkeep import Query

_IDS: Final = 500
"""Ids in one query."""


def forms_of(body: CheckpointBody) -> Iterator[Form]:
    yield from body.values.values()
    yield from body.metadata.values()
    yield from body.fields.get("extra", {}).values()


def tagged(forms: Iterable[Form], tag: str) -> list[Any]:
    return [content for form in forms for form_tag, content in walk(form) if form_tag == tag]


def part_ids(value_refs: Iterable[Any]) -> list[str]:
    return list(
        dict.fromkeys(f"{name}.{number}" for name, count in value_refs for number in range(count))
    )


def unique(ids: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(id for id_group in ids for id in id_group))


def id_queries(stream: str, kind: str, ids: Sequence[str]) -> list[Query]:
    return [
        Query(stream, kind, ids=ids[batch_start : batch_start + _IDS])
        for batch_start in range(0, len(ids), _IDS)
    ]
