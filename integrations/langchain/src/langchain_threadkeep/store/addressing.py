"""Which stream holds a namespace, and which record a key; any text may be a label or a key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote

from langgraph.store.base import InvalidNamespaceError

from threadkeep import Memory

Namespace = tuple[str, ...]

_LIMIT: Final = 512  # bytes of a stream's name or a record's id
_HASHED: Final = "=/"  # no quoted label looks like this


class Places:
    """The streams of a store, in the namespace of a Memory."""

    def __init__(self, memory: Memory) -> None:
        self._engine = memory.engine
        self._root = self._engine.stream("store", "x").removesuffix("x")

    def stream(self, namespace: Namespace) -> str:
        """The stream of a namespace; a name that is too long is hashed."""
        name = self._root + "/".join(map(_quoted, namespace))
        if len(name) <= _LIMIT:
            return name
        return f"{self._root}{_HASHED}{_digest(repr(namespace))}"

    def is_hashed(self, namespace: Namespace) -> bool:
        """Whether the stream's name does not say which namespace it holds."""
        return self.stream(namespace).startswith(self._root + _HASHED)

    def below(self, prefix: Namespace) -> Iterator[tuple[str, Namespace | None]]:
        """Streams that may hold namespaces of a prefix; what a hashed one holds, it says itself."""
        hashed = self._root + _HASHED
        if prefix:
            yield self.stream(prefix), prefix
            for name in self._listed(hashed):
                yield name, None
        start = self._root + "".join(_quoted(label) + "/" for label in prefix)
        if len(start) <= _LIMIT:
            for name in self._listed(start):
                yield name, None if name.startswith(hashed) else self._named(name)

    def _listed(self, prefix: str) -> Iterator[str]:
        cursor: Any = None
        while True:
            names, cursor = self._engine.streams(prefix, cursor=cursor, limit=1_000)
            yield from names
            if cursor is None:
                return

    def _named(self, stream: str) -> Namespace:
        labels = stream.removeprefix(self._root).split("/")
        return tuple(unquote(label, errors="surrogatepass") for label in labels)


def record_id(key: str) -> str:
    """The record's id for a key: the key itself where every store can take it, else its hash."""
    if key and key.isascii() and len(key) <= _LIMIT and "\0" not in key and key[0] != "=":
        return key
    return f"={_digest(key)}"


def checked(namespace: Sequence[str], *, whole: bool = False) -> Namespace:
    """The namespace, if it is one; labels may have dots, as the addresses of users do.

    Args:
        namespace: its labels.
        whole: it is to be written to, so it may not be empty nor LangGraph's own.

    Raises:
        InvalidNamespaceError: a label is no text, or empty.
    """
    if whole and not namespace:
        raise InvalidNamespaceError("Namespace cannot be empty.")
    for label in namespace:
        if not isinstance(label, str) or not label or "\0" in label:
            raise InvalidNamespaceError(
                f"Invalid namespace label {label!r} in {namespace}: it must be a text, not empty, "
                "without NUL"
            )
    if whole and namespace[0] == "langgraph":
        raise InvalidNamespaceError(f'Root label for namespace cannot be "langgraph": {namespace}')
    return tuple(namespace)


def _quoted(label: str) -> str:
    return quote(label, safe="", errors="surrogatepass")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
