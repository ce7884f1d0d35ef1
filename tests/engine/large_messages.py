"""Messages with large parts, and what of them is in a store."""

from __future__ import annotations

import base64
import random
from itertools import count

from hypothesis import strategies as st

from threadkeep.core.parts import LARGE
from threadkeep.types import Query

_SEEDS = count(1)
ALPHABETS = {"ascii": "abc xyz\n", "wide": "äß漢字😀 ", "odd": '"\\\0\x1f\ud800a'}


def picture(size=100_000, seed=None):
    """Base64 of random bytes, another one each time."""
    return base64.b64encode(random.Random(seed or next(_SEEDS)).randbytes(size)).decode()


def photo(size=100_000, seed=None):
    """A message with a picture."""
    url = f"data:image/png;base64,{picture(size, seed)}"
    parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": url}}]
    return {"role": "user", "content": parts}


def long_text(alphabet, length, seed):
    """A text of the characters of an alphabet."""
    return "".join(random.Random(seed).choices(ALPHABETS[alphabet], k=length))


def pieces(memory, session="chat"):
    """The number of pieces in a session's stream."""
    name = memory._engine.stream("blob", session)
    return len(memory._engine.read(Query(name, "piece"))[0].records)


def references(memory, session="chat"):
    """The number of references in a session's stream."""
    name = memory._engine.stream("blob", session)
    return len(memory._engine.read(Query(name, "blob"))[0].records)


lengths = st.one_of(
    st.integers(0, 30), st.integers(LARGE // 4 - 3, LARGE + 3), st.integers(200_000, 400_000)
)
texts = st.builds(long_text, st.sampled_from(sorted(ALPHABETS)), lengths, st.integers(0, 99))
values = st.one_of(
    texts,
    st.integers(),
    st.lists(texts, max_size=3),
    st.dictionaries(st.sampled_from(["a", "data", "content"]), texts, max_size=3),
    st.integers(8_000, 9_000).map(lambda n: list(range(10**7, 10**7 + n))),
)
blocks = st.one_of(
    texts.map(lambda text: {"type": "text", "text": text}),
    st.builds(lambda n: {"type": "image", "base64": picture(n, n), "mime_type": "image/png"},
              st.sampled_from([10, 60_000, 300_000])),
    values.map(lambda value: {"type": "opaque", "value": {"type": "x", "id": "x", "v": value}}),
    values.map(lambda value: {"type": "json", "value": value}),
)  # fmt: skip
messages = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant"]),
        "content": st.one_of(texts, st.lists(blocks, min_size=1, max_size=4)),
    },
    optional={"metadata": st.dictionaries(st.sampled_from("ab"), values, max_size=2)},
)
