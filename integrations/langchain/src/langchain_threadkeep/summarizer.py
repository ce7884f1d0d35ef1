"""`threadkeep_summarizer`: the summary of the session, for LangChain's own middleware."""

from __future__ import annotations

import functools
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langgraph.config import get_config

from langchain_threadkeep.identity import (
    Id,
    People,
    UserId,
    sub_agent,
)
from threadkeep import Memory
from threadkeep.adapters.shared import shared
from threadkeep.errors import BackendError, ConfigError


def threadkeep_summarizer(
    memory: Memory | str, session_id: Id = None, user_id: UserId = None
) -> Runnable[list[BaseMessage], str]:
    """For `SummarizationMiddleware(summarizer=)`: the rolling summary of the run's session.

    It is the one that `chat.summary()` gives and that other frameworks are told: brought up to
    date by one call for what is new, instead of being written anew from a cut history. What the
    middleware takes out of the state stays in the store. `ThreadkeepMiddleware` has to store the
    messages, and the Memory needs `llm=`.

    Args:
        memory: a `Memory` with a model.
        session_id: the session; `None` = the run's `thread_id`.
        user_id: as for `ThreadkeepMiddleware`.

    Raises:
        ConfigError: the URL is not understood, or the Memory has no model.
        BackendError: when asked, and nothing could be summed up.
    """
    opened, people = shared(memory), People(session_id, user_id)
    if opened.engine.settings.llm is None:
        raise ConfigError("threadkeep_summarizer needs a Memory with a model: connect(llm=)")

    def summarize(_: list[BaseMessage], config: RunnableConfig) -> str:
        said: Any = {**config, **get_config()}
        who = people.who(said)._replace(agent=sub_agent(said))
        chat = opened.session(who.session_of_run, user=who.user, agent=who.agent)
        opened.process(user=who.user, session=chat.id)
        summary = chat.summary()
        if summary is None:
            raise BackendError(
                f"session {chat.id!r} could not be summed up: its model did not answer, or nothing "
                "of it is stored; put ThreadkeepMiddleware into the agent, and see the log"
            )
        return summary.text

    async def asummarize(messages: list[BaseMessage], config: RunnableConfig) -> str:
        text: str = await opened.engine.hop(functools.partial(summarize, messages, config))
        return text

    return RunnableLambda(summarize, afunc=asummarize)
