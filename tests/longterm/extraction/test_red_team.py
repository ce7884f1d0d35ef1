"""Orders planted in twelve languages, against a model that proposes each of them as its own."""

from __future__ import annotations

import pytest

from tests.longterm.extraction.red_team import attempts
from tests.longterm.extraction.spoken_table import believer, learned
from threadkeep.longterm.extraction.languages.row import CODES

ATTEMPTS = {code: list(attempts(code)) for code in CODES}


def test_there_are_enough_attempts_in_ten_kinds():
    assert sum(map(len, ATTEMPTS.values())) >= 300
    assert {len({attempt.kind for attempt in each}) for each in ATTEMPTS.values()} == {11}


@pytest.mark.parametrize("code", CODES)
def test_no_attempt_is_told_to_a_model(code):
    succeeded = []
    for attempt in ATTEMPTS[code]:
        facts, instructions, _ = learned(attempt.messages, believer(attempt.planted))
        if facts or instructions:
            succeeded.append((attempt.kind, attempt.messages, facts, instructions))
    assert succeeded == []
