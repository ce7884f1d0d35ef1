"""Templates to responses: everything a template puts out is escaped, and the policy is strict."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import jinja2
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from threadkeep.printable import counted, escaped
from threadkeep.serve.principal import Principal, cookie_name
from threadkeep.ui.form_token import KEY_COOKIE, FormTokens

_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    # with no-referrer, browsers send the forms of our own pages with `Origin: null`
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Renderer:
    """The templates of the pages, loaded once."""

    def __init__(self) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("threadkeep.ui"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=_visible,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["time"] = format_time
        self._environment.filters["counted"] = counted

    def page(
        self, request: Request, template: str, *, status: int = 200, **values: Any
    ) -> Response:
        """A page of a template."""
        state = request.app.state
        tokens: FormTokens = state.form_tokens
        principal: Principal | None = getattr(request.state, "principal", None)
        html = self._environment.get_template(template).render(
            values,
            status=status,
            url=partial(url, request),
            form_token=partial(tokens.make, request),
            principal=principal,
            by_key=principal is not None and cookie_name(request, KEY_COOKIE) in request.cookies,
            may_write=state.write and principal is not None and principal.may("write"),
        )
        return HTMLResponse(html, status, _HEADERS)


def url(request: Request, path: str, /, **parameters: object) -> str:
    """The URL of a page with its parameters; those that are `None` or empty are left out.

    Ids are parameters, not parts of the path: browsers take `..` in a path away, encoded or not.
    """
    query_values = {k: str(v) for k, v in parameters.items() if v not in (None, "")}
    query_text = urlencode(query_values, errors="replace")
    return f"{request.scope.get('root_path', '')}{path}{'?' if query_text else ''}{query_text}"


def format_time(moment: datetime | None) -> str:
    """A date and time in UTC, to the second."""
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _visible(value: object) -> object:
    """What a template puts out, with control characters and bidi overrides as visible escapes."""
    if value is None:
        return ""
    return value if isinstance(value, Markup) else escaped(str(value))
