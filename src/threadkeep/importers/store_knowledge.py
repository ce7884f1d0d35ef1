"""Writes imported facts and instructions; what is known or was forgotten here stays as it is."""

from typing import Final

from threadkeep.api.memory import Memory
from threadkeep.errors import InputError
from threadkeep.importers import fields
from threadkeep.importers.report import ImportReport
from threadkeep.importers.values import Knowledge
from threadkeep.longterm.facts import MAX_FACTS
from threadkeep.longterm.instructions import MAX_INSTRUCTIONS
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.longterm.store.validate import checked_text

_LIMITS: Final = {"fact": MAX_FACTS, "instruction": MAX_INSTRUCTIONS}


class KnowledgeWriter:
    """Adds what is new; facts are active, instructions wait until somebody approves them."""

    def __init__(self, memory: Memory, report: ImportReport) -> None:
        self._memory = memory
        self._report = report
        self._ids: dict[str, dict[str, set[str]]] = {}

    def write(self, knowledge: Knowledge, owner: str, system: str) -> None:
        """Add a fact or instruction.

        Raises:
            InputError: it is too long, or the redactor refuses it.
        """
        entry_text = checked_text(self._memory._engine, knowledge.text, knowledge.kind)
        scope_args: tuple[str | None, ...] = (None, None) if knowledge.kind == "instruction" else ()
        entry_id = identity(knowledge.kind, entry_text, *scope_args)
        ids_by_kind = self._ids.get(owner) or self._load(owner)
        if entry_id in ids_by_kind["fact"] | ids_by_kind["instruction"] | ids_by_kind["forgotten"]:
            self._report.existing += 1
            return
        kind, max_count = knowledge.kind, _LIMITS[knowledge.kind]
        if len(ids_by_kind[kind]) >= max_count:
            raise InputError(f"the user has {max_count:,} {kind}s, and no more are kept")
        self._add(knowledge, entry_text, owner, f"import:{system}")
        self._count(knowledge)
        ids_by_kind[kind].add(entry_id)

    def _load(self, owner: str) -> dict[str, set[str]]:
        user_memory = UserStream(self._memory._engine, user=owner).load()
        ids_by_kind = {
            "fact": set(user_memory.facts),
            "instruction": set(user_memory.instructions),
            "forgotten": set(user_memory.forgotten),
        }
        self._ids = {owner: ids_by_kind}  # of one user at a time, so that memory is bounded
        return ids_by_kind

    def _add(self, knowledge: Knowledge, text: str, owner: str, extractor: str) -> None:
        user_memory = self._memory.user(owner)
        observed_at = fields.moment(knowledge.observed_at)
        expires_at = fields.moment(knowledge.expires_at)
        if knowledge.kind == "fact":
            user_memory.facts.add(
                text,
                observed_at=observed_at,
                valid_from=fields.moment(knowledge.valid_from),
                valid_to=fields.moment(knowledge.valid_to),
                expires_at=expires_at,
                extractor=extractor,
            )
            return
        user_memory.instructions.add(
            text,
            observed_at=observed_at,
            expires_at=expires_at,
            extractor=extractor,
            status="quarantined",
        )

    def _count(self, knowledge: Knowledge) -> None:
        if knowledge.kind == "fact":
            self._report.facts += 1
        else:
            self._report.instructions += 1
