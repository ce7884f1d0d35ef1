"""The documents that facts were learned from, found by the keys that facts name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class FactSources:
    """The sources of facts, by document number.

    Attributes:
        documents_by_fact: those that there are, of facts that hold.
    """

    def __init__(self) -> None:
        self.documents_by_fact: dict[int, tuple[int, ...]] = {}
        self._keys_by_fact: dict[int, tuple[int, ...]] = {}
        self._facts_by_key: dict[int, list[int]] = {}

    def add_fact(self, fact_number: int, source_keys: tuple[int, ...]) -> None:
        """Note what a fact was learned from; `match` finds it."""
        self._keys_by_fact[fact_number] = source_keys

    def add_document(self, number: int, key: int, alive: Sequence[int]) -> None:
        """Find the facts that were learned from a new document."""
        for fact_number in self._facts_by_key.get(key, ()):
            if alive[fact_number]:
                self._append(fact_number, number)

    def match(self, keys: Iterable[int], alive: Sequence[int]) -> None:
        """Find the sources of all facts anew."""
        self._facts_by_key = {}
        self.documents_by_fact.clear()
        for fact_number, source_keys in self._keys_by_fact.items():
            for source_key in source_keys:
                self._facts_by_key.setdefault(source_key, []).append(fact_number)
        for document_number, source_key in enumerate(keys):
            if source_key in self._facts_by_key and alive[document_number]:
                for fact_number in self._facts_by_key[source_key]:
                    self._append(fact_number, document_number)

    def remove(self, number: int) -> None:
        """Let a document go, which may be a fact."""
        self.documents_by_fact.pop(number, None)
        self._keys_by_fact.pop(number, None)

    def renumber(self, new_numbers: Sequence[int]) -> None:
        """Give facts their new numbers; `match` finds their sources."""
        self._keys_by_fact = {
            new_numbers[fact_number]: source_keys
            for fact_number, source_keys in self._keys_by_fact.items()
        }

    def _append(self, fact_number: int, source_document: int) -> None:
        source_documents = self.documents_by_fact.get(fact_number, ())
        self.documents_by_fact[fact_number] = (*source_documents, source_document)
