"""Media given as `BinaryContent`, which the framework reads back from JSON as a narrower class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic_ai.messages import BinaryContent

Path = list[int | str]


def wide_paths(content: object) -> list[Path]:
    """Where in a part's content media stand that would come back as another class."""
    return list(_walk(content, []))


def widen(content: Any, path: Sequence[int | str]) -> Any:
    """The content with the media at a path as `BinaryContent`."""
    if not path:
        return _wide(content) if isinstance(content, BinaryContent) else content
    first_key, *inner_path = path
    copy: Any = dict(content) if isinstance(content, Mapping) else list(content)
    copy[first_key] = widen(content[first_key], inner_path)
    return copy


def _walk(value: object, path: Path) -> Iterator[Path]:
    if type(value) is BinaryContent:
        if type(BinaryContent.narrow_type(value)) is not BinaryContent:
            yield path
    elif isinstance(value, Mapping):
        for key, element in value.items():
            yield from _walk(element, [*path, key])
    elif isinstance(value, list | tuple):
        for index, element in enumerate(value):
            yield from _walk(element, [*path, index])


def _wide(narrow: BinaryContent) -> BinaryContent:
    return BinaryContent(
        narrow.data,
        media_type=narrow.media_type,
        vendor_metadata=narrow.vendor_metadata,
        identifier=narrow.identifier,
    )
