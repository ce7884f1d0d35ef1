"""What the index knows of English; for other languages all of it is switched off, or harmless."""

from __future__ import annotations

import re
from typing import Final

_IRREGULAR: Final = """
    be: am is are was were been being; have: has had having; do: does did done doing
    go: goes went gone going; get: got gotten; make: made; take: took taken; buy: bought
    see: saw seen; come: came; think: thought; give: gave given; find: found; tell: told
    become: became; feel: felt; bring: brought; begin: began begun; keep: kept; hold: held
    write: wrote written; stand: stood; hear: heard; mean: meant; meet: met; run: ran; pay: paid
    sit: sat; speak: spoke spoken; lead: led; grow: grew grown; lose: lost; fall: fell fallen
    send: sent; build: built; understand: understood; draw: drew drawn; break: broke broken
    spend: spent; drive: drove driven; ride: rode ridden; rise: rose risen; sell: sold
    catch: caught; teach: taught; learn: learnt; fight: fought; win: won; wear: wore worn
    choose: chose chosen; sleep: slept; swim: swam swum; sing: sang sung; drink: drank drunk
    eat: ate eaten; fly: flew flown; throw: threw thrown; forget: forgot forgotten
    know: knew known; show: shown; steal: stole stolen; wake: woke woken; hide: hid hidden
    bite: bit bitten; shoot: shot; feed: fed; seek: sought; stick: stuck; strike: struck
    sweep: swept; deal: dealt; dream: dreamt; hang: hung; lay: laid; lie: lain; light: lit
    shake: shook shaken; sink: sank sunk; swing: swung; tear: tore torn; leave: left
    bear: bore; dive: dove; grind: ground; wind: wound; die: dies died dying
    lie: lies lied lying; tie: ties tied tying; loaf: loaves; shelf: shelves; thief: thieves
    calf: calves; goose: geese; axe: axes; basis: bases
    child: children kid kids; man: men; woman: women; person: people; mouse: mice; foot: feet
    tooth: teeth; wife: wives; life: lives; leaf: leaves; knife: knives; half: halves
    wolf: wolves; good: better best; bad: worse worst; far: further farther
"""

BASE: Final = {
    form: head.strip()
    for entry in _IRREGULAR.replace("\n", ";").split(";")
    if entry.strip()
    for head, forms in [entry.split(":")]
    for form in forms.split()
}
"""Irregular forms with the word they are forms of, which Porter's rules then take over."""

OTHER: Final = {
    "lives": "live", "leaves": "leave", "rose": "rose", "saw": "saw", "bit": "bit",
    "spoke": "spoke", "left": "left", "found": "found", "felt": "felt", "lay": "lay",
    "fell": "fell", "thought": "thought", "better": "bet", "dove": "dove", "bore": "bore",
    "ground": "ground", "wound": "wound", "axes": "axis", "bases": "base", "halves": "halve",
    "calves": "calve", "kid": "kid", "kids": "kid", "drove": "drove", "shot": "shot",
    "people": "people", "broke": "broke", "stuck": "stuck",
}  # fmt: skip
"""Forms that belong to a second word as well: lives to life and to live, a rose may have risen."""

STOP: Final = frozenset(
    """
    a an the and or of to in on at by for with from as is are was were be been do does did has have
    had what which who whom whose when where why how i you he she it they we me him her us them my
    your his its our their this that these those there would could should can will might
    """.split()  # noqa: SIM905
)
"""Words that say nothing in a question; in what was said they stay."""

TIME: Final = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|last|next|ago|since|recently|morning|afternoon|evening"
    r"|days?|weeks?|weekends?|months?|years?|spring|summer|autumn|fall|winter|birthday"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|january|february|march|april|june|july|august|september|october|november|december"
    r"|\d{4}|\d+(?:st|nd|rd|th))\b"
)
"""In lower case, which is twice as fast as to ignore the case."""
NUMBER: Final = re.compile(
    r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|dozen|couple|few|several"
    r"|once|twice|first|second|third)\b"
)
"""In lower case."""
NAME: Final = re.compile(r'(?<![.!?]\s)(?<!^)\b[A-Z][a-z]+|"[^"]+"')

ASKS_TIME: Final = re.compile(
    r"\bwhen\b|\bhow (?:long|old)\b|\b(?:what|which) (?:date|year|month|week|day|time)\b",
    re.IGNORECASE,
)
ASKS_NUMBER: Final = re.compile(r"\bhow (?:many|much|often|old)\b", re.IGNORECASE)
ASKS_NAME: Final = re.compile(
    r"\b(?:who|whose|where)\b|\b(?:what|which) (?:city|country|state|town|place|band|artist|book"
    r"|author|movie|film|show|series|song|album|game|team|company|brand|restaurant|school|name"
    r"|names)\b",
    re.IGNORECASE,
)
