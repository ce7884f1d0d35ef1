"""One transcript that is followed: read on from where it was read to, and written to a Memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO, Final

from threadkeep.api.memory import Memory
from threadkeep.core.redaction import HasSettings
from threadkeep.errors import ConfigError, InputError, NotOwner
from threadkeep.importers import chat_items, store_chat
from threadkeep.importers.formats import claude_code, codex
from threadkeep.importers.report import ImportReport
from threadkeep.importers.store_chat import Continuation
from threadkeep.importers.values import Chat, Context, FormatReader, JsonEntry, Skip
from threadkeep.importers.watch.growing_file import (
    Lines,
    Position,
    Stamp,
    is_continued,
    label_of,
)

_READERS: Final = (claude_code.READER, codex.READER)
_PROBED: Final = 50  # entries that are looked at for the format, as an import does


@dataclass(frozen=True, slots=True)
class Target:
    """Where transcripts are written to.

    Attributes:
        memory: the store.
        owner: whose sessions they become.
        redactor: redacts what is written, beside the Memory's own; `None` = nothing does.
        report: counts what happens.
    """

    memory: Memory
    owner: str | None
    redactor: HasSettings | None
    report: ImportReport


@dataclass(slots=True)
class _Progress:
    """What a reader knows of the lines before, so that reading on is as reading the whole."""

    reader: FormatReader
    earlier: Continuation
    heads: dict[str, JsonEntry] = field(default_factory=dict)

    def followed(self, entries: Iterator[JsonEntry], is_start: bool) -> Iterator[JsonEntry]:
        """The entries, whose heads are noted."""
        for entry in entries:
            head_kind = self.reader.head(entry.value)
            if head_kind is not None and (is_start or head_kind == "latest"):
                self.heads[head_kind] = entry
            is_start = False
            yield entry


class Transcript:
    """A file that is followed.

    Args:
        path: of the file.
        folder: in which it was found.
        position: how far it was read before, in this process or an earlier one.
    """

    def __init__(self, path: Path, folder: Path, position: Position = Position()) -> None:  # noqa: B008  # immutable
        self._path, self._label = path, label_of(path, folder)
        self.position = position
        self._stamp: Stamp | None = None
        self._progress: _Progress | None = None

    def poll(self, target: Target) -> bool:
        """Store what was appended since; returns True if anything was read.

        If it was cut off or replaced it is read from its beginning: what is stored stays, and is
        not stored again.

        Raises:
            BackendError: the store did not answer; the next poll begins at the same place.
            OSError: the file cannot be read.
        """
        file_stamp = Stamp.of(self._path.stat())
        if file_stamp == self._stamp:
            return False
        with self._path.open("rb") as file:
            if not is_continued(file, self.position):
                restart_reason = "it was cut off or replaced: read again from its beginning"
                target.report.skip(self._label, restart_reason)
                self.position, self._progress = Position(), None
            has_read = self._read(file, target)
        self._stamp = file_stamp
        return has_read

    def _read(self, file: IO[bytes], target: Target) -> bool:
        progress, self._progress = self._progress or self._begun(file, target), None
        if progress is None:
            return False  # not known yet what it is
        lines = Lines(file, self._label, self.position, target.report.skip)
        for chat in self._chats(progress, lines, target.report.skip):
            self._write(chat, progress, target)
        has_read = lines.offset > self.position.offset
        self.position, self._progress = lines.position(), progress
        return has_read

    def _begun(self, file: IO[bytes], target: Target) -> _Progress | None:
        """What is known behind the lines that were read before; nothing is written."""
        reader = self._reader(file)
        if reader is None:
            return None
        progress = _Progress(reader, Continuation(reader.name))
        lines = Lines(file, self._label, Position(), _ignore, self.position.offset)
        now = target.memory._engine.now()
        for chat in self._chats(progress, lines, _ignore):
            begun_chat = progress.earlier.begun(chat)
            for _ in chat_items.items(
                begun_chat, reader.name, now, _ignore, progress.earlier.ids(chat)
            ):
                pass
        return progress

    def _reader(self, file: IO[bytes]) -> FormatReader | None:
        probed_lines = Lines(file, self._label, Position(), _ignore)
        for _, entry in zip(range(_PROBED), probed_lines, strict=False):
            for reader in _READERS:
                if reader.matches(entry.value):
                    return reader
        return None

    def _chats(self, progress: _Progress, lines: Lines, skip: Skip) -> Iterator[Chat]:
        is_start = lines.offset == 0
        heads = [progress.heads[kind] for kind in ("first", "latest") if kind in progress.heads]
        entries = chain(heads, progress.followed(iter(lines), is_start))
        is_rest = not is_start and "first" not in progress.heads
        context = Context(self._path.name, self._label, skip, is_rest)
        for part in progress.reader.read(entries, context):
            if isinstance(part, Chat):
                yield part

    def _write(self, chat: Chat, progress: _Progress, target: Target) -> None:
        try:
            store_chat.write(
                target.memory,
                chat,
                target.owner,
                progress.reader.name,
                target.report,
                earlier=progress.earlier,
                redactor=target.redactor,
            )
        except (InputError, ConfigError, NotOwner) as error:
            target.report.skip(chat.location, str(error))


def _ignore(location: str, reason: str) -> None:
    """What was wrong with earlier lines was said when they were read."""
