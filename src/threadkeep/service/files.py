"""File metadata as `get_files` returns it: as `store_file` received it, as a list and by url."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, KeysView, Mapping, ValuesView
from datetime import datetime
from typing import Any, Final, SupportsIndex, TypeVar, overload

from threadkeep.errors import InputError
from threadkeep.types import File, Json

_ORIGINALS: Final = "history_given"

T = TypeVar("T")


class HistoryFiles(list[dict[str, Json]]):
    """The files of a session: a list of their metadata, which also answers by url, else by name.

    `for file in files`, `files[0]` and `json.dumps(files)` see a list, as a gateway of Solace
    Agent Mesh expects; `files["s3://b/report.csv"]`, `files.get(url)`, `url in files`,
    `files.keys()`, `dict(files)` and a comparison with a dict see a mapping by url, as its
    documentation has it.
    """

    def __init__(self, files: Iterable[tuple[str, dict[str, Json]]] = ()) -> None:
        self._by_key = dict(files)
        super().__init__(self._by_key.values())

    @overload
    def __getitem__(self, key: SupportsIndex) -> dict[str, Json]: ...

    @overload
    def __getitem__(self, key: slice) -> list[dict[str, Json]]: ...

    @overload
    def __getitem__(self, key: str) -> dict[str, Json]: ...

    def __getitem__(self, key: SupportsIndex | slice | str) -> Any:
        return self._by_key[key] if isinstance(key, str) else super().__getitem__(key)

    def __contains__(self, value: object) -> bool:
        return value in self._by_key if isinstance(value, str) else super().__contains__(value)

    def __eq__(self, other: object) -> bool:
        return self._by_key == other if isinstance(other, Mapping) else super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # a list

    def get(self, key: str, default: T | None = None) -> dict[str, Json] | T | None:
        """The metadata of a url, else name."""
        return self._by_key.get(key, default)

    def keys(self) -> KeysView[str]:
        """The urls, names of files without one."""
        return self._by_key.keys()

    def values(self) -> ValuesView[dict[str, Json]]:
        """The metadata of each file."""
        return self._by_key.values()

    def items(self) -> ItemsView[str, dict[str, Json]]:
        """Pairs of url, else name, and metadata."""
        return self._by_key.items()


def as_file(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The dict for `session.files.add`, with a copy of the values that it would normalize."""
    if not isinstance(metadata, Mapping):
        raise InputError(f"file must be a dict, got {type(metadata).__name__}")
    original_fields = {key: value for key, value in metadata.items() if _is_normalized(key, value)}
    return {**metadata, _ORIGINALS: original_fields} if original_fields else dict(metadata)


def original_metadata(file: File) -> dict[str, Json]:
    """The metadata as `store_file` received it."""
    metadata = file.to_dict()
    originals = metadata.pop(_ORIGINALS, {})
    return {**metadata, **originals}


def _is_normalized(key: str, value: object) -> bool:
    if key == "expiration_timestamp":
        return not isinstance(value, datetime)
    return value is None or value == ""
