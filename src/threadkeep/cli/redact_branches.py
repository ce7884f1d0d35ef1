"""The names of branches as redacted: they stay unique, and items keep naming theirs."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping

from threadkeep.api.session import Session
from threadkeep.core.item_codec import BRANCH
from threadkeep.core.response_codec import ENTRY, entry_on_branch, read_entry
from threadkeep.sessions.branch_paths import label
from threadkeep.types import Item, Json, Query
from threadkeep.types.batching import batches
from threadkeep.types.branches import MAIN


def new_names(chat: Session, redact: Callable[[str], str]) -> dict[str, str]:
    """The new names of the branches in which there is a match, by the old ones."""
    info = chat.info()
    branch_names = [branch.name for branch in info.branches if branch.name != MAIN] if info else []
    new_name_by_name: dict[str, str] = {}
    for branch_name in branch_names:
        if (redacted_name := redact(branch_name) or "branch") != branch_name:
            taken_names = {MAIN, *branch_names, *new_name_by_name.values()}
            free_names = (name for name in _candidates(redacted_name) if name not in taken_names)
            new_name_by_name[branch_name] = next(free_names)
    return new_name_by_name


def renamed(item: Item, metadata: Mapping[str, Json], new_names: Mapping[str, str]) -> Item:
    """The item with this metadata, in which the branch it is hidden for has its new name."""
    if (branch_label := label(item)) is not None:
        metadata = {**metadata, BRANCH: new_names.get(branch_label, branch_label)}
    return dataclasses.replace(item, metadata=dict(metadata))


def rename_of_responses(
    chat: Session, redact: Callable[[str], str], new_names: Mapping[str, str]
) -> None:
    """Give the branches that responses were stored on their new names; one that ended has none."""
    stream = chat._stream
    renamed_records = [
        entry_on_branch(record, new_names.get(branch))
        for record in stream.read(Query(stream.stream_name, ENTRY)).pages[0].records
        if (branch := read_entry(record).branch) is not None and redact(branch) != branch
    ]
    for batch in batches(renamed_records):
        stream.append(batch)


def _candidates(name: str) -> itertools.chain[str]:
    return itertools.chain([name], (f"{name} {number}" for number in itertools.count(2)))
