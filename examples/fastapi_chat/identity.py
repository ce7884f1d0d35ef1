"""Who asks: the user of a bearer key, and never a name that the client may choose."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from threadkeep import Memory

_bearer = HTTPBearer(auto_error=False)


def current_user(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    """The user of the request's key; in your application, of its token or cookie."""
    presented = credentials.credentials.encode() if credentials else b""
    keys: dict[str, str] = request.app.state.settings.keys
    for key, user in keys.items():
        if hmac.compare_digest(key.encode(), presented):
            return user
    raise HTTPException(401, "no such key", {"WWW-Authenticate": "Bearer"})


def current_memory(request: Request) -> Memory:
    """The Memory of this worker."""
    memory: Memory = request.app.state.memory
    return memory


CurrentUser = Annotated[str, Depends(current_user)]
CurrentMemory = Annotated[Memory, Depends(current_memory)]
