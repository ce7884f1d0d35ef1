"""HistoryService: chat histories over one Memory, one object per identifier."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Self

from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.core import names
from threadkeep.core.user_id import UserId
from threadkeep.errors import BackendError, ConfigError, InputError
from threadkeep.printable import shown
from threadkeep.service import history_policy, namespaces, yaml
from threadkeep.service.codec import CONTEXT_ROLE, action_item, as_item, is_empty
from threadkeep.service.connect import open_memory
from threadkeep.service.files import HistoryFiles, as_file, original_metadata
from threadkeep.service.identity import resolve_user
from threadkeep.service.longterm_answers import LongtermAnswers
from threadkeep.service.settings import ServiceSettings, parse_settings
from threadkeep.service.sweeper import LOCK, SweepThread
from threadkeep.types import Json

_MAX_HANDLES: Final = 1_024
_open_services: dict[str, HistoryService] = {}

Props = Mapping[str, Any]


class HistoryService(LongtermAnswers):
    """Chat histories and file metadata by session, driven by a configuration alone.

    There is one object per identifier in a process: constructing it again returns the same one.
    May be used by many threads, and across fork. Constructing it does no I/O and starts no thread.

    Args:
        config: see the how-to page "The history service". `None` takes the live service of the
            identifier as it is, else the defaults.
        identifier: keeps the sessions and files of services apart that share a store.
        clock: epoch seconds, for tests.

    Raises:
        ConfigError: a key is invalid, or the identifier is alive with another configuration;
            the key is named.
        MissingExtra: the provider needs a package that is not installed.
    """

    _identifier: str
    _settings: ServiceSettings
    _memory: Memory
    _sweeper: SweepThread
    _handle: Callable[[str, str | None], Session]
    _closed: bool

    def __new__(
        cls,
        config: Mapping[str, Any] | None = None,
        identifier: str | None = None,
        *,
        clock: Callable[[], float] | None = None,
    ) -> Self:
        service_name = namespaces.check_identifier(identifier)
        settings = None if config is None else parse_settings(config)
        with LOCK:
            open_service = _open_services.get(service_name)
            if isinstance(open_service, cls):
                return open_service._require_same(settings)
            return cls._create(service_name, settings or parse_settings({}), clock)

    @classmethod
    def from_yaml(
        cls,
        path: str | os.PathLike[str],
        key: str | None = None,
        *,
        identifier: str | None = None,
    ) -> Self:
        """Construct the service from a YAML file.

        Args:
            path: the file.
            key: the key of the block, at any depth; by default the whole file if it is such a
                block, else the block under `history_policy` or `history_config`.
            identifier: as for the class.

        Raises:
            ConfigError: the file cannot be read, or there is no such block, or several; or as
                for the class.
            MissingExtra: PyYAML is not installed.
        """
        return cls(yaml.load(path, key), identifier)

    @property
    def identifier(self) -> str:
        """The name that separates its sessions and files from those of other services."""
        return self._identifier

    @property
    def memory(self) -> Memory:
        """The underlying Memory, for all other operations on sessions."""
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
        """Append an entry; an empty one (`None`, `""`, `{}`, `[]`) is not stored, 0 and False are.

        Args:
            session_id: the application's name for the session.
            role: the role of the author; any text.
            content: text, a dict, or any other JSON; returned unchanged.
            other_history_props: `{"identity": ...}`, an alternative to `identity`.
            identity: the user who owns the session from now on.

        Raises:
            InputError: the entry cannot be stored; nothing was written.
            ConfigError: the identity is not a str, int or UUID, or it is empty.
            NotOwner: the session belongs to another user; nothing was written.
        """
        chat = self._session(session_id, identity, other_history_props)
        item = as_item(names.check(role, "role"), content)
        if not is_empty(content):
            chat.add(item)

    def store_actions(self, session_id: str, actions: Sequence[Props]) -> None:
        """Store the actions that were called to generate the answer stored next.

        `get_history` tells them in front of that answer, as Solace Agent Mesh does, or as entries
        of role `tool_call` before there is one; no limit counts those, and the next user message
        ends them. No actions are no error.

        Args:
            session_id: the session.
            actions: `[{"agent_name", "action_name", "action_params"}]`; other keys are kept.

        Raises:
            InputError: they are not a list of dicts, or something in them is not JSON.
        """
        if not isinstance(actions or [], (list, tuple)):
            raise InputError(f"actions must be a list of dicts, got {type(actions).__name__}")
        for index, action in enumerate(actions or []):
            if not isinstance(action, Mapping):
                raise InputError(f"actions[{index}] must be a dict, got {type(action).__name__}")
        if actions:
            self._session(session_id).add(*map(action_item, actions))

    def store_file(self, session_id: str, file: Props) -> None:
        """Store the metadata of a file; replaces the file of the same url, else name.

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
        context: bool = False,
    ) -> list[dict[str, Json]]:
        """The entries the policy keeps, oldest first: `[{"role", "content"}]`, yours to change.

        Args:
            session_id: the session.
            other_history_props: `{"identity": ...}`, an alternative to `identity`.
            identity: the user who owns the session.
            context: put an entry of role `history` first, with the text of `get_context`, if that
                is not empty; as Solace Agent Mesh does where long-term memory is on.

        Raises:
            NotOwner: an identity was given, and the session belongs to another user.
        """
        chat = self._session(session_id, identity, other_history_props)
        turns, _ = history_policy.read_turns(chat, self._settings.policy)
        entries = [turn.entry() for turn in turns]
        if not context or self._settings.longterm is None or not (context_text := chat.context()):
            return entries
        return [{"role": CONTEXT_ROLE, "content": context_text}, *entries]

    def get_files(self, session_id: str) -> HistoryFiles:
        """The metadata of all unexpired files: a list that also answers by url, else by name."""
        files = self._session(session_id).files.list()
        return HistoryFiles((file.id, original_metadata(file)) for file in files)

    def clear(self, session_id: str, keep_levels: int = 0) -> None:
        """Delete the files, and the entries but for the newest `keep_levels` of `get_history`.

        Raises:
            InputError: `keep_levels` is not a whole number of at least 0.
        """
        self.clear_history(session_id, keep_levels)

    def clear_history(
        self, session_id: str, keep_levels: int = 0, clear_files: bool = True
    ) -> None:
        """As `clear`; `clear_files=False` keeps the files.

        Raises:
            InputError: `keep_levels` is not a whole number of at least 0.
        """
        if type(keep_levels) is not int or keep_levels < 0:
            raise InputError(
                f"keep_levels must be a whole number of at least 0, got {shown(keep_levels)}"
            )
        chat, item_count = self._session(session_id), 0
        if keep_levels:
            kept_levels = replace(self._settings.policy, max_turns=keep_levels, max_characters=None)
            _, item_count = history_policy.read_turns(chat, kept_levels)
        chat.clear(keep_last=item_count, files=clear_files)

    def close(self) -> None:
        """Close the store and free the identifier, within a second. May be called twice."""
        with LOCK:
            self._closed = True
            if _open_services.get(self._identifier) is self:
                del _open_services[self._identifier]
        self._sweeper.close()

    @classmethod
    def _create(
        cls, identifier: str, settings: ServiceSettings, clock: Callable[[], float] | None
    ) -> Self:
        self = object.__new__(cls)
        self._identifier, self._settings, self._closed = identifier, settings, False
        self._memory = open_memory(identifier, settings, clock)
        sweep_interval = settings.service["expiration_check_interval"]
        self._sweeper = SweepThread(self._memory, sweep_interval, f"threadkeep {identifier}")
        # cached, since a handle that has read its session writes in fewer round trips
        self._handle = functools.lru_cache(_MAX_HANDLES)(self._new_handle)
        _open_services[identifier] = self
        return self

    def _require_same(self, settings: ServiceSettings | None) -> Self:
        different_key = None if settings is None else self._settings.differs(settings)
        if different_key is not None:
            raise ConfigError(
                f"the history service {shown(self._identifier)} is alive with another "
                f"{shown(different_key)}: "
                "close() releases the identifier, or take another one"
            )
        return self

    def _session(
        self, session_id: str, identity: UserId | None = None, props: Props | None = None
    ) -> Session:
        if self._closed:
            raise BackendError("this HistoryService is closed; constructing it again opens another")
        self._sweeper.start()
        return self._handle(names.check(session_id, "session_id"), resolve_user(identity, props))

    def _new_handle(self, session_id: str, user: str | None) -> Session:
        return self._memory.session(session_id, user=user)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<HistoryService {self._identifier!r} type={self._settings.provider.kind!r}>"
