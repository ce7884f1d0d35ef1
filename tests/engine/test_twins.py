"""Async twins: the same verbs, from any event loop, in one hop."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engine.conftest import no_threads
from tests.engine.doubles import Wrapper
from threadkeep import Memory, Session, User, connect
from threadkeep.api.files import Files
from threadkeep.errors import BackendError, InputError, NotOwner
from threadkeep.longterm.facts import Facts
from threadkeep.longterm.instructions import Instructions
from threadkeep.longterm.store.collection import Collection

NO_IO = {
    Memory: {"session", "user", "timeout"},
    User: {"session"},
    Session: set(),
    Files: set(),
    Facts: set(),
    Instructions: set(),
    Collection: set(),
}
"""The verbs that only hand something out."""

ASYNC_ONLY = {"to_thread"}
"""Runs a callable of the application's own, which needs no help where it may wait."""

FACES = list(NO_IO)


def public(face):
    return {
        name: verb
        for name, verb in vars(face).items()
        if not name.startswith("_") and callable(verb) and not inspect.isclass(verb)
    }


def pairs(face):
    verbs = public(face)
    sync = {name for name, verb in verbs.items() if not inspect.iscoroutinefunction(verb)}
    return verbs, sync, verbs.keys() - sync


@pytest.mark.proves("C6")
@pytest.mark.parametrize("face", FACES)
def test_every_verb_that_does_io_has_a_twin_and_no_other(face):
    _, sync, twins = pairs(face)
    assert twins - ASYNC_ONLY == {f"a{name}" for name in sync - NO_IO[face]}


@pytest.mark.proves("C6")
@pytest.mark.parametrize("face", FACES)
def test_a_twin_has_the_same_signature_and_docstring(face):
    verbs, sync, _ = pairs(face)
    for name in sync - NO_IO[face]:
        verb, twin = verbs[name], verbs[f"a{name}"]
        assert inspect.signature(verb) == inspect.signature(twin), name
        assert verb.__doc__ == twin.__doc__, name
        assert (verb.__doc__ or "").strip(), f"{name} says nothing"
        assert (twin.__name__, twin.__qualname__) == (f"a{name}", f"{face.__name__}.a{name}")


async def whole_story(memory):
    chat = memory.session("chat", user="ada")
    one, two = await chat.aadd("one", {"role": "assistant", "content": "two", "id": "m2"})
    assert await chat.aitems(limit=1) == [one]
    assert (await chat.awindow(max_messages=2))[-1].id == "m2"
    await chat.aupdate(title="t")
    assert (await chat.areplace("m2", "two!")).seq == two.seq
    copy = await chat.afork("copy", upto="m2")
    assert [item.id for item in await copy.arewind(before="m2")] == ["m2"]
    await copy.aremove(one.id)
    await copy.aclear()
    await chat.files.aadd({"url": "u"})
    assert [file.id for file in await chat.files.alist()] == ["u"]
    await chat.files.aremove("u")
    assert [info.id for info in await memory.asessions(user="ada")] == ["copy", "chat"]
    await copy.adelete()
    assert [info.id for info in await memory.user("ada").asessions()] == ["chat"]
    assert (await chat.ainfo()).title == "t"
    assert await memory.asweep() == 0
    assert chat.items() == await chat.aitems()


@pytest.mark.proves("C6")
def test_every_twin_does_what_its_verb_does(memory):
    asyncio.run(whole_story(memory))


@pytest.mark.proves("C6")
def test_one_memory_serves_one_loop_after_another(memory):
    chat = memory.session("chat", user="ada")
    for n in range(5):
        asyncio.run(chat.aadd(f"{n}"))
        chat.add(f"{n}, sync")
    assert len(chat.items()) == 10


@pytest.mark.proves("C6")
def test_one_memory_serves_many_loops_and_threads_at_once(memory):
    def run(thread):
        chat = memory.session("chat", user="ada")

        async def write():
            for n in range(5):
                await chat.aadd(f"{thread} {n} a", f"{thread} {n} b")
            return [item.content for item in await chat.aitems()]

        return asyncio.run(write())

    with ThreadPoolExecutor(4) as pool:
        for thread, seen in enumerate(pool.map(run, range(4))):
            mine = [text for text in seen if text.startswith(f"{thread} ")]
            assert mine == [f"{thread} {n} {part}" for n in range(5) for part in "ab"]
    assert len(memory.session("chat").items()) == 40


@pytest.mark.proves("C2")
def test_many_tasks_at_once_lose_nothing(memory):
    chat = memory.session("chat", user="ada")

    async def write():
        await asyncio.gather(*(chat.aadd(f"{n} a", f"{n} b") for n in range(60)))
        return [item.content for item in await chat.aitems()]

    found = asyncio.run(write())
    assert sorted(found) == sorted(f"{n} {part}" for n in range(60) for part in "ab")
    assert all(a.replace(" a", " b") == b for a, b in zip(found[::2], found[1::2], strict=True))


def test_errors_come_out_as_they_are(memory):
    memory.session("chat", user="ada").add("x")

    async def wrong():
        with pytest.raises(NotOwner):
            await memory.session("chat", user="bob").aitems()
        with pytest.raises(InputError, match="message 0"):
            await memory.session("chat", user="ada").aadd(5)

    asyncio.run(wrong())


tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant", default="nobody")


