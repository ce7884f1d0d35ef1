"""Maps what drivers raise while a source is read to `BackendError`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from threadkeep.errors import BackendError
from threadkeep.printable import shown


@contextmanager
def source_errors(
    label: str, driver_error: type[Exception], reason: Callable[[Exception], object] = str
) -> Iterator[None]:
    """Name the source in what its driver raises.

    Args:
        label: the name of the source, without secrets.
        driver_error: the root of the driver's errors.
        reason: what is told of an error.

    Raises:
        BackendError: the source cannot be read.
    """
    try:
        yield
    except driver_error as error:
        raise BackendError(f"{label} cannot be read: {shown(str(reason(error)), 200)}") from error
