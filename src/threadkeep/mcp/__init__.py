"""`threadkeep mcp`: a user's memory as tools of the Model Context Protocol.

`server(memory, user=...)` is a server for standard input and output; `app(memory, keys=...)` is an
ASGI application of the streamable HTTP transport. Needs the extra `mcp`.
"""

from __future__ import annotations

from threadkeep.errors import MissingExtra

try:
    from threadkeep.mcp.http import app
    from threadkeep.mcp.server import server
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in {
        "mcp",
        "starlette",
        "httpx",
        "anyio",
        "prometheus_client",
    }:
        raise
    raise MissingExtra(
        f'{error.name} is missing: pip install "threadkeep[mcp]"', name=error.name
    ) from error

__all__ = ["app", "server"]
