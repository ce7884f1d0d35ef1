"""HistoryService: the verbs of a history service over one Memory, one object per identifier."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Self

from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.core import names
from threadkeep.core.user_id import UserId
from threadkeep.errors import BackendError, ConfigError, InputError
from threadkeep.service import (
    history_policy,
    identities,
    namespaces,
    opening,
    yaml,
)
from threadkeep.service.codec import as_item, is_empty
from threadkeep.service.files import as_file, as_given
from threadkeep.service.settings import Settings, read
from threadkeep.service.sweeper import LOCK, Sweeper
from threadkeep.types import Json

_HANDLES: Final = 1_024
_live: dict[str, HistoryService] = {}

Props = Mapping[str, Any]


class HistoryService:
    """Chat histories and file metadata by session, driven by a configuration alone.

    There is one object per identifier in a process: asking again gives the same one. May be used
    by many threads, and across fork. Constructing it does no I/O and starts no thread.

    Args:
        config: see the how-to page "The history service". `None` takes the live service of the
            identifier as it is, else the defaults.
        identifier: keeps the sessions and files of services apart that share a store.
        clock: epoch seconds, for tests.

    Raises:
        ConfigError: a key makes no sense, or the identifier is alive with another configuration;
            the key is named.
        MissingExtra: the provider needs a package that is not installed.
    """

    _identifier: str
    _settings: Settings
    _memory: Memory
    _sweeper: Sweeper
    _handle: Callable[[str, str | None], Session]
    _closed: bool

    def __new__(
        cls,
        config: Mapping[str, Any] | None = None,
        identifier: str | None = None,
        *,
        clock: Callable[[], float] | None = None,
    ) -> Self:
        name = namespaces.checked(identifier)
        settings = None if config is None else read(config)
        with LOCK:
            live = _live.get(name)
            if isinstance(live, cls):
                return live._agreed(settings)
            return cls._opened(name, settings or read({}), clock)

    @classmethod
    def from_yaml(
        cls,
        path: str | os.PathLike[str],
        key: str | None = None,
        *,
        identifier: str | None = None,
    ) -> Self:
        """The service of a YAML file.

        Args:
            path: the file.
            key: what the block stands under, at any depth; unless given, the whole file if it is
                such a block, else what stands under `history_policy` or `history_config`.
            identifier: as for the class.

        Raises:
            ConfigError: the file cannot be read, or there is no such block, or several; or as
                for the class.
            MissingExtra: PyYAML is not installed.
        """
        return cls(yaml.load(path, key), identifier)

    @property
    def identifier(self) -> str:
        """What keeps its sessions and files apart from those of other services."""
        return self._identifier

    @property
    def memory(self) -> Memory:
        """The Memory below, for everything else that can be done with sessions."""
        return self._memory

    def store_history(
        self,
        session_id: str,
        role: str,
        content: Json,
        other_history_props: Props | None = None,
        *,
        identity: UserId | None = None,
    ) -> None:
        """Append an entry; an empty one is stored nowhere.

        Args:
            session_id: the application's name for the session.
            role: whose entry it is; any text.
            content: text, a dict, or any other JSON; given back as it was.
            other_history_props: `{"identity": ...}`, another way to say whose session it is.
            identity: the user whose session it is from now on.

        Raises:
            InputError: something in it cannot be stored; nothing was written.
            ConfigError: the identity is no str, int or UUID, or it is empty.
            NotOwner: the session belongs to another user; nothing was written.
        """
        chat = self._session(session_id, identity, other_history_props)
        item = as_item(names.check(role, "role"), content)
        if not is_empty(content):
            chat.add(item)

    def store_file(self, session_id: str, file: Props) -> None:
        """Store what is known of a file; the file of the same url, else name, is replaced.

        Raises:
            InputError: it has neither url nor name, or something in it is not JSON.
        """
        self._session(session_id).files.add(as_file(file))

    def get_history(
        self,
        session_id: str,
        other_history_props: Props | None = None,
        *,
        identity: UserId | None = None,
    ) -> list[dict[str, Json]]:
        """The entries the policy keeps, oldest first: `[{"role", "content"}]`, yours to change.

        Raises:
            NotOwner: an identity was given, and the session belongs to another user.
        """
        chat = self._session(session_id, identity, other_history_props)
        kept, _ = history_policy.read(chat, self._settings.policy)
        return [turn.entry() for turn in kept]

    def get_files(self, session_id: str) -> dict[str, dict[str, Json]]:
        """What is known of the files that have not expired, by url, else by name."""
        return {file.id: as_given(file) for file in self._session(session_id).files.list()}

    def clear(self, session_id: str, keep_levels: int = 0) -> None:
        """Delete the files, and the entries but for the newest `keep_levels` of `get_history`.

        Raises:
            InputError: `keep_levels` is no whole number of at least 0.
        """
        self.clear_history(session_id, keep_levels)

    def clear_history(
        self, session_id: str, keep_levels: int = 0, clear_files: bool = True
    ) -> None:
        """As `clear`; the files stay if so said.

        Raises:
            InputError: `keep_levels` is no whole number of at least 0.
        """
        if type(keep_levels) is not int or keep_levels < 0:
            raise InputError(
                f"keep_levels must be a whole number of at least 0, got {keep_levels!r}"
            )
        chat, keep = self._session(session_id), 0
        if keep_levels:
            levels = replace(self._settings.policy, max_turns=keep_levels, max_characters=None)
            _, keep = history_policy.read(chat, levels)
        chat.clear(keep_last=keep, files=clear_files)

    def get_context(
        self,
        session_id: str,
        identity: UserId | None = None,
        *,
        query: str | None = None,
        max_tokens: int = 800,
        files: bool = False,
    ) -> str:
        """What long-term memory has to tell the model, to stand below its instructions.

        Empty if there is nothing to tell, or long-term memory is off.

        Args:
            session_id: the session.
            identity: the user; without one, the session's own, or the session itself.
            query: what the user says now: what was said and learned before about it is told, too.
            max_tokens: how long it may be.
            files: name the files of the session.

        Raises:
            InputError: `query` or `max_tokens` makes no sense.
            NotOwner: the session belongs to another user.
        """
        chat = self._session(session_id, identity)
        if self._settings.longterm is None:
            return ""
        return chat.context(query, max_tokens=max_tokens, files=files)

    def get_facts(self, session_id: str, identity: UserId | None = None) -> list[str]:
        """What is known of the user, or of the session if there is none.

        Raises:
            NotOwner: the session belongs to another user.
        """
        facts = self._session(session_id, identity).facts
        return [] if self._settings.longterm is None else [fact.text for fact in facts.list()]

    def get_instructions(self, session_id: str, identity: UserId | None = None) -> list[str]:
        """How the user wishes to be served in this session, what weighs most first.

        Raises:
            NotOwner: the session belongs to another user.
        """
        wishes = self._session(session_id, identity).instructions
        found = [] if self._settings.longterm is None else wishes.list()
        return [one.text for one in found if one.session in (None, session_id) and not one.agent]

    def get_summary(self, session_id: str, identity: UserId | None = None) -> str:
        """What the session was about, up to a while ago; empty if nobody has summed it up yet.

        Raises:
            NotOwner: the session belongs to another user.
        """
        chat = self._session(session_id, identity)
        summary = None if self._settings.longterm is None else chat.summary()
        return "" if summary is None else summary.text

    def close(self) -> None:
        """Close the store and free the identifier, within a second. May be called twice."""
        with LOCK:
            self._closed = True
            if _live.get(self._identifier) is self:
                del _live[self._identifier]
        self._sweeper.close()

    @classmethod
    def _opened(
        cls, identifier: str, settings: Settings, clock: Callable[[], float] | None
    ) -> Self:
        self = object.__new__(cls)
        self._identifier, self._settings, self._closed = identifier, settings, False
        self._memory = opening.open_memory(identifier, settings, clock)
        interval = settings.ours["expiration_check_interval"]
        self._sweeper = Sweeper(self._memory, interval, f"threadkeep {identifier}")
        # kept for a while, since a handle that has seen its session writes in fewer round trips
        self._handle = functools.lru_cache(_HANDLES)(self._new_handle)
        _live[identifier] = self
        return self

    def _agreed(self, settings: Settings | None) -> Self:
        key = None if settings is None else self._settings.differs(settings)
        if key is not None:
            raise ConfigError(
                f"the history service {self._identifier!r} is alive with another {key!r}: "
                "close() releases the identifier, or take another one"
            )
        return self

    def _session(
        self, session_id: str, identity: UserId | None = None, props: Props | None = None
    ) -> Session:
        if self._closed:
            raise BackendError("this HistoryService is closed; constructing it again opens another")
        self._sweeper.start()
        return self._handle(names.check(session_id, "session_id"), identities.said(identity, props))

    def _new_handle(self, session_id: str, user: str | None) -> Session:
        return self._memory.session(session_id, user=user)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<HistoryService {self._identifier!r} type={self._settings.provider.kind!r}>"
