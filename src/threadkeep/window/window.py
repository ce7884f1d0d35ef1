"""`Window`: the items a model sees, in the shape of each provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from threadkeep import messages
from threadkeep.core.cache.cached_item import CachedItem
from threadkeep.messages import AnthropicMessages
from threadkeep.protocols import TokenCounter
from threadkeep.types import Item
from threadkeep.window import tokens


class Window(list[Item]):
    """Items for a model, oldest first: every tool call answered, no result without its call.

    An unanswered call that is followed by anything has a synthetic error result
    (`metadata["synthetic"]`), which is never stored.

    Attributes:
        dropped: how many tool results are not here though they are no older than the first item
            (that is not pinned): their call is gone.
    """

    def __init__(
        self,
        items: Iterable[Item] = (),
        *,
        dropped: int = 0,
        counter: TokenCounter | None = None,
    ) -> None:
        super().__init__(items)
        self.dropped = dropped
        self._counter = counter
        self._handed: list[tuple[Item, CachedItem | None]] = []

    def own(self, lent: Mapping[int, CachedItem]) -> None:
        """Put copies in the place of items that others are shown as well, given by their `id()`."""
        masters = [lent.get(id(item)) for item in self]
        if None in masters:
            pairs = zip(self, masters, strict=True)
            self[:] = [item if master is None else master.copy() for item, master in pairs]
        else:
            self[:] = [master.copy() for master in masters if master]
        self._handed = list(zip(self, masters, strict=True))

    @property
    def tokens(self) -> int:
        """Tokens of all items, by the counter of the window (`tokens.default()`)."""
        return tokens.total(self, self._counter)

    def to_openai(self) -> list[dict[str, Any]]:
        """The `messages` of an OpenAI Chat Completions request."""
        return messages.to_openai(self, self._masters())

    def to_responses(self) -> list[dict[str, Any]]:
        """The `input` of an OpenAI Responses request."""
        return messages.to_responses(self)

    def to_anthropic(self) -> AnthropicMessages:
        """The `messages` of an Anthropic Messages request; its `system` stands in `.system`."""
        return messages.to_anthropic(self)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handed": []}

    def _masters(self) -> list[CachedItem | None]:
        """The master of each item that still says what it said when it was handed out."""
        if len(self._handed) != len(self):
            return []
        return [
            master if item is copy and master and master.is_like(item) else None
            for item, (copy, master) in zip(self, self._handed, strict=True)
        ]

    def __repr__(self) -> str:
        return f"<Window of {len(self)} items, {self.dropped} dropped>"

    def _repr_html_(self) -> str:
        return shown(self, f"{len(self)} items, {self.tokens} tokens")


def shown(items: Iterable[Item], note: str) -> str:
    """Items as a table for notebooks: escaped, short, in the colours of the page."""
    import html  # for notebooks only

    rows = "".join(
        f"<tr><td style='opacity:.6'>{html.escape(item.name or item.role)}</td>"
        "<td style='text-align:left;white-space:pre-wrap'>"
        f"{html.escape(_short(item))}</td></tr>"
        for item in items
    )
    return f"<table>{rows}</table><small>{html.escape(note)}</small>"


def _short(item: Item) -> str:
    calls = ", ".join(f"{call.get('name')}(…)" for call in item.tool_calls)
    said = " ".join(part for part in (item.text, calls) if part)
    return said if len(said) <= 200 else f"{said[:199]}…"
