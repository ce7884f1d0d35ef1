"""What is known, as lines for a prompt, the most worthy first: for blocks of one kind each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threadkeep.longterm.context import stable
from threadkeep.longterm.facts import worth
from threadkeep.longterm.instructions import ranked

if TYPE_CHECKING:
    from threadkeep.api.session import Session
    from threadkeep.api.user import User


def facts(whose: Session | User) -> list[str]:
    """The facts that hold, pinned ones first."""
    engine = whose.engine
    held = [fact for fact in whose.facts.list() if stable.holds(fact, engine.now())]
    held.sort(key=lambda fact: (fact.pinned, worth(fact)), reverse=True)
    return [text for fact in held if (text := stable.fact_line(engine, fact))]


def instructions(whose: Session | User) -> list[str]:
    """The instructions that are meant here."""
    from threadkeep.api.session import Session  # it knows long-term memory, which knows it

    here = (whose.id, whose.agent) if isinstance(whose, Session) else (None, None)
    meant = [one for one in whose.instructions.list() if stable.is_meant(one, *here)]
    return [text for one in ranked(meant) if (text := stable.wish_line(whose.engine, one))]


def summary(chat: Session) -> list[str]:
    """The summary of the session, if there is one."""
    found = chat.summary()
    text = "" if found is None else stable.summary_line(chat.engine, found)
    return [text] if text else []


def files(chat: Session) -> list[str]:
    """The files of the session that have not expired, the newest first."""
    return [stable.file_line(file) for file in reversed(chat.files.list())]
