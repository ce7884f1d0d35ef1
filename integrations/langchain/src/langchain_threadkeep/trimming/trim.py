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
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.printable import shown

Types = str | type[BaseMessage] | Sequence[str | type[BaseMessage]] | None


@strict_arguments
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
    """Trim messages as `langchain_core.messages.trim_messages`; without messages, a runnable.

    Tool calls and their results stay together, and results without a call are dropped. The last
    user message and the final message are kept regardless of the budget, so that a prompt is never
    empty; `allow_partial` cuts them if they alone are too long. Counters get messages in order.

    Args:
        messages: the messages to trim; `None` returns a runnable.
        max_tokens: the budget.
        token_counter: a model, a callable of messages or of one message, or `approximate`.
        strategy: which end to keep.
        allow_partial: cut the text of the message at the border; its other parts are kept.
        end_on: the types allowed at the end; ignored if no message has one.
        start_on: the types allowed at the beginning, after system messages.
        include_system: keep all system messages, in their positions.
        text_splitter: a callable or a text splitter; the default splits lines.

    Raises:
        ValueError: an option is unknown, or valid only with the strategy `last`.
    """
    if strategy not in ("first", "last"):
        raise ValueError(f"strategy must be 'first' or 'last', got {shown(strategy)}")
    if strategy == "first" and (start_on or include_system):
        raise ValueError("start_on and include_system are only valid with strategy='last'")
    trimmer = _Trimmer(
        max_tokens,
        counter(token_counter),
        _splitter(text_splitter) if allow_partial else None,
        _type_test(end_on),
        _type_test(start_on),
        include_system,
    )
    trim_all = functools.partial(_trim_all, trimmer.last if strategy == "last" else trimmer.first)
    return (
        RunnableLambda(trim_all, name="trim_messages") if messages is None else trim_all(messages)
    )


def _trim_all(
    trim: Callable[[list[Unit], BaseMessage], list[Unit]], messages: Any
) -> list[BaseMessage]:
    converted_messages = convert_to_messages(messages)
    all_units = units(converted_messages)
    kept_units = trim(all_units, converted_messages[-1]) if all_units else []
    return [message for unit in kept_units for message in unit]


