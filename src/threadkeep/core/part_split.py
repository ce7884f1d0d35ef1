"""Takes the large parts out of the JSON of an item."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from threadkeep.core import names
from threadkeep.core.parts import (
    FIELD,
    ITEM_FIELDS,
    TEXT_KEYS,
    Blob,
    BlobReference,
    Path,
    head,
    is_large,
    put_at,
    size_of,
)
from threadkeep.types import Json

_WHOLE: Final = (("content",), ("raw", "data"))
_DATA_URL: Final = re.compile(r"data:[^,]{0,200};base64,")


def split(
    fields: Mapping[str, Json], dumps: Callable[[Json], str], most: int
) -> tuple[dict[str, Json], list[Blob]]:
    """The fields of a record without large parts, and the parts.

    Args:
        fields: JSON of an item.
        dumps: encodes it.
        most: bytes that may remain, if content and raw payload can be taken out as a whole.
    """
    splitter = _Splitter(dumps)
    slim_fields = {
        field_name: splitter.shrink(value, (field_name,)) if field_name in ITEM_FIELDS else value
        for field_name, value in fields.items()
    }
    for path in _WHOLE:
        if size_of(dumps(slim_fields)) > most and _find(slim_fields, path):
            slim_fields = put_at(slim_fields, path, splitter.take_json(_find(fields, path), path))
    if splitter.references:
        slim_fields[FIELD] = [reference.as_json() for reference in splitter.references]
    return slim_fields, list(splitter.blobs.values())


class _Splitter:
    """Takes large parts out of JSON, without changing it."""

    def __init__(self, dumps: Callable[[Json], str]) -> None:
        self.references: list[BlobReference] = []
        self._blobs: dict[str, Blob] = {}
        self._dumps = dumps

    @property
    def blobs(self) -> dict[str, Blob]:
        """The parts that were taken out, by id."""
        return {reference.id: self._blobs[reference.id] for reference in self.references}

    def shrink(self, value: Json, path: Path) -> Json:
        """The value with a short one in the place of each large part.

        Of lists in opaque parts, the whole list is one part; a dict stays one, since its type
        and ids say to which other part it belongs.
        """
        if isinstance(value, str):
            return self._take_text(value, path) if is_large(value) else value
        if isinstance(value, Mapping):
            return {key: self.shrink(child, (*path, key)) for key, child in value.items()}
        if not isinstance(value, (list, tuple)):
            return value
        shrunk_list = [self.shrink(child, (*path, index)) for index, child in enumerate(value)]
        if len(path) < 2 or not is_large(self._dumps(shrunk_list)):
            return shrunk_list
        return self.take_json(value, path)

    def take_json(self, value: Json, path: Path) -> Json:
        """Take out a part as JSON; returns what stays in its place."""
        self.references = [
            reference for reference in self.references if reference.path[: len(path)] != path
        ]
        self._take(self._dumps(value), path, is_json=True)
        if path == ("content",):
            block_texts = (block.get("text") for block in value if isinstance(block, Mapping))
            return head("\n".join(text for text in block_texts if isinstance(text, str)))
        return [] if isinstance(value, (list, tuple)) else {}

    def _take_text(self, text: str, path: Path) -> str:
        data_url_match = _DATA_URL.match(text)
        data_url_prefix = data_url_match[0] if data_url_match else ""
        self._take(text[len(data_url_prefix) :], path, before=data_url_prefix)
        return head(text) if path[-1] in TEXT_KEYS else ""

    def _take(self, text: str, path: Path, *, before: str = "", is_json: bool = False) -> None:
        blob = Blob.of(names.join_surrogates(text))
        self._blobs[blob.id] = blob
        self.references.append(
            BlobReference(path, blob.id, len(blob.text), blob.piece_count, before, is_json)
        )


def _find(value: Json, path: Path) -> Json:
    for path_step in path:
        value = value.get(path_step) if isinstance(value, Mapping) else None
    return value if isinstance(value, (list, dict)) else None
