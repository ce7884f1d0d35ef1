"""Conversations: sessions with the verbs and limits of the OpenAI API; `memory.conversations`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from threadkeep.core import names
from threadkeep.core.async_twin import async_twin
from threadkeep.core.call_limit import reads
from threadkeep.core.engine import Engine
from threadkeep.core.suggestions import name_unknown_attributes
from threadkeep.core.user_id import UserId
from threadkeep.core.wrong_calls import explain_wrong_calls
from threadkeep.responses import conversations
from threadkeep.responses.search import check_limit
from threadkeep.sessions import read, remove
from threadkeep.sessions.access import owner_for
from threadkeep.sessions.edit import UNSET, json_object
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item, Listing, SessionInfo
from threadkeep.types.timestamps import parse_time


@name_unknown_attributes
@explain_wrong_calls
class Conversations:
    """The conversations of a namespace, or of one user (`memory.user(...).conversations`).

    A conversation and a session are one thing with one id: what is written here is read by
    `memory.session(id)`, and the other way round. Every verb has an async twin.
    """

    def __init__(self, engine: Engine, user: str | None = None) -> None:
        self._engine = engine
        self._user = user

    def create(
        self,
        id: str | None = None,
        *,
        user: UserId | None = None,
        title: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        items: Sequence[object] = (),
    ) -> SessionInfo:
        """Begin a conversation, also an empty one; whole or not at all.

        Args:
            id: the application's name for it; one is minted if there is none.
            user: the owner.
            title: for lists.
            metadata: up to 16 keys of 64 characters, texts of up to 512.
            items: up to 20, as `session.add` takes them.

        Raises:
            Conflict: it exists already.
            InputError: a limit is passed, or an item cannot be understood; nothing was written.
            NotOwner: it exists, and belongs to another user.
        """
        given_id = "" if id is None else names.check(id, "id")
        given_title = None if title is None else names.check(title, "title")
        owner_id = owner_for(self._engine, self._user, user)
        info = SessionInfo(given_id, owner_id, title=given_title, metadata=json_object(metadata))
        return conversations.create(self._engine, info, items)

    @reads
    def get(self, id: str, *, user: UserId | None = None) -> SessionInfo | None:
        """The info of a conversation, or `None`.

        Raises:
            NotOwner: it belongs to another user.
        """
        return read.info(self._stream(id, user))

    def update(
        self,
        id: str,
        *,
        title: str | None = UNSET,
        metadata: Mapping[str, Any] | None = None,
        user: UserId | None = None,
    ) -> SessionInfo:
        """Set the title (`None` removes it), merge metadata key by key (`None` removes a key).

        Raises:
            NotFound: there is no such conversation.
            InputError: the metadata would pass the limits of `create`; nothing was written.
            NotOwner: it belongs to another user.
        """
        return conversations.update(self._stream(id, user), title, metadata)

    def delete(self, id: str, *, user: UserId | None = None) -> None:
        """Delete a conversation with its items, files, responses and feedback.

        One that is not there is no error.

        Raises:
            NotOwner: it belongs to another user.
        """
        session_stream = self._stream(id, user)
        session_stream.retry(lambda: remove.delete(session_stream))

    @reads
    def items(
        self,
        id: str,
        *,
        limit: int = 100,
        order: Literal["asc", "desc"] = "asc",
        after: str | None = None,
        user: UserId | None = None,
    ) -> Listing[Item]:
        """A page of a conversation's items; `.cursor` is the `after` of the next.

        Args:
            id: of the conversation.
            limit: from 1 to 1,000.
            order: `asc` is the order they were stored in, `desc` the newest first.
            after: the id of an item: only what comes behind it in that order.
            user: the owner of the conversation.

        Raises:
            NotFound: there is no such conversation, or no such item in it.
            InputError: the limit, the order or the cursor is none.
            NotOwner: it belongs to another user.
        """
        return conversations.items(self._stream(id, user), check_limit(limit), order, after)

    @reads
    def item(self, id: str, item: str, *, user: UserId | None = None) -> Item:
        """One item of a conversation.

        Raises:
            NotFound: there is no such conversation or item.
            NotOwner: it belongs to another user.
        """
        return conversations.item(self._stream(id, user), item)

    def add_items(self, id: str, *items: object, user: UserId | None = None) -> Sequence[Item]:
        """Append up to 20 items, as `session.add` takes them, in one atomic step.

        Raises:
            NotFound: there is no such conversation, or a reference names no item of it.
            InputError: they are more, or one cannot be understood; nothing was written.
            Conflict: an id stands for an item of another role or type; nothing was written.
            NotOwner: it belongs to another user.
        """
        return conversations.add_items(self._stream(id, user), items)

    def remove_item(self, id: str, item: str, *, user: UserId | None = None) -> None:
        """Delete one item; one that is not there is no error.

        Raises:
            NotFound: there is no such conversation.
            NotOwner: it belongs to another user.
        """
        conversations.remove_item(self._stream(id, user), item)

    @reads
    def list(
        self,
        *,
        user: UserId | None = None,
        metadata: Mapping[str, Any] | None = None,
        since: datetime | float | str | None = None,
        until: datetime | float | str | None = None,
        limit: int = 20,
        cursor: Any = None,
    ) -> Listing[SessionInfo]:
        """A page of a user's conversations, the one written last first; `.cursor` leads on.

        Without a user, of everybody's, in no promised order. One call looks at 1,000 sessions at
        most: where few of many meet the conditions, a page may be short, or empty, and still have
        a cursor. `None` is the end.

        Args:
            user: the owner of the conversations.
            metadata: only those that have all of these.
            since: written last not earlier: epoch seconds, ISO 8601 or a datetime.
            until: written last before this.
            limit: from 1 to 1,000.
            cursor: what the last page's `.cursor` said.

        Raises:
            InputError: a condition, the limit or the cursor is none.
        """
        conditions = conversations.ConversationFilter(
            json_object(metadata),
            None if since is None else parse_time(since, "since"),
            None if until is None else parse_time(until, "until"),
        )
        owner_id = owner_for(self._engine, self._user, user)
        return conversations.list_conversations(
            self._engine, owner_id, conditions, check_limit(limit), cursor
        )

    acreate = async_twin(create)
    aget = async_twin(get)
    aupdate = async_twin(update)
    adelete = async_twin(delete)
    aitems = async_twin(items)
    aitem = async_twin(item)
    aadd_items = async_twin(add_items)
    aremove_item = async_twin(remove_item)
    alist = async_twin(list)

    def _stream(self, id: str, user: UserId | None) -> SessionStream:
        owner_id = owner_for(self._engine, self._user, user)
        return SessionStream(self._engine, SessionInfo(names.check(id, "id"), owner_id))
