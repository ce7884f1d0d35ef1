"""Imports documents: recognises each, reads it, and writes what it holds."""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Final

from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.shared import shared_memory
from threadkeep.api.memory import Memory
from threadkeep.backends.none import NoneBackend
from threadkeep.config.urls import Url, sqlite_location, without_secrets
from threadkeep.core.settings import Settings
from threadkeep.core.user_id import UserId, optional_user_id
from threadkeep.errors import ConfigError, InputError, NotOwner
from threadkeep.importers import database, registry, servers, store_chat
from threadkeep.importers.documents import SourceDocument, documents, opened
from threadkeep.importers.json_entries import entries
from threadkeep.importers.report import ImportReport
from threadkeep.importers.store_knowledge import KnowledgeWriter
from threadkeep.importers.values import Chat, Context, JsonEntry, Part
from threadkeep.printable import shown

_PICKLE: Final = re.compile(rb"\x80[\x02-\x05]")
_PROBED: Final = 50  # entries that are looked at for the format

Progress = Callable[[int, int], None]
"""Called with the bytes read so far, and those of the document."""


@strict_arguments
def import_chats(
    memory: Memory | str | None,
    path: str | Path,
    *,
    user: "UserId | None" = None,
    dry_run: bool = False,
    format: str | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import chats, facts and instructions from an export or store of another product.

    The format is recognised by the content. The source is only read. Ids are made of the source's
    own, or of the content, so an import that was interrupted is repeated, and a later one adds
    what is new; what is there already stays as it is. A bad entry is skipped, counted and named.
    Branches of a chat that are not its current one become hidden items. Facts are active and
    carry `import:<format>` as extractor; instructions are `quarantined` until `update` approves
    them.

    Args:
        memory: the target: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`.
        path: a file, a folder, or a zip, which is not unpacked; or the URL of a database or Redis
            that another library keeps its chats in: `sqlite`, `postgresql`, `mysql`, `redis`,
            `mongodb`.
        user: whose sessions, facts and instructions they become; `None` = of whom the source
            names, if it names anybody. Data of a second user of the source is then skipped.
        dry_run: read and check everything, and write nothing.
        format: the name of the format of JSON files, where the content does not say it.
        progress: called with the bytes read, and those there are, of each document.

    Raises:
        ConfigError: there is nothing at the path, it is a web address, the format is unknown, or
            `memory` and `path` are exchanged.
        MissingExtra: the driver for a URL is not installed.
        BackendError: the store or the source did not answer; repeat the import to go on.
    """
    if isinstance(path, Memory):
        raise ConfigError("the target comes first: import_chats(memory, path)")
    chat_import = _Import(shared_memory(memory), optional_user_id(user), dry_run, format, progress)
    if isinstance(path, str) and "://" in path and servers.kind_of(path) != "sqlite":
        chat_import.read_server(path)
    else:
        for document in documents(_checked_path(path), chat_import.report.skip):
            chat_import.read(document)
    chat_import.name_unrecognised()
    return chat_import.report


def _checked_path(path: str | Path) -> Path:
    if not isinstance(path, (str, Path)) or not str(path):
        raise ConfigError(f"path must be a str, a Path or the URL of a database, got {shown(path)}")
    if isinstance(path, str) and "://" in path:  # sqlite, with or without a driver
        url = Url.parse(f"sqlite{path[path.index('://') :].partition('?')[0]}")
        return Path(sqlite_location(url)["path"] if url else path).expanduser()
    return Path(path).expanduser()


class _Import:
    """One import: where it goes, and what became of it so far."""

    def __init__(
        self,
        memory: Memory,
        user: str | None,
        dry_run: bool,
        format: str | None,
        progress: Progress | None,
    ) -> None:
        self.report = ImportReport(is_dry_run=dry_run)
        if dry_run:  # the same work, on a store that keeps nothing
            memory = Memory(NoneBackend(), Settings(redactor=memory._engine.settings.redactor))
        self._memory, self._user, self._progress = memory, user, progress
        self._reader = None if format is None else registry.reader_named(format)
        self._knowledge = KnowledgeWriter(memory, self.report)
        self._source_user: str | None = None

    def name_unrecognised(self) -> None:
        """Where nothing was recognised, that is what went wrong."""
        if not self.report.formats:
            for label in self.report.ignored:
                self.report.skip(label, "its format is not recognised")
            self.report.ignored.clear()

    def read(self, document: SourceDocument) -> None:
        """Import a document; what is wrong with it as a whole is named."""
        context = Context(document.name, document.label, self.report.skip)
        try:
            with opened(document) as file:
                first_bytes = file.read(len(database.MAGIC))
                if first_bytes == database.MAGIC:
                    self._read_database(document.path, context)
                elif _PICKLE.match(first_bytes):
                    context.skip(document.label, "a pickle, which is never loaded: it may run code")
                else:
                    self._read_json(file, document, context)
        except (InputError, OSError, EOFError) as error:
            self.report.skip(document.label, f"it cannot be read: {error}")

    def read_server(self, url: str) -> None:
        """Import what a server holds."""
        label = without_secrets(url)
        context = Context(label, label, self.report.skip)
        self._take_all(servers.sources(url, context), context)

    def _read_json(self, source: IO[bytes], document: SourceDocument, context: Context) -> None:
        json_entries = entries(source, document.label, self.report.skip)
        first_entries = list(islice(json_entries, _PROBED))
        reader = self._reader or registry.reader_of(first_entries)
        if reader is None:
            if first_entries:
                self.report.ignored.append(document.label)
            return
        progress_entries = self._followed(chain(first_entries, json_entries), source, document.size)
        continuation = store_chat.Continuation(reader.name) if reader.continues else None
        self._take(reader.name, reader.read(progress_entries, context), context, continuation)

    def _followed(
        self, json_entries: Iterator[JsonEntry], source_file: IO[bytes], file_size: int
    ) -> Iterator[JsonEntry]:
        for entry in json_entries:
            yield entry
            if self._progress is not None:
                self._progress(source_file.tell(), file_size)

    def _read_database(self, path: Path, context: Context) -> None:
        try:
            with database.connected(path) as connection:
                opened_database = database.SqliteDatabase(connection)
                self._take_all(registry.tables_of(opened_database, context), context)
        except sqlite3.Error as error:
            self.report.skip(context.label, f"SQLite cannot read it: {error}")

    def _take_all(self, sources: Iterable[tuple[str, Iterator[Part]]], context: Context) -> None:
        for format_name, parts in sources:
            self._take(format_name, parts, context)

    def _take(
        self,
        name: str,
        parts: Iterator[Part],
        context: Context,
        earlier: store_chat.Continuation | None = None,
    ) -> None:
        self.report.formats[name] += 1
        for part in parts:
            try:
                self._write(part, name, earlier)
            except (InputError, ConfigError, NotOwner) as error:
                context.skip(part.location, str(error))

    def _write(self, part: Part, system: str, earlier: store_chat.Continuation | None) -> None:
        owner_id = self._owner(part)
        if isinstance(part, Chat):
            store_chat.write(self._memory, part, owner_id, system, self.report, earlier=earlier)
        elif owner_id is None:
            raise InputError(f"the source does not say whose {part.kind} this is: pass the user")
        else:
            self._knowledge.write(part, owner_id, system)

    def _owner(self, part: Part) -> str | None:
        """Whose it becomes; never that of two users of the source together."""
        if self._user is None or part.user is None:
            return self._user or optional_user_id(part.user or None)
        self._source_user = self._source_user or part.user
        if part.user not in (self._source_user, self._user):
            raise InputError(
                f"it is of the user {shown(part.user)}, not {shown(self._source_user)} "
                "as what came before: without a user given, each keeps their own"
            )
        return self._user
