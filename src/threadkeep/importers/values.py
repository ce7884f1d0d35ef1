"""What readers of exports make: chats, messages and knowledge; and what they say on the way."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from threadkeep.types import Json

Skip: TypeAlias = Callable[[str, str], None]
"""Called with the location of a bad entry, and what is wrong with it."""


class JsonEntry(NamedTuple):
    """One JSON value of a document: an element of its array, a line, or the whole of it."""

    location: str
    value: Json


@dataclass(slots=True)
class Message:
    """One message of a chat, not checked yet.

    Attributes:
        content: what `Session.add` takes: a dict or an `Item`.
        location: where it stands, for errors.
        id: the source's own; empty = one is made of the content.
        created_at: when it was said, in any form; see `fields.moment`.
        metadata: what the source knows beside it.
        hidden: of another branch than the shown one, or hidden by the source itself.
        is_branch: hidden only because another branch is shown.
    """

    content: Any
    location: str
    id: str = ""
    created_at: object = None
    metadata: Mapping[str, Json] = field(default_factory=dict)
    hidden: bool = False
    is_branch: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation of a source.

    Attributes:
        id: the session's id here; the same at each import of the same chat.
        location: where it stands, for errors.
        messages: in order, parents before children; read once.
        files: what is known of its files, as `files.add` takes it.
        user: the owner, as the source names it.
        agent: of a sub-agent's chat, its name, with which the id ends, or the part before the
            last; what stands there as the user's was written by an agent.
    """

    id: str
    location: str
    messages: Iterable[Message]
    title: str | None = None
    created_at: object = None
    user: str | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)
    files: Iterable[Mapping[str, Json]] = ()
    forked_from: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A fact or an instruction that a source knows of a user."""

    kind: Literal["fact", "instruction"]
    text: str
    location: str
    user: str | None = None
    observed_at: object = None
    valid_from: object = None
    valid_to: object = None
    expires_at: object = None


@dataclass(frozen=True, slots=True)
class Context:
    """Where a reader is: the name of its document, and whom to tell of bad entries.

    Attributes:
        name: of the document, without its folders.
        label: of the document, as errors name it.
        is_rest: whether the entries are the rest of a document that began without a head.
    """

    name: str
    label: str
    skip: Skip
    is_rest: bool = False

    @property
    def stem(self) -> str:
        """The name without its ending: the id of a chat that has no other."""
        return self.name.rpartition(".")[0] or self.name


Part: TypeAlias = Chat | Knowledge


HeadKind = Literal["first", "latest"]


class FormatReader(NamedTuple):
    """A format: how it is recognised, and how it is read.

    Attributes:
        name: as `--as` and `format=` take it, and as `import:<name>` names it.
        title: for people.
        matches: whether an entry is of this format, by its content.
        read: makes chats and knowledge of all entries of a document.
        head: whether later entries can only be read behind this one: `first`, if it is the first
            of the document, or `latest`, until there is another.
        continues: whether a chat of a document comes in several parts.
    """

    name: str
    title: str
    matches: Callable[[Json], bool]
    read: Callable[[Iterator[JsonEntry], Context], Iterator[Part]]
    head: Callable[[Json], HeadKind | None] = lambda value: None
    continues: bool = False
