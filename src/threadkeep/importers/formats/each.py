"""What is read one by one: a bad chat or message is named, and the others are read."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from threadkeep.errors import InputError
from threadkeep.importers.fields import Malformed
from threadkeep.importers.values import Context, JsonEntry, Part

Element = TypeVar("Element")

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


def elements(
    values: Iterable[Any],
    location: str,
    read: Callable[[Any, str], Element | None],
    context: Context,
) -> Iterator[Element]:
    """What is read of each element of a list, by the element and its location.

    A malformed one is named; `None` = there is nothing to read.
    """
    for value_index, value in enumerate(values):
        element_location = f"{location}[{value_index}]"
        try:
            element = read(value, element_location)
        except Malformed as error:
            context.skip(element_location, str(error))
            continue
        if element is not None:
            yield element
