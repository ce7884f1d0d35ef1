"""The values shared by all layers: records of a backend, and the entries of a conversation."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar

from threadkeep.types.branches import Branch

Json = Any  # str, int, float, bool, None, lists and string-keyed dicts of them
T = TypeVar("T")


class Keep(enum.Enum):
    """The type of `KEEP`."""

    KEEP = "keep"

    def __repr__(self) -> str:
        return "KEEP"


KEEP: Final = Keep.KEEP
"""As a `ttl`: leave the stream's expiry as it is (background work never prolongs it)."""

Ttl = float | None | Keep

MAX_SEQ: Final = 2**53
"""Larger than every seq, and a number that every store can compare."""

MAX_COUNT: Final = 10**9
"""A limit larger than any stream, and a number that every store accepts."""


@dataclass(frozen=True, slots=True)
class Record:
    """One small record of a stream.

    Attributes:
        kind: `[a-z_]{1,32}`.
        id: 1 to 512 bytes of UTF-8 without NUL, unique within (stream, kind).
        body: JSON text, opaque to backends.
        at: when it was written, epoch seconds.
        expires: epoch seconds from which it is not seen any more; `None` = as its stream.
        seq: its place, given by the backend; 0 = not stored yet.
    """

    kind: str
    id: str
    body: str
    at: float
    expires: float | None = None
    seq: int = 0


class Query(NamedTuple):
    """Which records of one kind to read: by `ids`, or a range of seqs; always oldest first.

    `newest=True` takes the last `limit` records, else the first; `after` and `before` are
    exclusive; `limit=None` takes all.
    """

    stream: str
    kind: str
    limit: int | None = None
    newest: bool = False
    after: int | None = None
    before: int | None = None
    ids: Sequence[str] | None = None


class Page(NamedTuple):
    """The answer to a `Query`: the stream's version (0 = no live stream) and its records."""

    version: int
    records: list[Record]


class Drop(NamedTuple):
    """What to remove: `ids` of a kind, a kind up to a seq (inclusive), a kind, or everything."""

    kind: str | None = None
    ids: Sequence[str] | None = None
    upto: int | None = None


class Commit(NamedTuple):
    """What a commit did: the stream's new version, and the seq of each record put."""

    version: int
    seqs: list[int]


class Listing(list[T], Generic[T]):
    """A list with a `cursor`: pass it to the same call for what comes next; `None` = no more."""

    def __init__(self, values: Iterable[T] = (), *, cursor: Any = None) -> None:
        super().__init__(values)
        self.cursor = cursor


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a conversation: one message, tool call, tool result, or the like.

    Attributes:
        id: unique in its session; minted here, or the caller's, as an idempotency key.
        seq: its place in the session, given by the store; 0 = not stored.
        type: `message`, `reasoning`, `tool_call`, `tool_result`, `mcp_call`, `function_call`,
            `function_call_output`, `notice`, or any other OpenAI item type.
        role: `user`, `assistant`, `system`, `developer`, `tool`, or any other.
        name: who speaks, or which tool.
        content: a `str`, or a list of blocks: dicts with a `type` out of `text image audio video
            file reasoning json opaque`, keys as in LangChain v1 content blocks.
        tool_calls: `[{"id", "name", "args": dict | str}]`.
        tool_call_id: which call a tool result answers.
        status: `completed`, `incomplete`, `in_progress`, `error`, or as the provider has it.
        model: which model wrote it.
        usage: the provider's token counts.
        metadata: the application's own, any JSON object.
        created_at: when it was said (aware, UTC); for people, `seq` orders.
        hidden: whether it is stored but not shown: in no window, listing, recall or extraction,
            unless asked for by `items(hidden=True)`.
        raw: `{"format", "data"}`: the writer's own payload where the fields above do not say
            everything; an item that was merged or edited has none.
    """

    id: str = ""
    seq: int = 0
    type: str = "message"
    role: str = "user"
    name: str | None = None
    content: str | list[dict[str, Json]] = ""
    tool_calls: list[dict[str, Json]] = field(default_factory=list)
    tool_call_id: str | None = None
    status: str | None = None
    model: str | None = None
    usage: dict[str, Json] | None = None
    metadata: dict[str, Json] = field(default_factory=dict)
    created_at: datetime | None = None
    hidden: bool = False
    raw: dict[str, Json] | None = None

    def __repr__(self) -> str:
        named_values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return f"Item({', '.join(f'{name}={value!r}' for name, value in named_values if value)})"

    @property
    def text(self) -> str:
        """The string content, or the text blocks joined by line breaks."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(block["text"] for block in self.content if block["type"] == "text")


def is_plain(item: Item) -> bool:
    """Return True if the item is a message with nothing but a role and a text."""
    return (
        item.type == "message"
        and type(item.content) is str
        and item.raw is None
        and item.name is None
        and not item.tool_calls
        and item.tool_call_id is None
    )


@dataclass(frozen=True, slots=True)
class File:
    """Metadata of a file that belongs to a session; its bytes are never stored.

    Attributes:
        id: unique in its session: the url, else the name.
        url: where the file is.
        name: what it is called.
        metadata: everything else that was given.
        created_at: when it was stored last.
        expires_at: from when it is not listed any more.
    """

    id: str
    url: str | None = None
    name: str | None = None
    metadata: dict[str, Json] = field(default_factory=dict)
    created_at: datetime | None = None
    expires_at: datetime | None = None

    def to_dict(self) -> dict[str, Json]:
        """The file as `files.add` takes it."""
        url_and_name: Mapping[str, Json] = {"url": self.url, "name": self.name}
        given_fields = {name: value for name, value in url_and_name.items() if value is not None}
        expiry_fields = (
            {} if self.expires_at is None else {"expiration_timestamp": self.expires_at.timestamp()}
        )
        return {**given_fields, **self.metadata, **expiry_fields}


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session's owner, title, metadata and dates.

    Attributes:
        id: as the application named it.
        user: who owns it; `None` = nobody yet.
        agent: which agent of the application speaks in it.
        title: for lists of chats.
        metadata: the application's own.
        created_at: its first write.
        updated_at: its last write: of an item, or of title and metadata.
        forked_from: the id of the session it was forked from.
        branches: its branches, once it has more than one; see `Session.branch`.
    """

    id: str
    user: str | None = None
    agent: str | None = None
    title: str | None = None
    metadata: dict[str, Json] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    forked_from: str | None = None
    branches: tuple[Branch, ...] = ()
