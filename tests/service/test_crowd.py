"""Many sessions, many threads, and the sweeper among them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.durations import within

SESSIONS, THREADS, TURNS = 40, 16, 12


@pytest.mark.proves("A2", "A5")
def test_forty_sessions_in_sixteen_threads_while_the_sweeper_runs(serve, provider, clock):
    service = serve(
        provider, "crowd", expiration_check_interval=0.005, history_policy={"max_turns": None}
    )
    for n in range(50):
        service.store_history(f"old {n}", "user", "soon forgotten")
    clock.now += 3_600
    said: dict = {f"session {n}": [] for n in range(SESSIONS)}
    locks = {session: threading.Lock() for session in said}

    def talk(job):
        session, n = f"session {job % SESSIONS}", job // SESSIONS
        with locks[session]:  # a session's own turns come one after the other
            role = ("user", "assistant")[len(said[session]) % 2]
            said[session].append({"role": role, "content": f"{session}, turn {n}"})
            service.store_history(session, role, f"{session}, turn {n}")
            service.store_file(session, {"name": f"file {n}"})
        return len(service.get_history(session))

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(talk, range(SESSIONS * TURNS)))

    assert {session: service.get_history(session) for session in said} == said
    assert all(len(service.get_files(session)) == TURNS for session in said)
    with within(1):
        service.close()


def test_one_session_in_sixteen_threads_loses_nothing(serve, provider):
    service = serve(provider, enforce_alternate_message_roles=False, max_turns=None)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda n: service.store_history("s", "user", str(n)), range(96)))
    assert sorted(int(entry["content"]) for entry in service.get_history("s")) == list(range(96))


@pytest.mark.proves("A16")
def test_retention_keeps_up_with_a_crowd(serve, provider):
    service = serve(provider, enforce_alternate_message_roles=False, max_turns=5)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda n: service.store_history("s", "user", str(n)), range(96)))
    assert len(service.get_history("s")) == 5
    service.store_history("s", "user", "the last, alone")
    assert len(service.memory.session("s").items()) == 5
