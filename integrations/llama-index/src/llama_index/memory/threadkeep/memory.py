"""`ThreadkeepMemory`: memory for chat engines and agents, on any threadkeep store."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal, Self

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.memory.types import BaseMemory
from llama_index.core.utils import get_tokenizer

from llama_index.memory.threadkeep import set_history, store_refs
from llama_index.memory.threadkeep.inject import without_context
from llama_index.memory.threadkeep.memory_prompt import MemoryPrompt, TokenBudget
from llama_index.memory.threadkeep.to_messages import to_messages
from threadkeep import Memory, Session
from threadkeep.adapters import limits, windows
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import SessionId, UserId, plain_user
from threadkeep.adapters.injection import parse_injection, with_summary
from threadkeep.adapters.shared import open_conversation

Tokenizer = Callable[[str], list[Any]]


class ThreadkeepMemory(BaseMemory):
    """One conversation, for `memory=` of every chat engine, agent and workflow of LlamaIndex.

    Any number of engines, agents, threads and event loops may use a conversation concurrently. It
    has no length and is never falsy, so an empty memory is not mistaken for a missing one. In a
    workflow's `Context` it is serialized as a reference to its store, without messages or secrets.
    """

    session_id: str
    user: str | None = None
    token_limit: int | None = Field(
        default=None,
        gt=0,
        description="Token budget of the history and the injected memory together.",
    )
    on_set: Literal["archive", "append", "replace"] = Field(
        default="archive", description="What `set` does with a stored history that differs."
    )
    tokenizer_fn: Tokenizer = Field(default_factory=get_tokenizer, exclude=True)
    window: Any = Field(default=None, exclude=True)
    inject: bool | dict[str, Any] = Field(
        default=True, description="Whether, and how much, long-term memory is injected."
    )
    summary: bool | None = Field(
        default=None, description="Whether the session's summary is injected; `True` needs a model."
    )

    _memory: Memory = PrivateAttr()
    _origin: str | None = PrivateAttr()
    _chat: Session = PrivateAttr()
    _prompt: MemoryPrompt = PrivateAttr()
    _warned: bool = PrivateAttr(default=False)

    @strict_arguments
    def __init__(
        self,
        session_id: SessionId | None = None,
        memory: Memory | str | None = None,
        *,
        user: UserId | None = None,
        window: object = None,
        user_id: UserId | None = None,
        **fields: Any,
    ) -> None:
        session_name, shared_store = open_conversation(session_id, memory)
        id_fields = {"session_id": session_name, "user": plain_user(user, user_id)}
        super().__init__(**{**id_fields, "window": window, **fields})
        self._memory = shared_store
        self._origin = store_refs.register(shared_store, memory)
        self._chat = shared_store.session(self.session_id, user=self.user)
        policies = windows.parse_window(window)
        injection = with_summary(parse_injection(self.inject), self.summary, shared_store)
        self._prompt = MemoryPrompt(shared_store, self._chat, policies, injection)

    @property
    def chat(self) -> Session:
        """The underlying session, for all its other methods."""
        return self._chat

    @classmethod
    def class_name(cls) -> str:
        """The class name in dumps."""
        return "ThreadkeepMemory"

    @classmethod
    @strict_arguments
    def from_defaults(
        cls,
        session_id: SessionId | None = None,
        memory: Memory | str | None = None,
        *,
        user: UserId | None = None,
        window: object = None,
        token_limit: int | None = None,
        chat_history: list[ChatMessage] | None = None,
        llm: Any = None,
        user_id: UserId | None = None,
        **fields: Any,
    ) -> Self:
        """Create a memory; does no I/O unless a `chat_history` is passed, which is stored by `set`.

        Args:
            session_id: the conversation; the default is a new one with a random id.
            memory: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`.
            user: the owner, a `str`, an `int` or a `UUID`.
            window: a policy, a list of them, or `{"max_tokens": 3000}`; `None` = the Memory's own,
                else 30,000 tokens.
            token_limit: tokens of the history and the injected memory; `None` = only the window
                limits it.
            chat_history: an engine's `chat_history=`.
            llm: ignored; engines pass theirs.
            user_id: another name for `user`.
            **fields: `inject`: `True`, `False` or `{"max_tokens": 800, "recall": True}`, how much
                long-term memory is injected; `summary`: `True` makes sure that the session's
                summary stands in for what the window leaves out, `False` never tells it; `on_set`,
                `tokenizer_fn`.

        Raises:
            ConfigError: an id, the URL or the window is not valid.
            TypeError: an argument is unknown.
        """
        options = {"user": user, "window": window, "user_id": user_id, **fields}
        instance = cls(session_id, memory, token_limit=token_limit, **options)
        if chat_history:
            instance.set(chat_history)
        return instance

    @classmethod
    @strict_arguments
    def bind(
        cls,
        memory: Memory | str | None = None,
        *,
        user: UserId | None = None,
        user_id: UserId | None = None,
        **fields: Any,
    ) -> type[Self]:
        """Return a class for `memory_cls=`, which engines instantiate with their own arguments.

        Args:
            memory: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`.
            user: the owner, a `str`, an `int` or a `UUID`.
            user_id: another name for `user`.
            **fields: what else `from_defaults` takes; `session_id` makes all engines of the class
                share a conversation, else each has its own.

        Raises:
            ConfigError: the user id is not valid.
            TypeError: an argument is unknown.
        """
        bound_fields = {"memory": memory, "user": plain_user(user, user_id), **fields}

        class Bound(cls):  # type: ignore[valid-type, misc]  # the base is a variable
            @classmethod
            def from_defaults(_, *args: Any, **kwargs: Any) -> Self:  # noqa: N804  # cls is the outer class
                return cls.from_defaults(*args, **{**bound_fields, **kwargs})

        return Bound

    def get(self, input: Any = None, initial_token_count: int = 0, **_: Any) -> list[ChatMessage]:
        """Return the messages for a model: the newest that fit, tool calls with their results.

        Facts and instructions are added to the system message, recalled notes before the question;
        all of it counts towards `token_limit`.

        Args:
            input: the user's next message, if it is not stored yet.
            initial_token_count: tokens of the engine's own prompt; they count towards
                `token_limit`.
        """
        return self._prompt.messages(input, initial_token_count, self._budget)

    async def aget(
        self, input: Any = None, initial_token_count: int = 0, **_: Any
    ) -> list[ChatMessage]:
        """As `get`."""
        return await self._memory.to_thread(self.get, input, initial_token_count)

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
        """Append the messages atomically."""
        if new_messages := without_context(messages):
            limits.add(self._chat, *set_history.items(new_messages))

    async def aput_messages(self, messages: list[ChatMessage]) -> None:
        """Append the messages atomically."""
        if new_messages := without_context(messages):
            await limits.aadd(self._chat, *set_history.items(new_messages))

    def set(self, messages: list[ChatMessage]) -> None:
        """Set the conversation to these messages.

        If they continue the stored history, only the new ones are added. Otherwise `on_set` decides
        about the stored history: `archive` copies it to a session `<id>/archive/<n>` and replaces
        it, `append` keeps it and appends the new messages, `replace` deletes it. The first two warn
        once.
        """
        history = without_context(messages)
        warning = set_history.apply(self._memory, self._chat, history, self.on_set)
        if warning and not self._warned:
            self._warned = True
            warnings.warn(warning, stacklevel=2)

    async def aset(self, messages: list[ChatMessage]) -> None:
        """As `set`."""
        await self._memory.to_thread(self.set, messages)

    def reset(self) -> None:
        """Delete all messages; the session keeps its title, metadata and owner."""
        self._chat.clear()

    async def areset(self) -> None:
        """Delete all messages; the session keeps its title, metadata and owner."""
        await self._chat.aclear()

    def to_dict(self, **_: Any) -> dict[str, Any]:
        """Return a reference: the session, its store and the options for reading it."""
        return {
            "class_name": self.class_name(),
            "store": self._origin,
            "session_id": self.session_id,
            "user": self.user,
            "token_limit": self.token_limit,
            "on_set": self.on_set,
            "inject": self.inject,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any], **fields: Any) -> Self:
        """Return the memory of a reference, on the open store it names.

        Raises:
            ConfigError: the store is not open in this process; the error says what to open.
        """
        stored_fields = {
            key: value for key, value in data.items() if key not in {"class_name", "store"}
        }
        return cls(memory=store_refs.resolve(data["store"]), **{**stored_fields, **fields})

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_dict, (self.to_dict(),)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self.model_copy()

    def _count(self, text: str) -> int:
        return len(self.tokenizer_fn(text))

    @property
    def _budget(self) -> TokenBudget:
        return TokenBudget(self.token_limit, self._count)

    def show_handles(self) -> windows.Policies:
        """Name handles where a result is cut, for `read_more`; return the window's policies."""
        return self._prompt.show_handles(self._budget)
