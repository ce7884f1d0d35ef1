"""Requests that wait for a server on a busy machine."""

from __future__ import annotations

from functools import partial
from typing import Final

import httpx

SECONDS: Final = 60.0

get = partial(httpx.get, timeout=SECONDS)
post = partial(httpx.post, timeout=SECONDS)
Client = partial(httpx.Client, timeout=SECONDS)
