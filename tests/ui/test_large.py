"""Large stores: 100,000 sessions, and a session of 100,000 messages; pages stay small and quick."""

from __future__ import annotations

import re
import time
import tracemalloc

import pytest

from tests.serve.running import serving
from tests.ui import fetch, large
from threadkeep import connect
from threadkeep.serve import Loopback
from threadkeep.ui import app

SECONDS = 3.0
"""Of one page, of the processor's time, which other programs do not take."""

BYTES = 1_000_000


def fetched(url, path):
    """A page, which must come soon and be small."""
    began = time.process_time()
    answer = fetch.get(url + path)
    assert time.process_time() - began < SECONDS, path
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < BYTES, path
    return answer.text


def next_page(html):
    found = re.search(r'rel="next" href="([^"]+)"', html)
    return None if found is None else found[1].replace("&amp;", "&")


@pytest.mark.proves("D19")
@pytest.mark.slow
def test_pages_over_100_000_sessions(tmp_path):
    large.fill(tmp_path / "chat.db", 100_000)
    with (
        connect(tmp_path / "chat.db") as memory,
        serving(app(memory, keys=Loopback())) as url,
    ):
        for start in ("/", "/?user=ada", "/users", "/?q=nothing"):
            html = fetched(url, start)
            tracemalloc.start()
            for _ in range(5):
                html = fetched(url, next_page(html))
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 60_000_000, start
        for path in ("/user?id=ada", "/user/refused?id=ada", "/user/summaries?id=ada"):
            fetched(url, path)
        assert "too many sessions to add up" in fetched(url, "/user/usage?id=ada")
        assert "s0099999" in fetched(url, "/?user=ada&q=s0099999")


@pytest.mark.slow
def test_paging_reaches_every_session_once(tmp_path):
    large.fill(tmp_path / "chat.db", 400)
    with (
        connect(tmp_path / "chat.db") as memory,
        serving(app(memory, keys=Loopback())) as url,
    ):
        for start, count in (("/", 401), ("/?user=ada", 201), ("/?q=s00003", 100)):
            seen, path = [], start
            while path is not None:
                html = fetched(url, path)
                seen += re.findall(r'<td><a href="/session\?id=(\w+)', html)
                path = next_page(html)
            assert len(seen) == len(set(seen)) == count


@pytest.fixture(scope="module")
def long_session():
    with connect("memory://") as memory:
        chat = memory.session("long", user="ada")
        for start in range(0, 100_000, 1_000):
            chat.add(
                *(
                    {"role": ("user", "assistant")[n % 2], "content": f"message {n} end"}
                    for n in range(start, start + 1_000)
                )
            )
        with serving(app(memory, keys=Loopback())) as url:
            yield url


def numbers(html):
    return [int(n) for n in re.findall(r"message (\d+) end", html)]


@pytest.mark.proves("D19")
def test_a_session_of_100_000_messages(long_session):
    newest = fetched(long_session, "/session?id=long")
    assert numbers(newest) == list(range(99_950, 100_000))
    older = re.search(r'rel="prev" href="([^"]+)"', newest)[1].replace("&amp;", "&")
    html = fetched(long_session, older)
    assert numbers(html) == list(range(99_900, 99_950))
    assert numbers(fetched(long_session, next_page(html))) == list(range(99_950, 100_000))
    first = fetched(long_session, "/session?id=long&after=0")
    assert numbers(first) == list(range(50))
    assert numbers(fetched(long_session, next_page(first))) == list(range(50, 100))
    middle = fetched(long_session, "/session?id=long&after=50000")
    assert len(numbers(middle)) == 50


def test_a_very_long_text_is_cut_and_has_a_page(memory, open_pages):
    text = "x" * 1_500_000
    item = memory.session("long").add(text)[0]
    html = fetched(open_pages, "/session?id=long")
    assert "1,492,000 more characters" in html
    assert "x" * 400_000 in fetched(open_pages, f"/item?session=long&id={item.id}")
