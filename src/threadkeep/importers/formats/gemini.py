"""Gemini's activity in Google Takeout, `MyActivity.json`: a prompt and its answer per entry.

Entries do not say to which chat they belong, but some by the address of it; those of a day that
do not say it are one session.
"""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from threadkeep.importers import fields
from threadkeep.importers.formats import each
from threadkeep.importers.values import Chat, Context, FormatReader, JsonEntry, Message, Part
from threadkeep.types import Json

_PRODUCTS: Final = ("gemini", "bard")
_ADDRESS: Final = re.compile(r"gemini\.google\.com/(?:u/\d+/)?(?:app|share|gem/[^/]+)/(\w+)")
_TAG: Final = re.compile(r"<[^>]*>")
_BREAK: Final = re.compile(r"<(?:br|/p|/li|/h\d|/div|/tr)\b[^>]*>", re.IGNORECASE)
_PROMPTED: Final = re.compile(r"\A(?:Prompted|Asked|Said|Du hast gefragt:?)\s+", re.IGNORECASE)


def _matches(value: Json) -> bool:
    if not isinstance(value, dict) or "title" not in value or "time" not in value:
        return False
    products = f"{value.get('header')} {value.get('products')}".lower()
    return any(product in products for product in _PRODUCTS)


def _read(entry: JsonEntry, context: Context) -> Iterator[Part]:
    del context
    activity = fields.mapping(entry.value, "an activity")
    title = fields.name(activity.get("title"))
    if title is None:
        raise fields.Malformed("the activity has no title")
    date = activity.get("time")
    session_id = _session(activity, date)
    activity_digest = fields.digest([title, date])
    prompt_fields = {"role": "user", "content": _PROMPTED.sub("", title)}
    prompt = Message(prompt_fields, entry.location, f"{activity_digest}-0", date)
    answers = _answers(activity, activity_digest, entry.location, date)
    yield Chat(session_id, entry.location, [prompt, *answers], created_at=date)


READER: Final = FormatReader(
    "gemini", "Gemini's activity of Google Takeout", _matches, each.reader(_read)
)


def _session(activity: Mapping[str, Any], date: object) -> str:
    details = activity.get("details")
    urls = [activity.get("titleUrl")]
    urls += [d.get("url") for d in details or () if isinstance(d, Mapping)] if details else []
    address_match = next((m for url in urls if (m := _ADDRESS.search(str(url)))), None)
    if address_match:
        return f"gemini-{address_match[1]}"
    day = fields.moment(date)
    return f"gemini-{day:%Y-%m-%d}" if day else "gemini-undated"


def _answers(
    activity: Mapping[str, Any], activity_digest: str, location: str, date: object
) -> Iterator[Message]:
    for answer_number, answer in enumerate(activity.get("safeHtmlItem") or (), start=1):
        answer_text = _plain(str(answer.get("html") or "")) if isinstance(answer, Mapping) else ""
        if answer_text:
            answer_fields = {"role": "assistant", "content": answer_text}
            yield Message(answer_fields, location, f"{activity_digest}-{answer_number}", date)


def _plain(markup: str) -> str:
    lines = html.unescape(_TAG.sub("", _BREAK.sub("\n", markup))).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())
