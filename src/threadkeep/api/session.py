"""A session: one conversation, its verbs, and their async twins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from threadkeep.api.files import Files
from threadkeep.core import names
from threadkeep.core.async_twin import async_twin
from threadkeep.core.call_limit import reads
from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted_info
from threadkeep.core.suggestions import (
    missing_attribute,
    refuse_assignment,
    refuse_container,
)
from threadkeep.core.user_id import UserId, optional_user_id
from threadkeep.core.wrong_calls import explain_wrong_calls
from threadkeep.errors import ThreadkeepError
from threadkeep.messages import Format, with_fields
from threadkeep.policies import as_policies, from_options
from threadkeep.printable import counted
from threadkeep.protocols import TokenCounter
from threadkeep.sessions import append, edit, read, revise
from threadkeep.sessions import branches as branching
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item, Listing, SessionInfo
from threadkeep.types.branches import Branch
from threadkeep.window import LOOKBACK, Window, items_table

if TYPE_CHECKING:
    from threadkeep.longterm.context import Context
    from threadkeep.longterm.explain import Explanation
    from threadkeep.longterm.facts import Facts
    from threadkeep.longterm.instructions import Instructions
    from threadkeep.types.approvals import PendingApproval
    from threadkeep.types.knowledge import Summary

_HTML_ITEMS: Final = 20


@explain_wrong_calls
@refuse_container("session.items()")
@refuse_assignment(title="session.update(title=...)", metadata="session.update(metadata=...)")
class Session:
    """One conversation. Made by `memory.session(...)` or `user.session(...)`, without any I/O.

    Every verb has an async twin with an `a` before its name. A session begins with its first
    write; the first write of a user makes it that user's. May be used by many threads.

    Attributes:
        id: the application's name for it.
        user: the user who accesses it; `None` = the operator.
        agent: which agent of the application speaks in it.
        files: metadata of the session's files.
    """

    def __init__(
        self,
        engine: Engine,
        id: str,
        *,
        user: UserId | None = None,
        agent: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.id = names.check(id, "session id")
        self.user = optional_user_id(user)
        self.agent = None if agent is None else names.check(agent, "agent")
        initial_metadata = edit.json_object(metadata)
        initial_info = SessionInfo(self.id, self.user, self.agent, metadata=initial_metadata)
        initial_info = redacted_info(engine, initial_info) if initial_metadata else initial_info
        self._engine = engine
        self._stream = SessionStream(engine, initial_info)
        self.files = Files(engine, self._stream)

    if not TYPE_CHECKING:  # to a type checker, an unknown name stays an error

        def __getattr__(self, name: str) -> object:
            raise missing_attribute(self, name)

    def __repr__(self) -> str:
        return f"<Session {self.id!r} user={self.user!r}>"

    def _repr_html_(self) -> str | None:
        """The newest items, for notebooks; `None` (the plain text is shown) if it is unreadable."""
        try:
            items = self.items(last=_HTML_ITEMS)
        except ThreadkeepError:
            return None
        owner_suffix = "" if self.user is None else f" of {self.user}"
        newest_text = f"the newest {counted(len(items), 'item')}"
        return items_table(items, f"session {self.id}{owner_suffix}, {newest_text}")

    @property
    def facts(self) -> Facts:
        """The facts about the session's user, or of the session if it has no user."""
        from threadkeep.longterm.facts import Facts  # rarely needed
        from threadkeep.longterm.store import user_stream

        return Facts(self._engine, lambda: user_stream.for_session(self._stream))

    @property
    def instructions(self) -> Instructions:
        """The instructions of the session's user, or of the session if it has no user."""
        from threadkeep.longterm.instructions import Instructions
        from threadkeep.longterm.store import user_stream

        return Instructions(self._engine, lambda: user_stream.for_session(self._stream))

    def add(
        self,
        *messages: object,
        role: str | None = None,
        name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        format: Format | None = None,
    ) -> list[Item]:
        """Append messages, in one atomic step, and return them as stored, with id and seq.

        Each is a `str` (a user message), an `Item`, a dict of OpenAI Chat, OpenAI Responses or
        Anthropic or with the fields of an `Item`, an SDK's own object for these, or a message of
        LangChain or LlamaIndex, as an object or as it dumps itself. An `id` is an idempotency
        key: added again with the same role and type, the item keeps its place and takes the new
        content. An `item_reference` of the Responses API is no new item: in its place the item
        is returned that it names.
        More than 1,000 items or 4 MB are written in several steps, each atomic, in order.

        Args:
            messages: a dict of an unknown type or role is refused; unknown parts, in the content
                of a known message, are stored as they are.
            role: of one text: `add("hello", role="assistant")`.
            name: who speaks, or which tool, for one text.
            metadata: the application's own, for one text.
            format: the API that the dicts are of, whose types and roles are then not checked, so
                that items of a newer API are stored as they are.

        Raises:
            InputError: a message cannot be understood or stored; nothing was written.
            Conflict: an id stands for an item of another role or type; nothing was written.
            NotFound: a reference names no item of the session; nothing was written.
            NotOwner: the session belongs to another user; nothing was written.
        """
        if role is not None or name is not None or metadata is not None:
            messages = (with_fields(messages, role, name, metadata),)
        return append.add(self._stream, messages, format)

    def set_items(self, *messages: object) -> list[Item]:
        """Replace all items by these messages, and return them as stored.

        References can name only what is among the messages.

        One atomic step up to 1,000 items or 4 MB; more are written as by `add`, and then the old
        items go with the first step. Title, metadata and files stay.

        Raises:
            InputError: a message cannot be understood or stored; nothing was written.
            NotOwner: the session belongs to another user; nothing was written.
        """
        return append.set_items(self._stream, messages)

    @reads
    def window(
        self,
        *,
        policy: object = None,
        max_tokens: int | None = None,
        max_turns: int | None = None,
        max_exchanges: int | None = None,
        max_messages: int | None = None,
        max_characters: int | None = None,
        max_age: float | None = None,
        step: float | None = None,
        counter: TokenCounter | None = None,
        lookback: int = LOOKBACK,
        branch: str | None = None,
    ) -> Window:
        """The items that a model should see: the newest ones that the policies keep.

        Without any policy, those of `connect(window=)`, else everything within `lookback`.

        Args:
            policy: a policy, a list of them, or a dict such as `{"max_tokens": 3000}`; applied
                before the limits named beside it.
            max_tokens: see `threadkeep.policies` for these.
            max_turns: uninterrupted contributions of one speaker.
            max_exchanges: user turns with what answers them.
            max_messages: items, tool calls and results among them.
            max_characters: of text and tool arguments.
            max_age: seconds.
            step: 0.5 moves the front seldom and far, so that prompt caches hold; of any limit but
                `max_age`.
            counter: how many tokens a text is; the default needs no network.
            lookback: how many items are read at most.
            branch: as if this branch were shown, see `branch`.

        Raises:
            ConfigError: a policy or limit makes no sense; it is named.
            NotFound: the session has no such branch.
            NotOwner: the session belongs to another user.
        """
        limits = {
            "max_tokens": max_tokens,
            "max_turns": max_turns,
            "max_exchanges": max_exchanges,
            "max_messages": max_messages,
            "max_characters": max_characters,
            "max_age": max_age,
        }
        policies = [
            *as_policies(policy, "policy", counter=counter),
            *from_options(limits, counter=counter, step=step),
        ]
        policies = policies or list(self._engine.settings.window)
        view = None if branch is None else branching.view(self._stream, branch)
        return read.choose_window(self._stream, policies, lookback, counter, view=view)

    @reads
    def items(
        self,
        *,
        last: int | None = None,
        after: int | str | None = None,
        before: int | str | None = None,
        limit: int | None = None,
        hidden: bool = False,
    ) -> Listing[Item]:
        """The session's items as stored, oldest first; all of them, unless told otherwise.

        Args:
            last: only the newest so many.
            after: a seq, or an item's id: only what comes behind it.
            before: a seq, or an item's id: only what comes before it.
            limit: only the first so many; the listing's `.cursor` is the `after` of the next page.
            hidden: also the hidden ones, see `hide`.

        Raises:
            NotFound: `after` or `before` names no item of the session.
            InputError: `last` and `limit` contradict each other, or are no whole numbers.
            NotOwner: the session belongs to another user.
        """
        return read.items(self._stream, last, after, before, limit, hidden)

    @reads
    def pending_approvals(self) -> list[PendingApproval]:
        """The tool calls at the end of the conversation that wait for a human, oldest first.

        They are the calls of the model's last step without a result, and requests of OpenAI's to
        approve a call of an MCP server, without a response. A call that is running at this moment
        looks the same. One that something else follows is not pending: a window answers it with
        an error. Only the last step is read.

        Raises:
            NotOwner: the session belongs to another user.
        """
        from threadkeep.sessions import approvals  # rarely needed

        return approvals.pending_approvals(self._stream)

    @reads
    def info(self) -> SessionInfo | None:
        """The session's owner, title, metadata and dates; `None` if it does not exist.

        Raises:
            NotOwner: the session belongs to another user.
        """
        return read.info(self._stream)

    @reads
    def context(
        self,
        query: str | None = None,
        *,
        max_tokens: int = 800,
        files: bool = False,
        summary: bool = True,
        window: Iterable[Item] | None = None,
        counter: TokenCounter | None = None,
    ) -> Context:
        """The text of long-term memory for a model in this session; empty if there is none.

        A `str` to put below the application's own instructions. Its `.stable` part (instructions,
        facts, the summary of the session, files) belongs at the end of the system message, its
        `.volatile` part (what was recalled for the query) beside the newest user message. What
        weighs most has room first; nothing is cut in two.

        Args:
            query: what the user says now; without it nothing is recalled.
            max_tokens: of both parts, at most.
            files: name the files of the session.
            summary: tell the summary of the session, where the model does not see all that it
                sums up; the text stays the same for a few turns.
            window: the items of the session that the model sees, which are not repeated, nor is
                a summary of nothing else told; unless given, nothing of this session is recalled.
            counter: how many tokens a text is; the default needs no network.

        Raises:
            InputError: the query is no `str`, `max_tokens` no whole number of at least 1, or the
                window not of items.
            NotOwner: the session belongs to another user.
        """
        from threadkeep.longterm import context  # rarely needed
        from threadkeep.longterm.context import gather

        context.check(query, max_tokens, counter)
        visible_items = context.checked_window(window)
        knowledge = gather.of_session(self._stream, self.agent, files=files, summary=summary)
        return context.build(
            self._engine, knowledge, query, max_tokens, window=visible_items, counter=counter
        )

    @reads
    def summary(self) -> Summary | None:
        """The rolling summary of the session; `None` if there is none yet.

        It lives `summary_ttl` seconds after it was last asked for, however soon the items expire,
        and goes when the session is deleted, or an item that it covers is edited or taken back.

        Raises:
            NotOwner: the session belongs, or belonged, to another user.
        """
        from threadkeep.longterm import summaries  # rarely needed

        return summaries.of_session(self._stream)

    def update(
        self,
        *,
        title: str | None = edit.UNSET,
        metadata: Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]] | None = None,
    ) -> SessionInfo:
        """Set the title (`None` removes it), merge metadata key by key (`None` removes a key).

        A session that has no items yet begins. A callable gets a copy of the metadata and returns
        what to merge; it is called again if anything in the session changed meanwhile.

        Raises:
            InputError: the title is no `str`, or the metadata is not JSON.
            NotOwner: the session belongs to another user.
        """
        return edit.update(self._stream, title, metadata)

    def replace(self, id: str, item: object) -> Item:
        """Edit a message: replace an item's content; the item keeps its id and place.

        Raises:
            NotFound: the session has no such item.
            InputError: the new content is no single item, or cannot be stored.
            NotOwner: the session belongs to another user.
        """
        return edit.replace(self._stream, id, item)

    def rewind(self, *, before: str | int | None = None, last: int | None = None) -> list[Item]:
        """Delete an item and everything after it, for example to regenerate an answer.

        Returns the deleted items, oldest first.

        Args:
            before: an item's id, or a seq.
            last: instead of it, how many of the newest items; each is given to one caller only.

        Raises:
            NotFound: `before` names no item of the session.
            InputError: neither or both are given.
            NotOwner: the session belongs to another user.
        """
        return edit.rewind(self._stream, before, last)

    def remove(self, *ids: str) -> None:
        """Delete single items by id; one that is not there is no error.

        Raises:
            NotOwner: the session belongs to another user.
        """
        edit.remove(self._stream, *ids)

    def hide(self, *ids: str) -> int:
        """Hide items, in one atomic step up to 500; returns how many were not hidden before.

        They stay stored, and in `items(hidden=True)`, exports and forks, and `forget` and deletion
        reach them. They are in no window, listing, search, recall or extraction, and in no
        summary: one that covers them is written anew. An id that is not there is no error.

        Raises:
            NotOwner: the session belongs to another user.
        """
        return revise.set_hidden(self._stream, ids, hidden=True)

    def unhide(self, *ids: str) -> int:
        """Show hidden items again, at their old place; returns how many were hidden before.

        Raises:
            NotOwner: the session belongs to another user.
        """
        return revise.set_hidden(self._stream, ids, hidden=False)

    def forget(self, *ids: str) -> int:
        """Delete single items and the memory learned only from them; returns how many items.

        Facts and instructions that have other sources keep those; the session's summary goes, and
        is written anew. `memory.purge()` takes what was deleted out of the store's files as well.

        Raises:
            NotOwner: the session belongs to another user.
        """
        from threadkeep.longterm import forget as forgetting  # rarely needed

        return forgetting.forget_items(self._stream, ids)

    def explain(self, id: str) -> Explanation:
        """What came of an item: facts and instructions learned from it, and what was refused.

        The other direction is `facts.explain(id)`, from a fact to its items.

        Raises:
            NotOwner: the session belongs to another user.
        """
        from threadkeep.longterm import explain as explaining  # rarely needed

        return explaining.explain_item(self._stream, id)

    def branch(self, name: str, *, at: str | int | None = None) -> Branch:
        """Show a branch: begin a new one behind an item, or go back to one that exists.

        What is on no common way of both branches is hidden as by `hide`, and keeps its branch;
        `add` continues the branch that is shown. One atomic step up to 500 items; if a longer one
        is cut short, the same call finishes it. Only what follows the fork is read.

        Args:
            name: of the branch; a session begins with `main`.
            at: for a new branch, the item that it begins behind: its id, or a seq, where 0 means
                before all; `None` = the newest item.

        Raises:
            NotFound: the session, or the item `at`, does not exist.
            Conflict: `at` was given, and a branch of that name exists.
            InputError: the name or `at` is not valid, or the session has 500 branches.
            NotOwner: the session belongs to another user.
        """
        return branching.branch(self._stream, name, at)

    @reads
    def branches(self) -> list[Branch]:
        """The branches of the session, `main` first, then in the order in which they were begun.

        Raises:
            NotOwner: the session belongs to another user.
        """
        return branching.branches(self._stream)

    def fork(self, id: str, *, upto: str | int | None = None) -> Session:
        """Copy the session, up to and with an item, into a new one of the same user.

        Items keep their ids and dates; title, metadata and files come along. The new session is
        there as a whole or not at all.

        Raises:
            NotFound: the session, or the item `upto`, does not exist.
            Conflict: a session of that id exists already.
            NotOwner: the session belongs to another user.
        """
        copy = Session(self._engine, id, user=self.user, agent=self.agent)
        edit.fork(self._stream, copy._stream, upto)
        return copy

    def clear(self, *, keep_last: int = 0, files: bool = False) -> None:
        """Delete all items but the newest `keep_last`, and with `files=True` the files.

        Title and metadata stay.

        Raises:
            InputError: `keep_last` is no whole number of at least 0.
            NotOwner: the session belongs to another user.
        """
        edit.clear(self._stream, keep_last, files)

    def delete(self) -> None:
        """Delete the session with everything in it; deleting what is not there is no error.

        Raises:
            NotOwner: the session belongs to another user.
        """
        from threadkeep.sessions import remove  # rarely needed

        self._stream.retry(lambda: remove.delete(self._stream))

    aadd = async_twin(add)
    aset_items = async_twin(set_items)
    awindow = async_twin(window)
    aitems = async_twin(items)
    apending_approvals = async_twin(pending_approvals)
    ainfo = async_twin(info)
    acontext = async_twin(context)
    asummary = async_twin(summary)
    aupdate = async_twin(update)
    areplace = async_twin(replace)
    arewind = async_twin(rewind)
    aremove = async_twin(remove)
    ahide = async_twin(hide)
    aunhide = async_twin(unhide)
    aforget = async_twin(forget)
    aexplain = async_twin(explain)
    abranch = async_twin(branch)
    abranches = async_twin(branches)
    afork = async_twin(fork)
    aclear = async_twin(clear)
    adelete = async_twin(delete)
