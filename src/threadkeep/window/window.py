"""`Window`: the items a model sees, and their conversion to provider formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from threadkeep import messages
from threadkeep.core.cache.cached_item import CachedItem
from threadkeep.core.suggestions import missing_attribute
from threadkeep.messages import AnthropicMessages, GeminiContents, Profile
from threadkeep.printable import counted
from threadkeep.protocols import TokenCounter
from threadkeep.types import Item
from threadkeep.types.html_table import Cell, table
from threadkeep.window import tokens
from threadkeep.window.left_out import LeftOut
from threadkeep.window.tokens import as_text


class Window(list[Item]):
    """Items for a model, oldest first: every tool call answered, no result without its call.

    An unanswered call that is followed by another item gets a synthetic error result
    (`metadata["synthetic"]`), which is never stored.

    Attributes:
        dropped: how many tool results were left out, though no older than the first item that is
            not pinned, because their call is gone.
        over: by how much it exceeds its budget, in tokens for `max_tokens`, else in the unit of
            the budget: more than 0 only if it consists of what every window holds (the newest
            user message, the last step) and what a policy pins; 0 = within.
        changed: the ids of items that a policy changed, merged or cut: they differ from what is
            stored.
    """

    def __init__(
        self,
        items: Iterable[Item] = (),
        *,
        dropped: int = 0,
        over: int = 0,
        changed: frozenset[str] = frozenset(),
        counter: TokenCounter | None = None,
        left_out: Callable[[], LeftOut] = LeftOut,
    ) -> None:
        super().__init__(items)
        self.dropped = dropped
        self.over = over
        self.changed = changed
        self._left_out: LeftOut | Callable[[], LeftOut] = left_out
        self._counter = counter
        self._sources: list[tuple[Item, CachedItem | None]] = []

    if not TYPE_CHECKING:  # to a type checker, an unknown name stays an error

        def __getattr__(self, name: str) -> object:
            raise missing_attribute(self, name)

    @property
    def left_out(self) -> LeftOut:
        """What of the session is not in the window, and why: counts and positions by reason."""
        if not isinstance(self._left_out, LeftOut):
            self._left_out = self._left_out()
        return self._left_out

    def replace_shared(self, cached_items: Mapping[int, CachedItem]) -> None:
        """Replace items that are shared through a cache (keyed by their `id()`) with copies."""
        sources = [cached_items.get(id(item)) for item in self]
        if None in sources:
            item_pairs = zip(self, sources, strict=True)
            self[:] = [item if source is None else source.copy() for item, source in item_pairs]
        else:
            self[:] = [source.copy() for source in sources if source]
        self._sources = list(zip(self, sources, strict=True))

    @property
    def tokens(self) -> int:
        """The number of tokens of all items, by the window's counter (`tokens.default()`)."""
        return tokens.total(self, self._counter)

    # Lists of `Any`, so that type checkers accept them where the clients want their own TypedDicts,
    # which cannot be named here: the clients need not be installed.

    def to_openai(self, profile: Profile | None = None) -> list[Any]:
        """The `messages` of an OpenAI Chat Completions request: a list of dicts.

        Servers other than OpenAI need back what their models wrote beside a message, such as
        DeepSeek's `reasoning_content`, OpenRouter's `reasoning_details` or the signatures of
        Gemini's calls, and refuse what others wrote.

        Args:
            profile: the server: `openai`, `deepseek` (also for Kimi and Qwen), `gemini`,
                `openrouter` or `vllm`. `None`: such fields go out only if all of the model's
                messages in the window have those of one server.

        Raises:
            ConfigError: the profile is unknown.
        """
        return messages.to_openai(self, self._cached_items(), profile)

    def to_responses(self, *, stateless: bool = False) -> list[Any]:
        """The `input` of an OpenAI Responses request: a list of dicts.

        Args:
            stateless: for `store=False`, or another project or server: no ids, reasoning only
                where it is encrypted, and no calls of hosted tools.
        """
        return messages.to_responses(self, stateless=stateless)

    def to_anthropic(self) -> AnthropicMessages:
        """The `messages` of an Anthropic Messages request; its `system` text is in `.system`."""
        return messages.to_anthropic(self)

    def to_gemini(self) -> GeminiContents:
        """The `contents` of a request to Gemini; its system text is in `.system_instruction`.

        They are in the JSON form of the REST API, which the `google-genai` client takes as well.
        """
        return messages.to_gemini(self)

    def to_dspy(self, *, question: str = "question", answer: str = "answer") -> list[Any]:
        """The `messages` of a `dspy.History`: a dict for each question with its answer.

        What the user said last is not in it while it has no answer: it is the input of the call.
        Several messages of one speaker are one text. What a signature has no field for is left
        out: prompts of the system, reasoning, tool calls and results.

        Args:
            question: the input field of the signature that the user's words belong in.
            answer: the output field.

        Raises:
            ConfigError: the names are no identifiers, or the same.
        """
        return messages.to_dspy(self, question, answer)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_left_out": self.left_out, "_sources": []}

    def _cached_items(self) -> list[CachedItem | None]:
        """The cached item behind each copy that is unchanged since it was made."""
        if len(self._sources) != len(self):
            return []
        return [
            source
            if item is item_copy
            and source
            # without a call for a plain item: there may be hundreds in each turn
            and (
                (source.plain and not item.tool_calls and not item.metadata) or source.is_like(item)
            )
            else None
            for item, (item_copy, source) in zip(self, self._sources, strict=True)
        ]

    def __repr__(self) -> str:
        return f"<Window of {counted(len(self), 'item')}, {self.dropped} dropped>"

    def _repr_html_(self) -> str:
        return items_table(self, _note(self))


def items_table(items: Iterable[Item], note: str) -> str:
    """Items as an HTML table for notebooks, tool calls folded."""
    return table([_row(item) for item in items], note)


def _row(item: Item) -> list[Cell]:
    call_pairs = [(f"{call.get('name')}(…)", as_text(call.get("args"))) for call in item.tool_calls]
    return [Cell(item.name or item.role, quiet=True), Cell(item.text, folded=call_pairs)]


def _note(window: Window) -> str:
    """How much a window holds, and what it leaves out, in a few words."""
    notes = [f"{counted(len(window), 'item')}, {counted(window.tokens, 'token')}"]
    notes += [f"{window.over} over the budget"] if window.over else []
    reason_texts = [f"{count} by {reason}" for reason, count in window.left_out.counts.items()]
    notes += [f"left out: {', '.join(reason_texts)}"] if reason_texts else []
    unread_seq = window.left_out.unread_before
    notes += [f"what is before #{unread_seq} was not looked at"] if unread_seq is not None else []
    return "; ".join(notes)
