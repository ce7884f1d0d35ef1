"""What tests of branches say, and how they read it."""

from __future__ import annotations


def said(text):
    return {"role": "assistant", "content": text}


def texts(items):
    return [item.text for item in items]
