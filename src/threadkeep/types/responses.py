"""Responses and feedback as values; storage is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from threadkeep.types import Json
from threadkeep.types.states import Rating
from threadkeep.types.usage import TokenCounts, token_counts

FINAL_STATUSES: Final = frozenset({"completed", "failed", "incomplete", "cancelled"})
"""The statuses of a response that is not worked on any more."""

OPEN_STATUSES: Final = frozenset({"queued", "in_progress"})
"""The statuses of a response that is still worked on."""


@dataclass(frozen=True, slots=True)
class Response:
    """One model response, with its input and its token usage.

    Attributes:
        id: unique in the namespace; the provider's, or minted here.
        conversation: the id of the session that holds it.
        previous_response_id: the response it goes on from.
        model: which model answered.
        status: `completed`, `in_progress`, `incomplete`, `failed`, or as the provider has it.
        input: what was asked, as it was sent: a text or a list of items.
        output: what was answered, verbatim.
        tool_calls: those of the output: `[{"id", "name", "args": dict | str}]`.
        usage: the provider's token counts, verbatim.
        metadata: the application's own, up to 16 short texts.
        user: who owns the session.
        safety_identifier: the stable name for a person that was sent to the provider.
        created_at: when it was made (aware, UTC); for people.
        extra: everything else the provider said of it, verbatim.
        seq: its place in the session, given by the store; 0 = not stored.
    """

    id: str
    conversation: str | None = None
    previous_response_id: str | None = None
    model: str | None = None
    status: str | None = None
    input: str | list[dict[str, Json]] | None = None
    output: list[dict[str, Json]] = field(default_factory=list)
    tool_calls: list[dict[str, Json]] = field(default_factory=list)
    usage: dict[str, Json] | None = None
    metadata: dict[str, Json] = field(default_factory=dict)
    user: str | None = None
    safety_identifier: str | None = None
    created_at: datetime | None = None
    extra: dict[str, Json] = field(default_factory=dict)
    seq: int = 0

    @property
    def text(self) -> str:
        """The words of the output, joined by line breaks."""
        return "\n".join(entry_text for entry in self.output for entry_text in _texts(entry))

    @property
    def tokens(self) -> Usage:
        """The token counts, in one shape for every provider."""
        call_counts = self.token_counts
        return Usage(1, call_counts.input, call_counts.output, call_counts.total)

    @property
    def token_counts(self) -> TokenCounts:
        """The token counts with those of caches and reasoning."""
        return token_counts(self.usage or {})


@dataclass(frozen=True, slots=True)
class Usage:
    """How many responses, and how many tokens they took.

    Attributes:
        responses: how many there are.
        input_tokens: read by the model, those from a cache included.
        output_tokens: written by it, its reasoning included.
        total_tokens: as the provider counts them, else the sum of both.
    """

    responses: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.responses + other.responses,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.total_tokens + other.total_tokens,
        )


@dataclass(frozen=True, slots=True)
class Feedback:
    """Somebody's rating of a response.

    Attributes:
        id: unique in the session; minted here, or the caller's, as an idempotency key.
        response: the id of the response.
        rating: `positive` or `negative`.
        comment: in their own words.
        author: who says so.
        item: the id of the item it is about, if of one only.
        model: which model gave the response.
        metadata: the application's own, any JSON object.
        conversation: the id of the session that holds both.
        created_at: when it was given (aware, UTC).
    """

    id: str
    response: str
    rating: Rating
    comment: str | None = None
    author: str | None = None
    item: str | None = None
    model: str | None = None
    metadata: dict[str, Json] = field(default_factory=dict)
    conversation: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RatingCounts:
    """How often each rating was given.

    Attributes:
        positive: how many liked it.
        negative: how many did not.
    """

    positive: int = 0
    negative: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.positive + self.negative

    def __add__(self, other: RatingCounts) -> RatingCounts:
        return RatingCounts(self.positive + other.positive, self.negative + other.negative)


def _texts(entry: Mapping[str, Json]) -> list[str]:
    """The words of one entry of an output, of the Responses or the Chat Completions API."""
    entry_content = entry.get("content")
    if isinstance(entry_content, str):
        return [entry_content]
    content_parts = entry_content if isinstance(entry_content, list) else []
    if entry.get("type") == "reasoning":
        return []
    part_texts = [part.get("text") for part in content_parts if isinstance(part, Mapping)]
    return [part_text for part_text in part_texts if isinstance(part_text, str)]
