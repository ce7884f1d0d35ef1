"""Responses of models, with their token usage and chains; `memory.responses`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import add as plus
from typing import Any, Literal

from threadkeep.core import names
from threadkeep.core.async_twin import async_twin
from threadkeep.core.call_limit import reads
from threadkeep.core.engine import Engine
from threadkeep.core.suggestions import name_unknown_attributes
from threadkeep.core.user_id import UserId
from threadkeep.core.wrong_calls import explain_wrong_calls
from threadkeep.errors import InputError
from threadkeep.printable import shown
from threadkeep.responses import chain as chaining
from threadkeep.responses import store as answering
from threadkeep.responses.search import Scope, check_limit, sum_by_key
from threadkeep.sessions.access import owner_for
from threadkeep.types import Listing
from threadkeep.types.responses import Response, Usage


@name_unknown_attributes
@explain_wrong_calls
class Responses:
    """The responses of a namespace, or of one user (`memory.user(...).responses`).

    A response lives in a session and shares its life and its owner. With `user=`, another
    user's responses are refused with `NotOwner`. Every verb has an async twin.
    """

    def __init__(self, engine: Engine, user: str | None = None) -> None:
        self._engine = engine
        self._user = user

    def add(
        self,
        response: Mapping[str, Any] | Response | object,
        *,
        user: UserId | None = None,
        conversation: str | None = None,
        input: str | Sequence[Any] | None = None,
        safety_identifier: str | None = None,
        store: bool | None = None,
    ) -> Response:
        """Store a response, and return it as stored; an existing id is updated.

        One that is completed, incomplete, failed or cancelled stays so: what says later that it
        is queued or in progress changes nothing.

        It goes into the conversation that is named, else into that of the response it goes on
        from, else into a new one with the response's own id. The conversation's items stay as
        they are.

        Args:
            response: a dict, a `Response`, an SDK's response or chat completion, or a message of
                Anthropic; or the events of a stream of the Responses API, as a list or an
                iterator, or its last event. A stream that broke off is stored as `incomplete`.
            user: the owner; `None` takes the one of the response, or of the conversation.
            conversation: the id of the session to put it into.
            input: what was asked, which SDKs' responses do not say.
            safety_identifier: as it was sent to the provider.
            store: `False` stores nothing, as does a response that says so itself.

        Raises:
            InputError: a field is not what it should be, the response is in another conversation
                already, or it would go on from itself; nothing was written.
            NotOwner: the conversation or the previous response belongs to another user.
        """
        owner_id = self._user if user is None else owner_for(self._engine, self._user, user)
        overrides = {
            "conversation": conversation,
            "input": input,
            "safety_identifier": safety_identifier,
            "store": store,
        }
        return answering.add(self._engine, owner_id, response, overrides)

    @reads
    def get(self, id: str, *, user: UserId | None = None) -> Response | None:
        """A response by its id, or `None`.

        Raises:
            NotOwner: it belongs to another user.
        """
        return answering.get(self._engine, owner_for(self._engine, self._user, user), id)

    @reads
    def chain(self, id: str, *, depth: int = 100, user: UserId | None = None) -> Listing[Response]:
        """A response and those it goes on from, oldest first, at most the last `depth`.

        `.cursor` is the id of the one before the oldest, for the next call; `None` = no more.
        The chain ends where a response is not stored, or not any more.

        Raises:
            NotFound: there is no such response.
            NotOwner: it belongs to another user.
            InputError: `depth` is not from 1 to 1,000.
            CorruptRecord: two writers made it go in a circle.
        """
        owner_id = owner_for(self._engine, self._user, user)
        return chaining.chain(self._engine, owner_id, names.check(id, "id"), check_limit(depth))

    def delete(self, id: str, *, user: UserId | None = None) -> None:
        """Delete a response with its feedback; one that is not there is no error.

        Raises:
            NotOwner: it belongs to another user.
        """
        answering.delete(self._engine, owner_for(self._engine, self._user, user), id)

    def clear(
        self,
        *,
        user: UserId | None = None,
        conversation: str | None = None,
        safety_identifier: str | None = None,
    ) -> int:
        """Delete all responses of a user, a conversation or a safety identifier; how many.

        Several conditions must all hold.

        Raises:
            InputError: no condition is given.
            NotOwner: the conversation belongs to another user.
        """
        owner_id = owner_for(self._engine, self._user, user)
        if owner_id is None and conversation is None and safety_identifier is None:
            raise InputError("say which responses: user=, conversation= or safety_identifier=")
        return answering.clear(self._engine, Scope(owner_id, conversation), safety_identifier)

    @reads
    def usage(
        self,
        *,
        by: Literal["model", "day"] = "model",
        user: UserId | None = None,
        conversation: str | None = None,
        safety_identifier: str | None = None,
    ) -> dict[str, Usage]:
        """How many responses and tokens, by model or by day (`2026-01-31`, UTC).

        It reads a small entry per response, not the responses.
        """
        if by not in ("model", "day"):
            raise InputError(f"by must be 'model' or 'day', got {shown(by)}")
        scope = Scope(owner_for(self._engine, self._user, user), conversation)
        return sum_by_key(answering.usage(self._engine, scope, safety_identifier, by), plus)

    @reads
    def list(
        self,
        *,
        user: UserId | None = None,
        conversation: str | None = None,
        safety_identifier: str | None = None,
        limit: int = 20,
        cursor: Any = None,
    ) -> Listing[Response]:
        """A page of responses that meet all conditions; `.cursor` leads on.

        The newest of a conversation first; a user's conversations as in `memory.sessions`.
        Without user and conversation all sessions are walked through, in no promised order.
        One page looks at 1,000 entries and sessions at most: a page may be short, and lead on.

        Raises:
            InputError: `limit` is not from 1 to 1,000, or the cursor is not one.
            NotOwner: the conversation belongs to another user.
        """
        scope = Scope(owner_for(self._engine, self._user, user), conversation)
        return answering.list_responses(self._engine, scope, safety_identifier, limit, cursor)

    aadd = async_twin(add)
    aget = async_twin(get)
    achain = async_twin(chain)
    adelete = async_twin(delete)
    aclear = async_twin(clear)
    ausage = async_twin(usage)
    alist = async_twin(list)
