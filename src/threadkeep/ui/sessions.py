"""The pages that list sessions and users."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from threadkeep.serve.errors import NOT_FOUND, ApiError
from threadkeep.serve.pages import cursor_of, encode_cursor
from threadkeep.ui.search import find_sessions, parse_search
from threadkeep.ui.users import find_users
from threadkeep.ui.view import memory_of, owner_of, page_route, render, text_parameter

_MAX_WORDS: Final = 200


def sessions(request: Request) -> Response:
    """`GET /`: sessions; of a user, or those that a search finds."""
    owner_id = owner_of(request)
    user_id = owner_id or text_parameter(request, "user") or None
    words = text_parameter(request, "q", _MAX_WORDS)
    since_text, until_text = (text_parameter(request, name, 40) for name in ("since", "until"))
    search = parse_search(words, since_text, until_text)
    session_page = find_sessions(memory_of(request), user_id, search, cursor_of(request))
    return render(
        request,
        "sessions.html",
        page=session_page,
        following=None if session_page.cursor is None else encode_cursor(session_page.cursor),
        owner=owner_id,
        user=user_id,
        words=words,
        since=since_text,
        until=until_text,
        is_search=bool(search),
    )


def users(request: Request) -> Response:
    """`GET /users`: everybody who has sessions, or of whom something is known; for the operator."""
    if owner_of(request) is not None:
        raise ApiError(404, NOT_FOUND, code="not_found")
    user_page = find_users(memory_of(request), cursor_of(request))
    next_cursor = None if user_page.cursor is None else encode_cursor(user_page.cursor)
    return render(request, "users.html", users=user_page, following=next_cursor)


ROUTES: Final = [page_route("/", sessions), page_route("/users", users)]
