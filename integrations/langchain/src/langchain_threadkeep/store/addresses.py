"""Map namespaces to streams and keys to records; labels and keys may be any text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote

from langgraph.store.base import InvalidNamespaceError

from threadkeep import Memory
from threadkeep.adapters.shared import record_store
from threadkeep.printable import shown

Namespace = tuple[str, ...]

_MAX_BYTES: Final = 512  # bytes of a stream's name or a record's id
_HASHED: Final = "=/"  # no quoted label looks like this


class NamespaceStreams:
    """The streams of a store, in the namespace of a Memory."""

    def __init__(self, memory: Memory) -> None:
        self._records = record_store(memory)
        self._root = self._records.stream("store", "x").removesuffix("x")

    def stream(self, namespace: Namespace) -> str:
        """Return the stream name of a namespace; a name that is too long is hashed."""
        stream_name = self._root + "/".join(map(_quote, namespace))
        if len(stream_name) <= _MAX_BYTES:
            return stream_name
        return f"{self._root}{_HASHED}{_digest(repr(namespace))}"

    def is_hashed(self, namespace: Namespace) -> bool:
        """Return True if the stream name is a hash, which does not reveal the namespace."""
        return self.stream(namespace).startswith(self._root + _HASHED)

    def under(self, prefix: Namespace) -> Iterator[tuple[str, Namespace | None]]:
        """Yield streams that may hold namespaces of a prefix; `None` = read it from the records."""
        hashed_prefix = self._root + _HASHED
        if prefix:
            yield self.stream(prefix), prefix
            for stream_name in self._stream_names(hashed_prefix):
                yield stream_name, None
        path_prefix = self._root + "".join(_quote(label) + "/" for label in prefix)
        if len(path_prefix) <= _MAX_BYTES:
            for stream_name in self._stream_names(path_prefix):
                yield (
                    stream_name,
                    None
                    if stream_name.startswith(hashed_prefix)
                    else self._namespace_of(stream_name),
                )

    def _stream_names(self, prefix: str) -> Iterator[str]:
        cursor: Any = None
        while True:
            stream_names, cursor = self._records.streams(prefix, cursor=cursor, limit=1_000)
            yield from stream_names
            if cursor is None:
                return

    def _namespace_of(self, stream: str) -> Namespace:
        labels = stream.removeprefix(self._root).split("/")
        return tuple(unquote(label, errors="surrogatepass") for label in labels)


def record_id(key: str) -> str:
    """Return the record id of a key: the key itself if all stores accept it, else its hash."""
    if key and key.isascii() and len(key) <= _MAX_BYTES and "\0" not in key and key[0] != "=":
        return key
    return f"={_digest(key)}"


def validated(namespace: Sequence[str], *, for_write: bool = False) -> Namespace:
    """Validate a namespace; labels may contain dots, as in email addresses.

    Args:
        namespace: its labels.
        for_write: also refuse an empty namespace and LangGraph's reserved one.

    Raises:
        InvalidNamespaceError: it is a text itself, or a label is empty or not a text.
    """
    if isinstance(namespace, str):
        raise InvalidNamespaceError(
            f"a namespace is a tuple of texts, got the text {shown(namespace)}: "
            f"write ({shown(namespace)},)"
        )
    if for_write and not namespace:
        raise InvalidNamespaceError("Namespace cannot be empty.")
    for label in namespace:
        if not isinstance(label, str) or not label or "\0" in label:
            raise InvalidNamespaceError(
                f"Invalid namespace label {shown(label)} in {shown(tuple(namespace))}: "
                "it must be a text, not empty, without NUL"
            )
    if for_write and namespace[0] == "langgraph":
        raise InvalidNamespaceError('Root label for namespace cannot be "langgraph"')
    return tuple(namespace)


def _quote(label: str) -> str:
    return quote(label, safe="", errors="surrogatepass")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
