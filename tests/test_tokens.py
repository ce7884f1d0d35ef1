"""How many tokens an item is; nothing here asks the network."""

from __future__ import annotations

import importlib.util
import socket
import sys

import pytest

from threadkeep import connect, policies
from threadkeep.errors import ConfigError, MissingExtra
from threadkeep.types import Item
from threadkeep.window import tokens
from threadkeep.window.tokens import vocabulary


def letters(text):
    return len(text)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_an_estimate_takes_any_text():
    assert tokens.estimate("") == 0
    assert tokens.estimate("a") == 1
    assert tokens.estimate("\ud800") >= 1, "also what is no UTF-8"


def test_a_message_is_its_words_its_name_and_a_little_more():
    assert tokens.count(Item(content="hello"), letters) == 4 + 5
    assert tokens.count(Item(content="hello", name="ada"), letters) == 4 + 5 + 3
    assert tokens.count(Item(content=""), letters) == 4


def test_a_call_is_its_name_and_arguments_too():
    def count(args):
        return tokens.count(Item(tool_calls=[{"id": "x", "name": "look", "args": args}]), letters)

    assert count({}) == 4 + 8 + 4 + 2
    assert count({"q": 1}) == 4 + 8 + 4 + len('{"q": 1}')
    assert count("not json") == 4 + 8 + 4 + 8
    assert count({"q": "word " * 100}) > 500


def test_reasoning_counts_also_where_nobody_can_read_it():
    def count(**block):
        return tokens.count(Item(content=[{"type": "reasoning", **block}]), letters) - 4

    assert count(reasoning="hmm") == 3
    hidden = "x" * 400
    assert count(reasoning="", extras={"encrypted_content": hidden}) == tokens.estimate(hidden)
    assert count(reasoning="", extras={"signature": "c2ln"}) == 0


@pytest.mark.parametrize("kind", ["image", "audio", "video", "file"])
def test_media_have_a_flat_rate_however_large(kind):
    small = Item(content=[{"type": kind, "url": "https://x.test"}])
    large = Item(content=[{"type": kind, "base64": "a" * 1_000_000}])
    assert (
        tokens.count(small, letters)
        == tokens.count(large, letters)
        == 4 + tokens.MEDIA_TOKENS[kind]
    )


def test_other_blocks_are_their_json():
    assert tokens.count(Item(content=[{"type": "json", "value": {"a": 1}}]), letters) == 4 + 8
    assert tokens.count(Item(content=[{"type": "text", "text": "hello"}]), letters) == 4 + 5


def test_a_total_is_the_sum():
    items = [Item(content="a"), Item(content="bc")]
    assert tokens.total(items, letters) == 4 + 1 + 4 + 2
    assert tokens.total([], letters) == 0


def test_a_window_counts_with_the_counter_it_was_asked_for():
    with connect("memory://") as memory:
        chat = memory.session("chat", user="ada")
        chat.add("one", "three", "seven")
        assert chat.window(counter=letters).tokens == 3 * 4 + 13
        assert chat.window(max_tokens=1_000, counter=letters).tokens == 3 * 4 + 13
        own = chat.window(policy=policies.max_tokens(1_000, letters), counter=tokens.estimate)
        assert own.tokens == 3 * 4 + sum(map(tokens.estimate, ("one", "three", "seven")))


# --- tiktoken ------------------------------------------------------------------------------------


@pytest.fixture
def fresh_default():
    tokens.default.cache_clear()
    yield
    tokens.default.cache_clear()


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No folder that could hold tiktoken's files does."""
    for variable in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(vocabulary, "_candidate_folders", lambda: iter([tmp_path]))


def installed(name):
    return importlib.util.find_spec(name) is not None


needs_tiktoken = pytest.mark.skipif(not installed("tiktoken"), reason="tiktoken is not installed")


def test_without_tiktoken_tokens_are_estimated(monkeypatch, fresh_default):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert tokens.default() is tokens.estimate


def test_asking_for_tiktoken_without_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    with pytest.raises(MissingExtra, match=r'pip install "threadkeep\[tokens\]"'):
        tokens.tiktoken()


@needs_tiktoken
def test_without_its_file_tokens_are_estimated_and_said_to_be_once(nowhere, fresh_default):
    with pytest.warns(UserWarning, match="o200k_base file is not on this machine"):
        assert tokens.default() is tokens.estimate
    assert tokens.default() is tokens.estimate, "a second warning would be an error"


@needs_tiktoken
@pytest.mark.parametrize("encoding", ["o200k_base", "cl100k_base", "p50k_base", "../etc", ""])
def test_an_encoding_without_a_file_is_named_with_the_known_ones(nowhere, encoding):
    with pytest.raises(ConfigError, match=r"known: o200k_base, cl100k_base") as caught:
        tokens.tiktoken(encoding)
    assert repr(encoding) in str(caught.value)


@pytest.fixture(params=["o200k_base", "cl100k_base"])
def by_tiktoken(request):
    if not installed("tiktoken"):
        pytest.skip("tiktoken is not installed")
    if vocabulary._find_folder(request.param) is None:
        pytest.skip(f"the file of {request.param} is not on this machine")
    return tokens.tiktoken(request.param)


def test_tiktoken_counts_where_its_file_is(by_tiktoken):
    assert by_tiktoken("hello world") == 2
    assert by_tiktoken("") == 0
    assert by_tiktoken("<|endoftext|>") > 1, "what users write is text, never a control token"


def test_a_long_run_of_one_letter_is_counted_in_time(by_tiktoken):
    assert by_tiktoken("a" * 200_000) > 10_000
