"""The line of `threadkeep doctor` about checkpoints of LangGraph."""

from __future__ import annotations

from collections.abc import Iterator

from threadkeep.api.memory import Memory
from threadkeep.cli.check import Check, failure
from threadkeep.cli.store import describe_store
from threadkeep.errors import ThreadkeepError
from threadkeep.sessions import checkpoint_counts

_REMEDY = "delete_thread(id, keep_session=True) of the checkpointer, if they are not needed"


def checkpoints_check(memory: Memory, limit: int) -> Iterator[Check]:
    """How many threads have checkpoints, in so many streams; nothing if there are none."""
    try:
        if describe_store(memory).get("exists") == "no":
            return
        thread_counts = checkpoint_counts.count(memory._engine, limit)
    except ThreadkeepError as error:
        yield failure("checkpoints", error)
        return
    if not thread_counts.threads:
        return
    finding = f"threads: {thread_counts.threads}, held by a run: {thread_counts.held}"
    if thread_counts.without_messages:
        finding += f", with a newest message that is deleted: {thread_counts.without_messages}"
        yield Check("note", "checkpoints", finding, _REMEDY)
    else:
        yield Check("ok", "checkpoints", finding)
