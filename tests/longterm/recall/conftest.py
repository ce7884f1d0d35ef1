"""A user with two conversations, told in short; servers are asked in `test_recall_stores`."""

from __future__ import annotations


def said(text, *, name=None, role="user", at=None):
    message = {"role": role, "content": text}
    if name is not None:
        message["name"] = name
    if at is not None:
        message["created_at"] = at
    return message


def texts(hits):
    return [hit.text for hit in hits]