@dataclass(frozen=True)
class _Trimmer:
    """Trims units to a token limit."""

    limit: int
    count: Counter
    split: Splitter | None
    ends: Callable[[BaseMessage], bool]
    starts: Callable[[BaseMessage], bool]
    system: bool

    def last(self, all_units: list[Unit], final: BaseMessage) -> list[Unit]:
        """The newest units that fit, and the one of the final message."""
        all_units = self._until_allowed_end(all_units)
        required_indexes = newest_indexes = newest(all_units, final)
        if self.system:
            required_indexes = newest_indexes | {
                unit_index
                for unit_index, unit in enumerate(all_units)
                if isinstance(unit[0], SystemMessage)
            }
        border_index = self._border(all_units, required_indexes)
        kept_indexes = sorted(required_indexes | set(range(border_index + 1, len(all_units))))
        if border_index >= 0 and (
            partial_unit := self._partial_unit(all_units, kept_indexes, border_index)
        ):
            all_units = [*all_units[:border_index], partial_unit, *all_units[border_index + 1 :]]
            kept_indexes = sorted({*kept_indexes, border_index})
        all_units = self._shrink_newest(all_units, kept_indexes, newest_indexes)
        return self._from_allowed_start(
            [(unit_index in required_indexes, all_units[unit_index]) for unit_index in kept_indexes]
        )

    def first(self, all_units: list[Unit], _final: BaseMessage) -> list[Unit]:
        """The oldest units that fit."""
        if first_unit_part := self._cut(all_units[:1], 0, end=False):
            return [first_unit_part]
        unit_count = 1
        while unit_count < len(all_units) and self._fits(all_units[: unit_count + 1]):
            unit_count += 1
        kept_units = all_units[:unit_count]
        if unit_count < len(all_units) and self.split is not None:
            partial_unit = cut(
                all_units[unit_count], lambda p: self._fits([*kept_units, p]), self.split, end=False
            )
            kept_units = [*kept_units, partial_unit] if partial_unit else kept_units
        return self._until_allowed_end(kept_units)

    def _border(self, all_units: list[Unit], required_indexes: set[int]) -> int:
        """Return the index of the newest unit that does not fit; -1 if all fit.

        Units are counted one by one, then together: many counters add a constant per prompt.
        """
        total_tokens = sum(self.count(all_units[unit_index]) for unit_index in required_indexes)
        border_index = len(all_units) - 1
        while border_index >= 0 and (
            border_index in required_indexes
            or (total_tokens := total_tokens + self.count(all_units[border_index])) <= self.limit
        ):
            border_index -= 1
        while border_index < len(all_units) - 1 and not self._fits_after(
            all_units, required_indexes, border_index
        ):
            border_index += 1
        while border_index >= 0 and (
            border_index in required_indexes
            or self._fits_after(all_units, required_indexes, border_index - 1)
        ):
            border_index -= 1
        return border_index

    def _fits_after(self, all_units: list[Unit], required_indexes: set[int], index: int) -> bool:
        """Return True if all units after the index fit together with the required ones."""
        return self._fits(
            [
                unit
                for unit_index, unit in enumerate(all_units)
                if unit_index > index or unit_index in required_indexes
            ]
        )

    def _partial_unit(
        self, all_units: list[Unit], kept_indexes: list[int], border_index: int
    ) -> Unit | None:
        unit_indexes = sorted({*kept_indexes, border_index})
        return self._cut(
            [all_units[unit_index] for unit_index in unit_indexes],
            unit_indexes.index(border_index),
            end=True,
        )

    def _shrink_newest(
        self, all_units: list[Unit], kept_indexes: list[int], newest_indexes: set[int]
    ) -> list[Unit]:
        """Cut the newest units, which are always kept, if they exceed the limit."""
        shrunk_units = list(all_units)
        for newest_index in sorted(newest_indexes):
            kept_units = [shrunk_units[unit_index] for unit_index in kept_indexes]
            shrunk_units[newest_index] = (
                self._cut(kept_units, kept_indexes.index(newest_index), end=True)
                or shrunk_units[newest_index]
            )
        return shrunk_units

    def _cut(self, kept_units: list[Unit], unit_index: int, *, end: bool) -> Unit | None:
        """Cut the unit at the index so that all fit; `None` if they fit already or never will."""
        if self.split is None or self._fits(kept_units):
            return None
        preceding_units, following_units = kept_units[:unit_index], kept_units[unit_index + 1 :]
        return cut(
            kept_units[unit_index],
            lambda partial: self._fits([*preceding_units, partial, *following_units]),
            self.split,
            end=end,
        )

    def _fits(self, kept_units: list[Unit]) -> bool:
        return self.count([message for unit in kept_units for message in unit]) <= self.limit

    def _until_allowed_end(self, all_units: list[Unit]) -> list[Unit]:
        for unit_count in range(len(all_units), 0, -1):
            if self.ends(all_units[unit_count - 1][-1]):
                return all_units[:unit_count]
        return all_units

    def _from_allowed_start(self, flagged_units: list[tuple[bool, Unit]]) -> list[Unit]:
        """Drop leading units that may not start a prompt, unless they are required."""
        while True:
            first_unit_index = next(
                (
                    unit_index
                    for unit_index, (_, unit) in enumerate(flagged_units)
                    if not isinstance(unit[0], SystemMessage)
                ),
                len(flagged_units),
            )
            if (
                first_unit_index == len(flagged_units)
                or flagged_units[first_unit_index][0]
                or self.starts(flagged_units[first_unit_index][1][0])
            ):
                return [unit for _, unit in flagged_units]
            del flagged_units[first_unit_index]


def _type_test(types: Types) -> Callable[[BaseMessage], bool]:
    if types is None:
        return lambda _: True
    type_list = [types] if isinstance(types, (str, type)) else types
    type_names = {message_type for message_type in type_list if isinstance(message_type, str)}
    message_classes = tuple(
        message_type for message_type in type_list if isinstance(message_type, type)
    )
    return lambda message: message.type in type_names or isinstance(message, message_classes)


def _splitter(text_splitter: Any) -> Splitter:
    if text_splitter is None:
        return lambda text: text.splitlines(keepends=True)
    split_function: Splitter = getattr(text_splitter, "split_text", text_splitter)
    return split_function
