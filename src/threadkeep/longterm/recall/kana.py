"""Questions in Japanese: what of their pairs of letters is a word, and what is grammar.

A word of one Han letter stands between kana that are particles or endings, so that no pair of it
is ever said again: the wife of "妻の仕事" is also in "妻は看護師". In an index it is found by that
letter alone; a pair across the border of a word would find only other borders.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_HAN_KANA: Final = re.compile("[\u3400-\u9fff][\u3040-\u30ff]")
_KANA_HAN: Final = re.compile("[\u3040-\u30ff][\u3400-\u9fff]")
_HAN: Final = re.compile("[\u3400-\u9fff]+")
_GRAMMAR: Final = """
    ですか でしたか でしたっけ でしょうか だったっけ ますか ましたか ませんか
    ています ていました ていません ている ていた ていない てください のですか んですか
    します しました して する した あります ありました ある ない なります なりました
    どこ いつ なに なん どうして なぜ だれ どれくらい どのくらい いくら いくつ どんな
    どの どう について から まで より ので のに という
"""

STOP: Final = frozenset(
    phrase[i : i + 2] for phrase in _GRAMMAR.split() for i in range(len(phrase) - 1)
)
"""Pairs of kana that ask, or end a sentence, and say nothing."""


def single_letter(tokens: Sequence[str], place: int) -> str | None:
    """What is to be looked for instead of a pair of Han and kana; `None` for any other token.

    Args:
        tokens: of a question, in their order.
        place: of the token.

    Returns:
        The Han letter if it is a word; nothing if it is part of one, which has pairs of its own.
    """
    token = tokens[place]
    if _HAN_KANA.fullmatch(token):
        previous_token = tokens[place - 1] if place else ""
        return "" if _HAN.fullmatch(previous_token) and previous_token[1:] == token[0] else token[0]
    if _KANA_HAN.fullmatch(token):
        next_token = tokens[place + 1] if place + 1 < len(tokens) else ""
        return "" if next_token[:1] == token[1] else token[1]
    return None
