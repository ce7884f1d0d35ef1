"""The weights of the estimator; see `estimator` for what they weigh and where they come from."""

from __future__ import annotations

from typing import Final

Weights = tuple[tuple[bytes, float], ...]

# fmt: off
CLASSES: Final[Weights] = (
    (b"a", 0.031), (b"A", 0.243), (b"0", 0.188), (b".", 0.227), (b"\n", 0.834), (b" a", 0.966),
    (b".a", 0.584), (b"0a", 1.22), (b"\na", 0.609), (b" A", -0.918), (b".A", -0.625),
    (b"0A", 0.475), (b"\nA", 0.111), (b"aA", -0.037), (b"Aa", 1.188), (b"AA", 0.357),
    (b"aaaaaa", 0.238), (b"aaaaaaaaaa", 0.839), (b" 0", 1.692), (b".0", 1.079), (b"a0", 0.864),
    (b"A0", 1.21), (b"\n0", 1.998), (b"000", 0.521), (b"a.", 0.363), (b"0.", 0.609),
    (b"A.", 0.929), (b" .", 0.738), (b"\n.", 1.147), (b"..", 0.603), (b"....", 0.333),
    (b"  ", 0.097), (b"    ", -0.121), (b"\n ", 1.409), (b".\n", -1.126), (b"\n\n", 1.639),
    (b" \n", 1.116),
)
"""Runs of classes in ASCII text: `a` a small letter, `A` a capital, `0` a digit, `.` any sign."""

TEXTS: Final[Weights] = (
    (b"----", -2.019), (b"====", -2.49), (b"    ", -0.157), (b"  ", 0.032), (b"\n\n", -3.324),
    (b"th", -0.742), (b"in", 0.082), (b"er", 0.039), (b"on", -0.275), (b"re", 0.086),
    (b"an", -0.101), (b"at", 0.082), (b"he", -0.008), (b"nd", -0.27), (b"ti", -0.36),
    (b"es", -0.098), (b"or", -0.032), (b"ing", -0.821), (b"the", 0.7), (b"aa", -0.031),
    (b"ii", 2.916), (b"uu", 3.923), (b"oo", 0.047), (b"k", 0.997), (b"w", 0.117), (b"z", 1.435),
    (b"y", 0.052), (b"q", 0.154), (b"x", 0.009), (b"j", 0.743), (b"v", 0.088), (b"0", -0.285),
    (b"00", -1.131), (b"_", 0.186), (b"\\", 0.546), (b'"', -0.28),
)
"""Frequent and rare letters and signs of ASCII text as they are."""

SCRIPTS: Final[tuple[tuple[tuple[bytes, ...], float], ...]] = (
    ((b"\xc2", b"\xc3",), 1.104),  # lat1
    ((b"\xc4", b"\xc5", b"\xc6", b"\xc7", b"\xc8", b"\xc9", b"\xca", b"\xcb",), 0.736),  # latx
    ((b"\xcc",), 1.43),  # comb
    ((b"\xe1\xba", b"\xe1\xbb",), -0.135),  # viet
    ((b"\xcd", b"\xce", b"\xcf",), 0.433),  # greek
    ((b"\xd0", b"\xd1",), 0.328),  # cyr
    ((b"\xd2", b"\xd3",), 11.347),  # cyrx
    ((b"\xd1\x96", b"\xd1\x97", b"\xd1\x94",), 0.985),  # ukr
    ((b"\xd1\x8b", b"\xd1\x8d",), -3.173),  # rus
    ((b"\xd4", b"\xd5",), 0.283),  # arm
    ((b"\xd6", b"\xd7",), 0.456),  # heb
    ((b"\xd8", b"\xd9", b"\xda", b"\xdb",), 0.375),  # arab
    ((b"\xe0\xa4", b"\xe0\xa5",), 0.376),  # deva
    ((b"\xe0\xa6", b"\xe0\xa7",), 0.384),  # ben
    ((b"\xe0\xa8", b"\xe0\xa9",), 0.642),  # pan
    ((b"\xe0\xaa", b"\xe0\xab",), 0.425),  # guj
    ((b"\xe0\xae", b"\xe0\xaf",), 0.393),  # tam
    ((b"\xe0\xb0", b"\xe0\xb1",), 0.526),  # tel
    ((b"\xe0\xb2", b"\xe0\xb3",), 0.461),  # kan
    ((b"\xe0\xb4", b"\xe0\xb5",), 0.32),  # mal
    ((b"\xe0\xb6", b"\xe0\xb7",), 0.631),  # sinh
    ((b"\xe0\xb8", b"\xe0\xb9",), 0.462),  # thai
    ((b"\xe0\xba", b"\xe0\xbb",), 1.89),  # lao
    ((b"\xe0\xbc", b"\xe0\xbd", b"\xe0\xbe", b"\xe0\xbf",), 0.5),  # tib
    ((b"\xe1\x80", b"\xe1\x81",), 0.338),  # mya
    ((b"\xe1\x82", b"\xe1\x83",), 0.058),  # geo
    ((b"\xe1\x88", b"\xe1\x89", b"\xe1\x8a", b"\xe1\x8b", b"\xe1\x8c", b"\xe1\x8d",), 1.759),  # eth
    ((b"\xe1\x9e", b"\xe1\x9f",), 0.367),  # khm
    ((b"\xe2\x80", b"\xe2\x81",), -4.147),  # genp
    ((b"\xe2",), 5.809),  # sym
    ((b"\xe2\x80\x8d",), 2.227),  # zwj
    ((b"\xe3\x80",), 0.918),  # cjkp
    ((b"\xe3\x81", b"\xe3\x82", b"\xe3\x83",), 0.769),  # kana
    ((b"\xe4", b"\xe5", b"\xe6", b"\xe7", b"\xe8", b"\xe9",), 0.972),  # cjk
    ((b"\xea", b"\xeb", b"\xec", b"\xed",), 0.803),  # hang
    ((b"\xef",), 0.356),  # ef
    ((b"\xef\xb8",), -3.478),  # vs
    ((b"\xf0",), 1.295),  # astral
    ((b"\xf0\x9f\x8f",), 1.205),  # tone
    ((b"\xf0\x9f\x87",), 2.716),  # flag
    ((b"\xe1", b"\xee", b"\xf1", b"\xf2", b"\xf3"), 0.262),  # other
    ((b"\xdc", b"\xdd", b"\xde", b"\xdf"), 0.262),  # other right-to-left
)
"""Where the UTF-8 bytes of characters of a script begin."""
# fmt: on
