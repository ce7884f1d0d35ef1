"""Blocks for `memory_blocks=` of LlamaIndex's `Memory`: long-term memory by user and session.

They hold no state: everything is in the store, shared with all other adapters.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.memory.memory import BaseMemoryBlock
from llama_index.core.utils import get_tokenizer

from llama_index.memory.threadkeep import set_history
from threadkeep import Memory, Session, User
from threadkeep.adapters import memory_lines
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import SessionId, UserId, plain_user, session_id_text
from threadkeep.adapters.shared import shared_memory
from threadkeep.errors import ConfigError
from threadkeep.longterm.markers import MARK_END, MARK_START

_SESSION_FIELD = "session_id"


class KnownBlock(BaseMemoryBlock[str]):
    """Base class of the blocks. A block renders lines, most important first.

    Memory is learned from sessions that threadkeep stores, so messages that leave LlamaIndex's
    short-term memory are ignored. With `accept_short_term_memory=True` they are stored in the
    session, for applications that store them nowhere else. Set it on one block per `Memory`: each
    such block would store them.

    Args:
        memory: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`.
        session_id: the session; the default is the one of the `Memory` that holds the block.
        user: the user, a `str`, an `int` or a `UUID`; `None` = the session's user.
        max_tokens: the token budget of the block.
        name: the block's tag in the prompt; the default is what the block holds.
        description: as in LlamaIndex' other blocks, as are `priority` and
            `accept_short_term_memory`.
        user_id: another name for `user`.
    """

    user: str | None = None
    session_id: str | None = None
    accept_short_term_memory: bool = False
    max_tokens: int = Field(default=600, gt=0, description="Token budget of the block.")

    _name: ClassVar[str]
    _description: ClassVar[str]
    _memory: Memory = PrivateAttr()

    @strict_arguments
    def __init__(
        self,
        memory: Memory | str | None = None,
        *,
        session_id: SessionId | None = None,
        user: UserId | None = None,
        user_id: UserId | None = None,
        **fields: Any,
    ) -> None:
        session_name = None if session_id is None else session_id_text(session_id)
        defaults = {"name": self._name, "description": self._description}
        id_fields = {"session_id": session_name, "user": plain_user(user, user_id)}
        super().__init__(**{**defaults, **id_fields, **fields})
        self._memory = shared_memory(memory)

    @abstractmethod
    def _lines(self, chat: Session | User) -> list[str]:
        """The lines of the block, most important first."""

    async def _aget(self, messages: list[ChatMessage] | None = None, **block_kwargs: Any) -> str:
        user_or_session = self._scope(block_kwargs.get(_SESSION_FIELD))
        lines = await self._memory.to_thread(self._lines, user_or_session)
        return _fit_lines(lines, self.max_tokens)

    async def _aput(self, messages: list[ChatMessage]) -> None:
        """Store messages passed by a `Memory` in the session, which memory is learned from."""
        for session_id in {message.additional_kwargs.get(_SESSION_FIELD) for message in messages}:
            session_messages = [
                m for m in messages if m.additional_kwargs.get(_SESSION_FIELD) == session_id
            ]
            chat = self._chat(session_id)
            await chat.aadd(
                *set_history.items([_without_session(message) for message in session_messages])
            )

    async def atruncate(self, content: str, tokens_to_truncate: int) -> str | None:
        """Drop the least important lines to save that many tokens; `None` if no line is left."""
        token_limit = len(get_tokenizer()(content)) - tokens_to_truncate
        lines = content.removeprefix(MARK_START).removesuffix(MARK_END).strip().splitlines()
        return _fit_lines(lines, token_limit) or None

    def _scope(self, session: str | None) -> Session | User:
        if (self.session_id or session) is None and self.user is not None:
            return self._memory.user(self.user)
        return self._chat(session)

    def _chat(self, session: str | None) -> Session:
        session_id = self.session_id or session
        if session_id is None:
            raise ConfigError(f"which session is it? Pass session_id= to {type(self).__name__}")
        return self._memory.session(session_id, user=self.user)


class FactsBlock(KnownBlock):
    """The facts about the user, pinned ones first."""

    _name: ClassVar[str] = "facts"
    _description: ClassVar[str] = "What is known of the user; it may be out of date."
    __init__ = KnownBlock.__init__  # else type checkers take one that is made of the fields

    def _lines(self, chat: Session | User) -> list[str]:
        return memory_lines.facts(chat)


class InstructionsBlock(KnownBlock):
    """The user's instructions, highest priority first."""

    _name: ClassVar[str] = "instructions"
    _description: ClassVar[str] = "How the user wishes to be served; the upper outweighs the lower."
    __init__ = KnownBlock.__init__  # else type checkers take one that is made of the fields

    def _lines(self, chat: Session | User) -> list[str]:
        return memory_lines.instructions(chat)


class SummaryBlock(KnownBlock):
    """The rolling summary of the session."""

    _name: ClassVar[str] = "summary"
    _description: ClassVar[str] = "What this conversation was about so far."
    __init__ = KnownBlock.__init__  # else type checkers take one that is made of the fields

    def _lines(self, chat: Session | User) -> list[str]:
        return memory_lines.summary(chat) if isinstance(chat, Session) else []


class FilesBlock(KnownBlock):
    """The files of the session that have not expired, the newest first; takes no messages."""

    _name: ClassVar[str] = "files"
    _description: ClassVar[str] = "Files of this conversation."
    __init__ = KnownBlock.__init__  # else type checkers take one that is made of the fields

    def _lines(self, chat: Session | User) -> list[str]:
        return memory_lines.files(chat) if isinstance(chat, Session) else []

    async def _aput(self, messages: list[ChatMessage]) -> None:
        """Ignore messages: files are stored by `session.files.add`."""


def _fit_lines(lines: list[str], limit: int) -> str:
    """Enclose as many leading lines as fit into the token limit."""
    tokenize, chosen_lines = get_tokenizer(), list[str]()
    tokens_left = limit - len(tokenize(_enclose([])))
    for line in lines:
        tokens_left -= len(tokenize(f"{line}\n"))
        if tokens_left < 0:
            break
        chosen_lines.append(line)
    while chosen_lines and len(tokenize(_enclose(chosen_lines))) > limit:
        chosen_lines.pop()
    return _enclose(chosen_lines) if chosen_lines else ""


def _enclose(lines: list[str]) -> str:
    return "\n".join([MARK_START, *lines, MARK_END])


def _without_session(message: ChatMessage) -> ChatMessage:
    """Return the message without the session id that LlamaIndex added to it."""
    own_kwargs = {
        key: value for key, value in message.additional_kwargs.items() if key != _SESSION_FIELD
    }
    return message.model_copy(update={"additional_kwargs": own_kwargs})
