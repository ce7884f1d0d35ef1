"""Takes secrets out of texts, by their shapes: keys of well-known services, and passwords.

What has no shape of its own, such as a password in a sentence, cannot be found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from threadkeep.types import Json

MARK: Final = "[secret removed]"

_SHAPES: Final = (
    r"-----BEGIN (?P<pem>[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----.*?"
    r"(?:-----END (?P=pem)-----|\Z)",
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{36,255}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{22,255}",
    r"gl(?:pat|dt|rt|ptt|cbt|soat|ft)-[A-Za-z0-9_-]{20,255}",  # GitLab
    r"sk-[A-Za-z0-9_-]{20,255}",  # OpenAI, Anthropic, and others
    r"xox[abeoprs]-[A-Za-z0-9-]{10,255}",  # Slack
    r"xapp-[A-Za-z0-9-]{10,255}",
    r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,255}",
    r"AIza[A-Za-z0-9_-]{35}",  # Google
    r"ya29\.[A-Za-z0-9_-]{20,2000}",
    r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,255}",  # Stripe
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-[A-Za-z0-9_-]{16,500}",
    r"hf_[A-Za-z0-9]{30,255}",  # Hugging Face
    r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,128}",  # SendGrid
    r"tk_[A-Za-z0-9_-]{43}",  # keys of `threadkeep serve`
    r"eyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,2000}",  # JWT
)
_ANY_SHAPE: Final = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_SHAPES)})", re.DOTALL)

_NAMES: Final = (
    r"password|passwd|passphrase|pwd|secret|token|credential|api[_-]?key|apikey|access[_-]?key"
    r"|private[_-]?key|auth[_-]?key|encryption[_-]?key|account[_-]?key"
)
_ASSIGNED: Final = re.compile(
    rf"(?P<name>(?:{_NAMES})[A-Za-z0-9_-]{{0,20}}\\{{0,3}}[\"']?[ \t]{{0,8}}[=:][ \t]{{0,8}})"
    r"(?P<open>\\{0,3}[\"'])?"
    r"(?P<value>(?(open)[^\"'\\\n]{1,500}|[^\s\"'\\,;&)}\]]{1,500}))",
    re.IGNORECASE,
)
_BEARER: Final = re.compile(
    r"(?P<name>Authorization[\"'\\]{0,3}[ \t]{0,8}[:=][ \t\"'\\]{0,8}"
    r"(?:(?:Bearer|Basic|Token)[ \t]{1,8})?"
    r"|(?<![A-Za-z0-9])Bearer[ \t]{1,8}(?=[^\s\"']{0,100}\d))(?P<value>[^\s\"',\\]{8,4000})",
    re.IGNORECASE,
)
_IN_URL: Final = re.compile(
    r"(?P<name>(?<![A-Za-z0-9])[a-z][a-z0-9+.-]{0,20}://[^\s:/@\"']{0,200}:)(?P<value>[^\s/@\"']{1,500})(?=@)",
    re.IGNORECASE,
)
_SENSITIVE_NAME: Final = re.compile(rf"(?:{_NAMES})[A-Za-z0-9_-]{{0,20}}$", re.IGNORECASE)
_PLAIN_NAME: Final = re.compile(
    r"(?:tokens|_count|_limit|_budget|_type|_id|_name|_url)$", re.IGNORECASE
)
_NO_SECRET: Final = re.compile(
    r"(?:none|null|nil|undefined|true|false|str|string|int|bool|bytes|any|optional.*|\d{1,6}|\*+|x+"
    r"|\.{2,}|<.*|\$.*|\{.*|%.*|\[.*|[A-Za-z_][\w.]*\(.*)",
    re.IGNORECASE,
)
"""What stands in the place of a secret in code and templates."""


def redact_secrets(text: str, kind: str = "item") -> str:
    """The text with a mark in the place of each secret; for `connect(redactor=)` too.

    It finds private keys, keys of AWS, GitHub, GitLab, OpenAI, Anthropic, Slack, Google, Stripe,
    npm, PyPI, Hugging Face and SendGrid, JSON web tokens, `Authorization` headers, passwords in
    URLs, and what is assigned to `password`, `secret`, `token`, `api_key` and the like.

    Args:
        text: any text.
        kind: what it belongs to; all kinds are treated alike.
    """
    del kind
    text = _ANY_SHAPE.sub(MARK, text)
    text = _IN_URL.sub(_marked, text)
    text = _BEARER.sub(_marked, text)
    return _ASSIGNED.sub(_marked_assignment, text)


def redact_named(value: Json) -> Any:
    """JSON with a mark in the place of texts whose key names a secret, such as `password`."""
    if isinstance(value, Mapping):
        return {key: _named(key, element) for key, element in value.items()}
    if isinstance(value, list):
        return [redact_named(element) for element in value]
    return value


def _named(key: str, value: Json) -> Any:
    if isinstance(value, str) and value and _is_sensitive(key) and not _NO_SECRET.fullmatch(value):
        return MARK
    return redact_named(value)


def _is_sensitive(name: str) -> bool:
    return bool(_SENSITIVE_NAME.search(name)) and not _PLAIN_NAME.search(name)


def _marked(match: re.Match[str]) -> str:
    return match["name"] + MARK


def _marked_assignment(match: re.Match[str]) -> str:
    name = re.split(r"[\\\"' \t=:]", match["name"], maxsplit=1)[0]
    value = match["value"].strip()
    if _PLAIN_NAME.search(name) or _NO_SECRET.fullmatch(value) or value == MARK.split()[0]:
        return match[0]
    return f"{match['name']}{match['open'] or ''}{MARK}"