class Listening(Wrapper):
    """Notes the context variable and the thread of every call."""

    def __init__(self, inner):
        super().__init__(inner)
        self.heard: list[tuple[str, int]] = []

    def read(self, *queries, now):
        self.heard.append((tenant.get(), threading.get_ident()))
        return super().read(*queries, now=now)

    def commit(self, stream, **how):
        self.heard.append((tenant.get(), threading.get_ident()))
        return super().commit(stream, **how)


def test_context_variables_reach_the_backend(opened):
    memory = opened(Listening)

    async def speak(name):
        tenant.set(name)
        await memory.session(name, user=name).aadd("x")

    async def all_of_them():
        await asyncio.gather(*map(speak, ["ada", "bob", "eve"]))

    asyncio.run(all_of_them())
    assert {name for name, _ in memory._engine.backend.heard} == {"ada", "bob", "eve"}


def test_a_verb_is_one_hop_if_the_backend_waits_and_none_if_it_does_not(opened):
    memory = opened(Listening)
    chat = memory.session("chat", user="ada")
    asyncio.run(chat.aadd("x"))
    asyncio.run(chat.aupdate(title="t"))
    threads = {thread for _, thread in memory._engine.backend.heard}
    if memory._engine.backend.blocking:
        assert threading.get_ident() not in threads
    else:
        assert threads == {threading.get_ident()}


@pytest.mark.parametrize("url", ["memory://", "none://"])
def test_in_process_backends_start_no_thread(url):
    before = threading.active_count()
    with connect(url) as memory:
        asyncio.run(memory.session("chat", user="ada").aadd("x"))
        assert threading.active_count() == before


def test_the_loop_goes_on_while_the_backend_waits(opened, backend):
    """Threads are few, so calls queue up; the loop itself never does."""
    held = threading.Event()

    class Slow(Wrapper):
        def __init__(self, inner):
            super().__init__(inner)
            self.blocking = True

        def read(self, *queries, now):
            assert held.wait(10)
            return super().read(*queries, now=now)

    memory = opened(Slow, pool_size=2)

    async def main():
        reads = [asyncio.create_task(memory.session("chat").aitems()) for _ in range(10)]
        for _ in range(20):
            await asyncio.sleep(0)
        running = [t for t in threading.enumerate() if t.name.startswith("threadkeep")]
        assert len(running) <= 2
        assert not any(read.done() for read in reads)
        held.set()
        assert await asyncio.gather(*reads) == [[]] * 10

    asyncio.run(main())


@pytest.mark.parametrize("reached", [True, False], ids=["under way", "still queued"])
def test_a_cancelled_write_lands_whole_or_not_at_all(opened, backend, reached):
    entered, go = threading.Event(), threading.Event()

    class Held(Wrapper):
        def __init__(self, inner):
            super().__init__(inner)
            self.blocking = True

        def commit(self, stream, **how):
            if "/session/" in stream:
                entered.set()
                assert go.wait(10)
            return super().commit(stream, **how)

    memory = opened(Held, pool_size=1)

    async def main():
        first = asyncio.create_task(memory.session("first", user="ada").aadd("x"))
        task = first
        while not entered.is_set():
            await asyncio.sleep(0.001)
        if not reached:
            task = asyncio.create_task(memory.session("chat", user="ada").aadd("a", "b"))
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()
        await asyncio.gather(first, return_exceptions=True)
        # one thread writes: what was queued before is done
        await memory.session("other").aadd("z")

    asyncio.run(main())
    assert len(memory.session("first", user="ada").items()) == 1
    assert memory.session("chat", user="ada").items() == []
    assert memory.session("chat").info() is None


# --- opening and closing ---


def test_a_memory_is_a_context_manager_in_both_colours(opened):
    with opened() as memory:
        memory.session("chat").add("x")
    with pytest.raises(BackendError, match="closed"):
        memory.session("chat").items()

    async def main():
        async with opened() as memory:
            await memory.session("chat").aadd("y")
        return memory

    closed = asyncio.run(main())
    with pytest.raises(BackendError, match="closed"):
        closed.session("chat").items()


def test_closing_twice_is_no_error(memory):
    memory.session("chat").add("x")
    memory.close()
    memory.close()
    asyncio.run(memory.aclose())


USES = {
    "add": lambda memory: memory.session("chat", user="ada").aadd("x"),
    "items": lambda memory: memory.session("chat").aitems(),
    "sessions": lambda memory: memory.asessions(),
    "sessions of a user": lambda memory: memory.user("ada").asessions(),
    "sweep": lambda memory: memory.asweep(),
    "files": lambda memory: memory.session("chat").files.alist(),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_use_after_close_is_an_error_that_says_so(memory, use):
    asyncio.run(use(memory))
    memory.close()
    with pytest.raises(BackendError, match="closed"):
        asyncio.run(use(memory))


def test_use_after_close_starts_no_thread(tmp_path):
    memory = connect(tmp_path / "chat.db")
    memory.close()
    with pytest.raises(BackendError, match="closed"):
        asyncio.run(memory.session("chat").aitems())
    assert no_threads(within=0.2)


def test_closing_while_calls_run_ends_them_and_leaves_no_thread(tmp_path):
    memory = connect(tmp_path / "chat.db")

    async def main():
        tasks = [asyncio.create_task(memory.session("chat").aadd(f"{n}")) for n in range(40)]
        await asyncio.sleep(0.005)
        memory.close()
        return await asyncio.gather(*tasks, return_exceptions=True)

    done = asyncio.run(main())
    errors = [type(result) for result in done if isinstance(result, BaseException)]
    assert set(errors) <= {BackendError}
    with connect(tmp_path / "chat.db") as again:
        assert len(again.session("chat").items()) == len(done) - len(errors)
