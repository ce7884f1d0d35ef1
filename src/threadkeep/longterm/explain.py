"""What came of a message: the facts and instructions learned from it, and what was refused."""

from __future__ import annotations

from dataclasses import dataclass

from threadkeep.core import names
from threadkeep.longterm.follow import namespace_of
from threadkeep.longterm.refused import listed
from threadkeep.longterm.store.user_stream import for_session
from threadkeep.sessions.stream import SessionStream
from threadkeep.types.knowledge import Fact, Instruction, Refusal, Source


@dataclass(frozen=True, slots=True)
class Explanation:
    """What came of a message.

    Attributes:
        facts: learned from it, of any status.
        instructions: likewise.
        refused: what was proposed of it and is not known, with the reason.
    """

    facts: tuple[Fact, ...] = ()
    instructions: tuple[Instruction, ...] = ()
    refused: tuple[Refusal, ...] = ()


def explain_item(session_stream: SessionStream, id: str) -> Explanation:
    """As `Session.explain`.

    Raises:
        NotOwner: the session belongs to another user.
    """
    id = names.check(id, "id")
    session_stream.read()  # another user's is not looked into
    user_stream = for_session(session_stream)
    unit_of_work = user_stream.load()
    namespace = namespace_of(session_stream, user_stream.engine.settings.namespace)

    def is_cited(sources: tuple[Source, ...]) -> bool:
        return any(
            (source.namespace, source.session, source.item) == (namespace, session_stream.id, id)
            for source in sources
        )

    return Explanation(
        tuple(fact for fact in unit_of_work.facts.values() if is_cited(fact.sources)),
        tuple(
            instruction
            for instruction in unit_of_work.instructions.values()
            if is_cited(instruction.sources)
        ),
        tuple(refusal for refusal in listed(unit_of_work, None) if is_cited(refusal.sources)),
    )
