"""Blocks for `memory_blocks=` of LlamaIndex's `Memory`: what is known, by user and session.

They keep nothing themselves: it is all in the store, shared with every other adapter.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.memory.memory import BaseMemoryBlock
from llama_index.core.utils import get_tokenizer

from llama_index.memory.threadkeep import set_history
from threadkeep import Memory, Session, User
from threadkeep.adapters import memory_lines
from threadkeep.adapters.identity import UserId, optional_user_id
from threadkeep.adapters.shared import shared
from threadkeep.errors import ConfigError
from threadkeep.longterm.markers import MARK_END, MARK_START

_SESSION = "session_id"


class KnownBlock(BaseMemoryBlock[str]):
    """What all of them share. They hold lines, the most worthy first.

    Learning goes on from sessions that threadkeep stores, so messages that leave LlamaIndex's
    short-term memory are not taken over, unless `accept_short_term_memory=True` says that they are
    stored nowhere else. Let one block of a `Memory` do it: each would store them.

    Args:
        memory: a `Memory`, or a URL.
        user_id: whose block it is, a `str`, an `int` or a `UUID`; `None` = the session's own.
        session_id: of which session; else the one of the `Memory` it is a block of.
    """

    user_id: str | None = None
    session_id: str | None = None
    accept_short_term_memory: bool = False
    max_tokens: int = Field(default=600, gt=0, description="Tokens of the block, at most.")

    _memory: Memory = PrivateAttr()

    def __init__(
        self, memory: Memory | str, *, user_id: UserId | None = None, **fields: Any
    ) -> None:
        super().__init__(**{"user_id": optional_user_id(user_id, "user_id"), **fields})
        self._memory = shared(memory)

    @abstractmethod
    def _lines(self, chat: Session | User) -> list[str]:
        """What the block says, the most worthy first."""

    async def _aget(self, messages: list[ChatMessage] | None = None, **block_kwargs: Any) -> str:
        whose = self._whose(block_kwargs.get(_SESSION))
        lines = await whose.engine.hop(lambda: self._lines(whose))
        return _within(lines, self.max_tokens)

    async def _aput(self, messages: list[ChatMessage]) -> None:
        """Store messages in the session, which is learned from; those handed over by a `Memory`."""
        for name in {message.additional_kwargs.get(_SESSION) for message in messages}:
            mine = [m for m in messages if m.additional_kwargs.get(_SESSION) == name]
            chat = self._chat(name)
            await chat.aadd(*set_history.items([_without_session(message) for message in mine]))

    async def atruncate(self, content: str, tokens_to_truncate: int) -> str | None:
        """As many lines less, from the least worthy on; `None` if nothing is left."""
        left = len(get_tokenizer()(content)) - tokens_to_truncate
        lines = content.removeprefix(MARK_START).removesuffix(MARK_END).strip().splitlines()
        return _within(lines, left) or None

    def _whose(self, session: str | None) -> Session | User:
        if (self.session_id or session) is None and self.user_id is not None:
            return self._memory.user(self.user_id)
        return self._chat(session)

    def _chat(self, session: str | None) -> Session:
        name = self.session_id or session
        if name is None:
            raise ConfigError(f"which session is it? Pass session_id= to {type(self).__name__}")
        return self._memory.session(name, user=self.user_id)


class FactsBlock(KnownBlock):
    """What is known of the user, pinned facts first."""

    def __init__(self, memory: Memory | str, **fields: Any) -> None:
        said = "What is known of the user; it may be out of date."
        super().__init__(memory, **{"name": "facts", "description": said, **fields})

    def _lines(self, chat: Session | User) -> list[str]:
        return memory_lines.facts(chat)


class InstructionsBlock(KnownBlock):
    """How the user wishes to be served, what weighs most first."""

    def __init__(self, memory: Memory | str, **fields: Any) -> None:
        said = "How the user wishes to be served; the upper outweighs the lower."
        super().__init__(memory, **{"name": "instructions", "description": said, **fields})

    def _lines(self, chat: Session | User) -> list[str]:
        return memory_lines.instructions(chat)


class SummaryBlock(KnownBlock):
    """What the session was about."""

    def __init__(self, memory: Memory | str, **fields: Any) -> None:
        said = "What this conversation was about so far."
        super().__init__(memory, **{"name": "summary", "description": said, **fields})

    def _lines(self, chat: Session | User) -> list[str]:
        return memory_lines.summary(chat) if isinstance(chat, Session) else []


class FilesBlock(KnownBlock):
    """The files of the session that have not expired, the newest first; takes no messages."""

    def __init__(self, memory: Memory | str, **fields: Any) -> None:
        said = "Files of this conversation."
        super().__init__(memory, **{"name": "files", "description": said, **fields})

    def _lines(self, chat: Session | User) -> list[str]:
        return memory_lines.files(chat) if isinstance(chat, Session) else []

    async def _aput(self, messages: list[ChatMessage]) -> None:
        """Messages hold no files that could be kept: `session.files.add` stores them."""


def _within(lines: list[str], limit: int) -> str:
    """The block of as many lines from the top on as have room."""
    count, chosen = get_tokenizer(), list[str]()
    left = limit - len(count(_enclosed([])))
    for line in lines:
        left -= len(count(f"{line}\n"))
        if left < 0:
            break
        chosen.append(line)
    while chosen and len(count(_enclosed(chosen))) > limit:
        chosen.pop()
    return _enclosed(chosen) if chosen else ""


def _enclosed(lines: list[str]) -> str:
    return "\n".join([MARK_START, *lines, MARK_END])


def _without_session(message: ChatMessage) -> ChatMessage:
    """As it was before LlamaIndex wrote the session into it."""
    kwargs = {key: value for key, value in message.additional_kwargs.items() if key != _SESSION}
    return message.model_copy(update={"additional_kwargs": kwargs})
