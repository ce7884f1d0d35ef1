"""What the model sees of a session: chosen newest first, sound for every provider."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from threadkeep import providers, tokens
from threadkeep.errors import ConfigError
from threadkeep.groups import flat, group, sound, speaker, visible
from threadkeep.policies.units import Pinned, each, newest_user_turn, nothing
from threadkeep.protocols import Policy, TokenCounter
from threadkeep.providers import AnthropicMessages
from threadkeep.types import Item

PAGE: Final = 64
LOOKBACK: Final = 2_000

Fetch = Callable[[int, int], list[Item]]
"""The items before a seq: `fetch(before, limit)`, oldest first."""


class Window(list[Item]):
    """Items for a model, oldest first: every tool call answered, no result without its call.

    An unanswered call that is followed by anything has a synthetic error result
    (`metadata["synthetic"]`), which is never stored.

    Attributes:
        dropped: how many tool results within reach were left out, because their call is gone.
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

    @property
    def tokens(self) -> int:
        """Tokens of all items, by the counter of the window (`tokens.default()`)."""
        return tokens.total(self, self._counter)

    def to_openai(self) -> list[dict[str, Any]]:
        """The `messages` of an OpenAI Chat Completions request."""
        return providers.to_openai(self)

    def to_responses(self) -> list[dict[str, Any]]:
        """The `input` of an OpenAI Responses request."""
        return providers.to_responses(self)

    def to_anthropic(self) -> AnthropicMessages:
        """The `messages` of an Anthropic Messages request; its `system` stands in `.system`."""
        return providers.to_anthropic(self)

    def __repr__(self) -> str:
        return f"<Window of {len(self)} items, {self.dropped} dropped>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='opacity:.6'>{html.escape(item.name or item.role)}</td>"
            "<td style='text-align:left;white-space:pre-wrap'>"
            f"{html.escape(_short(item))}</td></tr>"
            for item in self
        )
        return f"<table>{rows}</table><small>{len(self)} items, {self.tokens} tokens</small>"


def choose(
    page: list[Item],
    head: list[Item],
    fetch: Fetch,
    policies: Sequence[Policy],
    *,
    now: float,
    size: int,
    lookback: int = LOOKBACK,
    counter: TokenCounter | None = None,
) -> Window:
    """The window that the policies leave of a history.

    Args:
        page: the newest items, at most `size`; fewer say that there are no more.
        head: the first items, for policies that pin how a conversation opens.
        fetch: reads on, towards older items.
        policies: applied in order.
        now: the clock's time.
        size: how many items `page` was to hold.
        lookback: how many items are read at most.
        counter: what `Window.tokens` counts with.

    Raises:
        ConfigError: a policy returned something other than items.
    """
    pinned = _pins(policies)
    bound = [_bound(policy, now, pinned) for policy in policies]
    items, more = page, len(page) >= size
    while more and len(items) < lookback and _wants_older(items, bound):
        size = min(size * 2, 500, lookback - len(items))
        older = fetch(items[0].seq, size)
        items, more = older + items, len(older) >= size
    if more:
        items = [i for i in head if pinned(i) and i.seq < items[0].seq] + items
    return _trim(items, bound, counter)


def first_page(policies: Sequence[Policy], lookback: int) -> int:
    """How many items the first read asks for: enough for one read to be the normal case."""
    if not any(hasattr(policy, "need") for policy in policies):
        return lookback
    return min(lookback, *(getattr(policy, "reach", PAGE) for policy in policies))


def _pins(policies: Sequence[Policy]) -> Pinned:
    pins = [pin for policy in policies if (pin := getattr(policy, "pin", None))]
    return (lambda item: any(pin(item) for pin in pins)) if pins else nothing


def _bound(policy: Policy, now: float, pinned: Pinned) -> Policy:
    bind = getattr(policy, "bind", None)
    bound: Policy = policy if bind is None else bind(now=now, pinned=pinned)
    return bound


def _wants_older(items: list[Item], policies: Sequence[Policy]) -> bool:
    if not _has_user_turn(items):
        return True
    kept: list[Item] = sound(items)[0] if len(policies) > 1 else items
    for policy in policies:
        need = getattr(policy, "need", None)
        if need is not None and not need(kept):
            return False
        if len(policies) > 1:
            kept = _apply(policy, kept)
    return True


def _has_user_turn(items: list[Item]) -> bool:
    """Whether the newest user turn is here from its start."""
    spoken = False
    for item in reversed(items):
        if visible(item):
            if spoken and speaker(item) != "user":
                return True
            spoken = spoken or speaker(item) == "user"
    return False


def _trim(items: list[Item], policies: Sequence[Policy], counter: TokenCounter | None) -> Window:
    kept, orphans = sound(items)
    newest = flat(group(kept)[0][-1:])
    for policy in policies:
        kept = _apply(policy, kept)
    kept = kept or newest
    front = kept[0].seq if kept else 0
    return Window(kept, dropped=sum(o.seq >= front for o in orphans), counter=counter)


def _apply(policy: Policy, items: list[Item]) -> list[Item]:
    kept = list(policy(items))
    if getattr(policy, "sound", False):
        return kept
    if wrong := next((entry for entry in kept if not isinstance(entry, Item)), None):
        raise ConfigError(f"the policy {policy!r} must return Items, got a {type(wrong).__name__}")
    return _settled(items, kept, turn=not getattr(policy, "filters", False))


def _settled(items: list[Item], kept: list[Item], *, turn: bool) -> list[Item]:
    """What a policy kept, in order and groups whole, with the newest user turn if `turn`."""
    by_id = {item.id: item for item in kept}
    groups = group(items)[0]
    must = newest_user_turn(each(groups)) if turn else set()
    whole = [
        found
        for number, found in enumerate(groups)
        if number in must or all(item.id in by_id for item in found.items)
    ]
    return [by_id.get(item.id, item) for item in flat(whole)]


def _short(item: Item) -> str:
    calls = ", ".join(f"{call.get('name')}(…)" for call in item.tool_calls)
    said = " ".join(part for part in (item.text, calls) if part)
    return said if len(said) <= 200 else f"{said[:199]}…"
