"""What the verbs of `Conversations` do: sessions as the OpenAI API knows conversations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from threadkeep.core import cursor as cursors
from threadkeep.core import item_codec, names
from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted_info
from threadkeep.errors import InputError, NotFound
from threadkeep.messages import parse
from threadkeep.sessions import append, edit, read, scan, user_index
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item, Listing, SessionInfo
from threadkeep.types.openai_limits import check_metadata, count_metadata
from threadkeep.types.timestamps import moment

AT_ONCE: Final = 20
ORDERS: Final = ("asc", "desc")


class Kept(NamedTuple):
    """Which conversations a listing keeps; times are aware, `until` is exclusive."""

    metadata: Mapping[str, Any]
    since: datetime | None
    until: datetime | None

    def takes(self, info: SessionInfo) -> bool:
        """Whether all conditions hold."""
        at = info.updated_at
        has = all(info.metadata.get(key) == value for key, value in self.metadata.items())
        return (
            has
            and (self.since is None or (at is not None and at >= self.since))
            and (self.until is None or (at is not None and at < self.until))
        )


def create(engine: Engine, info: SessionInfo, given: Sequence[object]) -> SessionInfo:
    """As `Conversations.create`."""
    draft = append.drafted(engine, info.id, few(given), "item")
    if draft.claims is not None:
        draft.claims.check_alone()
    now = draft.now
    said = replace(
        info,
        id=info.id or f"conv_{engine.mint(now)}",
        metadata=check_metadata(info.metadata),
        created_at=moment(now),
        updated_at=moment(now),
    )
    said = redacted_info(engine, said)
    SessionStream(engine, said).begin(said, draft.records)
    return said


def update(
    door: SessionStream, title: str | None, metadata: Mapping[str, Any] | None
) -> SessionInfo:
    """As `Conversations.update`."""
    given = edit.json_object(metadata)
    check_metadata({key: value for key, value in given.items() if value is not None})

    def merge(old: dict[str, Any]) -> dict[str, Any]:
        there(door)  # which a session's own update does not ask for
        merged = {**old, **given}
        count_metadata({key: value for key, value in merged.items() if value is not None})
        return given

    return edit.update(door, title, merge)


def found(
    engine: Engine, user: str | None, kept: Kept, mark: tuple[Any, str] | None
) -> Iterator[tuple[SessionInfo, Any]]:
    """The conversations that are kept, each with the cursor of what comes behind it."""
    skip = None if mark is None else mark[1]
    for at, info in scan.sessions(engine, user, None if mark is None else mark[0]):
        if user_index.of_sub_agent(info):
            continue
        if info.id != skip and kept.takes(info):
            yield info, [at, info.id]


def place(cursor: object) -> tuple[Any, str] | None:
    """Where the walk goes on, and the id of the conversation that was given last.

    Raises:
        InputError: the cursor is none of this listing.
    """
    if cursor is None:
        return None
    mark, last = cursors.parts(cursor, 2)
    if mark is None:
        raise cursors.invalid()
    return mark, cursors.text(last)


def items(door: SessionStream, limit: int, order: str, after: str | None) -> Listing[Item]:
    """As `Conversations.items`."""
    if order not in ORDERS:
        raise InputError(f"order must be 'asc' or 'desc', got {order!r:.80}")
    if after is not None and not isinstance(after, str):
        raise InputError(f"after must be an item's id, got {type(after).__name__}")
    at = read.place(door, "after", after)
    newest = order == "desc"
    bounds = {"before": at} if newest else {"after": at}
    query = read.items_of(door, limit=limit + 1, newest=newest, **bounds)
    seen = door.look(query)
    if seen.info is None:
        raise missing(door)
    page = read.read(seen.pages[0])
    page = (page[::-1] if newest else page)[: limit + 1]
    return Listing(page[:limit], cursor=page[limit - 1].id if len(page) > limit else None)


def item(door: SessionStream, id: str) -> Item:
    """As `Conversations.item`."""
    key = names.key(names.check(id, "item"))
    seen = door.look(read.items_of(door, ids=[key]))
    if seen.info is None:
        raise missing(door)
    if not seen.pages[0].records:
        raise NotFound(f"conversation {door.id!r} has no item {id!r}")
    return item_codec.read_item(seen.pages[0].records[0])


def add_items(door: SessionStream, given: Sequence[object]) -> list[Item]:
    """As `Conversations.add_items`."""
    messages = few(given)
    there(door)
    return append.add(door, messages)


def remove_item(door: SessionStream, id: str) -> None:
    """As `Conversations.remove_item`."""
    there(door)
    edit.remove(door, id)


def few(given: Sequence[object]) -> list[Item]:
    """The items, if they are as many as one call may bring.

    Raises:
        InputError: they are more, or one cannot be understood.
    """
    if not isinstance(given, (list, tuple)):
        raise InputError(f"items must be a list, got {type(given).__name__}")
    if len(given) > AT_ONCE:
        raise InputError(f"{len(given)} items at once, at most {AT_ONCE} are allowed in one call")
    return [item for n, message in enumerate(given) for item in parse(message, f"item {n}")]


def there(door: SessionStream) -> SessionInfo:
    """What is known of the conversation.

    Raises:
        NotFound: it does not exist.
    """
    info = door.look().info
    if info is None:
        raise missing(door)
    return info


def missing(door: SessionStream) -> NotFound:
    """The error that says so."""
    return NotFound(f"there is no conversation {door.id!r}")
