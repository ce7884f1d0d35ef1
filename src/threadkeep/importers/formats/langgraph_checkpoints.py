"""LangGraph's `SqliteSaver` and `PostgresSaver`: the messages of each thread's newest state."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Final, NamedTuple

from threadkeep.importers import fields
from threadkeep.importers.database import Database, Row, TableReader, Tables, decoded
from threadkeep.importers.fields import Malformed
from threadkeep.importers.formats.langchain import dates_and_id
from threadkeep.importers.formats.langgraph_values import decode
from threadkeep.importers.values import Chat, Context, Message, Part
from threadkeep.messages import langchain

_COPY: Final = "langchain_threadkeep.import_checkpoints copies it"
_PLACE: Final = ("thread_id", "checkpoint_ns", "checkpoint_id")
_USERS: Final = ("langgraph_auth_user_id", "user_id")


class _State(NamedTuple):
    """A checkpoint: its place, its date, the versions of its channels, and some of their values."""

    place: Row
    date: object
    versions: Mapping[str, Any]
    values: Mapping[str, Any]
    user: str | None


def _matches(tables: Tables) -> bool:
    return tables.get("checkpoints", frozenset()) >= {*_PLACE, "type", "checkpoint", "metadata"}


def _read(database: Database, context: Context) -> Iterator[Part]:
    has_blobs = "checkpoint_blobs" in database.tables()
    rows = database.rows("checkpoints", _PLACE, _PLACE)
    for (thread_id, namespace), thread_rows in groupby(rows, key=lambda place: tuple(place[:2])):
        *_, newest_row = thread_rows
        location = f"{context.label}:checkpoints {thread_id}"
        if namespace:
            context.skip(f"{location}/{namespace}", f"a sub-graph's state is not a chat: {_COPY}")
            continue
        try:
            checkpoint = _state(database, newest_row)
            dumps = _messages_of(database, checkpoint, has_blobs)
        except (Malformed, LookupError, TypeError, ValueError, AttributeError) as error:
            context.skip(location, str(error) or "the checkpoint is damaged")
            continue
        messages = list(_messages(dumps, checkpoint.date, location, context))
        yield Chat(str(thread_id), location, messages, user=checkpoint.user)


READER: Final = TableReader("langgraph", "LangGraph's checkpoints", _matches, _read)


def _state(database: Database, place: Row) -> _State:
    row_filter = dict(zip(_PLACE, place, strict=True))
    columns = ("type", "checkpoint", "metadata")
    [(type, raw_value, metadata)] = database.rows("checkpoints", columns, (), row_filter)
    checkpoint_fields = raw_value if isinstance(raw_value, Mapping) else decode(type, raw_value)
    checkpoint_fields = fields.mapping(checkpoint_fields, "the checkpoint")
    thread_metadata = decoded(metadata)
    user_fields = (
        (thread_metadata.get(key) for key in _USERS) if isinstance(thread_metadata, Mapping) else ()
    )
    user_id = next(filter(None, map(fields.name, user_fields)), None)
    versions = fields.mapping(checkpoint_fields.get("channel_versions") or {}, "channel_versions")
    channel_values = fields.mapping(checkpoint_fields.get("channel_values") or {}, "channel_values")
    return _State(place, checkpoint_fields.get("ts"), versions, channel_values, user_id)


def _messages_of(database: Database, state: _State, has_blobs: bool) -> list[Any]:
    """The dumps of the first channel of messages, `messages` before all others."""
    channels = sorted(
        {*state.values, *state.versions}, key=lambda channel: (channel != "messages", channel)
    )
    for channel in channels:
        raw_dumps = state.values.get(channel)
        if raw_dumps is None and has_blobs and channel in state.versions:
            raw_dumps = _blob(database, state, channel)
        if isinstance(raw_dumps, list) and raw_dumps and any(map(_is_message, raw_dumps)):
            return raw_dumps
    if "messages" in state.versions and "messages" not in state.values:
        raise Malformed(f"its messages are empty, or kept as changes only: {_COPY}")
    raise Malformed("its state has no messages")


def _blob(database: Database, checkpoint: _State, channel: str) -> Any:
    thread_filter = dict(zip(_PLACE[:2], checkpoint.place, strict=False))
    row_filter = {**thread_filter, "channel": channel, "version": str(checkpoint.versions[channel])}
    blobs = [
        decode(*row) for row in database.rows("checkpoint_blobs", ("type", "blob"), (), row_filter)
    ]
    return blobs[0] if blobs else None


def _messages(dumps: list[Any], date: object, location: str, context: Context) -> Iterator[Message]:
    for dump_index, dump in enumerate(dumps):
        if not _is_message(dump):
            context.skip(f"{location}[{dump_index}]", "this is not a message")
            continue
        created_at, message_id = dates_and_id(dump)
        yield Message(dump, f"{location}[{dump_index}]", message_id, created_at or date)


def _is_message(value: Any) -> bool:
    return isinstance(value, Mapping) and langchain.is_dump(value)
