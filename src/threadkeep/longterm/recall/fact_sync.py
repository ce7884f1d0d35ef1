"""The facts of one user's index, which are read whole when anything changed in their stream."""

from __future__ import annotations

from collections.abc import Iterable

from threadkeep.core.engine import Engine
from threadkeep.longterm.recall import analyzer
from threadkeep.longterm.recall.analyzer import FACT, FACT_PREFIX
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.store.codec import read_fact
from threadkeep.longterm.store.validity import is_current
from threadkeep.types import Page, Query
from threadkeep.types.knowledge import Fact


class FactSync:
    """The facts of a user in an index; not thread-safe.

    Attributes:
        stream: the stream of the facts.
    """

    def __init__(self, engine: Engine, user: str, index: RecallIndex) -> None:
        self.stream = engine.longterm.stream("user", user)
        self._engine = engine
        self._index = index
        self._version = -1  # of the stream
        self._facts_by_id: dict[str, Fact] = {}

    def __len__(self) -> int:
        return len(self._facts_by_id)

    def sync(self) -> None:
        """Take in the facts, if anything is new in what is known of the user."""
        longterm_engine = self._engine.longterm
        newest_page = longterm_engine.read(Query(self.stream, "fact", limit=1, newest=True))[0]
        if newest_page.version != self._version:
            self._index_facts(longterm_engine.read(Query(self.stream, "fact"))[0])

    def text(self, number: int) -> str:
        """The text of the fact that a document is; empty if it is none."""
        fact = self._facts_by_id.get(
            self._index.origin_names.values[self._index.origins[number]][1:]
        )
        return "" if fact is None else fact.text

    def remove(self, ids: Iterable[str]) -> None:
        """Let go of facts."""
        fact_origins = {FACT_PREFIX + fact_id for fact_id in ids}
        origin_names = self._index.origin_names.values
        document_flags, document_origins = self._index.flags, self._index.origins
        document_numbers = [
            document_number
            for document_number in range(len(self._index))
            if document_flags[document_number] & FACT
            and origin_names[document_origins[document_number]] in fact_origins
        ]
        self._index.remove(document_numbers)
        self._version = -1
        for fact_origin in fact_origins:
            self._facts_by_id.pop(fact_origin[1:], None)

    def _index_facts(self, page: Page) -> None:
        stored_facts = [fact for record in page.records if (fact := read_fact(record))]
        now = self._engine.now()
        fact_by_id = {fact.id: fact for fact in stored_facts if is_current(fact, now)}
        unchanged_ids = {
            fact_id
            for fact_id, fact in fact_by_id.items()
            if self._facts_by_id.get(fact_id) == fact
        }
        self.remove(self._facts_by_id.keys() - unchanged_ids)
        namespace = self._engine.settings.namespace
        new_documents = [
            analyzer.fact_document(fact, namespace)
            for fact_id, fact in fact_by_id.items()
            if fact_id not in unchanged_ids
        ]
        self._index.add_facts(new_documents)
        self._facts_by_id, self._version = fact_by_id, page.version
