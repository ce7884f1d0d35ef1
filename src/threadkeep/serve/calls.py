"""Run synchronous calls of the memory for a request, off the event loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from starlette.requests import HTTPConnection

from threadkeep.api.memory import Memory
from threadkeep.printable import shown
from threadkeep.serve.errors import ApiError

T = TypeVar("T")


async def call(connection: HTTPConnection, function: Callable[[], T]) -> T:
    """Run a function that uses the memory on one of its threads."""
    memory: Memory = connection.app.state.memory
    return await memory.to_thread(function)


def check_fields(body: Mapping[str, Any], allowed: Iterable[str]) -> None:
    """Refuse fields that mean nothing here, rather than ignore them.

    Raises:
        ApiError: 400; the field is named.
    """
    for field_name in body:
        if field_name not in allowed:
            raise ApiError(
                400,
                f"unknown parameter: {shown(field_name)}",
                code="unknown_parameter",
                param=field_name[:80],
            )
