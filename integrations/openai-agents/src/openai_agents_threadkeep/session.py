"""`ThreadkeepSession`: the SDK's `Session` protocol on any store of threadkeep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from agents import RunHooks, SessionSettings
from agents.memory.session_settings import coerce_session_settings, resolve_session_limit

from openai_agents_threadkeep.codec import Entry, to_entries, to_item, to_window_entries
from openai_agents_threadkeep.identity import UserId, Wrapper, user_of_run
from openai_agents_threadkeep.record_responses import RecordingHooks, warn_if_unused
from openai_agents_threadkeep.unique_call_ids import with_unique_call_ids
from threadkeep import Memory, Session
from threadkeep.adapters import limits, windows
from threadkeep.adapters.absent import say_instead
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import SessionId, user_source
from threadkeep.adapters.shared import open_conversation
from threadkeep.errors import BackendError
from threadkeep.messages import Profile, check_profile
from threadkeep.printable import shown

if TYPE_CHECKING:
    from agents import TResponseInputItem


@say_instead(
    from_url="ThreadkeepSession(session_id, url)",
    from_engine="ThreadkeepSession(session_id, threadkeep.connect(engine))",
)
class ThreadkeepSession:
    """One conversation of the SDK, in any store of threadkeep: `Runner.run(..., session=this)`.

    Items are returned exactly as they were added, except for call ids that several turns share. A
    batch is added atomically, and any number of runs, threads and processes may use a session
    concurrently.

    Args:
        session_id: the application's name for the conversation; `None` = a new one with a random
            id.
        memory: a `Memory`, or a URL, of which one store is opened in a process; `None` = the store
            of `threadkeep.connect()`. No I/O yet.
        user: the owner, a `str`, an `int` or a `UUID`; or a callable that gets the run's
            context, or a `ContextVar`. The run's `context.user_id` takes precedence over a plain
            id.
        window: limits what `get_items` returns: a policy, a list of them, or
            `{"max_tokens": 3000}`. `None` = the Memory's own window, or everything without one.
        session_settings: the SDK's settings; their `limit` counts items, after `window`.
        profile: the server behind the SDK's chat model, as in `window.to_openai(profile=)`: calls
            that other frameworks stored carry the state that it wants back. With models of the
            Responses API leave it out.
        record_responses: also store each model answer as a `Response` with its token usage, in
            runs that get `hooks=session.hooks`.
        user_id: another name for `user`.

    Attributes:
        hooks: for the SDK's `hooks=`, reusable for any number of runs; they record nothing
            unless `record_responses` is set.

    Raises:
        ConfigError: an id, the URL, the window or the profile is not valid; each method raises
            it too if the run's own user id is not valid.
    """

    session_settings: SessionSettings | None

    @strict_arguments
    def __init__(
        self,
        session_id: SessionId | None = None,
        memory: Memory | str | None = None,
        *,
        user: UserId = None,
        window: object = None,
        session_settings: SessionSettings | dict[str, Any] | None = None,
        profile: Profile | None = None,
        record_responses: bool = False,
        user_id: UserId = None,
    ) -> None:
        self.session_id, self.memory = open_conversation(session_id, memory)
        self.session_settings = coerce_session_settings(session_settings or SessionSettings())
        self._user = user_source(user, user_id)
        self._policies = windows.parse_window(window)
        check_profile(profile)
        self._profile: Profile | None = profile
        self._readable = False
        self._over = windows.OverWarning()
        self._closed = False
        self.hooks: RunHooks[Any] = RecordingHooks(self) if record_responses else RunHooks()
        self._chat = self.memory.session(self.session_id, user=user_of_run(self._user, None))

    async def get_items(
        self, limit: int | None = None, *, wrapper: Wrapper | None = None
    ) -> list[TResponseInputItem]:
        """Return the latest `limit` items, oldest first; the whole window without a limit.

        As with the SDK's SQLite session, 0 returns nothing and a negative number is no limit.
        Unreadable records are skipped. If several turns share a `call_id`, their calls and results
        get unique ids here; the stored ones do not change.
        """
        run_session = self.open(wrapper)
        limit = resolve_session_limit(limit, self.session_settings)
        if limit == 0:
            return []
        limit = None if limit is None or limit < 0 else limit
        if policies := windows.or_memory_window(self._policies, self.memory):
            window = await run_session.awindow(
                policy=windows.readable(policies) if self._readable else policies
            )
            self._over.check(window, self.session_id)
            entries = to_window_entries(window, self._profile)
        elif limit is None:
            entries = to_entries(await run_session.aitems(), self._profile)
        else:
            entries = await _newest_entries(run_session, limit, self._profile)
        return _as_sdk_items(with_unique_call_ids(entries if limit is None else entries[-limit:]))

    async def add_items(
        self, items: list[TResponseInputItem], *, wrapper: Wrapper | None = None
    ) -> None:
        """Append the items atomically; an empty list does nothing.

        Raises:
            InputError: an item is not a dict, or not JSON; nothing was written.
            NotOwner: the session belongs to another user; nothing was written.
        """
        run_session = self.open(wrapper)
        if items:
            warn_if_unused(self, items, wrapper)
            await limits.aadd(run_session, *[to_item(item, n) for n, item in enumerate(items)])

    async def pop_item(self, *, wrapper: Wrapper | None = None) -> TResponseInputItem | None:
        """Remove and return the newest item, exactly as it was added; `None` if there is none.

        Each item is returned to one caller only. A message of another framework is removed as a
        whole, and the last SDK item it converts to is returned; records that convert to none, or
        cannot be read, are removed too.
        """
        run_session = self.open(wrapper)
        while removed_items := await run_session.arewind(last=1):
            if entries := to_entries(removed_items):
                return _as_sdk_items(entries)[-1]
        return None

    async def clear_session(self, *, wrapper: Wrapper | None = None) -> None:
        """Delete all items; the session keeps its title, metadata and owner."""
        await self.open(wrapper).aclear()

    def show_handles(self) -> windows.Policies:
        """Name handles where a result is cut, for `read_more`; return the window's policies."""
        self._readable = True
        return windows.or_memory_window(self._policies, self.memory)

    def close(self) -> None:
        """Refuse further use; the store stays open for other sessions."""
        self._closed = True

    def open(self, wrapper: Wrapper | None = None) -> Session:
        """Return the threadkeep `Session` for the user of a run.

        Raises:
            BackendError: the session was closed.
            ConfigError: the run's user id is not valid.
        """
        if self._closed:
            raise BackendError(f"ThreadkeepSession {shown(self.session_id)} is closed")
        user = user_of_run(self._user, wrapper)
        if user != self._chat.user:  # another user's run: access checks use that user
            return self.memory.session(self.session_id, user=user)
        return self._chat

    def __repr__(self) -> str:
        return f"<ThreadkeepSession {self.session_id!r} of {self.memory!r}>"


async def _newest_entries(chat: Session, limit: int, profile: Profile | None) -> list[Entry]:
    """Read at least `limit` entries if there are as many; some foreign items convert to none."""
    item_limit = limit
    while True:
        items = await chat.aitems(last=item_limit)
        entries = to_entries(items, profile)
        if len(entries) >= limit or len(items) < item_limit:
            return entries
        item_limit *= 2


def _as_sdk_items(entries: list[Entry]) -> list[TResponseInputItem]:
    return cast("list[TResponseInputItem]", entries)
