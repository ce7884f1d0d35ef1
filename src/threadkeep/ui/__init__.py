"""`threadkeep ui`: pages to look into a store of chat memory with a browser.

`app(memory, keys=...)` is an ASGI application: run it with any ASGI server, or pass it to
`threadkeep.serve.app(ui=)`. Needs the extra `ui`.
"""

from __future__ import annotations

from threadkeep.errors import MissingExtra

try:
    from threadkeep.ui.application import app
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in {"starlette", "httpx", "anyio", "jinja2"}:
        raise
    raise MissingExtra(
        f'{error.name} is missing: pip install "threadkeep[ui]"', name=error.name
    ) from error

__all__ = ["app"]
