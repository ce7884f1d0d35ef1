"""`trim_messages`, with the signature of LangChain's."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.messages import BaseMessage, SystemMessage, convert_to_messages
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import RunnableLambda

from langchain_threadkeep.trimming.counters import Counter, counter
from langchain_threadkeep.trimming.units import Splitter, Unit, cut, newest, units

Types = str | type[BaseMessage] | Sequence[str | type[BaseMessage]] | None


def trim_messages(
    messages: Iterable[Any] | PromptValue | None = None,
    *,
    max_tokens: int,
    token_counter: Any,
    strategy: Literal["first", "last"] = "last",
    allow_partial: bool = False,
    end_on: Types = None,
    start_on: Types = None,
    include_system: bool = False,
    text_splitter: Any = None,
) -> Any:
    """As `langchain_core.messages.trim_messages`; without messages, a runnable.

    Tool calls and their results stay together, and a result without its call goes. What a person
    said last, and what stands at the end, stays whatever the budget, so that a prompt is never
    empty; `allow_partial` cuts it if it alone is too long. Counters get messages in their order.

    Args:
        messages: what to trim; `None` makes a runnable of them.
        max_tokens: the budget.
        token_counter: a model, a callable of messages or of one message, or `approximate`.
        strategy: which end is kept.
        allow_partial: cut the text of the message at the border; its other parts stay.
        end_on: the types that may stand at the end; ignored if none does.
        start_on: the types that may stand at the beginning, behind system messages.
        include_system: keep all system messages, in their places.
        text_splitter: a callable, or a text splitter; lines by default.

    Raises:
        ValueError: an option is not known, or goes with the strategy `last` only.
    """
    if strategy not in ("first", "last"):
        raise ValueError(f"strategy must be 'first' or 'last', got {strategy!r}")
    if strategy == "first" and (start_on or include_system):
        raise ValueError("start_on and include_system are only valid with strategy='last'")
    trim = _Trim(
        max_tokens,
        counter(token_counter),
        _splitter(text_splitter) if allow_partial else None,
        _test(end_on),
        _test(start_on),
        include_system,
    )
    run = functools.partial(_run, trim.last if strategy == "last" else trim.first)
    return RunnableLambda(run, name="trim_messages") if messages is None else run(messages)


def _run(trim: Callable[[list[Unit]], list[Unit]], messages: Any) -> list[BaseMessage]:
    found = units(convert_to_messages(messages))
    return [message for unit in trim(found) for message in unit] if found else []


@dataclass(frozen=True)
class _Trim:
    """How to trim."""

    limit: int
    count: Counter
    split: Splitter | None
    ends: Callable[[BaseMessage], bool]
    starts: Callable[[BaseMessage], bool]
    system: bool

    def last(self, found: list[Unit]) -> list[Unit]:
        """The newest units that fit."""
        found = self._ended(found)
        must = last = newest(found)
        if self.system:
            must = last | {n for n, unit in enumerate(found) if isinstance(unit[0], SystemMessage)}
        border = self._front(found, must)
        kept = sorted(must | set(range(border + 1, len(found))))
        if border >= 0 and (part := self._part(found, kept, border)):
            found = [*found[:border], part, *found[border + 1 :]]
            kept = sorted({*kept, border})
        found = self._shrunk(found, kept, last)
        return self._started([(n in must, found[n]) for n in kept])

    def first(self, found: list[Unit]) -> list[Unit]:
        """The oldest units that fit."""
        if part := self._cut(found[:1], 0, end=False):
            return [part]
        size = 1
        while size < len(found) and self._fits(found[: size + 1]):
            size += 1
        kept = found[:size]
        if size < len(found) and self.split is not None:
            more = cut(found[size], lambda p: self._fits([*kept, p]), self.split, end=False)
            kept = [*kept, more] if more else kept
        return self._ended(kept)

    def _front(self, found: list[Unit], must: set[int]) -> int:
        """The newest unit that does not fit, going back; -1 if all do.

        Units are counted one by one, and then as a whole: many counters add something per prompt.
        """
        spent = sum(self.count(found[n]) for n in must)
        place = len(found) - 1
        while place >= 0 and (
            place in must or (spent := spent + self.count(found[place])) <= self.limit
        ):
            place -= 1
        while place < len(found) - 1 and not self._holds(found, must, place):
            place += 1
        while place >= 0 and (place in must or self._holds(found, must, place - 1)):
            place -= 1
        return place

    def _holds(self, found: list[Unit], must: set[int], place: int) -> bool:
        """Whether everything behind a place fits, with what must stay."""
        return self._fits([unit for n, unit in enumerate(found) if n > place or n in must])

    def _part(self, found: list[Unit], kept: list[int], border: int) -> Unit | None:
        places = sorted({*kept, border})
        return self._cut([found[n] for n in places], places.index(border), end=True)

    def _shrunk(self, found: list[Unit], kept: list[int], last: set[int]) -> list[Unit]:
        """The units; what stays whatever the budget is cut if that is not kept otherwise."""
        shrunk = list(found)
        for place in sorted(last):
            units = [shrunk[n] for n in kept]
            shrunk[place] = self._cut(units, kept.index(place), end=True) or shrunk[place]
        return shrunk

    def _cut(self, kept: list[Unit], place: int, *, end: bool) -> Unit | None:
        """The unit of a place, cut so that all fits; `None` if it does anyway, or never will."""
        if self.split is None or self._fits(kept):
            return None
        before, behind = kept[:place], kept[place + 1 :]
        return cut(
            kept[place], lambda part: self._fits([*before, part, *behind]), self.split, end=end
        )

    def _fits(self, kept: list[Unit]) -> bool:
        return self.count([message for unit in kept for message in unit]) <= self.limit

    def _ended(self, found: list[Unit]) -> list[Unit]:
        for size in range(len(found), 0, -1):
            if self.ends(found[size - 1][-1]):
                return found[:size]
        return found

    def _started(self, kept: list[tuple[bool, Unit]]) -> list[Unit]:
        """Without what may not stand at the beginning, unless it must stay."""
        while True:
            place = next(
                (n for n, (_, unit) in enumerate(kept) if not isinstance(unit[0], SystemMessage)),
                len(kept),
            )
            if place == len(kept) or kept[place][0] or self.starts(kept[place][1][0]):
                return [unit for _, unit in kept]
            del kept[place]


def _test(types: Types) -> Callable[[BaseMessage], bool]:
    if types is None:
        return lambda _: True
    listed = [types] if isinstance(types, (str, type)) else types
    names = {kind for kind in listed if isinstance(kind, str)}
    classes = tuple(kind for kind in listed if isinstance(kind, type))
    return lambda message: message.type in names or isinstance(message, classes)


def _splitter(given: Any) -> Splitter:
    if given is None:
        return lambda text: text.splitlines(keepends=True)
    split: Splitter = getattr(given, "split_text", given)
    return split
