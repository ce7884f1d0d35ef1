"""The style sheet and the icon, which need no key."""

from __future__ import annotations

from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TYPES: Final = {"style.css": "text/css", "icon.svg": "image/svg+xml"}
_FILES: Final = {
    name: (resources.files("threadkeep.ui") / "static" / name).read_bytes() for name in _TYPES
}


async def static_file(request: Request) -> Response:
    """`GET /static/{name}`: one of the files named above, and no other."""
    name = request.path_params["name"]
    if name not in _FILES:
        return Response("there is no such file", 404)
    return Response(_FILES[name], media_type=_TYPES[name], headers={"cache-control": "no-cache"})


ROUTES: Final = [Route("/static/{name}", static_file, methods=["GET"])]
