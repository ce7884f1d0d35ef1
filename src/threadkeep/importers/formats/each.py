"""Formats whose entries are a chat each: a bad one is named, and the others are read."""

from collections.abc import Callable, Iterator

from threadkeep.errors import InputError
from threadkeep.importers.fields import Malformed
from threadkeep.importers.values import Context, JsonEntry, Part

ReadEntry = Callable[[JsonEntry, Context], Iterator[Part]]


def reader(read_entry: ReadEntry) -> Callable[[Iterator[JsonEntry], Context], Iterator[Part]]:
    """A reader of documents, made of one of entries."""

    def read(entries: Iterator[JsonEntry], context: Context) -> Iterator[Part]:
        for entry in entries:
            try:
                parts = list(read_entry(entry, context))
            except (Malformed, InputError) as error:
                context.skip(entry.location, str(error))
            except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
                context.skip(entry.location, f"the entry is damaged ({type(error).__name__})")
            else:
                yield from parts

    return read
