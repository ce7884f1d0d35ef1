"""`ThreadkeepSession`: the SDK's `Session` protocol on any store of threadkeep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from agents import RunHooks, SessionSettings
from agents.memory.session_settings import coerce_session_settings, resolve_session_limit

from threadkeep import Memory, Session, policies
from threadkeep.adapters.shared import shared
from threadkeep.errors import BackendError
from threadkeep_openai_agents.codec import Entry, to_entries, to_item
from threadkeep_openai_agents.identity import UserId, Wrapper, user_of_run
from threadkeep_openai_agents.record_responses import RecordingHooks, warn_if_unused
from threadkeep_openai_agents.unique_call_ids import apart

if TYPE_CHECKING:
    from agents import TResponseInputItem


class ThreadkeepSession:
    """One conversation of the SDK, in any store of threadkeep: `Runner.run(..., session=this)`.

    Every item comes back exactly as it was added, but for call ids that turns repeat. A batch is
    added in one atomic step, and any number of runs, threads and processes may use one session at
    once.

    Args:
        session_id: the application's name for the conversation.
        memory: a `Memory`, or a URL; one store per URL is opened in a process. No I/O yet.
        user_id: whose it is, a `str`, an `int` or a `UUID`; or a callable that gets the run's
            context, or a `ContextVar`. Before a plain id goes the `user_id` of the run's context.
        window: what `get_items` gives: a policy, a list of them, or `{"max_tokens": 3000}`.
            `None` = the Memory's own window, and without one everything.
        session_settings: the SDK's own; its `limit` counts items, after `window`.
        record_responses: keep each answer of the model as a `Response` too, with its tokens, in
            runs that are given `hooks=session.hooks`.

    Attributes:
        hooks: for the SDK's `hooks=`, the same for any number of runs; they record nothing
            unless `record_responses` says so.

    Raises:
        ConfigError: the URL or the window is not understood, or an id is no user id; every verb
            raises it too, of an id that the run has.
    """

    session_settings: SessionSettings | None

    def __init__(
        self,
        session_id: str,
        memory: Memory | str,
        user_id: UserId = None,
        window: object = None,
        session_settings: SessionSettings | dict[str, Any] | None = None,
        *,
        record_responses: bool = False,
    ) -> None:
        self.session_id = session_id
        self.memory = shared(memory)
        self.session_settings = coerce_session_settings(session_settings or SessionSettings())
        self._user_id = user_id
        stepped = {"step": 0.5, **window} if isinstance(window, Mapping) else window
        self._policies = policies.as_policies(stepped)
        self._closed = False
        self.hooks: RunHooks[Any] = RecordingHooks(self) if record_responses else RunHooks()
        self._chat = self.memory.session(session_id, user=user_of_run(user_id, None))

    async def get_items(
        self, limit: int | None = None, *, wrapper: Wrapper | None = None
    ) -> list[TResponseInputItem]:
        """The latest `limit` items, oldest first; all of them (of the window) without a limit.

        As with the SDK's SQLite session, 0 is none and a negative number is no limit.
        A record that cannot be read is passed over. Where turns repeat a `call_id`, their calls
        and results have others here, and their own in the store.
        """
        chat = self.open(wrapper)
        limit = resolve_session_limit(limit, self.session_settings)
        if limit == 0:
            return []
        limit = None if limit is None or limit < 0 else limit
        if self._policies or self.memory.engine.settings.window:
            entries = to_entries(await chat.awindow(policy=self._policies or None))
        elif limit is None:
            entries = to_entries(await chat.aitems())
        else:
            entries = await _newest(chat, limit)
        return _items(apart(entries if limit is None else entries[-limit:]))

    async def add_items(
        self, items: list[TResponseInputItem], *, wrapper: Wrapper | None = None
    ) -> None:
        """Append the items in one atomic step; no items is no step.

        Raises:
            InputError: an item is no dict, or not JSON; nothing was written.
            NotOwner: the session belongs to another user; nothing was written.
        """
        chat = self.open(wrapper)
        if items:
            warn_if_unused(self, items, wrapper)
            await chat.aadd(*[to_item(item, number) for number, item in enumerate(items)])

    async def pop_item(self, *, wrapper: Wrapper | None = None) -> TResponseInputItem | None:
        """Take back the newest item, exactly as it was added; `None` if there is none.

        Each is given to one caller only. A message of another framework goes as a whole, and the
        last of the items it makes here is returned; what makes none here, or cannot be read,
        goes too.
        """
        chat = self.open(wrapper)
        while taken := await chat.arewind(last=1):
            if entries := to_entries(taken):
                return _items(entries)[-1]
        return None

    async def clear_session(self, *, wrapper: Wrapper | None = None) -> None:
        """Delete all items; title, metadata and owner of the session stay."""
        await self.open(wrapper).aclear()

    def close(self) -> None:
        """Refuse what comes after; the store stays open for other sessions."""
        self._closed = True

    def open(self, wrapper: Wrapper | None = None) -> Session:
        """The session as threadkeep knows it, for the user of a run.

        Raises:
            BackendError: it was closed.
            ConfigError: the run says a user id that is none.
        """
        if self._closed:
            raise BackendError(f"ThreadkeepSession {self.session_id!r} is closed")
        user = user_of_run(self._user_id, wrapper)
        if user != self._chat.user:  # a run of somebody else's: their own door
            return self.memory.session(self.session_id, user=user)
        return self._chat

    def __repr__(self) -> str:
        return f"<ThreadkeepSession {self.session_id!r} of {self.memory!r}>"


async def _newest(chat: Session, limit: int) -> list[Entry]:
    """At least `limit` entries, if there are so many: not every item of others makes one here."""
    size = limit
    while True:
        items = await chat.aitems(last=size)
        entries = to_entries(items)
        if len(entries) >= limit or len(items) < size:
            return entries
        size *= 2


def _items(entries: list[Entry]) -> list[TResponseInputItem]:
    return cast("list[TResponseInputItem]", entries)
