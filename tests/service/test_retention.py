"""What falls outside of the policy is deleted, not only hidden."""

import pytest


def stored(service):
    return [item.text for item in service.memory.session("s").items()]


def tell(service, *contents):
    for n, content in enumerate(contents):
        service.store_history("s", ("user", "assistant")[n % 2], content)


@pytest.mark.proves("A16")
def test_what_no_turn_keeps_is_deleted_at_the_next_write(serve, provider):
    service = serve(provider, history_policy={"max_turns": 3})
    tell(service, *"abcdef")
    assert stored(service) == ["d", "e", "f"]


@pytest.mark.proves("A16")
def test_what_is_too_long_is_deleted_at_the_next_write(serve, provider):
    service = serve(provider, history_policy={"max_characters": 8})
    tell(service, "aaaa", "bbbb", "cc", "dddddd")
    assert stored(service) == ["cc", "dddddd"]


@pytest.mark.proves("A16")
def test_retention_all_trims_only_what_is_read(serve, provider):
    service = serve(provider, history_policy={"max_turns": 2, "retention": "all"})
    tell(service, *"abcdef")
    assert stored(service) == list("abcdef")
    assert [entry["content"] for entry in service.get_history("s")] == ["e", "f"]


@pytest.mark.proves("A16")
def test_what_was_stored_under_a_wider_policy_goes_with_the_next_write(serve, tmp_path):
    config = {"type": "sqlite", "path": str(tmp_path / "history.db")}
    with serve(config, "same", retention="all") as wide:
        tell(wide, *"abcdef")
    narrow = serve(config, "same", max_turns=2)
    assert [entry["content"] for entry in narrow.get_history("s")] == ["e", "f"]
    assert stored(narrow) == list("abcdef"), "reading deletes nothing"
    narrow.store_history("s", "user", "g")
    assert stored(narrow) == ["f", "g"]


@pytest.mark.proves("A16")
def test_files_stay(serve, provider):
    service = serve(provider, max_turns=1)
    service.store_file("s", {"name": "a"})
    tell(service, *"abc")
    assert list(service.get_files("s").keys()) == ["a"]


@pytest.mark.proves("A16")
def test_nothing_that_the_policy_keeps_is_deleted_however_many(serve):
    service = serve(max_turns=3_000, max_characters=None)
    said = [{"role": ("user", "assistant")[n % 2], "content": str(n)} for n in range(2_500)]
    service.memory.session("s").add(*said)
    service.store_history("s", "user", "the last")
    assert len(service.get_history("s")) == 2_501
