"""`threadkeep_summarizer`: the session's summary for LangChain's `SummarizationMiddleware`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langgraph.config import get_config

from langchain_threadkeep.identity import (
    Id,
    IdentityResolver,
    SubAgentMemory,
    UserId,
)
from threadkeep import Memory
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import user_source
from threadkeep.adapters.shared import shared_memory
from threadkeep.errors import ConfigError
from threadkeep.printable import shown

_MAX_LINE: Final = 200
_MAX_LINES: Final = 40

_log = logging.getLogger("threadkeep.langchain")


@strict_arguments
def threadkeep_summarizer(
    memory: Memory | str | None = None,
    *,
    session_id: Id = None,
    user: UserId = None,
    user_id: UserId = None,
    sub_agent_memory: SubAgentMemory = "call",
) -> Runnable[list[BaseMessage], str]:
    """For `SummarizationMiddleware(summarizer=)`: the rolling summary of the run's session.

    It is the summary that `chat.summary()` returns and that other frameworks use: one model call
    updates it with the new messages, instead of summarizing a cut history from scratch. Messages
    that the middleware removes from the state stay in the store. `ThreadkeepMiddleware` must store
    the messages, and the Memory needs `llm=`. Where no summary can be written, that is logged, and
    the run goes on with the beginnings of the messages.

    Args:
        memory: a `Memory` with a model; `None` = the store of `threadkeep.connect()`.
        session_id: the session; `None` = the run's `thread_id`.
        user: as for `ThreadkeepMiddleware`.
        user_id: another name for `user`.
        sub_agent_memory: as for `ThreadkeepMiddleware`.

    Raises:
        ConfigError: an id or the URL is not valid, or the Memory has no model.
    """
    resolved_memory = shared_memory(memory)
    resolver = IdentityResolver(session_id, user_source(user, user_id), sub_agent_memory)
    if not resolved_memory.has_llm:
        raise ConfigError("threadkeep_summarizer needs a Memory with a model: connect(llm=)")

    def summarize(messages: list[BaseMessage], config: RunnableConfig) -> str:
        run_config: Any = {**config, **get_config()}
        run_identity = resolver.resolve(run_config)
        chat = resolved_memory.session(
            run_identity.session_of_run, user=run_identity.user, agent=run_identity.agent
        )
        resolved_memory.extract(user=run_identity.user, session=chat.id)
        summary = chat.summary()
        if summary is None:
            _log.warning(
                "session %s could not be summed up: its model did not answer, or nothing of it is "
                "stored; is ThreadkeepMiddleware in the agent?",
                shown(chat.id),
            )
            return _excerpt(messages)
        return summary.text

    async def asummarize(messages: list[BaseMessage], config: RunnableConfig) -> str:
        return await resolved_memory.to_thread(summarize, messages, config)

    return RunnableLambda(summarize, afunc=asummarize)


def _excerpt(messages: Sequence[BaseMessage]) -> str:
    """The beginnings of the newest messages, for want of a summary."""
    lines = [
        f"{message.type}: {' '.join(message.text.split())[:_MAX_LINE]}"
        for message in messages
        if message.text.strip()
    ]
    return "\n".join(["Earlier messages, shortened:", *lines[-_MAX_LINES:]])
