"""The page of recall: what a question finds in what a user said, and by which words."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from threadkeep.longterm.recall.hits import Hits
from threadkeep.serve.errors import ApiError
from threadkeep.ui.view import number_parameter, page_route, render, text_parameter, user_of

_CONDITIONS: Final = ("kind", "role", "session", "since", "until")
_EXPLANATIONS: Final = {
    "words": "words of its own",
    "neighbours": "words said just before or after it",
    "speaker": "the name of its speaker",
    "date": "its date",
    "facts": "facts that were learned from it",
    "vector": "its meaning, as an embedder sees it",
}


def recall(request: Request) -> Response:
    """`GET /user/recall?id=&q=`: the best answers first, each with what found it."""
    user_memory = user_of(request)
    query_text = text_parameter(request, "q")
    hit_limit = number_parameter(request, "k", 100) or 10
    conditions: dict[str, Any] = {
        name: text_parameter(request, name, 1_000) for name in _CONDITIONS
    }
    if conditions["kind"] not in ("", "fact", "item"):
        raise ApiError(400, "kind must be fact or item", param="kind")
    set_conditions = {name: value for name, value in conditions.items() if value}
    hits = user_memory.recall(query_text, hit_limit, **set_conditions) if query_text else Hits()
    return render(
        request,
        "recall.html",
        user=user_memory,
        query=query_text,
        count=hit_limit,
        conditions=conditions,
        hits=hits,
        explanations=_EXPLANATIONS,
    )


ROUTES: Final = [page_route("/user/recall", recall)]
