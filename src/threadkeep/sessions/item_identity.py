"""Matches the ids of a batch with stored items: retries, references and conflicts.

"The same item again" has the same id, role and type. A reference of the Responses API names an
item of the session and is no item itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from threadkeep.core import names
from threadkeep.errors import Conflict, InputError, NotFound
from threadkeep.printable import shown
from threadkeep.sessions.branch_paths import label, on_branch
from threadkeep.types import Item, Record

REFERENCE: Final = "item_reference"


def is_reference(item: Item) -> bool:
    """Return True if the item is a reference to the item of its id.

    An item that an adapter stored verbatim under its own id is not.
    """
    if item.type != REFERENCE or not item.id:
        return False
    reference_data = (item.raw or {}).get("data")
    return not isinstance(reference_data, Mapping) or reference_data.get("id") == item.id


class IdClaims:
    """The ids of a batch that stored items may have: those given by the caller.

    Attributes:
        referred: the stored items that references name, by record id; filled by `check`.
        changes: whether a stored item is given another text; filled by `check`.
        branches: of the stored items whose branch is not shown, by record id; filled by `check`.
    """

    def __init__(self, session: str, items: Iterable[tuple[int, Item]], noun: str) -> None:
        self.referred: dict[str, Item] = {}
        self.changes = False
        self.branches: dict[str, str] = {}
        self._session, self._noun = session, noun
        self._new: dict[str, Item] = {}
        self._references: dict[str, tuple[int, str]] = {}
        for item_number, item in items:
            if is_reference(item):
                self._references.setdefault(names.key(item.id), (item_number, item.id))
            elif item.id:
                self._new[names.key(item.id)] = item

    @property
    def keys(self) -> list[str]:
        """The record ids to look for in the session."""
        return list({**self._new, **self._references})

    def keys_of(self, batch: Sequence[Record]) -> list[str]:
        """The record ids to look for, for some of the records."""
        return [record.id for record in batch if record.id in self._new]

    def check(self, stored: Mapping[str, Item]) -> None:
        """Check the batch against stored items, and resolve its references.

        Args:
            stored: the session's items with any of the ids, by record id.

        Raises:
            Conflict: an id stands for an item of another role or type.
            NotFound: a reference names no item of the session or the batch.
        """
        self.check_new(stored)
        for item_key, (item_number, item_id) in self._references.items():
            if item_key not in stored and item_key not in self._new:
                raise NotFound(
                    f"{self._noun} {item_number} refers to {shown(item_id)}, but session "
                    f"{shown(self._session)} has no such item; add the item itself"
                )
        self.referred = {key: stored[key] for key in self._references if key in stored}

    def check_new(self, stored: Mapping[str, Item]) -> None:
        """As `check`, without the references."""
        for item_key, item in self._new.items():
            if item_key not in stored:
                continue
            if _identity(stored[item_key]) != _identity(item):
                raise self._conflict(item, stored[item_key])
            self.changes = self.changes or stored[item_key].text != item.text
            self.branches.pop(item_key, None)  # of an earlier try
            if (branch := label(stored[item_key])) is not None:
                self.branches[item_key] = branch

    def as_stored(self, item: Item) -> Item:
        """An item of the batch as it is stored: hidden if its branch is not shown."""
        branch = self.branches.get(names.key(item.id))
        return item if branch is None else on_branch(item, branch)

    def check_alone(self) -> None:
        """As `check`, for a batch that replaces all items of the session.

        Raises:
            InputError: a reference names no item of the batch.
        """
        for item_key, (item_number, item_id) in self._references.items():
            if item_key not in self._new:
                raise InputError(
                    f"{self._noun} {item_number} refers to {shown(item_id)}, which is none of "
                    "the items beside it; pass the item itself"
                )

    def _conflict(self, item: Item, stored: Item) -> Conflict:
        return Conflict(
            f"id {shown(item.id)} stands for a {_description(stored)} in session "
            f"{shown(self._session)}, so it cannot take a {_description(item)}; nothing was "
            "written. Add the new item under another id or none, or put it in the other's place "
            "with replace()"
        )


def _identity(item: Item) -> tuple[str, str]:
    return names.join_surrogates(item.role), names.join_surrogates(item.type)


def _description(item: Item) -> str:
    return f"{item.type:.80} of {item.role:.80}"
