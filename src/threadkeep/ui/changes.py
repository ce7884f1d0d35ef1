"""What `--write` allows: approve and forget what is known, delete sessions, forget users."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadkeep.errors import NotFound
from threadkeep.printable import counted
from threadkeep.serve.errors import NOT_FOUND
from threadkeep.ui.knowledge import KINDS, collection_of
from threadkeep.ui.renderer import url
from threadkeep.ui.transcript import citations
from threadkeep.ui.view import (
    change_route,
    id_parameter,
    memory_of,
    owner_of,
    page_route,
    render,
    session_of,
    user_of,
)

_MAX_RECEIPTS: Final = 100


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an erasure did.

    Attributes:
        subject: `user` or `session`.
        id: of it.
        removed: what went, in words.
        beyond: where copies may remain, in words.
        remaining: what was still found afterwards, by its name: numbers that should be 0.
        reader: who may see the receipt; `None` = whoever sees everybody's data.
    """

    subject: str
    id: str
    removed: tuple[str, ...]
    beyond: tuple[str, ...]
    remaining: dict[str, int]
    reader: str | None


class Receipts:
    """The newest receipts of this run of the server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._receipts: OrderedDict[str, Receipt] = OrderedDict()

    def add(self, receipt: Receipt) -> str:
        """Keep a receipt, and return its id."""
        receipt_id = secrets.token_urlsafe(12)
        with self._lock:
            self._receipts[receipt_id] = receipt
            if len(self._receipts) > _MAX_RECEIPTS:
                self._receipts.popitem(last=False)
        return receipt_id

    def get(self, id: str) -> Receipt | None:
        """The receipt of an id."""
        with self._lock:
            return self._receipts.get(id)


def approve(kind: str, request: Request) -> Response:
    """`POST /user/{kind}/approve?user=&id=`: make known what waits, or was refused."""
    user_memory, entry_id = user_of(request, "user"), id_parameter(request)
    collection: Any = collection_of(user_memory, kind)
    approved_entry = collection.approve(entry_id)
    return _see(url(request, f"/user/{kind}", user=user_memory.id, id=approved_entry.id))


def forget_entry(kind: str, request: Request) -> Response:
    """`POST /user/{kind}/forget?user=&id=`: remove a fact or an instruction for good."""
    user_memory, entry_id = user_of(request, "user"), id_parameter(request)
    collection_of(user_memory, kind).forget(entry_id)
    list_page = "/user" if kind == "fact" else "/user/instructions"
    return _see(url(request, list_page, id=user_memory.id))


def ask_forget_user(request: Request) -> Response:
    """`GET /user/forget?id=`: whether it is meant."""
    user = user_of(request)
    form_url = url(request, "/user/forget", id=user.id)
    back = url(request, "/user", id=user.id)
    return render(request, "confirm.html", subject="user", id=user.id, action=form_url, back=back)


def forget_user(request: Request) -> Response:
    """`POST /user/forget?id=`: remove everything of a user, and look what is still found."""
    user_memory = user_of(request)
    report = user_memory.forget()
    return _receipt(
        request,
        Receipt(
            "user",
            user_memory.id,
            (
                counted(report.sessions, "session"),
                f"{counted(report, 'record')}, those among them",
            ),
            tuple(report.beyond),
            {
                "sessions": len(user_memory.sessions(limit=1)),
                "facts": len(user_memory.facts.list(status=None)),
                "instructions": len(user_memory.instructions.list(status=None)),
                "refusals": len(user_memory.refused()),
            },
            owner_of(request),
        ),
    )


def ask_delete_session(request: Request) -> Response:
    """`GET /session/delete?id=`: whether it is meant."""
    chat, session_info = session_of(request)
    form_url = url(request, "/session/delete", id=chat.id)
    return render(
        request,
        "confirm.html",
        subject="session",
        id=session_info.title or chat.id,
        action=form_url,
        back=url(request, "/session", id=chat.id),
    )


def delete_session(request: Request) -> Response:
    """`POST /session/delete?id=`: remove a session with everything in it."""
    chat, session_info = session_of(request)
    last_items = chat.items(last=1, hidden=True)
    chat.delete()
    remaining_counts = {"sessions": int(chat.info() is not None), "items": len(chat.items(last=1))}
    if session_info.user is not None:
        owned_session = memory_of(request).session(chat.id, user=session_info.user)
        remaining_counts["facts and instructions from it"] = citations(owned_session).total()
    removal = (
        f"the session with its items, the last of them #{last_items[0].seq}" if last_items else ""
    )
    return _receipt(
        request,
        Receipt(
            "session",
            chat.id,
            (removal or "the session, which had no items",),
            (),
            remaining_counts,
            owner_of(request),
        ),
    )


def receipt(request: Request) -> Response:
    """`GET /receipt?id=`: what an erasure of this run of the server did."""
    receipts: Receipts = request.app.state.receipts
    stored_receipt = receipts.get(id_parameter(request))
    if stored_receipt is None or owner_of(request) not in (None, stored_receipt.reader):
        raise NotFound(NOT_FOUND)
    return render(request, "receipt.html", receipt=stored_receipt)


def _receipt(request: Request, new_receipt: Receipt) -> Response:
    receipts: Receipts = request.app.state.receipts
    return _see(url(request, "/receipt", id=receipts.add(new_receipt)))


def _see(location: str) -> Response:
    """Lead to a page, so that to load it again does nothing again."""
    return RedirectResponse(location, 303)


_ENTRY_CHANGES: Final[dict[str, Callable[[str, Request], Response]]] = {
    "approve": approve,
    "forget": forget_entry,
}

ROUTES: Final = [
    *(
        change_route(f"/user/{kind}/{name}", partial(change, kind))
        for kind in KINDS
        for name, change in _ENTRY_CHANGES.items()
    ),
    page_route("/user/forget", ask_forget_user),
    change_route("/user/forget", forget_user),
    page_route("/session/delete", ask_delete_session),
    change_route("/session/delete", delete_session),
    page_route("/receipt", receipt),
]
