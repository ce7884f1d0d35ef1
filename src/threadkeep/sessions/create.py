"""Creates a session with many records, as forks and imports do: whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterable

from threadkeep.core import session_codec
from threadkeep.errors import Conflict
from threadkeep.printable import shown
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Drop, Record, SessionInfo
from threadkeep.types.batching import batches


def create_session(
    stream: SessionStream,
    info: SessionInfo,
    records: Iterable[Record],
    session_entry: Record | None = None,
) -> list[int]:
    """Create the session with many records; its `session` record is written last.

    So whatever fails leaves no session. Returns the seqs of the records.

    Args:
        stream: of the session.
        info: the session info.
        records: its records; leftovers of an earlier attempt are dropped first.
        session_entry: its `session` record, to be used as it is.

    Raises:
        Conflict: it exists already, or another writer created it meanwhile.
    """
    snapshot = stream.read()
    if snapshot.info is not None:
        raise Conflict(f"session {shown(info.id)} exists already", current=snapshot.version)
    leftover_drops = [Drop()] if snapshot.version else []
    stream.touch_index(info, new=True)  # first, so that forgetting the user finds leftovers
    try:
        seqs = _write(stream, info, records, session_entry, leftover_drops, snapshot.version)
        stream.ensure_listed(info)
        return seqs
    except Conflict as error:
        error_text = f"session {shown(info.id)} was begun by somebody else meanwhile"
        raise Conflict(error_text, current=error.current) from error


def _write(
    stream: SessionStream,
    info: SessionInfo,
    records: Iterable[Record],
    session_entry: Record | None,
    drops: list[Drop],
    version: int,
) -> list[int]:
    """Write the records, and the `session` record behind them."""
    engine, seqs = stream.engine, list[int]()
    for batch in batches(records):
        version, batch_seqs = engine.commit(
            stream.stream_name, put=batch, drop=drops, ttl=engine.settings.ttl, expect=version
        )
        drops = []
        seqs += batch_seqs
    session_entry = session_entry or session_codec.session_record(info, engine.now())
    session_info = session_codec.read_session(session_entry)
    stream.commit(session_info, [session_entry], drop=drops, expect=version)
    return seqs
