"""The nearest right name, for errors about a wrong one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(wrong: object, known: Iterable[str]) -> str:
    """`; did you mean 'ttl'?`, or the names there are if none is near."""
    import difflib  # needed for errors only

    names = sorted(known)
    close = difflib.get_close_matches(str(wrong), names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(names)}"
