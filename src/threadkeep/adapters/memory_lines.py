"""Facts, instructions, summary and files as prompt lines, most important first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from threadkeep.longterm.context import stable
from threadkeep.longterm.facts import rank_key
from threadkeep.longterm.instructions import ranked
from threadkeep.longterm.store.validity import is_current
from threadkeep.types import File

if TYPE_CHECKING:
    from threadkeep.api.session import Session
    from threadkeep.api.user import User


def facts(scope: Session | User) -> list[str]:
    """The facts that are currently valid, pinned ones first."""
    engine = scope._engine
    current_facts = [fact for fact in scope.facts.list() if is_current(fact, engine.now())]
    current_facts.sort(key=lambda fact: (fact.pinned, rank_key(fact)), reverse=True)
    return [line for fact in current_facts if (line := stable.fact_line(engine, fact))]


def instructions(scope: Session | User) -> list[str]:
    """The instructions that apply to the session and agent."""
    from threadkeep.api.session import Session  # a cycle at import: sessions use long-term memory

    session_and_agent = (scope.id, scope.agent) if isinstance(scope, Session) else (None, None)
    applicable_instructions = [
        instruction
        for instruction in scope.instructions.list()
        if stable.applies_to(instruction, *session_and_agent)
    ]
    return [
        line
        for instruction in ranked(applicable_instructions)
        if (line := stable.instruction_line(scope._engine, instruction))
    ]


def summary(chat: Session) -> list[str]:
    """The summary of the session, if there is one."""
    rolling_summary = chat.summary()
    text = "" if rolling_summary is None else stable.summary_line(chat._engine, rolling_summary)
    return [text] if text else []


def files(chat: Session) -> list[str]:
    """The files of the session that have not expired, the newest first."""
    return file_lines(reversed(chat.files.list()))


def file_lines(files: Iterable[File]) -> list[str]:
    """Files as lines that cannot pose as a prompt."""
    return [stable.file_line(file) for file in files]
