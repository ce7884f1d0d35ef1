"""`ThreadkeepMemory`: the memory of chat engines and agents, kept in any store of threadkeep."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, Final, Literal, Self
from uuid import uuid4

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.memory.types import BaseMemory
from llama_index.core.utils import get_tokenizer

from llama_index.memory.threadkeep import inject as injecting
from llama_index.memory.threadkeep import set_history, store_refs
from llama_index.memory.threadkeep.recall_cache import Recollection
from llama_index.memory.threadkeep.to_messages import to_messages
from threadkeep import (
    Memory,
    Session,
    Window,
    policies,
)
from threadkeep.adapters.identity import UserId, optional_user_id
from threadkeep.adapters.injection import Injection, injection
from threadkeep.adapters.shared import shared
from threadkeep.longterm.context import Context

TOKENS: Final = 30_000
_ANSWERS: Final = frozenset({"assistant", "tool", "function"})

Tokenizer = Callable[[str], list[Any]]


class ThreadkeepMemory(BaseMemory):
    """One conversation, for `memory=` of every chat engine, agent and workflow of LlamaIndex.

    Any number of engines, agents, threads and event loops may use one conversation at once. It
    has no length and is never falsy, so that nothing takes an empty one for a missing one.
    In a workflow's `Context` it becomes a reference to its store, without any message or secret.
    """

    session_id: str
    user_id: str | None = None
    token_limit: int | None = Field(
        default=None, gt=0, description="Tokens of the history and what is injected, in all."
    )
    on_set: Literal["archive", "append", "replace"] = Field(
        default="archive", description="What `set` does with a history that is there already."
    )
    tokenizer_fn: Tokenizer = Field(default_factory=get_tokenizer, exclude=True)
    window: Any = Field(default=None, exclude=True)
    inject: bool | dict[str, Any] = Field(
        default=True, description="Whether, and how much, long-term memory tells the model."
    )

    _memory: Memory = PrivateAttr()
    _origin: str = PrivateAttr()
    _chat: Session = PrivateAttr()
    _policies: list[Any] = PrivateAttr()
    _warned: bool = PrivateAttr(default=False)
    _injection: Injection | None = PrivateAttr()
    _recollection: Recollection = PrivateAttr(default_factory=Recollection)

    def __init__(
        self,
        memory: Memory | str,
        session_id: str | None = None,
        *,
        user_id: UserId | None = None,
        **fields: Any,
    ) -> None:
        owner = optional_user_id(user_id, "user_id")
        session_id = session_id or str(uuid4())
        super().__init__(**{"session_id": session_id, "user_id": owner, **fields})
        self._memory = shared(memory)
        self._origin = store_refs.note(self._memory, memory)
        self._chat = self._memory.session(self.session_id, user=self.user_id)
        window = self.window
        stepped = {"step": 0.5, **window} if isinstance(window, dict) else window
        self._policies = policies.as_policies(stepped)
        self._injection = injection(self.inject)

    @property
    def chat(self) -> Session:
        """The session below, for everything else that can be done with it."""
        return self._chat

    @classmethod
    def class_name(cls) -> str:
        """Its name in dumps."""
        return "ThreadkeepMemory"

    @classmethod
    def from_defaults(
        cls,
        chat_history: list[ChatMessage] | None = None,
        llm: Any = None,
        token_limit: int | None = None,
        *,
        memory: Memory | str | None = None,
        session_id: str | None = None,
        **fields: Any,
    ) -> Self:
        """A memory; no I/O unless a `chat_history` is given, which is treated as by `set`.

        Args:
            chat_history: what an engine's `chat_history=` was.
            llm: not needed; engines pass theirs.
            token_limit: tokens of the history and what is injected; `None` = the window alone.
            memory: a `Memory`, or a URL.
            session_id: the conversation; a new one without.
            **fields: `user_id`: a `str`, an `int` or a `UUID`; `on_set`, `tokenizer_fn`; `window`:
                a policy, a list of them, or `{"max_tokens": 3000}`, `None` = the Memory's own,
                else 30,000 tokens;
                `inject`: `True`, `False` or `{"max_tokens": 800, "recall": True}`, what
                long-term memory tells the model.
        """
        made = cls(
            memory,  # type: ignore[arg-type]  # None is refused there
            session_id,
            token_limit=token_limit,
            **fields,
        )
        if chat_history:
            made.set(chat_history)
        return made

    @classmethod
    def bind(cls, memory: Memory | str, user_id: UserId | None = None, **fields: Any) -> type[Self]:
        """A class for `memory_cls=`, which engines build from their own arguments.

        Raises:
            ConfigError: the user id is none.
        """
        bound = {"memory": memory, "user_id": optional_user_id(user_id, "user_id"), **fields}

        class Bound(cls):  # type: ignore[valid-type, misc]  # a class made of a class
            @classmethod
            def from_defaults(_, *args: Any, **kwargs: Any) -> Self:  # noqa: N804  # made of cls
                return cls.from_defaults(*args, **{**bound, **kwargs})

        return Bound

    def get(self, input: Any = None, initial_token_count: int = 0, **_: Any) -> list[ChatMessage]:
        """What a model should see: the newest that fits, tool calls with their results.

        What is known of the user stands in the system message, and what was recalled for the
        question before the question; all of it counts towards `token_limit`.

        Args:
            input: what the user says next, if it is not put yet.
            initial_token_count: tokens of what the engine puts before; they count towards
                `token_limit`.
        """
        window = self._chat.window(**self._limits(initial_token_count))
        query = injecting.query(input, window)
        context = self._context(window, query, initial_token_count)
        if context and self._is_over(window, context, initial_token_count):
            kept = initial_token_count + self._share(initial_token_count) + injecting.OVERHEAD
            window = self._chat.window(**self._limits(kept))
            context = self._context(window, query, initial_token_count)
        cut = _opens_with_answer(window) and self._chat.items(limit=1)[0].id != window[0].id
        messages = _from_user(window) if cut else to_messages(window)
        return injecting.told(messages, context, query) if context else messages

    async def aget(
        self, input: Any = None, initial_token_count: int = 0, **_: Any
    ) -> list[ChatMessage]:
        """As `get`."""
        return await self._chat.engine.hop(lambda: self.get(input, initial_token_count))

    def get_all(self, **_: Any) -> list[ChatMessage]:
        """Every message, untrimmed."""
        return to_messages(self._chat.items())

    async def aget_all(self, **_: Any) -> list[ChatMessage]:
        """Every message, untrimmed."""
        return to_messages(await self._chat.aitems())

    def put(self, message: ChatMessage) -> None:
        """Append a message."""
        self.put_messages([message])

    async def aput(self, message: ChatMessage) -> None:
        """Append a message."""
        await self.aput_messages([message])

    def put_messages(self, messages: list[ChatMessage]) -> None:
        """Append the messages in one atomic step."""
        if said := injecting.untold(messages):
            self._chat.add(*set_history.items(said))

    async def aput_messages(self, messages: list[ChatMessage]) -> None:
        """Append the messages in one atomic step."""
        if said := injecting.untold(messages):
            await self._chat.aadd(*set_history.items(said))

    def set(self, messages: list[ChatMessage]) -> None:
        """Have the conversation be these messages.

        Where they go on from what is stored, only the rest is added. Else what is stored is, by
        `on_set`: copied to a session `<id>/archive/<n>` and replaced (`archive`), kept, with the
        new messages behind it (`append`), or lost (`replace`). Warns once unless told to replace.
        """
        said = injecting.untold(messages)
        done = set_history.apply(self._memory, self._chat, said, self.on_set)
        if done and not self._warned:
            self._warned = True
            warnings.warn(done, stacklevel=2)

    async def aset(self, messages: list[ChatMessage]) -> None:
        """As `set`."""
        await self._chat.engine.hop(lambda: self.set(messages))

    def reset(self) -> None:
        """Delete all messages; title, metadata and owner of the session stay."""
        self._chat.clear()

    async def areset(self) -> None:
        """Delete all messages; title, metadata and owner of the session stay."""
        await self._chat.aclear()

    def to_dict(self, **_: Any) -> dict[str, Any]:
        """A reference: which session of which store, and how it is read."""
        return {
            "class_name": self.class_name(),
            "store": self._origin,
            "session_id": self.session_id,
            "user_id": self.user_id,
            "token_limit": self.token_limit,
            "on_set": self.on_set,
            "inject": self.inject,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any], **fields: Any) -> Self:
        """The memory of a reference, on the live store it names.

        Raises:
            ConfigError: no such store is open in this process; it says what to open.
        """
        known = {key: value for key, value in data.items() if key not in {"class_name", "store"}}
        return cls(store_refs.found(data["store"]), **{**known, **fields})

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_dict, (self.to_dict(),)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self.model_copy()

    def _context(self, window: Window, query: str, spent: int) -> Context | None:
        if self._injection is None or (most := self._share(spent)) < 1:
            return None
        counter = None if self.token_limit is None else self._count
        tell = functools.partial(self._chat.context, window=window, counter=counter)
        if not self._injection.recall:
            return tell(max_tokens=most)
        return self._recollection.of(tell, injecting.asked(window, query), most)

    def _share(self, spent: int) -> int:
        """The tokens that may be injected: a quarter of the limit, or as many as were told."""
        most = Injection().max_tokens if self._injection is None else self._injection.max_tokens
        return most if self.token_limit is None else min(most, (self.token_limit - spent) // 4)

    def _is_over(self, window: Window, context: Context, spent: int) -> bool:
        if self.token_limit is None:
            return False
        return spent + window.tokens + context.tokens + injecting.OVERHEAD > self.token_limit

    def _count(self, text: str) -> int:
        return len(self.tokenizer_fn(text))

    def _limits(self, spent: int) -> dict[str, Any]:
        if self.token_limit is None:
            known = self._policies or self._memory.engine.settings.window
            return {"policy": self._policies} if known else {"max_tokens": TOKENS, "step": 0.5}
        return {
            "policy": self._policies,
            "max_tokens": max(1, self.token_limit - spent),
            "step": 0.5,
            "counter": self._count,
        }


def _opens_with_answer(window: Window) -> bool:
    return bool(window) and window[0].role in _ANSWERS


def _from_user(window: Window) -> list[ChatMessage]:
    """The messages from the first that is no answer, as what it answers was cut off.

    All of them if a result behind it belongs to a call before it.
    """
    start = next((n for n, item in enumerate(window) if item.role not in _ANSWERS), 0)
    calls = {call.get("id") for item in window[:start] for call in item.tool_calls}
    late = any(item.tool_call_id in calls for item in window[start:] if item.tool_call_id)
    return to_messages(window if late else window[start:])
