"""What is known of a session is used only while nothing that it had was changed or removed."""

from __future__ import annotations

from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.state import ThreadState
from threadkeep import Query
from threadkeep.adapters import checkpoints


def observe(context: SaverContext, thread: ThreadState, version: int, newest: int) -> bool:
    """Forget what was known of a session if it was changed; follow it from here on.

    Returns False if it was changed.

    Args:
        context: the store.
        thread: of the session.
        version: of the session, just read.
        newest: the largest seq of the items that were read at it; 0 = none.
    """
    memory, session, known_version = context.memory, thread.streams.session, thread.session_version
    is_unchanged = (
        version != 0  # a session that was deleted is as if it had never been
        and known_version is not None
        and checkpoints.is_unchanged(memory, session, known_version, version)
    )
    if not is_unchanged:
        thread.forget_session()
        thread.session_version = version
    checkpoints.observe(memory, session, version, newest)
    return is_unchanged


def check(context: SaverContext, thread: ThreadState) -> bool:
    """Forget what is known of a session if it was changed since; one small read.

    Returns False if it was changed.
    """
    session_page = context.store.read(Query(thread.streams.session, "session", limit=0))[0]
    return observe(context, thread, session_page.version, 0)
