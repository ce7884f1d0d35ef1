"""Tokens that a page puts into its forms, so that no other page can send them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import HTTPConnection, Request

from threadkeep.serve.door import read_body
from threadkeep.serve.errors import ApiError
from threadkeep.serve.principal import COOKIE, cookie_name

KEY_COOKIE: Final = "threadkeep_ui"
"""Stands for a key with which a browser signed in."""

FIELD: Final = "form_token"
_MAX_FIELDS: Final = 20


class FormTokens:
    """Makes and checks tokens; each holds for one browser, one form and one run of the server."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def make(self, connection: HTTPConnection, action: str) -> str:
        """The token of a form.

        Args:
            connection: the request that asks for the page with the form.
            action: where the form is sent, path and query.
        """
        cookies = [
            connection.cookies.get(cookie_name(connection, kind), "")
            for kind in (COOKIE, KEY_COOKIE)
        ]
        signed_bytes = "\0".join([*cookies, action]).encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, signed_bytes, hashlib.sha256).hexdigest()

    async def read_form(self, request: Request) -> dict[str, str]:
        """The fields of a form that was sent to this request's URL.

        Raises:
            ApiError: 400, 403, 408 or 413: it is no form of ours, or too large or slow.
        """
        try:
            form_body = (await read_body(request, request.app.state.limits)).decode("ascii")
            form = dict(parse_qsl(form_body, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
        except ValueError as error:
            raise ApiError(400, "the form cannot be read") from error
        query_text = request.url.query
        form_url = f"{request.scope['path']}{'?' if query_text else ''}{query_text}"
        if not hmac.compare_digest(
            form.pop(FIELD, "").encode(), self.make(request, form_url).encode()
        ):
            raise ApiError(
                403, "the form is not of this page or this run: open the page again", code="form"
            )
        return form
