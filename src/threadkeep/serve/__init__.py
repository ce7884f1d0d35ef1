"""`threadkeep serve`: a store of chat memory over HTTP, in the shapes of the OpenAI API.

`app(memory, keys=...)` is an ASGI application: run it with any ASGI server, or mount it in another.
Needs the extra `serve`.
"""

from __future__ import annotations

from threadkeep.errors import MissingExtra

try:
    from threadkeep.serve.application import app
    from threadkeep.serve.door import Limits
    from threadkeep.serve.entries import item_to_entries
    from threadkeep.serve.keys import KeyFile
    from threadkeep.serve.principal import Authenticator, Loopback, Principal
except ModuleNotFoundError as error:
    needed = {"starlette", "httpx", "anyio", "prometheus_client"}
    if (error.name or "").partition(".")[0] not in needed:
        raise
    raise MissingExtra(
        f'{error.name} is missing: pip install "threadkeep[serve]"', name=error.name
    ) from error

__all__ = ["Authenticator", "KeyFile", "Limits", "Loopback", "Principal", "app", "item_to_entries"]
