"""What makes a URL unsafe to read: a password that is not percent-encoded splits it wrongly."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Iterable
from typing import Final

from threadkeep.errors import ConfigError

_AFTER_AUTHORITY: Final = re.compile(r"[/?#]")
_SECRET_NAME: Final = re.compile("(password|passwd|pwd|secret|token)$", re.IGNORECASE)


def check_at_signs(url: str, noun: str) -> None:
    """Refuse an `@` behind the host: what precedes it may belong to a password.

    Args:
        noun: what the URL is of, for the error, which repeats no part of it.

    Raises:
        ConfigError: there is one.
    """
    _, _, locator = url.partition("://")
    end_match = _AFTER_AUTHORITY.search(locator)
    if end_match is not None and "@" in locator[end_match.start() :]:
        raise ConfigError(
            f"{noun} cannot be read: percent-encode what is special in user and password "
            "(`/` is %2F, `?` is %3F, `#` is %23), and an `@` behind the host (%40)"
        )


def check_values(query: str, noun: str) -> None:
    """Refuse a parameter without a value: what is behind an `&` may belong to a password.

    Args:
        query: of the URL, without the `?`.
        noun: what the URL is of, for the error, which repeats no part of it.

    Raises:
        ConfigError: there is one.
    """
    if any("=" not in parameter_text for parameter_text in query.split("&") if parameter_text):
        raise ConfigError(
            f"{noun} has a parameter without a value: percent-encode an `&` in a password (%26)"
        )


def check_names_behind_secret(names: Iterable[str], known_names: Container[str]) -> None:
    """Refuse an unknown parameter behind one that holds a secret: it may be the secret's rest.

    Args:
        names: of the parameters, in their order in the URL.
        known_names: names, in small letters, that are no piece of a secret.

    Raises:
        ConfigError: there is one; it is not named.
    """
    names_from_secret = itertools.dropwhile(lambda name: not _SECRET_NAME.search(name), names)
    if any(
        name.lower() not in known_names for name in itertools.islice(names_from_secret, 1, None)
    ):
        raise ConfigError(
            "the URL has an unknown parameter behind one that holds a secret: percent-encode an "
            "`&` in a password (%26), or put the parameter in front of it"
        )
